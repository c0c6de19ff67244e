"""Tests become plainer as long as they show the same."""

from __future__ import annotations

import re
from collections.abc import Callable

from hybridgen.domain import (
    Candidate,
    Label,
    Parameter,
    ParameterKind,
    Step,
    StepKind,
    Target,
    TargetKind,
)
from hybridgen.explore.simplify.plainer import Plainer
from hybridgen.explore.simplify.versions import Version, elsewhere


def target(name: str, kind: TargetKind, **hints: str) -> Target:
    parameters = tuple(Parameter(n, ParameterKind.POSITIONAL, hint) for n, hint in hints.items())
    return Target(
        name, kind, False, parameters, None, None, (), "", (), 1, 2, "", (), (), Label.CONFIDENTIAL
    )


TARGETS = (target("Cart", TargetKind.CLASS, owner="str", limit="int | None"),)


def version(*codes: str, fixtures: tuple[str, ...] = ()) -> Version:
    steps = [Step(StepKind.SETUP, code) for code in codes[:-1]]
    steps.append(Step(StepKind.PROBE, codes[-1]))
    candidate = Candidate("f", tuple(steps), Label.CONFIDENTIAL, "search", (), fixtures)
    return Version(candidate, tuple(range(len(codes))))


def plainest(
    start: Version, shows: Callable[[str], bool], *but: str, **more: bool
) -> tuple[str, ...]:
    def look(found: Version) -> bool:
        return shows("\n".join(step.code for step in found.candidate.steps))

    flags = {"is_row": False, "is_written": False, **more}
    plainer = Plainer(look, TARGETS, ("GBP",), **flags)
    changes = plainer.changes(start, but)
    last = changes[-1].version if changes else start
    return tuple(step.code for step in last.candidate.steps)


def test_set_up_that_changes_nothing_goes() -> None:
    start = version("cart = Cart('a')", "cart.add(1)", "cart.lines[1].name", "cart.size()")
    found = plainest(start, lambda code: "add(1" in code and "Cart('a')" in code)
    assert found == ("cart = Cart('a')", "cart.add(1)", "cart.size()")


def test_rows_of_a_table_keep_their_steps_and_arguments() -> None:
    start = version("cart = Cart('a')", "cart.add(1, 777)")
    assert plainest(start, lambda code: True, is_row=True) == ("cart = Cart('a')", "cart.add(1, 1)")


def test_one_value_is_the_same_wherever_it_stands() -> None:
    start = version("cart.add('0100-98')", "'0100-98' in cart")

    def is_same(code: str) -> bool:
        found = re.fullmatch(r"cart\.add\('(.*)'\)\n'(.*)' in cart", code)
        return found is not None and found[1] == found[2]

    assert plainest(start, is_same) == ("cart.add('a')", "'a' in cart")


def test_arguments_get_the_type_of_their_hint() -> None:
    start = version("cart = Cart({}, limit='x')", "cart.size()")
    assert plainest(start, lambda code: "limit" in code)[0] == "cart = Cart('a', limit=1)"


def test_nobody_writes_a_decimal_without_a_number() -> None:
    assert plainest(version("f(Decimal())"), lambda code: "Decimal" in code) == ("f(Decimal('0'))",)


def test_what_somebody_wrote_keeps_its_values() -> None:
    start = version("page = load('x-1')", "page.title", "size('The Quick, brown: fox 1234')")
    assert plainest(start, lambda code: True, is_written=True) == (
        "size('The Quick, brown: fox 1234')",
    )


def test_a_change_can_be_left_out() -> None:
    start = version("f('ZA-700', 70000)")
    assert plainest(start, lambda code: "f(" in code and "," in code, "whole 'ZA-700'",
                    "kind 'ZA-700'", "less 'ZA-700'") == ("f('ZA-700', 1)",)  # fmt: skip


def test_without_its_step_a_fixture_is_not_asked_for() -> None:
    start = version("monkeypatch.setenv('HOME', str(tmp_path))", "f(1)",
                    fixtures=("tmp_path", "monkeypatch"))  # fmt: skip
    plainer = Plainer(lambda found: True, (), (), is_row=False, is_written=False)
    *_, change = plainer.changes(start)
    assert change.version.candidate.fixtures == ()
    other = elsewhere(start.candidate)
    assert other is not None
    assert other.steps[0].code == "monkeypatch.setenv('HOME', '/elsewhere')"
    assert elsewhere(change.version.candidate) is None
