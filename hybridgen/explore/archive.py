"""What the exploration of one module found so far and is worth confirming."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from hybridgen.domain import Arc, Candidate, Observation, StepKind

OUTCOMES_PER_TARGET = 14
"""How many different results of one target are kept beyond those that reach new code."""

SEARCHED = {"search": 15, "odd": 60}
"""Origins of candidates that nobody wrote, and how much harder they read (in characters)."""

Outcome = tuple[tuple[str, ...], ...]


Key = tuple[str, Outcome, frozenset[Arc]]


class Archive:
    """Keeps observations that reach new code, and a few different results of each target.

    Args:
        arcs: line transitions that need no test any more (import time, existing tests).
    """

    def __init__(self, arcs: Iterable[Arc]) -> None:
        self._arcs: set[Arc] = set(arcs)
        self._kept: dict[Key, Observation] = {}
        self._reaching: set[Key] = set()
        self._outcomes: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)

    @property
    def arcs(self) -> frozenset[Arc]:
        """Everything reached by what is kept, and what was reached before."""
        return frozenset(self._arcs)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The candidates to confirm: first those that reached new code, as they were found."""
        ranked = sorted(self._kept.items(), key=lambda item: item[0] not in self._reaching)
        return tuple(observation.candidate for _, observation in ranked)

    @property
    def observations(self) -> tuple[Observation, ...]:
        """What is kept, in the order in which it was found."""
        return tuple(self._kept.values())

    def exchange(self, old: Observation, new: Observation) -> None:
        """Puts a simpler observation in the place of one that shows the same."""
        for key, held in self._kept.items():
            if held is old:
                self._kept[key] = new
                return

    def consider(self, observation: Observation) -> bool:
        """Takes an observation in if it shows something new; True if it did."""
        target = observation.candidate.target
        outcome = outcome_of(observation)
        if not outcome:
            return False
        key = (target, outcome, observation.arcs)
        held = self._kept.get(key)
        if held is not None:
            if weight(observation.candidate) < weight(held.candidate):
                self._kept[key] = observation
            return False
        is_new_code = not observation.arcs <= self._arcs
        # What people or a model wrote reads better than what a search found, so each kind of
        # origin has places of its own.
        outcomes = self._outcomes[f"{target} {observation.candidate.origin in SEARCHED}"]
        # Two inputs for a result pin it down better than one: boundaries are where mutants live.
        is_new_outcome = outcomes[outcome] < 2 and len(outcomes) < OUTCOMES_PER_TARGET
        is_new_outcome &= observation.candidate.origin != "odd"
        if not is_new_code and not is_new_outcome:
            return False
        outcomes[outcome] += 1
        self._arcs |= observation.arcs
        self._kept[key] = observation
        if is_new_code:
            self._reaching.add(key)
        return is_new_code or outcomes[outcome] == 1


def weight(candidate: Candidate) -> int:
    """How hard a candidate is to read: characters, and more for what comes from the search."""
    length = sum(len(step.code) for step in candidate.steps)
    return length + 10 * len(candidate.steps) + SEARCHED.get(candidate.origin, 0)


def outcome_of(observation: Observation) -> Outcome:
    """What a reader would call the result: values, exceptions, output; () if there is none."""
    parts: list[tuple[str, ...]] = []
    for step, result in zip(observation.candidate.steps, observation.results, strict=False):
        if result.raised is not None:
            if result.raised.is_deliberate and result.raised.is_inside:
                parts.append(("raises", result.raised.type_name, result.raised.match[:30]))
        elif result.status == "ok" and step.kind is StepKind.PROBE and result.checks:
            parts += [("value", check.path, check.expression[:60]) for check in result.checks[:3]]
            parts += [("changed", name) for name, _ in result.changed]
    return tuple(parts)
