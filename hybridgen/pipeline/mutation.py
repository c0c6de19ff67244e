"""Tries mutants on confirmed observations, and looks for inputs that notice what none did."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hybridgen import suite
from hybridgen.domain import Arc, Candidate, Observation
from hybridgen.domain.mutants import Finding, Kills, Mutant
from hybridgen.explore.archive import weight
from hybridgen.explore.neighbours import (
    WHOLE,
    Value,
    calls_at_import,
    constants_in,
    neighbours,
)
from hybridgen.observe.confirm import confirm
from hybridgen.observe.effort import Limit
from hybridgen.observe.mutants import Nursery, Ran, noticed
from hybridgen.observe.mutations import lines_of, mutants_of
from hybridgen.pipeline.consulting import Consultant
from hybridgen.pipeline.killing import ASK_SHARE, Killing, Survivor
from hybridgen.suite.homes import home_of
from hybridgen.suite.selection import can_be_kept
from hybridgen.suite.shapes import WEAK_KINDS

FIRST, MOST = 16, 120
"""Observations run on a mutant at first, and all in all if none of the first notices it."""

MOST_OBSERVATIONS = 0.8
"""Share of the observations that have to be the same in the nursery; below, what is noticed there
is no reason to leave others out."""

MATRIX_SHARE = 0.5
"""Of the time for mutants: trying them. What is left is for those that nothing noticed."""

BASES, TRIES = 8, 24
"""Observations that are varied for one survivor, and variations of each."""

ENOUGH = TRIES
"""Variations, of several observations, that show no difference: a survivor that looks equivalent
to the original from then on."""

CALLABLES = ("function", "partial", "method", "builtin_function_or_method", "itemgetter")
"""Types of values that say more when they are called."""

LEAST_SECONDS = 0.2
"""What a run that was begun before the deadline may take at the least."""

HUNT_SHARE = 0.6
"""Of what is left of the time for mutants: finding inputs, before those are confirmed."""

BATCH = 24
"""Inputs found for survivors before those are confirmed: each time, all survivors are tried."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Observations, with those found for the sake of mutants, and what they notice."""

    observations: tuple[Observation, ...]
    kills: Kills


class Mutation:
    """The mutants of one module.

    Args:
        consultant: asks about what varying inputs does not notice.
        limit: after which nothing new is begun.
    """

    def __init__(self, consultant: Consultant, nursery: Nursery, limit: Limit) -> None:
        self._consultant = consultant
        self._job = consultant.job
        self._subject = consultant.subject
        self._nursery = nursery
        self._limit = limit
        self._is_matrix_cut = False
        self._untried = 0
        self._text = self._subject.module.source.text
        self._source = self._text.encode()
        self._observations: list[Observation] = []
        self._lines: dict[Candidate, frozenset[int]] = {}
        self._alone: set[Candidate] = set()
        self._mutants: list[Mutant] = []
        self._found: defaultdict[Candidate, defaultdict[Finding, set[int]]]
        self._found = defaultdict(lambda: defaultdict(set))
        self._partial: set[Candidate] = set()
        self._noticed: set[int] = set()
        self._tries: Counter[int] = Counter()
        self._compared: Counter[int] = Counter()

    @property
    def is_cut(self) -> bool:
        """Whether the clock ended it before all was tried."""
        return self._is_matrix_cut or self._limit.is_cut

    def judge(self, observations: Sequence[Observation], covered: Iterable[Arc]) -> Judged:
        """Tries mutants on the lines that observations execute, the best sample first.

        Args:
            covered: arcs of existing tests, whose lines are theirs to test.
        """
        watcher = self._job.watcher
        watcher.stage("trying mutants")
        matrix = self._limit.part(MATRIX_SHARE)
        executed = frozenset[int]().union(*(lines_of(o.arcs) for o in observations))
        mutants = mutants_of(
            self._text,
            executed - lines_of(covered),
            at_import=lines_of(self._subject.runner.import_arcs),
            seed=self._job.settings.seed,
        )
        is_complete = len(self._take(observations)) >= MOST_OBSERVATIONS * len(observations)
        for number, mutant in enumerate(mutants):
            if matrix.is_over():
                is_complete = False
                self._is_matrix_cut = matrix.is_cut
                self._untried = len(mutants) - number
                break
            watcher.advance(number, len(mutants))
            self._try(mutant)
        watcher.stage("looking for what notices mutants")
        self._hunt()
        found = {
            candidate: {finding: frozenset(killed) for finding, killed in checks.items()}
            for candidate, checks in self._found.items()
        }
        equivalent = {i for i in self._survivors() if self._compared[i] >= ENOUGH}
        kills = Kills(
            mutants=tuple(self._mutants),
            found=found,
            is_complete=is_complete,
            partial=frozenset(self._partial),
            equivalent=frozenset(equivalent),
            untried=self._untried,
        )
        return Judged((*observations, *self._observations_beyond(observations)), kills)

    def _observations_beyond(self, known: Sequence[Observation]) -> list[Observation]:
        old = {observation.candidate for observation in known}
        return [o for o in self._observations if o.candidate not in old]

    # ---- the matrix

    def _take(self, observations: Sequence[Observation]) -> list[Observation]:
        """Keeps the observations that show the same in the nursery; gives those."""
        candidates = [observation.candidate for observation in observations]
        ran = self._nursery.run(None, candidates, is_careful=True)
        if ran is None:
            return []
        self._alone |= {candidates[place] for place in ran.changing}
        taken = [
            observations[place]
            for place, results in sorted(ran.results.items())
            if results is not None and not noticed(observations[place], results)
        ]
        self._observations += taken
        self._lines.update((o.candidate, lines_of(o.arcs)) for o in taken)
        return taken

    def _try(self, mutant: Mutant) -> None:
        """Adds a mutant to the matrix; one that cannot be imported says nothing about tests."""
        home = home_of(mutant, self._subject.targets)
        own = self._reaching(mutant)
        own.sort(key=lambda o: o.candidate.target != home)  # those that are to notice it
        index = len(self._mutants)
        if not own or not self._notice(index, mutant, own[:FIRST]):
            return
        self._mutants.append(mutant)
        if index in self._noticed:
            self._partial.update(observation.candidate for observation in own[FIRST:])
        elif own[FIRST:MOST]:
            self._notice(index, mutant, own[FIRST:MOST])

    def _notice(self, index: int, mutant: Mutant, own: Sequence[Observation]) -> bool:
        """Notes which of these observations notice a mutant; False if that was not to be seen."""
        candidates = [observation.candidate for observation in own]
        ran = self._run(mutant.source(self._source), candidates)
        if ran is None or not ran.is_loaded:
            return False
        for place, results in ran.results.items():
            for finding in noticed(own[place], results):
                self._found[candidates[place]][finding].add(index)
                self._noticed.add(index)
        return True

    def _run(
        self, source: str | None, candidates: Sequence[Candidate], *, is_careful: bool = False
    ) -> Ran | None:
        left = max(LEAST_SECONDS, self._limit.deadline - time.monotonic())
        return self._nursery.run(
            source, candidates, alone=self._alone, is_careful=is_careful, seconds=left
        )

    def _survivors(self) -> list[int]:
        return [index for index in range(len(self._mutants)) if index not in self._noticed]

    # ---- what nothing noticed

    def _hunt(self) -> None:
        """Varies what executes survivors, then asks about them, as long as there is time."""
        is_alone = self._consultant.backend is None
        limit = self._limit if is_alone else self._limit.part(1 - ASK_SHARE)
        while self._pursue(limit) and not limit.is_over():
            pass
        Killing(self._consultant, self._limit, self._attempt).ask(self._left)
        while self._pursue(self._limit) and not self._limit.is_over():
            pass

    def _left(self) -> Iterator[Survivor]:
        for index in self._survivors():
            mutant, is_equal = self._mutants[index], self._compared[index] >= ENOUGH
            yield Survivor(index, mutant, _bases(self._reaching(mutant)), is_equal)

    def _attempt(
        self, indices: Sequence[int], base: Observation, candidates: Sequence[Candidate]
    ) -> int:
        """Runs candidates near an observation on mutants; how many are newly noticed."""
        before = len(self._noticed)
        varied = self._varied(base, candidates)
        found: dict[Candidate, int] = {}
        for index in indices:
            if not self._limit.is_over() and (telling := self._simplest(index, varied)) is not None:
                found.setdefault(telling, index)
        if found:
            self._confirm(found)
        return len(self._noticed) - before

    def _reaching(self, mutant: Mutant) -> list[Observation]:
        return [o for o in self._observations if mutant.lines & self._lines[o.candidate]]

    def _pursue(self, limit: Limit) -> bool:
        """Varies what executes survivors; False if there is nothing left to vary."""
        wanted = [index for index in self._survivors() if self._tries[index] < BASES * TRIES]
        hunt = limit.part(HUNT_SHARE)
        candidates: dict[Candidate, int] = {}
        for index in sorted(wanted, key=lambda index: self._tries[index]):
            if hunt.is_over() or len(candidates) >= BATCH:
                break
            if (found := self._telling(index)) is not None:
                candidates.setdefault(found, index)
        if candidates:
            self._confirm(candidates)
        return bool(wanted)

    def _telling(self, index: int) -> Candidate | None:
        """The simplest candidate near the next base that tells a mutant from the original."""
        mutant = self._mutants[index]
        own = _bases(self._reaching(mutant))
        turn = self._tries[index] // TRIES
        if turn >= len(own):
            self._tries[index] = BASES * TRIES
            return None
        self._tries[index] += TRIES
        constants = self._constants(mutant)
        first = WHOLE * turn % max(1, len(constants))
        near = neighbours(
            own[turn].candidate,
            (*constants[first:], *constants[:first]),
            TRIES,
            gives_callable=_gives_callable(own[turn]),
        )
        return self._simplest(index, self._varied(own[turn], near))

    def _simplest(self, index: int, varied: Sequence[Observation]) -> Candidate | None:
        """The simplest of these that tells a mutant from the original."""
        mutant = self._mutants[index]
        ran = self._run(mutant.source(self._source), [o.candidate for o in varied])
        if ran is None:
            return None
        self._compared[index] += sum(_is_telling(varied[place]) for place in ran.results)
        telling = [
            varied[place].candidate
            for place, results in ran.results.items()
            if noticed(varied[place], results)
        ]
        return min(telling, key=weight, default=None)

    def _constants(self, mutant: Mutant) -> tuple[Value, ...]:
        """Values to tell a mutant by: those of its own lines, and what these are given."""
        seed = self._job.settings.seed
        own = frozenset(range(mutant.line, mutant.last_line + 1))
        given = calls_at_import(self._text, mutant.line)
        found = (constants_in(self._text, lines, seed=seed) for lines in (given, own))
        constants = tuple(dict.fromkeys(value for values in found for value in values))
        return constants or constants_in(self._text, mutant.lines, seed=seed)

    def _varied(
        self, observation: Observation, candidates: Sequence[Candidate]
    ) -> list[Observation]:
        """Candidates with what the original does, where a test could be made of that."""
        ran = self._run(None, candidates, is_careful=True)
        if ran is None:
            return []
        self._alone |= {candidates[place] for place in ran.changing}
        varied = (
            Observation(candidates[place], results, frozenset(), observation.label)
            for place, results in ran.results.items()
            if results is not None
        )
        return [item for item in varied if can_be_kept(item)]

    def _confirm(self, found: Mapping[Candidate, int]) -> None:
        """Confirms candidates and lets them notice what is left.

        Args:
            found: candidates, each with the mutant that it was found for; those come first.
        """
        subject = self._subject
        confirmed, _ = confirm(
            subject.runner, list(found), seed=self._job.settings.seed, deadline=self._limit.deadline
        )
        kept, _ = suite.screened(confirmed, subject.module, subject.import_name)
        known = set(self._lines)
        new = self._take([o for o in kept if o.candidate not in known])
        for index in dict.fromkeys((*found.values(), *range(len(self._mutants)))):
            if self._limit.is_over():
                return
            mutant = self._mutants[index]
            own = [o for o in new if mutant.lines & self._lines[o.candidate]]
            if own and index not in self._noticed:
                self._notice(index, mutant, own)
            else:
                self._partial.update(observation.candidate for observation in own)


def _bases(observations: Sequence[Observation]) -> list[Observation]:
    """The simplest first, those that return before those that raise; targets take turns."""
    simple = sorted(
        observations, key=lambda o: (o.results[-1].raised is not None, weight(o.candidate))
    )
    turns: Counter[str] = Counter()
    ranked: list[tuple[int, Observation]] = []
    for observation in simple:
        ranked.append((turns[observation.candidate.target], observation))
        turns[observation.candidate.target] += 1
    return [observation for _, observation in sorted(ranked, key=lambda item: item[0])]


def _gives_callable(observation: Observation) -> bool:
    """True if nothing else is known of the last value than that it is a function."""
    checks = observation.results[-1].checks
    return [check.expression for check in checks] in [[repr(name)] for name in CALLABLES]


def _is_telling(observation: Observation) -> bool:
    """True if a value or an exception was seen, not only a type or a length."""
    last = observation.results[-1]
    return last.raised is not None or any(c.kind not in WEAK_KINDS for c in last.checks)
