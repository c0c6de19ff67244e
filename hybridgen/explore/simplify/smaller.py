"""Smaller numbers and plainer texts in the place of a literal, each told whether the last one did.

Generators in the manner of ``send``: the caller answers every value with True or False, and what
comes next depends on that. So a number is found by bisection, and a text is taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Generator

SIMPLE_TEXTS = ("a", "abc", "a b")
"""What a text is replaced by if it does not matter, best first."""

FRACTION = "fraction"
_FRACTIONS = (0.5, 1.5, 2.5, 0.25, 0.01, 1.01, 10.01)
"""What a number is replaced by if it must not be whole."""

PLAIN_NUMBERS = frozenset({-1, 0, 1, 2, 3})
MOST_PIECES = 24
"""Deletions that are tried in one text."""

_ROUND = (1, 2, 3, 5, 10, 100, 1_000, 10_000, 1_000_000)
_PLAIN_TEXT = re.compile(r"[A-Za-z]{1,12}(?: [A-Za-z]{1,12}){0,3}|\d{1,3}")
_LARGEST = 1e15
_PLAIN_NUMERALS = frozenset(map(str, PLAIN_NUMBERS))
_NUMERAL = re.compile(r"-?\d+(?:\.\d+)?")
_RUN = re.compile(r"[^\W\d_]+|\d+|[^\x20-\x7e\n]")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "1234567890"

Value = str | bytes | int | float
Values = Generator[Value, bool, None]


def is_plain(value: object, words: Collection[str] = ()) -> bool:
    """True for what a reader would have written: 1, ``"abc"``, or a text that the code knows."""
    if isinstance(value, str):
        return value in words or _PLAIN_TEXT.fullmatch(value) is not None
    if isinstance(value, bytes):
        return len(value) <= 1 or value.isalnum()
    return value in PLAIN_NUMBERS


def is_number(text: str) -> bool:
    """True for a numeral: ``10.50``."""
    return _NUMERAL.fullmatch(text) is not None


def smaller_numbers(old: object, above: int = 0) -> Values:
    """Small and round numbers, then by bisection the one nearest to zero that does.

    Args:
        old: a number, or a numeral, for which numerals are given; for bytes shorter ones.
        above: only numbers beyond it are tried.
    """
    if isinstance(old, bytes):
        for half in (b"a", old[: len(old) // 2]):
            if len(half) < len(old) and (yield half):
                return
        return
    number = float(str(old))
    if not abs(number) < _LARGEST or (isinstance(old, str) and old in _PLAIN_NUMERALS):
        return
    if number == 0:
        yield _written(0, old)
        return
    sign, size = (-1 if number < 0 else 1), abs(number)
    low, high, is_whole = above, int(size), size == int(size)
    for found in _ROUND:
        if found <= above:
            continue
        if found >= size:
            break
        if (yield _written(sign * found, old)):
            high, is_whole = found, True
            break
        low = found
    if not is_whole and high > above:
        is_whole = yield _written(sign * high, old)
    if not is_whole and not above:
        yield from smaller_fractions(old)
        return
    while is_whole and high - low > 1:
        middle = (low + high) // 2
        if (yield _written(sign * middle, old)):
            high = middle
        else:
            low = middle


def smaller_fractions(old: object) -> Values:
    """Plain numbers with a part behind the point, for one that has such a part."""
    if isinstance(old, bytes) or not abs(number := float(str(old))) < _LARGEST:
        return
    if number == int(number):
        return
    sign = -1 if number < 0 else 1
    for part in _FRACTIONS:
        if part < abs(number) and (yield _written(sign * part, old)):
            return


def _written(number: float, old: object) -> Value:
    """A number in the type of another value."""
    if isinstance(old, str):
        return f"{number:.15g}"
    return float(number) if isinstance(old, float) else int(number)


def smaller_texts(old: str, kind: str, words: Collection[str]) -> Values:
    """Plainer texts.

    Args:
        kind: ``whole`` for other texts in its place, ``kind`` for other letters and digits of the
            same kind, ``less`` for parts of it.
        words: runs of letters that stay.
    """
    if kind == "whole":
        for text in SIMPLE_TEXTS:
            is_simpler = len(text) <= max(len(old), len(SIMPLE_TEXTS[0])) and text != old
            if is_simpler and (yield text):
                return
    elif kind == "kind":
        yield from _of_a_kind(old, words)
    elif kind == "less":
        yield from _less(old)


def _of_a_kind(text: str, words: Collection[str]) -> Values:
    """``ABC12`` for ``ZKA70``: each run of letters or digits by the first ones of their kind."""
    for run in dict.fromkeys(_RUN.findall(text)):
        plain = _alike(run)
        if run in words or plain == run:
            continue
        new = _RUN.sub(lambda found: plain if found[0] == run else found[0], text)  # noqa: B023
        if (yield new):
            text = new


def _alike(run: str) -> str:
    if len(run) == 1 and run.isascii() and run.isalnum():
        return run
    if run.isdigit() and run.isascii():
        return _DIGITS[: len(run)].ljust(len(run), "0")
    if run.isalpha() and run.isascii() and len(run) <= len(_LETTERS):
        plain = _LETTERS[: len(run)]
        return plain.upper() if run.isupper() else plain.title() if run.istitle() else plain
    return run if run.isascii() and run.isprintable() else "a" if run.isalpha() else " "


def _less(text: str) -> Values:
    """Without runs of lines, words or characters, long runs first."""
    left = MOST_PIECES
    for pattern in (r"[^\n]*\n|[^\n]+", r"\s*\w+|\s+|[^\w\s]", r"(?s)."):
        pieces = re.findall(pattern, text)
        size = len(pieces) // 2
        while size >= 1 and len(pieces) > 1:
            at = len(pieces) - size
            while at >= 0 and left > 0:
                shorter = pieces[:at] + pieces[at + size :]
                left -= 1
                if shorter and (yield "".join(shorter)):
                    pieces = shorter
                at -= size
            size //= 2
        text = "".join(pieces)
