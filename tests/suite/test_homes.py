"""Which cases test the target that a mutant lies in."""

from __future__ import annotations

import pytest

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
    Target,
    TargetKind,
)
from hybridgen.domain.mutants import Kills, Mutant, findings
from hybridgen.suite.homes import home_of

FUNCTION, METHOD, CLASS = TargetKind.FUNCTION, TargetKind.METHOD, TargetKind.CLASS


def target(name: str, first: int, last: int, kind: TargetKind = FUNCTION) -> Target:
    return Target(
        qualname=name,
        kind=kind,
        is_async=False,
        parameters=(),
        returns=None,
        docstring=None,
        decorators=(),
        binding="",
        bases=(),
        first_line=first,
        last_line=last,
        source="",
        calls=(),
        raises=(),
        label=Label.PUBLIC,
    )


TARGETS = (
    target("ordinal", 1, 4),
    target("ordinalize", 6, 8),
    target("Cart", 10, 30, CLASS),
    target("Cart.__init__", 12, 14, METHOD),
    target("Cart.add", 16, 20, METHOD),
)


def mutant(line: int) -> Mutant:
    return Mutant(line, line, "constant", "1", "2", 0, 1, b"2", frozenset({line}))


def case(name: str, value: str, setup: str | None = None, code: str | None = None) -> Observation:
    before = (Step(StepKind.SETUP, setup),) if setup else ()
    steps = (*before, Step(StepKind.PROBE, code or f"{name}({value})"))
    results = [StepResult("ok")] * len(before)
    results.append(StepResult("ok", checks=(Check(CheckKind.EQUAL, "", f"'{value}'"),)))
    candidate = Candidate(name, steps, Label.PUBLIC, "types")
    return Observation(candidate, tuple(results), frozenset({(1, 2)}), Label.PUBLIC)


def chosen(noticed: list[tuple[Observation, set[int]]], mutants: list[Mutant]) -> list[str]:
    found = {
        item.candidate: {
            next(findings(item.candidate.steps[-1], item.results[-1])): frozenset(killed)
        }
        for item, killed in noticed
    }
    choice = suite.select(
        [item for item, _ in noticed],
        covered=frozenset(),
        targets=TARGETS,
        seed=1,
        kills=Kills(tuple(mutants), found, is_complete=True),
    )
    return sorted(item.candidate.steps[-1].code for item in choice.observations)


@pytest.mark.parametrize(
    ("line", "home"),
    [(2, "ordinal"), (7, "ordinalize"), (13, "Cart.__init__"), (17, "Cart.add"), (25, "Cart")],
)
def test_home_is_the_innermost_definition(line: int, home: str) -> None:
    assert home_of(mutant(line), TARGETS) == home


def test_what_belongs_to_no_target_has_no_home() -> None:
    assert home_of(mutant(40), TARGETS) == ""


def test_mutants_of_a_function_are_noticed_by_its_own_rows_too() -> None:
    found = chosen(
        [
            (case("ordinalize", "1"), {0, 1, 2}),
            (case("ordinalize", "2"), {2}),
            (case("ordinal", "1"), {0}),
            (case("ordinal", "2"), {1}),
            (case("ordinal", "3"), {1}),
        ],
        [mutant(2), mutant(3), mutant(7)],
    )
    assert "ordinalize(1)" in found
    assert "ordinal(1)" in found
    assert len({"ordinal(2)", "ordinal(3)"} & set(found)) == 1
    assert "ordinalize(2)" not in found


def test_mutants_of_a_table_are_noticed_once_whoever_does() -> None:
    found = chosen(
        [(case("ordinalize", "1"), {0}), (case("ordinal", "1"), {0}), (case("ordinal", "2"), {0})],
        [mutant(40)],
    )
    assert found == ["ordinal(1)", "ordinalize(1)"]


def test_each_method_has_a_test_though_others_execute_and_notice_as_much() -> None:
    found = chosen(
        [
            (case("ordinal", "1"), {0}),
            (case("ordinal", "2"), {0}),
            (case("Cart.add", "1", "cart = Cart('ann')", "cart.add(1)"), set()),
        ],
        [mutant(2)],
    )
    assert "cart.add(1)" in found


def test_construction_is_tested_by_what_tests_the_class() -> None:
    found = chosen(
        [
            (case("ordinal", "1"), {0}),
            (case("Cart", "1", None, "Cart(1)"), {0}),
            (case("Cart", "2", None, "Cart(2)"), {0}),
        ],
        [mutant(13)],
    )
    assert len([code for code in found if code.startswith("Cart")]) == 1
