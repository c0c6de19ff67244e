"""Asks a model for inputs that tell mutants from the code, where variations of inputs did not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from hybridgen.domain import Candidate, Completion, Fragment, Observation, Target
from hybridgen.domain.mutants import Mutant
from hybridgen.explore.exchange import exchanged
from hybridgen.observe.effort import Limit
from hybridgen.pipeline.consulting import HEATS, Consultant
from hybridgen.post import values
from hybridgen.prompt import Kill, QuestionKind, build_kill, changing
from hybridgen.suite.homes import home_of

ASK_SHARE: Final = 0.3
"""Of the time for what nothing noticed: asking, where somebody may be asked."""

MOST_TOKENS: Final = 96
"""Of an answer: some ten values."""

MOST_MISSES: Final = 2
"""Questions in a row that notice nothing: the last ones."""

MOST_SHOWN: Final = 3
"""Survivors in one question."""

MOST_TRIED: Final = 12
"""Survivors that meet all values of an answer; the others meet those that are kept."""

MOST_BASES: Final = 3
"""Calls that are given the values of one answer."""

MOST_CANDIDATES: Final = 40
"""Made of one answer."""

_TEXT: Final = "str"
_ANY: Final = ("None", "0")
"""Of two different values, one is not there yet."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that nothing noticed.

    Attributes:
        index: which one it is.
        reaching: what executes its lines, the plainest first.
        looks_equivalent: whether many variations of that showed no difference.
    """

    index: int
    mutant: Mutant
    reaching: Sequence[Observation]
    looks_equivalent: bool


@dataclass(frozen=True, slots=True)
class _Case:
    """A survivor, and the call that may notice it with another value of a parameter.

    Attributes:
        is_own: whether what is called is the function that the mutant changes.
    """

    survivor: Survivor
    target: Target
    parameter: str
    base: Observation
    is_own: bool

    @property
    def subject(self) -> tuple[str, str]:
        """What values are asked of."""
        return self.target.qualname, self.parameter

    @property
    def key(self) -> tuple[int, str, str]:
        """One survivor and what values are asked of for it."""
        return self.survivor.index, *self.subject


Attempt = Callable[[Sequence[int], Observation, Sequence[Candidate]], int]
"""Runs candidates near an observation on mutants; gives how many were not noticed before."""


class Killing:
    """Questions about the survivors of one module.

    Args:
        limit: after which nothing is asked.
        attempt: tries what was answered.
    """

    def __init__(self, consultant: Consultant, limit: Limit, attempt: Attempt) -> None:
        self._consultant = consultant
        self._limit = limit
        self._attempt = attempt
        self._asked: set[tuple[int, str, str]] = set()
        self._vain: set[tuple[str, str]] = set()

    def ask(self, survivors: Callable[[], Iterable[Survivor]]) -> None:
        """Asks until that brings nothing any more, or time is up.

        Args:
            survivors: gives those that are left.
        """
        misses = 0
        while misses < MOST_MISSES and self._has_time():
            cases = self._next(survivors())
            if not cases:
                return
            gained = self._put(cases)
            misses = 0 if gained else misses + 1
            if not gained:
                self._vain.add(cases[0].subject)  # other survivors would be answered likewise

    def _has_time(self) -> bool:
        """Whether there is somebody to ask, and time for an answer to come."""
        if self._consultant.backend is None or self._limit.is_over():
            return False
        limit = self._limit
        left = min(limit.seconds - limit.effort.seconds, limit.deadline - time.monotonic())
        return self._consultant.usual < left

    def _next(self, survivors: Iterable[Survivor]) -> list[_Case]:
        """Those of one question: hopeful ones, and as many as it shows, of what words tell of."""
        groups: dict[tuple[str, str, bool, bool], list[_Case]] = {}
        for survivor in survivors:
            if (case := self._case(survivor)) is not None:
                key = (*case.subject, survivor.looks_equivalent, case.is_own)
                groups.setdefault(key, []).append(case)
        return max(groups.values(), key=_worth, default=[])

    def _case(self, survivor: Survivor) -> _Case | None:
        """The plainest call that takes other values, first of the survivor's own function."""
        module = self._consultant.subject.module
        by_name = {target.qualname: target for target in module.targets}
        home = home_of(survivor.mutant, module.targets)
        named: dict[str, list[str]] = {}
        for is_own in (True, False):
            for base in survivor.reaching:
                target = by_name.get(home if is_own else base.candidate.target)
                if target is None:
                    continue
                if target.qualname not in named:
                    named[target.qualname] = changing(module, target, survivor.mutant)
                for parameter in named[target.qualname]:
                    case = _Case(survivor, target, parameter, base, is_own)
                    if self._is_new(case) and any(_made(case, value) for value in _ANY):
                        return case
        return None

    def _is_new(self, case: _Case) -> bool:
        return case.key not in self._asked and case.subject not in self._vain

    def _put(self, cases: Sequence[_Case]) -> int:
        """Asks one question; gives how many mutants its answers notice."""
        self._asked.update(case.key for case in cases[:MOST_SHOWN])
        consultant, limit = self._consultant, self._limit
        first = cases[0]
        prompt = build_kill(
            Kill(
                first.target,
                first.parameter,
                tuple(case.survivor.mutant for case in cases[:MOST_SHOWN]),
                self._fragment(first),
            ),
            consultant.subject.module,
            count_tokens=lambda texts: consultant.count_tokens(texts, limit.deadline),
        )
        if prompt is None:
            return 0
        completions = consultant.ask(
            QuestionKind.KILL,
            prompt,
            name=first.target.qualname,
            max_tokens=MOST_TOKENS,
            deadline=limit.deadline,
            heats=HEATS[:2],
        )
        candidates = answered(completions, cases)
        if not candidates:
            return 0
        tried = [case.survivor.index for case in cases[:MOST_TRIED]]
        gained = self._attempt(tried, first.base, candidates)
        consultant.gained(QuestionKind.KILL, gained)
        return gained

    def _fragment(self, case: _Case) -> Fragment:
        module = self._consultant.subject.module
        text = "; ".join(step.code for step in case.base.candidate.steps)
        label = max(case.base.label, module.source.label, case.target.label)
        return Fragment(text, label, module.display, "seen in a run", module.source.sources)


def answered(completions: Sequence[Completion], cases: Sequence[_Case]) -> list[Candidate]:
    """The calls of cases with the values that were answered, literals all of them."""
    bases = {case.base.candidate: case for case in cases}
    found: dict[tuple[str, ...], Candidate] = {}
    for completion in completions:
        for value in values(completion):
            for case in islice(bases.values(), MOST_BASES):
                if (made := _made(case, value)) is not None:
                    key = tuple(step.code for step in made.steps)
                    label = max(made.label, completion.label)
                    found.setdefault(key, replace(made, label=label))
    return list(islice(found.values(), MOST_CANDIDATES))


def _made(case: _Case, value: str) -> Candidate | None:
    return exchanged(case.base.candidate, case.target, case.parameter, value, origin="model")


def _worth(cases: Sequence[_Case]) -> tuple[bool, int, bool, bool, int]:
    first = cases[0]
    hints = (p.annotation or "" for p in first.target.parameters if p.name == first.parameter)
    is_told = bool(first.target.docstring) or any(_TEXT in hint for hint in hints)
    shown = min(len(cases), MOST_SHOWN)
    return not first.survivor.looks_equivalent, shown, first.is_own, is_told, len(cases)
