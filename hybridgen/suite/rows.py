"""Further rows for tests that are kept anyway: other outcomes, boundaries, other inputs."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence, Set

from hybridgen.suite.cases import Case, Key, features_of, is_boolean, is_error, raises
from hybridgen.suite.edges import are_neighbours

_ROWS_PER_OUTCOME = 2  # of True and False
_MOST_EFFORT = 1.9  # of a row that no line of code needs
_MOST_EFFORT_OF_ERROR = 3.0  # it often takes some steps to come to one
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

    def __init__(self, cases: Sequence[Case], pairs: Mapping[Key, Set[Key]]) -> None:
        self.pairs = pairs
        self.keys: set[Key] = set()
        self.pinned: set[Key] = set()
        self.features: set[str] = set()
        self.outcomes: Counter[str] = Counter()
        for case in cases:
            self.add(case)

    def add(self, case: Case) -> None:
        """Takes a case in."""
        if self.is_pinning(case):
            self.pinned |= {case.key, *(self.pairs[case.key] & self.keys)}
        self.keys.add(case.key)
        self.outcomes[case.outcome] += 1
        self.features |= features_of(case)

    def is_pinning(self, case: Case) -> bool:
        """True if a neighbour that ends otherwise is there, and has no such neighbour yet."""
        return bool((self.pairs.get(case.key, set()) & self.keys) - self.pinned)

    def is_useful(self, case: Case) -> bool:
        """True if the case is worth its line."""
        return any((not self.outcomes[case.outcome], *self._merits(case)))

    def rank(self, case: Case) -> tuple[object, ...]:
        """Sorts the best case first."""
        is_pinning, is_missing, new = self._merits(case)
        is_known = self.outcomes[case.outcome] > 0
        return is_known and not is_pinning, not is_pinning, not is_missing, -new, case.tie

    def _merits(self, case: Case) -> tuple[bool, bool, int]:
        is_missing = is_boolean(case) and self.outcomes[case.outcome] < _ROWS_PER_OUTCOME
        new = 0 if raises(case) else len(features_of(case) - self.features)
        return self.is_pinning(case), is_missing, new


def _boundaries(cases: Sequence[Case]) -> dict[Key, set[Key]]:
    """Cases next to each other that go other ways to other ends, by their keys."""
    pairs: dict[Key, set[Key]] = {}
    for one, other in itertools.combinations(cases, 2):
        is_other_way = one.arcs != other.arcs and one.outcome != other.outcome
        if is_other_way and are_neighbours(one.observation, other.observation):
            pairs.setdefault(one.key, set()).add(other.key)
            pairs.setdefault(other.key, set()).add(one.key)
    return pairs
