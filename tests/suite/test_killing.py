"""Selection where it is known what each assertion notices."""

from __future__ import annotations

from collections.abc import Mapping

from hybridgen import suite
from hybridgen.domain import (
    Candidate,
    Check,
    CheckKind,
    Label,
    Observation,
    Step,
    StepKind,
    StepResult,
)
from hybridgen.domain.mutants import Finding, Kills, Mutant, findings

ARCS = frozenset({(1, 2)})


def mutant(index: int) -> Mutant:
    return Mutant(index, index, "constant", "1", "2", 0, 1, b"2", frozenset({index}))


def case(
    code: str, *values: str, target: str = "f", arcs: frozenset[tuple[int, int]] = ARCS
) -> Observation:
    """``f(1)`` with one check for each value: of the value itself, or of ``.name=value``."""
    checks = []
    for value in values:
        name, _, text = value.rpartition("=")
        checks.append(Check(CheckKind.EQUAL, name, text))
    candidate = Candidate(target, (Step(StepKind.PROBE, code),), Label.PUBLIC, "types")
    return Observation(candidate, (StepResult("ok", checks=tuple(checks)),), arcs, Label.PUBLIC)


def kills(
    noticed: Mapping[str, set[int]], cases: list[Observation], *, is_complete: bool = True
) -> Kills:
    """What the whole of each case notices, by its code; ``"f(1) .name"`` for one check of it."""
    found: dict[Candidate, dict[Finding, frozenset[int]]] = {}
    for item in cases:
        step, result = item.candidate.steps[-1], item.results[-1]
        for check, finding in zip(result.checks, findings(step, result), strict=True):
            names = (step.code, f"{step.code} {check.path}")
            killed = frozenset[int]().union(*(noticed.get(name, ()) for name in names))
            if killed:
                found.setdefault(item.candidate, {})[finding] = killed
    return Kills(tuple(map(mutant, range(20))), found, is_complete)


def select(
    cases: list[Observation], noticed: Mapping[str, set[int]], *, is_complete: bool = True
) -> suite.Choice:
    known = kills(noticed, cases, is_complete=is_complete)
    return suite.select(cases, covered=frozenset(), targets=(), seed=1, kills=known)


def codes(choice: suite.Choice) -> list[str]:
    return [item.candidate.steps[-1].code for item in choice.observations]


def test_rows_are_those_that_notice_something_new() -> None:
    cases = [case(f"f({number})", str(number * number)) for number in range(8)]
    choice = select(cases, {"f(2)": {1, 2, 3}, "f(5)": {3, 4}, "f(6)": {3, 4}, "f(7)": {2, 5}})
    assert {"f(2)", "f(7)"} <= set(codes(choice))
    assert len({"f(5)", "f(6)"} & set(codes(choice))) == 1
    assert len(choice.observations) <= 4  # one more may be there for its arc
    assert choice.noticed == {1, 2, 3, 4, 5}


def test_case_whose_mutants_all_others_notice_goes_again() -> None:
    cases = [case(f"f({number})", str(number)) for number in (1, 2, 3)]
    cases.append(case("g(9)", "0", target="g"))
    noticed = {"f(1)": {1, 2, 3, 4}, "f(2)": {1, 2, 5, 6}, "f(3)": {3, 4, 7, 8}}
    chosen = codes(select(cases, {**noticed, "g(9)": {1, 2}}))
    assert {"f(2)", "f(3)"} <= set(chosen)
    assert "g(9)" not in chosen or len(chosen) < 4


def test_guess_fills_up_where_not_all_mutants_were_tried() -> None:
    cases = [case(f"f({number})", str(number * number)) for number in (1, -3, 20, 4000)]
    noticed = {"f(1)": {1}}
    assert len(select(cases, noticed).observations) == 1
    assert len(select(cases, noticed, is_complete=False).observations) == 4


def test_guess_stays_where_no_mutant_could_be_tried() -> None:
    cases = [case(f"f({number})", str(number * number)) for number in (1, -3, 20, 4000)]
    nothing = Kills(is_complete=True)
    choice = suite.select(cases, covered=frozenset(), targets=(), seed=1, kills=nothing)
    assert len(choice.observations) == 4


def test_assertion_that_notices_nothing_goes_beside_one_that_does() -> None:
    cases = [case("f(1)", ".a=1", ".b=2", ".c=3")]
    [kept] = select(cases, {"f(1) .a": {1}, "f(1) .c": {2}}).observations
    assert [check.path for check in kept.results[0].checks] == [".a", ".c"]


def test_only_assertion_and_those_of_which_nothing_is_known_stay() -> None:
    cases = [case("f(1)", ".a=1", ".b=2")]
    [kept] = select(cases, {}).observations
    assert len(kept.results[0].checks) == 2
    [kept] = select(cases, {"f(1) .a": {1}}, is_complete=False).observations
    assert len(kept.results[0].checks) == 2


def test_rows_of_one_table_lose_the_same_assertions() -> None:
    cases = [case("f(1)", ".a=1", ".b=2", ".c=0"), case("f(2)", ".a=3", ".b=4", ".c=0")]
    chosen = select(cases, {"f(1) .a": {1}, "f(2) .b": {2}}).observations
    assert [[check.path for check in item.results[0].checks] for item in chosen] == [
        [".a", ".b"],
        [".a", ".b"],
    ]


def test_choice_is_the_same_in_any_order() -> None:
    cases = [case(f"f({number})", str(number)) for number in range(20)]
    noticed = {f"f({number})": {number % 7, number % 5 + 7} for number in range(20)}
    first, second = select(cases, noticed), select(cases[::-1], noticed)
    assert first.observations == second.observations
