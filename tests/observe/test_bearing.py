"""A test has to do with the module under test; what passes without it is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridgen.domain import Candidate, Label, Step, StepKind
from hybridgen.observe.bearing import idle_steps
from hybridgen.observe.confirm import confirm
from hybridgen.observe.runner import Runner

KNOWN = {"Money", "fill", "collect", "sum"}


def idle(*codes: str, imports: tuple[str, ...] = ()) -> list[str]:
    """The codes of the steps that are idle; a ``?`` marks a probe."""
    steps = tuple(
        Step(StepKind.PROBE if code.startswith("?") else StepKind.SETUP, code.removeprefix("?"))
        for code in codes
    )
    fixtures = tuple(name for name in ("tmp_path", "capsys") if name in " ".join(codes))
    candidate = Candidate("f", steps, Label.CONFIDENTIAL, "model", imports, fixtures)
    return [codes[place] for place in sorted(idle_steps(candidate, KNOWN))]


@pytest.mark.parametrize("probe", ["?bool()", "?list()", "?[n for n in range(3)]", "?1 + 1"])
def test_what_asks_builtins_only_is_idle(probe: str) -> None:
    assert idle("money = Money(0)", probe) == [probe]


@pytest.mark.parametrize("probe", ["?bool(money)", "?money", "?sum([1])", "?f'{money}'"])
def test_what_asks_the_module_or_an_object_of_it_is_not(probe: str) -> None:
    assert idle("money = Money(0)", probe) == []


def test_a_container_counts_once_the_module_was_given_it() -> None:
    assert idle("xs = []", "?xs", "fill(xs)", "?xs") == ["xs = []", "?xs"]


def test_a_container_counts_where_the_module_may_have_got_it_by_another_way() -> None:
    assert "?xs" not in idle("xs = []", "ys = [xs]", "fill(ys)", "?xs")
    assert "?path.exists()" not in idle("path = tmp_path / 'a'", "fill(tmp_path)", "?path.exists()")


def test_a_fixture_counts_after_the_module_was_used() -> None:
    assert idle("?tmp_path.exists()", "fill(1)", "?capsys.readouterr()") == ["?tmp_path.exists()"]


def test_a_class_of_the_standard_library_is_no_part_of_the_module() -> None:
    imports = ("from decimal import Decimal", "import runpy")
    assert idle("?Decimal('1') + 1", "?runpy.run_module('shop')", imports=imports) == [
        "?Decimal('1') + 1"
    ]


def test_what_is_idle_is_not_asserted(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    runner = open_runner("class Money:\n    def __bool__(self):\n        return False\n")
    candidates = [
        candidate("money = Money()", "?bool(money)", "?bool()"),
        candidate("money = Money()", "?bool()"),
    ]
    kept, dropped = confirm(runner, candidates, seed=0, deadline=float("inf"))
    assert [step.code for step in kept[0].candidate.steps] == ["money = Money()", "bool(money)"]
    assert [item.candidate for item in dropped] == [candidates[1]]
