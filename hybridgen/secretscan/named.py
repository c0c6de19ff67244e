"""Secrets that have no shape of their own: random-looking text where a name says what it is."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from hybridgen.secretscan.views import from_base64

_PASSWORDS = (
    r"pass(?:word|wd|phrase|code)|pwd|passwort|kennwort|contrase[n\u00f1]a|mot_?de_?passe|senha"
)
_NAMES = (
    rf"(?:{_PASSWORDS}|secret|token|credential|api[_-]?key|access[_-]?key|auth[_-]?key|"
    r"private_?key|signing_?key|encryption_?key|master_?key|client_?key|account_?key|"
    r"service_?key|subscription[_-]?key|bearer|hmac_?key|salt)s?"
)
_MEANING: Final = re.compile(rf"(?i){_NAMES}")
_IN_NAME: Final = re.compile(r"[\w.-]").match
_LONGEST_NAME: Final = 40
_TAILS = r"(?:_?(?:value|text|default|key|id|string|str|b64|hex))?"
_NAME = rf"(?<![\w.-])(?P<name>[\w.-]{{0,40}}{_NAMES}{_TAILS})"
_QUOTED = r"(?P<quote>\"\"\"|'''|\"|')(?P<value>[^\"'\n]{8,200})(?P=quote)"
# Field(default="value"), SecretStr("value"), environ.get("NAME") or "value".
_WRAPPED = (
    r"(?:\(\s*+|(?:Field|Secret\w{0,8}|str|bytes)\(\s*+(?:default\s*+=\s*+)?"
    r"|[^\n,]{0,60}?\bor\s++)?"
)
# name = "value", name: str = "value", "name": "value", call(name="value"), ["name"] = "value".
_ASSIGNED: Final = re.compile(
    rf"(?i){_NAME}[\"']?\]?\s*+(?::\s*+[\w.\[\], |\"']{{1,40}}?\s*+)?(?:=(?!=)|:=|:|=>)\s*+"
    rf"{_WRAPPED}[rbuf]{{0,2}}{_QUOTED}"
)
# setdefault("name", "value"); anything but a call may be a list of words.
_PASSED: Final = re.compile(
    rf"(?i)(?<=\w)\(\s*+[\"']{_NAME}[\"']\s*+,\s*+[rbuf]{{0,2}}{_QUOTED}\s*+[,)]"
)
# auth=("name", "value")
_PAIRED: Final = re.compile(
    rf"(?i)\b(?P<name>auth)\s*+=\s*+\w{{0,40}}\(\s*+[\"'][^\"'\n]{{1,80}}[\"']\s*+,\s*+{_QUOTED}"
)
# NAME=value as in a shell or an .env file, at the start of a line.
_EXPORTED: Final = re.compile(
    rf"(?m)^[ \t]*+(?:export[ \t]++)?(?P<name>(?i:[A-Z0-9_]{{0,40}}{_NAMES}[A-Z0-9_]{{0,10}}))="
    r"(?P<value>[^\s\"'#(){}\[\]$<>]{8,200})[ \t]*$"
)
# Without quotes: settings in a comment or in a long text, a query, a connection string, .netrc.
_BARE: Final = re.compile(
    rf"(?i){_NAME}(?:[ \t]*+[=:]|[ \t>])[ \t]*+"
    r"(?P<value>[^\s\"'`(){}\[\]<>,;&|$\\]{8,200})(?=[\s\"'`,;&\\<]|$)"
)
_HEADER: Final = re.compile(
    r"(?i)(?:\bauthorization\b[^\n]{0,20}?\b(?:token|apikey)|\bbearer)[ \t]++"
    r"(?P<value>[A-Za-z0-9+/_.=~-]{16,400})"
)
_BASIC: Final = re.compile(
    r"(?i:\bbasic[ \t]++|(?<![A-Za-z])_?auth[\"']?\s*+[:=]\s*+[\"']?)"
    r"(?P<value>[A-Za-z0-9+/]{12,200}={0,2})"
)
_IN_URL: Final = re.compile(
    r"[a-z0-9+]://(?P<name>[^\s/:@\"'<>{}%$*]{0,60}):(?P<value>[^\s/:@\"'<>{}$*]{6,})@[\w.\[-]"
)
_ALONE_IN_URL: Final = re.compile(r"https?://(?P<value>[A-Za-z0-9_-]{20,200})@[\w.\[-]")
_IN_CONNECTION: Final = re.compile(
    r"(?i)(?:server|host|data source|dsn|uid|user id|user|username)\s*=[^;\n]{1,80};"
    r"(?:[^;\n]{0,80};){0,8}\s*(?P<name>password|pwd)\s*=\s*(?P<value>[^;\s\"'{}<>$%]{4,})"
)
# What issuers put before what they draw, as in hf_ or glsa_; hashes may have such names too.
_PREFIXED: Final = re.compile(
    r"(?<![A-Za-z0-9_+/.-])(?!sha\d|md5|v\d)(?:[A-Za-z][A-Za-z0-9]{1,9}[_-]){1,2}"
    r"(?P<value>[A-Za-z0-9]{30,200})(?![\w/+=])"
)

# Of a text's tokens, or where a list goes on: nobody keeps those secret.
_NO_SECRETS: Final = re.compile(
    r"(?i)(?:page|continuation|next|sync|cursor|resume|pad|unk|[eb]os|cls|sep|mask|special|stop)"
    r"[_-]?tokens?$"
)
# Something is to be put in here, or somebody says that it is no secret.
_STANDS: Final = re.compile(
    r"(?i)<[^>]*>|\{[^}]*\}|^\$\w+$|\$\{|%\(|%s|x{4}|\*{3}|\.{3}|(?:change|replace)[-_ ]?me|"
    r"example|placeholder|dummy|fake|redacted|your[-_ ]|not[-_ ]?(?:a|so)[-_ ]?(?:real|secret)"
)
# Of such words values are made that stand for others; a real one has more than them.
_WORDS: Final = re.compile(
    r"(?i)pass(?:word|wd)?|secret|token|api|key|my|test|sample|insert|sesame|qwerty|lorem|todo|"
    r"foo|bar|abc(?:def)?|123(?:4567890?)?"
)
_CODE: Final = re.compile(r"[A-Za-z_][\w.]*,?")
_ATTRIBUTE: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+,?")
_LONG: Final = re.compile(r"[A-Za-z0-9+/_=.~-]{32,}")

_BITS: Final = 4.3  # per character: above hexadecimal digests (at most 4.0) and nearly all words
_PREFIXED_BITS: Final = 4.0  # they are shorter
_NAMED_BITS: Final = 3.0  # beside a name that says what it is: eight different characters
_LEAST_TURNS: Final = 3  # where nothing but its looks tells a value from code: "md5_x2" has two
_LEAST_LEFT: Final = 4


def named_in(text: str) -> Iterator[tuple[str, int]]:
    """The kind and the offset of each value that its name, or its place, makes a secret."""
    for found in _beside_names(text):
        is_code = found.re is _EXPORTED and _CODE.fullmatch(found["value"]) is not None
        is_bare = found.re is _BARE or is_code
        if not _NO_SECRETS.search(found["name"]) and _is_drawn(found["value"], is_bare=is_bare):
            yield "value of a name that means secret", found.start("value")
    for kind, pattern in (("password in a URL", _IN_URL), ("password", _IN_CONNECTION)):
        for found in pattern.finditer(text):
            if not is_placeholder(found["value"]):
                yield kind, found.start("value")
    for kind, pattern in (("token in a header", _HEADER), ("token in a URL", _ALONE_IN_URL)):
        for found in pattern.finditer(text):
            if _is_drawn(found["value"], is_bare=True):
                yield kind, found.start("value")
    for found in _BASIC.finditer(text):
        password = from_base64(found["value"]).decode("ascii", "replace").partition(":")[2]
        if password.isprintable() and _is_drawn(password, is_bare=False):
            yield "password in a header", found.start("value")
    for found in _PREFIXED.finditer(text):
        if _looks_random(found["value"], _PREFIXED_BITS) and _turns(found["value"]) > _LEAST_TURNS:
            yield "API key", found.start("value")


def _beside_names(text: str) -> Iterator[re.Match[str]]:
    """Names that mean secret, each with a value; tried where such a name is, which is quicker."""
    for pattern in (_PASSED, _PAIRED, _EXPORTED):
        yield from pattern.finditer(text)
    last = -1
    for found in _MEANING.finditer(text):
        start = found.start()
        while start > 0 and found.start() - start <= _LONGEST_NAME and _IN_NAME(text[start - 1]):
            start -= 1
        if start != last:
            last = start
            yield from filter(None, (_ASSIGNED.match(text, start), _BARE.match(text, start)))


def random_in(text: str) -> Iterator[tuple[str, int]]:
    """The offset of each long token that mixes cases and digits without any order in them."""
    for found in _LONG.finditer(text):
        if _looks_random(found[0], _BITS):
            yield "random-looking string", found.start()


def is_placeholder(value: str) -> bool:
    """Whether a value obviously stands for another: ``changeme``, ``<token>``, ``${TOKEN}``."""
    if _STANDS.search(value) or len(set(value)) <= 3:
        return True
    left = _WORDS.sub("", value)
    return left != value and (
        sum(map(str.isalnum, left)) < _LEAST_LEFT
        or not any(map(str.isdigit, left))
        or not any(map(str.isalpha, left))
    )


def _is_drawn(value: str, *, is_bare: bool) -> bool:
    """Whether somebody drew this value, and nobody wrote it to stand for another."""
    if is_bare and (_turns(value) < _LEAST_TURNS or _ATTRIBUTE.fullmatch(value)):
        return False
    return _looks_drawn(value) and not is_placeholder(value)


def _looks_drawn(value: str) -> bool:
    """Whether somebody drew this: no words, and at least two kinds of characters."""
    is_path = value.startswith(("./", "../", "~/"))
    if is_path or "://" in value or any(char.isspace() for char in value):
        return False
    kinds = sum(any(test(char) for char in value) for test in (str.isupper, str.islower))
    has_digit = any(char.isdigit() for char in value)
    if not has_digit or not kinds:
        return False
    return _entropy(value) >= _NAMED_BITS and not _is_ordered(value)


def _looks_random(token: str, bits: float) -> bool:
    classes = (str.isupper, str.islower, str.isdigit)
    if not all(any(test(char) for char in token) for test in classes):
        return False
    return not _is_ordered(token) and _entropy(token) >= bits


def _turns(value: str) -> int:
    """How often letters turn into digits, or back."""
    kinds = [0 if char.isalpha() else 1 if char.isdigit() else 2 for char in value]
    return sum(1 for one, two in itertools.pairwise(kinds) if {one, two} == {0, 1})


def _is_ordered(token: str) -> bool:
    """Whether it is an alphabet, or runs of one character."""
    pairs = list(itertools.pairwise(token))
    return sum(1 for a, b in pairs if 0 <= ord(b) - ord(a) <= 1) > len(pairs) / 3


def _entropy(token: str) -> float:
    """Shannon entropy in bits per character."""
    counts = Counter(token)
    return -sum(n / len(token) * math.log2(n / len(token)) for n in counts.values())
