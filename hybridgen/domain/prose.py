"""Calls in prose, with what it says that they give: ``slug("A b") returns "a-b"``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_CALL = 300
LONGEST_VALUE = 200

_SYMBOL = r"->|=+>|==?|→|⇒|#\s*(?:=+>?|-+>|[Rr]eturns:?|[Gg]ives:?)?"
_WORD = r"(?:(?:should|will|must)\s+)?(?:returns?|gives?|yields?|evaluates?\s+to|equals?|is)\b"
_VERB = re.compile(rf"`*\s*(?:(?P<symbol>{_SYMBOL})|(?P<word>{_WORD}))\s*:?\s*`*")
_RAISES = re.compile(
    r"`*\s*(?:(?:->|=>|#)\s*)?raises?\s+(?:an?\s+)?(?::\w+:)?`*~?(?:\w+\.)*(?P<name>[A-Z]\w+)"
)
_ATOM = re.compile(
    r"[bru]{0,2}'(?:[^'\\\n]|\\.)*'|[bru]{0,2}\"(?:[^\"\\\n]|\\.)*\""
    r"|[-+]?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?|(?:[Tt]rue|[Ff]alse|[Nn]one)\b"
)
_SPELLED = {"true": "True", "false": "False", "none": "None"}
# What may stand after a value without changing what was said of it.
_GOES_ON = re.compile(
    r"[.;:!)\]](?![.\w])|,\s+(?!(?:if|unless|when|on|in|for|or|with|under)\b)[A-Za-z]"
    r"|(?:and|but|while|whereas|because|since)\s+[A-Za-z`]"
)
# What comes before a call that is not said to be so, or not always.
_DOUBT = re.compile(
    r"\b(?:not|never|without|instead|unless|if|otherwise|before|previously|formerly|older?|until"
    r"|wrong\w*|naive\w*|would|could|suppose|let|when|assum\w+|given|with|after|bugs?|unlike|once"
    r"|incorrect\w*|used to|set|python 2)\b|n't\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Told:
    """A call that prose speaks of.

    Attributes:
        call: as it is written there.
        value: a literal that it is said to give, or "".
        raises: name of the exception that it is said to raise, or "".
    """

    call: str
    value: str = ""
    raises: str = ""


def told_calls(text: str, name: str) -> Iterator[Told]:
    """The calls of ``name`` in ``text``, but not in doctests, with what is said of them.

    Only calls with plain values: the names of a signature say nothing.
    """
    text = _without_doctests(text)
    for match in re.finditer(rf"(?<![\w.]){re.escape(name)}\(", text):
        call = _call(text, match.start())
        if not call:
            continue
        rest = text[match.start() + len(call) :]
        before = re.split(r"[.!?;:]\s|\n\s*\n", text[: match.start()])[-1]
        if _DOUBT.search(before):
            yield Told(call)
        elif (raised := _RAISES.match(rest)) and _is_end(rest[raised.end() :], is_symbol=False):
            yield Told(call, raises=raised["name"])
        else:
            yield Told(call, value=_value(rest))


def _without_doctests(text: str) -> str:
    """Text with empty lines in place of examples and what they show."""
    lines, is_example = [], False
    for line in text.splitlines():
        is_example = line.lstrip().startswith(">>>") or (is_example and bool(line.strip()))
        lines.append("" if is_example else line)
    return "\n".join(lines)


def _call(text: str, start: int) -> str:
    """The call that begins at ``start``, or "" if it is none with plain values only."""
    for match in re.finditer(r"\)", text[start : start + LONGEST_CALL]):
        call = text[start : start + match.end()]
        try:
            node = ast.parse(call, mode="eval").body
        except (SyntaxError, ValueError):
            continue
        if not isinstance(node, ast.Call):
            return ""
        arguments = (*node.args, *(keyword.value for keyword in node.keywords))
        is_plain = not any(isinstance(item, ast.Name) for a in arguments for item in ast.walk(a))
        return call if is_plain else ""
    return ""


def _value(rest: str) -> str:
    """The literal that ``rest`` says a call gives, or ""."""
    verb = _VERB.match(rest)
    if verb is None or (verb["symbol"] and "\n" in verb[0]):
        return ""
    rest = rest[verb.end() :]
    literal = _literal(rest)
    is_whole = bool(literal) and _is_end(rest[len(literal) :], is_symbol=bool(verb["symbol"]))
    return _SPELLED.get(literal, literal) if is_whole else ""


def _literal(text: str) -> str:
    """The literal that ``text`` begins with, as it is written there, or ""."""
    atom = _ATOM.match(text)
    if atom is not None:
        return atom[0]
    if text[:1] not in ("[", "(", "{"):
        return ""
    for match in re.finditer(r"[\])}]", text[:LONGEST_VALUE]):
        try:
            ast.literal_eval(text[: match.end()])
        except (SyntaxError, ValueError, TypeError):
            continue
        return text[: match.end()]
    return ""


def _is_end(rest: str, *, is_symbol: bool) -> bool:
    """True if what follows a value does not say more about it (``3 in most cases``)."""
    line, _, after = rest.lstrip("`").partition("\n")
    line = line.strip()
    if not line:
        return is_symbol or re.match(r"[ \t]*[a-z]", after) is None
    return _GOES_ON.match(line) is not None or (is_symbol and line.startswith("#"))
