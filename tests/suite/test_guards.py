"""Cases divide among them what a suite is there for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hybridgen.domain import (
    Candidate,
    Check,
    CheckKind,
    Label,
    Observation,
    Raised,
    Step,
    StepKind,
    StepResult,
)
from hybridgen.domain.mutants import Kills, Mutant, findings
from hybridgen.suite.cases import Case, make_case
from hybridgen.suite.guards import alike, guards


def case(code: str, value: str, arcs: set[tuple[int, int]], kills: set[int]) -> Case:
    step = Step(StepKind.PROBE, code)
    result = StepResult("ok", (Check(CheckKind.EQUAL, "", value),))
    candidate = Candidate("f", (step,), Label.CONFIDENTIAL, "search")
    found = Observation(candidate, (result,), frozenset(arcs), Label.CONFIDENTIAL)
    noticing = dict.fromkeys(findings(step, result), frozenset(kills))
    return make_case(found, frozenset(arcs), 0, noticing)


def mutants(count: int) -> Kills:
    one = Mutant(1, 1, "constant", "1", "2", 0, 1, b"2", frozenset({1}))
    return Kills(mutants=(one,) * count, is_complete=True)


def test_the_plainest_case_guards_what_several_do() -> None:
    odd = case(
        "g('x-17: 4711, a text that goes on and on without any meaning at all')",
        "1",
        {(1, 2)},
        {0, 1},
    )
    plain = case("f('a')", "2", {(1, 2), (2, 3)}, {0})
    idle = case(
        "h('a text that is not for anything at all, and that goes on and on')", "3", {(1, 2)}, {0}
    )
    found = guards([odd, plain, idle], mutants(2), ())
    assert [guard.arcs for guard in found] == [set(), {(1, 2), (2, 3)}, set()]
    assert [guard.mutants for guard in found] == [{1}, {0}, set()]
    assert [bool(guard.outcome) for guard in found] == [False, False, True]


def test_without_mutants_every_case_guards_its_outcome() -> None:
    [guard] = guards([case("f(1)", "2", {(1, 2)}, set())], Kills(), ())
    assert guard.outcome


def observation(*results: StepResult) -> Observation:
    steps = tuple(Step(StepKind.PROBE, f"f('input {n}')") for n in range(len(results)))
    candidate = Candidate("f", steps, Label.CONFIDENTIAL, "search")
    return Observation(candidate, results, frozenset(), Label.CONFIDENTIAL)


def value(expression: str, kind: CheckKind = CheckKind.EQUAL, path: str = "") -> StepResult:
    return StepResult("ok", (Check(kind, path, expression),))


def error(name: str, message: str) -> StepResult:
    return StepResult("raised", raised=Raised(name, "", message, True, True))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (value("'abc'"), value("'x'"), True),
        (value("'abc'"), value("''"), False),
        (value("'abc'"), value("7"), False),
        (value("True", CheckKind.IS), value("False", CheckKind.IS), False),
        (value("1"), error("ValueError", "too low"), False),
        (error("ValueError", "a is too low"), error("KeyError", "a is too low"), False),
        (error("ValueError", "no price: 1"), error("ValueError", "no price: 22"), True),
        (error("ValueError", "no price at all"), error("ValueError", "unknown thing"), False),
    ],
)
def test_a_plainer_case_ends_in_the_same_way(
    old: StepResult, new: StepResult, expected: bool
) -> None:
    assert (alike(observation(old), observation(new), [0]) is not None) is expected


def test_a_value_that_became_short_is_asserted_as_a_whole() -> None:
    parts = (Check(CheckKind.LENGTH, "", "385885"), Check(CheckKind.EQUAL, "[0]", "1"))
    new = StepResult("ok", (Check(CheckKind.EQUAL, "", "[1, 1]"), *parts))
    found = alike(observation(StepResult("ok", parts)), observation(new), [0])
    assert found is not None
    assert [check.expression for check in found.results[0].checks] == ["[1, 1]"]


def test_a_step_that_asserts_something_is_not_left_out() -> None:
    quiet, asking = StepResult("ok"), value("1")
    assert alike(observation(quiet, asking), observation(asking), [1]) is not None
    assert alike(observation(asking, asking), observation(asking), [1]) is None


def test_what_was_not_asserted_before_is_not_asserted_now() -> None:
    old = value("1", path=".total")
    more = replace(old, checks=(*old.checks, Check(CheckKind.EQUAL, ".id", "9")), output="x\n")
    found = alike(observation(old), observation(more), [0])
    assert found is not None
    assert found.results[0] == old
