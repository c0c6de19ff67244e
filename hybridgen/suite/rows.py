"""Further rows for tests that are kept anyway: other outcomes, boundaries, other inputs."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

from hybridgen.suite.cases import Case, Key, features_of, is_boolean, is_error, raises
from hybridgen.suite.edges import are_neighbours

_ROWS_PER_OUTCOME = 2  # of True and False
_MOST_EFFORT = 1.9  # of a row that no line of code needs
_MOST_EFFORT_OF_ERROR = 3.0  # it often takes some steps to come to one
_Ends = frozenset[str]  # the two outcomes on both sides of a boundary
_PINS = 2  # further rows that pin a boundary down


class Extras:
    """Adds rows to tests that are kept anyway."""

    def __init__(self, kept: Sequence[Case], cases: Sequence[Case], limit: int) -> None:
        self.kept = kept
        self.cases = cases
        self.limit = limit
        self.added: list[Case] = []

    def fill(self, family: tuple[object, ...]) -> None:
        """Adds rows for one function: new outcomes and boundaries, then different inputs."""
        own = [case for case in self.kept if case.family == family]
        shapes = {case.shape for case in own}
        keys = {case.key for case in own}
        near = [case for case in self.cases if case.family == family and case.key not in keys]
        table = _Table(own, _boundaries([*own, *near]))
        free = [
            case
            for case in near
            if (case.effort <= _MOST_EFFORT and case.shape in shapes)
            or (case.effort <= _MOST_EFFORT_OF_ERROR and is_error(case))
        ]
        while free:
            best = min(free, key=table.rank)
            room = self.limit + (_PINS if table.is_pinning(best) else 0)
            if not table.is_useful(best) or len(table.keys) >= room:
                return
            free.remove(best)
            table.add(best)
            self.added.append(best)


class _Table:
    """What the cases of one function show so far."""

    def __init__(self, cases: Sequence[Case], pairs: Mapping[Key, Mapping[Key, _Ends]]) -> None:
        self.pairs = pairs
        self.keys: set[Key] = set()
        self.pinned: set[_Ends] = set()
        self.features: set[str] = set()
        self.outcomes: Counter[str] = Counter()
        for case in cases:
            self.add(case)

    def add(self, case: Case) -> None:
        """Takes a case in."""
        pairs = self.pairs.get(case.key, {})
        self.pinned |= {ends for key, ends in pairs.items() if key in self.keys}
        self.keys.add(case.key)
        self.outcomes[case.outcome] += 1
        self.features |= features_of(case)

    def is_pinning(self, case: Case) -> bool:
        """True if it has a neighbour that ends otherwise, and no such pair is there yet."""
        return bool(set(self.pairs.get(case.key, {}).values()) - self.pinned)

    def is_completing(self, case: Case) -> bool:
        """True if the neighbour of such a pair is there already."""
        pairs = self.pairs.get(case.key, {}).items()
        return any(key in self.keys and ends not in self.pinned for key, ends in pairs)

    def is_useful(self, case: Case) -> bool:
        """True if the case is worth its line."""
        return any((not self.outcomes[case.outcome], *self._merits(case)))

    def rank(self, case: Case) -> tuple[object, ...]:
        """Sorts the best case first."""
        is_pinning, is_missing, new = self._merits(case)
        is_completing = self.is_completing(case)
        is_known = self.outcomes[case.outcome] > 0
        worth = (not is_completing, is_known and not is_pinning, not is_pinning)
        return *worth, not is_missing, -new, case.tie

    def _merits(self, case: Case) -> tuple[bool, bool, int]:
        is_missing = is_boolean(case) and self.outcomes[case.outcome] < _ROWS_PER_OUTCOME
        new = 0 if raises(case) else len(features_of(case) - self.features)
        return self.is_pinning(case), is_missing, new


def _boundaries(cases: Sequence[Case]) -> dict[Key, dict[Key, _Ends]]:
    """Cases next to each other that go other ways to other ends, by their keys."""
    pairs: dict[Key, dict[Key, _Ends]] = {}
    for one, other in itertools.combinations(cases, 2):
        is_other_way = one.arcs != other.arcs and one.outcome != other.outcome
        if is_other_way and are_neighbours(one.observation, other.observation):
            ends = frozenset({one.outcome, other.outcome})
            pairs.setdefault(one.key, {})[other.key] = ends
            pairs.setdefault(other.key, {})[one.key] = ends
    return pairs
