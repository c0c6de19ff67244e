"""Texts that match a regular expression, made from its parsed form.

The pattern comes from code that nobody has vouched for, so it is never run here: a match could
take forever. What its parts ask for is put together instead, each part short, so time and length
are bounded by construction. Look-around is passed over; the run of the code tells what matched.
"""

from __future__ import annotations

import importlib
import random
import re
import warnings
from collections.abc import Sequence
from typing import Any

MOST_STRINGS = 24
MOST_PARTS = 14
LONGEST = 80
MOST_REPEATS = 20
LONGEST_PATTERN = 600
_KEPT_FLAGS = re.IGNORECASE | re.VERBOSE | re.DOTALL
READABLE = "ab1xA 0-_.,:2z9/=+@'\"()[]#!\n\t"
CATEGORIES = {
    "CATEGORY_DIGIT": "1290",
    "CATEGORY_NOT_DIGIT": "a-x ",
    "CATEGORY_SPACE": "      \t\n",
    "CATEGORY_NOT_SPACE": "ab1-",
    "CATEGORY_WORD": "abx1A_",
    "CATEGORY_NOT_WORD": " -.,:",
}


class Patterns:
    """Texts for patterns, made once for each."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._known: dict[tuple[str, int], tuple[str, ...]] = {}
        self._parts: dict[tuple[str, int], tuple[str, ...]] = {}

    def matching(self, pattern: str, flags: int = 0) -> tuple[str, ...]:
        """Short texts most of which match ``pattern``; none if it cannot be parsed."""
        key = (pattern, flags & _KEPT_FLAGS)
        if key not in self._known:
            tree = _parsed(*key)
            self._known[key] = tuple(_texts(tree, random.Random(self._seed)))
        return self._known[key]

    def parts(self, pattern: str, flags: int = 0) -> tuple[str, ...]:
        """Texts for single parts of ``pattern``, to be put next to what is there already."""
        key = (pattern, flags & _KEPT_FLAGS)
        if key not in self._parts:
            chooser = random.Random(self._seed)
            found = [text for item in _parsed(*key)[:10] for text in _texts([item], chooser)[:8]]
            self._parts[key] = tuple(dict.fromkeys(text for text in found if text))[:MOST_PARTS]
        return self._parts[key]

    def near(self, pattern: str, flags: int = 0) -> tuple[str, ...]:
        """Texts that just miss it: one character dropped, or changed."""
        found = []
        for text in self.matching(pattern, flags)[1:3]:
            if text:
                at = len(text) // 2
                found += [text[:at] + text[at + 1 :], text[:at] + "?" + text[at + 1 :]]
        return tuple(dict.fromkeys(found))


def _parsed(pattern: str, flags: int) -> Any:
    """The pattern as the re module parses it; empty if it cannot."""
    if len(pattern) > LONGEST_PATTERN:
        return []
    # The parser has no public name, and its old one warns.
    parser: Any = importlib.import_module("re._parser")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return parser.parse(pattern, flags)
    except (re.error, RecursionError, OverflowError, ValueError):
        return []


def _texts(tree: Any, chooser: random.Random) -> list[str]:
    found: dict[str, None] = {}
    for number in range(3 * MOST_STRINGS if len(tree) else 0):
        writer = _Writer(chooser, ("least", "once")[number] if number < 2 else "any")
        writer.write(tree)
        found["".join(writer.parts)[:LONGEST]] = None
        if len(found) >= MOST_STRINGS:
            break
    return list(found)


class _Writer:
    """Writes one text for a parsed pattern.

    Args:
        mode: how often optional parts are written: ``"least"``, ``"once"`` or ``"any"``.
    """

    def __init__(self, chooser: random.Random, mode: str) -> None:
        self._chooser = chooser
        self._mode = mode
        self.parts: list[str] = []
        self._groups: dict[int, str] = {}

    def write(self, tree: Any) -> None:
        """Writes all items of a parsed pattern."""
        for operation, argument in tree:
            if sum(map(len, self.parts)) < LONGEST:
                self._item(str(operation), argument)

    def _item(self, name: str, argument: Any) -> None:
        choose = self._chooser.choice
        if name == "LITERAL":
            self.parts.append(chr(argument))
        elif name == "NOT_LITERAL":
            self.parts.append(choose([c for c in READABLE[:12] if ord(c) != argument]))
        elif name == "ANY":
            self.parts.append(choose("abx1"))
        elif name == "IN":
            self.parts.append(self._of_set(argument))
        elif name == "BRANCH":
            self.write(choose(argument[1]))
        elif name == "SUBPATTERN":
            start = len(self.parts)
            self.write(argument[-1])
            self._groups[argument[0] or 0] = "".join(self.parts[start:])
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, part = argument
            for _ in range(self._count(least, int(most))):
                self.write(part)
        elif name == "GROUPREF":
            self.parts.append(self._groups.get(argument, ""))
        elif name == "GROUPREF_EXISTS":
            group, yes, no = argument
            self.write(yes if group in self._groups else no or ())
        elif name == "ATOMIC_GROUP":
            self.write(argument)

    def _count(self, least: int, most: int) -> int:
        least = min(least, MOST_REPEATS)
        if self._mode == "least":
            return least
        count = least + 1 if self._mode == "once" else least + self._chooser.choice((0, 1, 1, 2, 3))
        return min(count, most, max(least, 1) if self._mode == "once" else MOST_REPEATS)

    def _of_set(self, items: Sequence[Any]) -> str:
        is_negated = str(items[0][0]) == "NEGATE"
        if is_negated:
            allowed = [c for c in READABLE if not any(_holds(item, c) for item in items[1:])]
            return self._chooser.choice(allowed[:7] or ["a"])
        name, argument = self._chooser.choice(items)
        if str(name) == "LITERAL":
            return chr(argument)
        if str(name) == "RANGE":
            low, high = argument
            readable = [c for c in READABLE if low <= ord(c) <= high]
            return self._chooser.choice([chr(low), chr(high), *readable])
        return self._chooser.choice(CATEGORIES.get(str(argument), "a"))


def _holds(item: Any, letter: str) -> bool:
    """Whether a part of a set of characters has a letter."""
    name, argument = str(item[0]), item[1]
    if name == "LITERAL":
        return bool(ord(letter) == argument)
    if name == "RANGE":
        return bool(argument[0] <= ord(letter) <= argument[1])
    tests = {"DIGIT": letter.isdigit(), "SPACE": letter.isspace()}
    tests["WORD"] = letter.isalnum() or letter == "_"
    kind = str(argument).removeprefix("CATEGORY_")
    return not tests.get(kind[4:], False) if kind.startswith("NOT_") else tests.get(kind, False)
