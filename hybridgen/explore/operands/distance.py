"""Steps towards a boundary that is not in the input itself: ``len(words) * 5 > 120``.

One argument is moved a little and both runs are watched: how much the distance between the two
sides of a comparison changed for that tells how far to go (the secant method). Where the code is
no straight line, the run that this leads to is a better place to go on from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hybridgen.observe.operands import Operands

LARGEST = 10**12
LONGEST = 2_000
"""So long a text or a list may become."""

NUMBERS = (int, float)
KINDS = frozenset({"<", "<=", ">", ">=", "==", "!="})


def distance(records: Sequence[Operands]) -> float | None:
    """How far apart the sides of a comparison of numbers stood when it was first made."""
    for record in records:
        sides = (record.left, record.right)
        if record.kind.removeprefix("len ") in KINDS and all(type(s) in NUMBERS for s in sides):
            left, right = sides
            assert isinstance(left, int | float)
            assert isinstance(right, int | float)
            return left - right
    return None


def size_of(value: object) -> float | None:
    """A number, or the length of a text or a list; None for what has no size to change."""
    if type(value) in NUMBERS:
        assert isinstance(value, int | float)
        return value
    return len(value) if isinstance(value, str | bytes | list | tuple) else None


def sized(value: object, size: float) -> object | None:
    """``value`` with another size, its items and letters repeated; None if that is too much."""
    if type(value) in NUMBERS and abs(size) <= LARGEST:
        return round(size) if type(value) is int else float(size)
    count = round(size)
    if not 0 <= count <= LONGEST:
        return None
    length = len(value) if isinstance(value, str | bytes | list | tuple) else 0
    times = count // max(length, 1) + 1
    match value:
        case str():
            return ((value or "a") * times)[:count]
        case bytes():
            return ((value or b"a") * times)[:count]
        case list() | tuple():
            return type(value)((list(value) or [1]) * times)[:count]
    return None


def moved(value: object) -> object | None:
    """``value`` a step further, a larger one where it is large."""
    size = size_of(value)
    return sized(value, size + max(1, abs(size) // 8)) if size is not None else None


def towards(
    value: object, other: object, before: float | None, after: float | None
) -> Iterator[object]:
    """Values at which the sides should be equal, and one just beyond on each side.

    Args:
        other: the value that was tried instead.
        before: the distance for ``value``.
        after: the distance for ``other``.
    """
    here, there = size_of(value), size_of(other)
    if here is None or there is None or before is None or after is None or before == after:
        return
    goal = here - before * (there - here) / (after - before)
    if goal != goal or abs(goal) > LARGEST:
        return
    step = abs((there - here) / (after - before))
    for size in dict.fromkeys((goal, goal - max(1, step), goal + max(1, step))):
        found = sized(value, size)
        if found is not None and found != value:
            yield found
