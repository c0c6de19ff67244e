"""Secrets that have no shape of their own: random-looking text where a name says what it is."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

_NAMES = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|secret|token|credential|api_?key|access_?key|auth_?key|"
    r"private_?key|signing_?key|encryption_?key|master_?key|client_?key|account_?key|"
    r"service_?key|bearer|hmac_?key|salt)s?"
)
_TAILS = r"(?:_?(?:value|text|default|key|id|string|str|b64|hex))?"
# name = "value", name: str = "value", "name": "value", call(name="value"), ["name"] = "value".
_ASSIGNED: Final = re.compile(
    rf"(?i)(?<![\w.-])(?P<name>[\w.-]{{0,40}}{_NAMES}{_TAILS})"
    r"[\"']?\]?\s*(?::\s*[\w.\[\], |\"']{1,40}?)?\s*(?:=(?!=)|:=|:|=>)\s*\(?\s*"
    r"(?:[rbuf]{0,2})(?P<quote>\"\"\"|'''|\"|')(?P<value>[^\"'\n]{8,200})(?P=quote)"
)
# setdefault("name", "value"); anything but a call may be a list of words.
_PASSED: Final = re.compile(
    rf"(?i)(?<=\w)\(\s*[\"'](?P<name>[\w.-]{{0,40}}{_NAMES}{_TAILS})[\"']\s*,\s*"
    r"(?P<quote>\"|')(?P<value>[^\"'\n]{8,200})(?P=quote)\s*[,)]"
)
# NAME=value as in a shell or an .env file, at the start of a line.
_EXPORTED: Final = re.compile(
    rf"(?m)^[ \t]*(?:export[ \t]+)?(?P<name>(?i:[A-Z0-9_]{{0,40}}{_NAMES}[A-Z0-9_]{{0,10}}))="
    r"(?P<value>[^\s\"'#(){}\[\]$<>]{8,200})[ \t]*$"
)
_IN_URL: Final = re.compile(
    r"[a-z0-9+]://(?P<name>[^\s/:@\"'<>{}%$*]{1,60}):(?P<value>[^\s/:@\"'<>{}$*]{6,})@[\w.\[-]"
)
_IN_CONNECTION: Final = re.compile(
    r"(?i)(?:server|host|data source|dsn|uid|user id|user|username)\s*=[^;\n]{1,80};"
    r"(?:[^;\n]{0,80};){0,8}\s*(?P<name>password|pwd)\s*=\s*(?P<value>[^;\s\"'{}<>$%]{4,})"
)

_PLACEHOLDERS: Final = re.compile(
    r"(?i)change[-_ ]?me|replace[-_ ]?me|example|placeholder|dummy|sample|fake|your[-_ ]|my[-_ ]|"
    r"insert|redacted|not[-_ ]?(?:a|so)[-_ ]?(?:real|secret)|x{4}|\*{3}|\.{3}|<[^>]*>|\{[^}]*\}|"
    r"^\$\w+$|\$\{|%\(|%s|1234567|abcdef|password|passwd|secret|token|qwerty|lorem|todo|foobar"
)
_WORD: Final = re.compile(r"[A-Za-z0-9+/_=.~-]{32,}")

_BITS: Final = 4.3  # per character: above hexadecimal digests (at most 4.0) and nearly all words
_NAMED_BITS: Final = 3.0  # beside a name that says what it is: eight different characters


def named_in(text: str) -> Iterator[tuple[str, int]]:
    """The kind and the offset of each value that its name, or its place, makes a secret."""
    for pattern in (_ASSIGNED, _PASSED, _EXPORTED):
        for found in pattern.finditer(text):
            if _looks_drawn(found["value"]) and not is_placeholder(found["value"]):
                yield "value of a name that means secret", found.start("value")
    for kind, pattern in (("password in a URL", _IN_URL), ("password", _IN_CONNECTION)):
        for found in pattern.finditer(text):
            if not is_placeholder(found["value"]):
                yield kind, found.start("value")


def random_in(text: str) -> Iterator[tuple[str, int]]:
    """The offset of each long token that mixes cases and digits without any order in them."""
    for found in _WORD.finditer(text):
        if _looks_random(found[0]):
            yield "random-looking string", found.start()


def is_placeholder(value: str) -> bool:
    """Whether a value obviously stands for another: ``changeme``, ``<token>``, ``${TOKEN}``."""
    return bool(_PLACEHOLDERS.search(value)) or len(set(value)) <= 3


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


def _looks_random(token: str) -> bool:
    classes = (str.isupper, str.islower, str.isdigit)
    if not all(any(test(char) for char in token) for test in classes):
        return False
    return not _is_ordered(token) and _entropy(token) >= _BITS


def _is_ordered(token: str) -> bool:
    """Whether it is an alphabet, or runs of one character."""
    pairs = list(itertools.pairwise(token))
    return sum(1 for a, b in pairs if 0 <= ord(b) - ord(a) <= 1) > len(pairs) / 3


def _entropy(token: str) -> float:
    """Shannon entropy in bits per character."""
    counts = Counter(token)
    return -sum(n / len(token) * math.log2(n / len(token)) for n in counts.values())
