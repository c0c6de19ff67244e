"""What the exploration of one module found so far and is worth confirming."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from hybridgen.domain import Arc, Candidate, Observation, StepKind, StepResult
from hybridgen.domain.places import is_place

OUTCOMES_PER_TARGET = 14
"""How many different results of one target are kept beyond those that reach new code."""

BOUNDARIES_PER_TARGET = 8
MOST_BOUNDARIES = 48
"""How many inputs at boundaries are kept that show nothing else; each costs several runs."""

SEARCHED = {"search": 15, "odd": 60}
"""Origins of candidates that nobody wrote, and how much harder they read (in characters)."""

VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|\d+|`[^`]*`")
"""What a message quotes of its input: another input is no other kind of result."""

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
        self._reaching: dict[Key, frozenset[Arc]] = {}
        self._boundaries: Counter[str] = Counter()
        self._outcomes: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)

    @property
    def arcs(self) -> frozenset[Arc]:
        """Everything reached by what is kept, and what was reached before."""
        return frozenset(self._arcs)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The candidates to confirm: first those that reached new code, as they were found."""
        ranked = sorted(self._kept.items(), key=lambda item: item[0] not in self._reaching)
        unique: dict[tuple[str, ...], Candidate] = {}  # simpler ones may have become equal
        for _, observation in ranked:
            candidate = observation.candidate
            unique.setdefault(tuple(step.code for step in candidate.steps), candidate)
        return tuple(unique.values())

    @property
    def observations(self) -> tuple[Observation, ...]:
        """What is kept, in the order in which it was found."""
        return tuple(self._kept.values())

    @property
    def finds(self) -> tuple[tuple[Observation, frozenset[Arc] | None], ...]:
        """What is kept, with the arcs that it was the first to reach; None for no such arcs."""
        return tuple((held, self._reaching.get(key)) for key, held in self._kept.items())

    def outcomes(self, but: Observation) -> frozenset[Outcome]:
        """The results that others show for the same target."""
        others = (held for held in self._kept.values() if held is not but)
        target = but.candidate.target
        return frozenset(outcome_of(o) for o in others if o.candidate.target == target)

    def exchange(self, old: Observation, new: Observation) -> None:
        """Puts a simpler observation in the place of one that shows the same."""
        for key, held in self._kept.items():
            if held is old:
                self._kept[key] = new
                return

    def is_new(self, observation: Observation) -> bool:
        """Whether an observation would be taken in."""
        outcome = outcome_of(observation)
        key = (observation.candidate.target, outcome, observation.arcs)
        if not outcome or key in self._kept:
            return False
        return not observation.arcs <= self._arcs or self._is_new_outcome(observation, outcome)

    def consider(self, observation: Observation) -> bool:
        """Takes an observation in if it shows something new; True if it did."""
        outcome = outcome_of(observation)
        if not outcome:
            return False
        key = (observation.candidate.target, outcome, observation.arcs)
        held = self._kept.get(key)
        if held is not None:
            if weight(observation.candidate) < weight(held.candidate):
                self._kept[key] = observation
            return False
        if not self.is_new(observation):
            return False
        outcomes = self._outcomes_like(observation)
        outcomes[outcome] += 1
        is_new_code = not observation.arcs <= self._arcs
        if is_new_code:
            self._reaching[key] = observation.arcs - self._arcs
        self._arcs |= observation.arcs
        self._kept[key] = observation
        return is_new_code or outcomes[outcome] == 1

    def _outcomes_like(self, observation: Observation) -> Counter[Outcome]:
        # What people or a model wrote reads better than what a search found, so each kind of
        # origin has places of its own.
        candidate = observation.candidate
        return self._outcomes[f"{candidate.target} {candidate.origin in SEARCHED}"]

    def _is_new_outcome(self, observation: Observation, outcome: Outcome) -> bool:
        outcomes = self._outcomes_like(observation)
        # Two inputs for a result pin it down better than one: boundaries are where mutants live.
        has_room = outcomes[outcome] < 2 and len(outcomes) < OUTCOMES_PER_TARGET
        return has_room and observation.candidate.origin != "odd"

    def has_room_for_boundary(self, target: str) -> bool:
        """Whether more inputs at boundaries may be kept for a target."""
        total = self._boundaries.total()
        return self._boundaries[target] < BOUNDARIES_PER_TARGET and total < MOST_BOUNDARIES

    def keep_boundary(self, observation: Observation) -> None:
        """Keeps an observation at a limit of the code though it shows nothing else that is new."""
        candidate, outcome = observation.candidate, outcome_of(observation)
        if outcome and candidate.origin != "odd":
            self._boundaries[candidate.target] += 1
            # Its code is part of the key: nothing simpler with the same result may replace it.
            own = ("boundary", *(step.code for step in candidate.steps))
            self._kept[candidate.target, (*outcome, own), observation.arcs] = observation


def weight(candidate: Candidate) -> int:
    """How hard a candidate is to read: characters, and more for what comes from the search."""
    length = sum(len(step.code) for step in candidate.steps)
    return length + 10 * len(candidate.steps) + SEARCHED.get(candidate.origin, 0)


def outcome_of(observation: Observation) -> Outcome:
    """What a reader would call the result: values, exceptions, files; () if there is none."""
    parts: list[tuple[str, ...]] = []
    for step, result in zip(observation.candidate.steps, observation.results, strict=False):
        if result.raised is not None:
            if result.raised.is_deliberate and result.raised.is_inside:
                kind = VARYING.sub("", result.raised.match)[:30]
                parts += [("raises", result.raised.type_name, kind), *_on_disk(result)]
        elif result.status == "ok" and step.kind is StepKind.PROBE and result.checks:
            parts += [("value", check.path, check.expression[:60]) for check in result.checks[:3]]
            parts += [("changed", name) for name, _ in result.changed if name.isidentifier()]
        if result.raised is None:
            parts += _on_disk(result)
    return tuple(parts)


def _on_disk(result: StepResult) -> Iterator[tuple[str, ...]]:
    """What a step did to files, as parts of its outcome; by what name is no other kind of it."""
    for place, checks in result.changed:
        if is_place(place) and checks:
            yield "file", checks[0].path, checks[0].expression[:60]
