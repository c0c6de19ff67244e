"""Asks a model what calls should give, by the docstring alone: a second opinion for the suspects.

A small model is mostly wrong about values, so its word counts only where several answers agree on
one value and none gives another, and only about a function that it has shown to understand: for
other calls of the same question they agree on what the code does, and that is no echo of what the
call says. What it says then is a weak suspect, after the call has run again like all others.

The smallest models are not asked at all: of 12 functions in five modules, one with 0.5 billion
weights understood none, one with 1.5 billion two, and reading a docstring takes it longer than all
the time that there is for this.
"""

from __future__ import annotations

import ast
import math
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from hybridgen.backends.sampling import breadth_of
from hybridgen.domain import (
    AGREED,
    Breadth,
    Candidate,
    Completion,
    Fragment,
    Observation,
    Step,
    StepKind,
    Target,
    TargetKind,
)
from hybridgen.explore.archive import weight
from hybridgen.observe.effort import Limit
from hybridgen.pipeline.consulting import Consultant
from hybridgen.post import expected
from hybridgen.prompt import Expectation, QuestionKind, build_expectation, is_documented
from hybridgen.suspects.calling import Caller
from hybridgen.suspects.kinds import literal, same_code
from hybridgen.suspects.returned import value_of

MOST_QUESTIONS: Final = 6
"""For one module; the most documented functions first."""

MOST_CALLS: Final = 6
"""In one question."""

FEWEST_CALLS: Final = 3
"""Fewer cannot show that a model understands a function, and leave one to be doubted."""

MOST_TOKENS: Final = 160
"""Of an answer: some six lines."""

AGREEING: Final = 3
"""Answers that have to agree on a value."""

UNDERSTOOD: Final = 2
"""Different values of other calls, for each call that is doubted, about which the model agrees with
the code."""

MOST_SECONDS: Final = 8.0
LEAST_SECONDS: Final = 2.0
"""For all questions, and for one: less is not worth its beginning."""

SHARE: Final = 0.25
"""Of what is left of the time for confirming: what is asked for is confirmed afterwards."""

_LONGEST_CALL: Final = 80  # characters
_LONGEST_VALUE: Final = 60
_PLAIN: Final = (bool, int, float, str)

Known = dict[str, tuple[Observation, object]]
"""Calls with what they gave."""


class Expecting:
    """Asks about documented functions of one module, until time is up.

    Args:
        limit: the end of confirming, of which this takes its share.
    """

    def __init__(self, consultant: Consultant, limit: Limit) -> None:
        self._consultant = consultant
        self._limit = limit.part(SHARE)
        self._limit.deadline = min(self._limit.deadline, time.monotonic() + MOST_SECONDS)

    def ask(
        self, observations: Sequence[Observation], targets: Sequence[Target]
    ) -> tuple[Observation, ...]:
        """Calls that several answers expect another value of, as leads for the suspects.

        Args:
            observations: what the search saw.
            targets: what may be asked about.
        """
        found: list[Observation] = []
        backend = self._consultant.backend
        if backend is None or breadth_of(backend, self._consultant.label) is Breadth.NARROW:
            return ()
        for target, known in self._subjects(observations, targets)[:MOST_QUESTIONS]:
            if self._limit.is_over() or self._limit.deadline - time.monotonic() < LEAST_SECONDS:
                break
            doubted = self._doubted(target, known)
            self._consultant.gained(QuestionKind.EXPECTATION, len(doubted))
            found += doubted
        return tuple(found)

    def _subjects(
        self, observations: Sequence[Observation], targets: Sequence[Target]
    ) -> list[tuple[Target, Known]]:
        """Functions with enough calls to ask about, the most documented first."""
        caller = Caller(self._consultant.subject.module, observations)
        calls: defaultdict[str, list[tuple[Observation, object]]] = defaultdict(list)
        for observation in observations:
            value = _plain_value(observation)
            if value is not None and caller.is_plausible(observation.candidate):
                calls[observation.candidate.target].append((observation, value[0]))
        documented = (item for item in targets if _is_function(item) and is_documented(item))
        ordered = sorted(documented, key=lambda target: -len(target.docstring or ""))
        chosen = ((target, _chosen(target, calls[target.qualname])) for target in ordered)
        return [(target, known) for target, known in chosen if len(known) >= FEWEST_CALLS]

    def _doubted(self, target: Target, known: Known) -> list[Observation]:
        """The calls of one question whose value the answers contradict."""
        prompt = build_expectation(
            Expectation(target, tuple(self._fragments(known, target))),
            self._consultant.subject.module,
            count_tokens=lambda texts: self._consultant.count_tokens(texts, self._limit.deadline),
        )
        if prompt is None:
            return []
        completions = self._consultant.ask(
            QuestionKind.EXPECTATION,
            prompt,
            name=target.qualname,
            max_tokens=MOST_TOKENS,
            deadline=self._limit.deadline,
        )
        return contradicted(completions, known)

    def _fragments(self, known: Known, target: Target) -> Iterator[Fragment]:
        module = self._consultant.subject.module
        for call, (observation, _) in known.items():
            label = max(observation.label, module.label, target.label)
            yield Fragment(call, label, module.display, "seen in a run", module.source.sources)


def contradicted(completions: Sequence[Completion], known: Known) -> list[Observation]:
    """What answers agree on, and not with the code, as observations with that opinion.

    Args:
        completions: answers to one question.
        known: the calls that it asked about.
    """
    said: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for completion in completions:
        for call, value in expected(completion, tuple(known)).items():
            said[call][repr(value)] += 1
    agreed = {
        call: text
        for call, texts in said.items()
        for text, count in texts.items()
        if count >= AGREEING
    }
    wrong = [call for call, text in agreed.items() if not _is_same(text, known[call][1])]
    right = {text for call, text in agreed.items() if call not in wrong and _is_told(text, call)}
    if len(right) < max(UNDERSTOOD, 2 * len(wrong)):
        return []
    # A single answer that says otherwise is a doubt in favour of the code.
    return [_opinion(known[call][0], agreed[call]) for call in wrong if len(said[call]) == 1]


def _is_told(text: str, call: str) -> bool:
    """Whether a value shows that a function is understood: an echo of its argument does not."""
    plain = text.strip("'\"[](){}")
    return bool(plain) and plain not in call


def _opinion(observation: Observation, text: str) -> Observation:
    candidate, (result,) = observation.candidate, observation.results
    step = Step(StepKind.PROBE, candidate.steps[0].code, f"_ == {text}")
    return replace(
        observation,
        candidate=replace(candidate, origin=AGREED, steps=(step,)),
        results=(replace(result, opinion_holds=False),),
    )


def _chosen(target: Target, seen: Sequence[tuple[Observation, object]]) -> Known:
    """Short calls that stand in no docstring, first one for each different value."""
    shown = _unspelt(target.docstring or "")
    ordered = sorted(seen, key=lambda item: weight(item[0].candidate))
    plain = [item for item in ordered if _is_short(item[0].candidate, target)]
    new = [item for item in plain if _unspelt(_call(item[0])) not in shown]
    first: dict[str, tuple[Observation, object]] = {}
    for item in new:
        first.setdefault(repr(item[1]), item)
    ranked = [*first.values(), *(item for item in new if item not in first.values())]
    return {_call(item[0]): item for item in ranked[:MOST_CALLS]}


def _unspelt(text: str) -> str:
    """Text without what may be written in two ways."""
    return re.sub(r"[\s_]", "", text).replace('"', "'")


def _call(observation: Observation) -> str:
    return same_code(observation.candidate.steps[0].code)


def _is_short(candidate: Candidate, target: Target) -> bool:
    code = candidate.steps[0].code
    is_alone = not candidate.imports and not candidate.fixtures
    return is_alone and len(code) <= _LONGEST_CALL and code.startswith(f"{target.qualname}(")


def _is_function(target: Target) -> bool:
    is_plain = target.kind is TargetKind.FUNCTION or target.binding in ("class", "static")
    return is_plain and not target.is_async and not target.is_private


def _plain_value(observation: Observation) -> tuple[object] | None:
    """What a single call gave, in a tuple, where that is a short plain literal."""
    steps, results = observation.candidate.steps, observation.results
    if len(steps) != 1 or results[0].status != "ok" or steps[0].kind is not StepKind.PROBE:
        return None
    node = value_of(results[0])
    found = None if node is None else literal(ast.unparse(node))
    if found is None or len(repr(found[0])) > _LONGEST_VALUE or not _is_plain(found[0]):
        return None
    return found


def _is_plain(value: object) -> bool:
    match value:
        case list() | tuple():
            return all(map(_is_plain, value))
        case dict():
            return all(map(_is_plain, (*value, *value.values())))
    return isinstance(value, _PLAIN)


def _is_same(text: str, value: object) -> bool:
    """Whether what was said means what the code gives, a rounded number included."""
    said = literal(text)
    if said is None or said[0] == value:
        return True
    if isinstance(said[0], float) and isinstance(value, int | float):
        return math.isclose(said[0], value, rel_tol=1e-3)
    return False
