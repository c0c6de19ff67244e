"""Which sides of which comparisons an input stands at: exactly on it, one below, one above.

Mutants that turn ``<`` into ``<=`` or 18 into 19 differ there and nowhere else, so a few inputs at
boundaries are kept even where they reach nothing new.
"""

from __future__ import annotations

from collections.abc import Iterable

from hybridgen.observe.operands import Operands

ORDERED = frozenset({"<", "<=", ">", ">="})
SIDES = (0, 1, -1)

Boundary = tuple[int, str, int]
"""Line, kind of comparison, and how much the left side is above the right: 0, 1 or -1."""


def boundaries_in(records: Iterable[Operands]) -> frozenset[Boundary]:
    """The boundaries at which a run stood."""
    found = set()
    for record in records:
        difference = _difference(record)
        if difference in SIDES:
            found.add((record.line, record.kind, int(difference)))
    return frozenset(found)


def is_bounded(record: Operands) -> bool:
    """Whether a record is of a comparison that has a boundary."""
    return _difference(record) is not None


def _difference(record: Operands) -> float | None:
    """How much the left side is above the right, None where that says nothing."""
    left, right = record.left, record.right
    is_ordered = record.kind.removeprefix("len ") in ORDERED | {"==", "!="}
    numbers = [side for side in (left, right) if type(side) in (int, float)]
    if not is_ordered or len(numbers) < 2:
        return None
    assert isinstance(left, int | float)
    assert isinstance(right, int | float)
    return left - right
