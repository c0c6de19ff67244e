"""Conditions in prose that can be read for sure: "if the whole is 0", "for no values".

Each is about one argument. What says more, or speaks of anything else, is not understood, and what
is not understood says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sized

Test = Callable[[object, re.Match[str]], bool]

_SUBJECT = r"(?:(?:the|any|an?|its|given)\s+)*(?:(?P<subject>\w+)\s+)?(?:is\s+|are\s+|was\s+)?"
_NUMBER = r"(?P<limit>-?\d+)"
# Words for the only argument there is.
_PRONOUNS = frozenset(
    {"it", "this", "input", "argument", "value", "number", "text", "string", "list", "sequence"}
)


def _number(test: Callable[[float, re.Match[str]], bool]) -> Test:
    def asked(value: object, match: re.Match[str]) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return test(value, match)

    return asked


def _is_empty(value: object, match: re.Match[str]) -> bool:
    return isinstance(value, Sized) and len(value) == 0


def _has_none(value: object, match: re.Match[str]) -> bool:
    """Whatever "there is none" speaks of: nothing is in what is empty."""
    return not isinstance(value, str | bytes) and _is_empty(value, match)


FORMS: tuple[tuple[re.Pattern[str], Test], ...] = tuple(
    (re.compile(pattern), test)
    for pattern, test in (
        (
            _SUBJECT + r"(?:negative|less than (?:0|zero)|below (?:0|zero)|< ?0)",
            _number(lambda value, _: value < 0),
        ),
        (
            _SUBJECT + r"(?:not positive|non-positive|<= ?0|less than (?:1|one)|< ?1)",
            _number(lambda value, _: value <= 0),
        ),
        (_SUBJECT + r"(?:equal to |==? ?)?(?:0|zero)", _number(lambda value, _: value == 0)),
        (
            _SUBJECT + r"(?:greater than|larger than|more than|bigger than|above|over|>) ?"
            rf"{_NUMBER}",
            _number(lambda value, match: value > int(match["limit"])),
        ),
        (
            _SUBJECT + rf"(?:less than|smaller than|below|under|<) ?{_NUMBER}",
            _number(lambda value, match: value < int(match["limit"])),
        ),
        (
            _SUBJECT + r"(?:not (?:with)?in|not between|outside(?: of)?|out of)(?: the range)?"
            r"(?: of| from)? ?[\[(]?(?P<low>-?\d+) ?(?:\.\.\.?|-|\u2013|to|and|,) ?"
            r"(?P<high>-?\d+)[\])]?",
            _number(lambda v, m: not int(m["low"]) <= v <= int(m["high"])),
        ),
        (_SUBJECT + r"empty", _is_empty),
        (r"(?:an? )?empty (?P<subject>\w+)", _is_empty),
        (r"there (?:is|are) (?:none|no \w+(?: \w+)?)|(?:no|without) \w+", _has_none),
        (_SUBJECT + r"none", lambda value, _: value is None),
    )
)


def holds(condition: str, arguments: Mapping[str, object], names: tuple[str, ...]) -> bool:
    """True if ``condition`` is understood and is so for a call.

    Args:
        arguments: the values that went to parameters, by name.
        names: all parameters that are needed, to know what "it" is.
    """
    text = re.sub(r"\s+", " ", condition.replace("`", "").replace("*", "")).strip().lower()
    only = names[0] if len(names) == 1 else ""
    by_name = {name.lower(): name for name in arguments}
    for pattern, test in FORMS:
        match = pattern.fullmatch(text)
        if match is None:
            continue
        subject = match.groupdict().get("subject") or ""
        name = by_name.get(subject, only if not subject or subject in _PRONOUNS else "")
        if name in arguments and test(arguments[name], match):
            return True
    return False
