"""Makes the chosen tests plainer: less set-up, smaller numbers, plain texts.

Before mutants were tried, nobody knows what an odd input is good for. Now it is known: each chosen
case guards some line transitions and some mutants (``suite/guards.py``), and may become anything
that keeps these, goes the same way through the code and ends in the same way. Changes are made on
the original first, which is cheap; then the mutants decide which of them stay.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from hybridgen import suite
from hybridgen.domain import Arc, Candidate, Observation, Target
from hybridgen.domain.mutants import Kills, Mutant
from hybridgen.explore.archive import SEARCHED, weight
from hybridgen.explore.execution import HASTY
from hybridgen.explore.simplify.fitting import constructions
from hybridgen.explore.simplify.plainer import Change, Plainer
from hybridgen.explore.simplify.versions import Version, elsewhere
from hybridgen.observe.confirm import confirm
from hybridgen.observe.effort import Limit
from hybridgen.observe.mutants import Nursery, noticed
from hybridgen.observe.runner import Dropped
from hybridgen.pipeline.job import Subject
from hybridgen.suite.guards import Guard, alike, guards
from hybridgen.suite.shapes import outcome_text
from hybridgen.suite.subjects import subject_of
from hybridgen.suite.tidying import tidy

ROUNDS = 4
"""How often what the mutants object to is left out and the rest is tried without it."""

BATCH = 48
"""Versions that are compared with the nursery's original at once."""

_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass
class _Work:
    """A case that is being made plainer.

    Attributes:
        arcs: what it executes, by the places of the steps that are left.
        best: the plainest version that keeps everything; None for the case as it is.
        refused: names of changes that cost something.
        is_done: nothing is left to try.
    """

    guard: Guard
    plainer: Plainer
    version: Version
    arcs: dict[tuple[int, ...], frozenset[Arc]]
    best: Observation | None = None
    refused: set[str] = field(default_factory=set)
    is_done: bool = False


class Polishing:
    """Makes the tests of one module plainer.

    Args:
        nursery: where mutants are tried.
        limit: after which nothing new is begun.
    """

    def __init__(self, subject: Subject, nursery: Nursery, limit: Limit, *, seed: int) -> None:
        self._subject = subject
        self._nursery = nursery
        self._limit = limit
        self._seed = seed
        self._source = subject.module.source.text.encode()
        self._words = frozenset(_WORD.findall(subject.module.source.text))
        self._shown: dict[Candidate, Observation] = {}
        self._arcs: dict[Candidate, frozenset[Arc]] = {}
        self._alone: set[Candidate] = set()
        self._common: dict[str, str] = {}

    def polish(self, choice: suite.Choice, kills: Kills) -> suite.Choice:
        """The same choice in plainer words, without cases that have become equal."""
        found = guards(choice.cases, kills, self._subject.module.targets)
        self._common = constructions(guard.raw.candidate for guard in found)
        order = sorted(range(len(found)), key=lambda index: -weight(found[index].raw.candidate))
        work = {index: made for index in order if (made := self._work(found[index])) is not None}
        for _ in range(ROUNDS):
            changes = {index: self._changes(item) for index, item in work.items()}
            changes = {index: made for index, made in changes.items() if made}
            if not changes or self._limit.is_over():
                break
            self._decide(work, changes, kills.mutants)
        better = self._confirmed({i: item for i, item in work.items() if item.best is not None})
        observations = {i: better.get(i, o) for i, o in enumerate(choice.observations)}
        if kills.is_complete:
            for index in self._superfluous(observations, found, order):
                del observations[index]
        unique = {_code(o.candidate): o for o in observations.values()}
        return replace(choice, observations=tuple(unique.values()))

    def _superfluous(
        self,
        observations: dict[int, Observation],
        guarding: Sequence[Guard],
        order: Sequence[int],
    ) -> list[int]:
        """Cases that guard nothing, if others execute the same and are about the same."""
        targets = self._subject.module.targets
        about = Counter(_question(o, targets) for o in observations.values())
        counts = Counter(a for o in observations.values() for a in self._arcs_of(o))
        found: list[int] = []
        for index in order:
            observation = observations[index]
            own, question = self._arcs_of(observation), _question(observation, targets)
            is_alone = about[question] == 1 or any(counts[arc] == 1 for arc in own)
            if own and not guarding[index].mutants and not is_alone:
                about[question] -= 1
                counts.subtract(own)
                found.append(index)
        return found

    def _arcs_of(self, observation: Observation) -> frozenset[Arc]:
        """What a case executes, as far as it was run here."""
        return self._arcs.get(observation.candidate, frozenset())

    def _work(self, guard: Guard) -> _Work | None:
        """What there is to do about a case; None if it does not show the same again."""
        if self._limit.is_over():
            return None
        candidate = guard.raw.candidate
        version = Version(candidate, tuple(range(len(candidate.steps))))
        arcs = self._look(replace(guard, arcs=frozenset()), version)
        if arcs is None:
            return None
        # Of a sequence that was divided, the last part stands for what the whole executed.
        guard = replace(guard, arcs=guard.arcs & arcs)
        plainer = Plainer(
            lambda other: self._shows(item, other),
            self._subject.module.targets,
            self._words,
            is_row=guard.is_row,
            is_written=candidate.origin not in SEARCHED,
            common=self._common,
        )
        item = _Work(guard, plainer, version, {version.places: arcs})
        return item

    def _look(self, guard: Guard, version: Version) -> frozenset[Arc] | None:
        """Runs a version; the arcs if it shows what the case shows."""
        result = self._subject.runner.run(version.candidate, HASTY)
        if isinstance(result, Dropped):
            return None
        shown = alike(guard.raw, result, version.places)
        if shown is None or not guard.arcs <= result.arcs:
            return None
        is_value = shown.results[-1].raised is None  # of an exception, the same kind is enough
        if guard.outcome and is_value and outcome_text(tidy(shown)) != guard.outcome:
            return None
        self._shown[version.candidate] = replace(shown, candidate=version.candidate)
        self._arcs[version.candidate] = result.arcs
        return result.arcs

    def _shows(self, item: _Work, version: Version) -> bool:
        arcs = self._look(item.guard, version)
        if arcs is None:
            return False
        if version.places in item.arcs:
            return item.arcs[version.places] <= arcs
        is_same = "setenv" in _code(version.candidate) or self._is_same_elsewhere(item, version)
        if is_same:
            item.arcs[version.places] = arcs
        return is_same

    def _is_same_elsewhere(self, item: _Work, version: Version) -> bool:
        """True if no step was left out that sets the environment, or none was needed."""
        other = elsewhere(item.guard.raw.candidate)
        if other is None:
            return True
        before = Version(other, tuple(range(len(other.steps))))
        if self._look(item.guard, before) is None:
            return False
        shown = {outcome_text(self._shown[c]) for c in (other, version.candidate)}
        return shown == {outcome_text(item.guard.raw)}

    # ---- what mutants say

    def _changes(self, item: _Work) -> list[Change]:
        if item.is_done or self._limit.is_over():
            return []
        made = item.plainer.changes(item.version, item.refused)
        item.is_done = not made
        return made

    def _decide(
        self, work: dict[int, _Work], changes: dict[int, list[Change]], mutants: Sequence[Mutant]
    ) -> None:
        """Keeps for each case the changes up to the last version that loses nothing."""
        passing = {index: set(range(len(made))) for index, made in changes.items()}
        same = self._same_in_nursery([c.version.candidate for m in changes.values() for c in m])
        for index, made in changes.items():
            passing[index] = {n for n in passing[index] if made[n].version.candidate in same}
        for number, index in self._guarded(work, changes):
            if self._limit.is_over():
                passing[index] = set()
            elif passing[index]:
                passing[index] = self._noticing(mutants[number], changes[index], passing[index])
        for index, made in changes.items():
            last = max(passing[index], default=-1)
            if last >= 0:
                work[index].version = made[last].version
                work[index].best = self._shown[made[last].version.candidate]
            if last + 1 < len(made):
                work[index].refused.add(made[last + 1].name)
            else:
                work[index].is_done = True

    def _guarded(
        self, work: dict[int, _Work], changes: dict[int, list[Change]]
    ) -> Iterator[tuple[int, int]]:
        """The mutants to ask, each with the case that guards it; cases one after the other."""
        for index in changes:
            for number in sorted(work[index].guard.mutants):
                yield number, index

    def _same_in_nursery(self, candidates: Sequence[Candidate]) -> set[Candidate]:
        """Those that show in the nursery what they showed in the runner."""
        same: set[Candidate] = set()
        for start in range(0, len(candidates), BATCH):
            batch = candidates[start : start + BATCH]
            ran = None if self._limit.is_over() else self._nursery.run(None, batch, is_careful=True)
            if ran is None:
                continue
            self._alone |= {batch[place] for place in ran.changing}
            for place, results in ran.results.items():
                if results is not None and not noticed(self._shown[batch[place]], results):
                    same.add(batch[place])
        return same

    def _noticing(self, mutant: Mutant, made: Sequence[Change], of: set[int]) -> set[int]:
        """The versions that notice a mutant, by their places."""
        places = sorted(of)
        candidates = [made[place].version.candidate for place in places]
        ran = self._nursery.run(mutant.source(self._source), candidates, alone=self._alone)
        if ran is None or not ran.is_loaded:
            return set()
        return {
            places[n]
            for n, results in ran.results.items()
            if noticed(self._shown[candidates[n]], results)
        }

    def _confirmed(self, work: dict[int, _Work]) -> dict[int, Observation]:
        """The plainest versions, as far as they are the same under all variations."""
        subject = self._subject
        places = {item.version.candidate: index for index, item in work.items()}
        confirmed, _ = confirm(
            subject.runner, list(places), seed=self._seed, deadline=self._limit.deadline
        )
        found: dict[int, Observation] = {}
        for observation in confirmed:
            candidate = _origin(observation, places)
            if candidate is None:
                continue
            item = work[places[candidate]]
            shown = alike(item.guard.raw, observation, item.version.places)
            if shown is not None and shown.results == self._shown[candidate].results:
                found[places[candidate]] = replace(shown, candidate=candidate)
        kept, _ = suite.screened(list(found.values()), subject.module, subject.import_name)
        allowed = {observation.candidate for observation in kept}
        tidied = {index: tidy(o) for index, o in found.items() if o.candidate in allowed}
        for index, observation in tidied.items():
            self._arcs[observation.candidate] = found[index].arcs
        return tidied


def _question(observation: Observation, targets: Sequence[Target]) -> tuple[str, bool]:
    """What a case is about, and whether about a failure of it."""
    return subject_of(observation, targets), observation.results[-1].raised is not None


def _code(candidate: Candidate) -> str:
    return "\n".join(step.code for step in candidate.steps)


def _origin(observation: Observation, candidates: dict[Candidate, int]) -> Candidate | None:
    """The candidate that was confirmed: confirming may make a probe a step of set-up."""
    code = _code(observation.candidate)
    return next((c for c in candidates if _code(c) == code), None)
