"""Which cases are kept: every test adds something, rows show what was not yet shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridgen import suite
from hybridgen.domain import (
    Arc,
    Candidate,
    Check,
    CheckKind,
    Label,
    Module,
    Observation,
    Raised,
    Step,
    StepKind,
    StepResult,
)
from hybridgen.suite.shapes import shape_of


def case(
    code: str,
    arcs: Iterable[Arc],
    *,
    value: str = "1",
    kind: CheckKind = CheckKind.EQUAL,
    target: str = "f",
    origin: str = "types",
    raised: Raised | None = None,
    setup: tuple[str, ...] = (),
) -> Observation:
    """An observation by hand."""
    steps = [Step(StepKind.SETUP, text) for text in setup]
    steps.append(Step(StepKind.PROBE, code))
    results = [StepResult("ok") for _ in setup]
    if raised is not None:
        results.append(StepResult("raised", raised=raised))
    else:
        results.append(StepResult("ok", checks=(Check(kind, "", value),)))
    candidate = Candidate(target, tuple(steps), Label.PUBLIC, origin)
    return Observation(candidate, tuple(results), frozenset(arcs), Label.PUBLIC)


def choose(
    cases: list[Observation], covered: frozenset[Arc] = frozenset(), **more: int
) -> list[str]:
    choice = suite.select(cases, covered=covered, targets=(), **{"seed": 1, **more})
    return [observation.candidate.steps[-1].code for observation in choice.observations]


def test_case_that_adds_nothing_is_not_kept() -> None:
    cases = [case("f(1)", [(1, 2), (2, 3)]), case("g(1)", [(1, 2)], target="g")]
    assert choose(cases) == ["f(1)"]
    assert choose(cases, covered=frozenset({(1, 2), (2, 3)})) == []


def test_short_case_wins_over_long_one_with_equal_gain() -> None:
    arcs = [(1, 2)]
    long = case("f(1)", arcs, setup=("x = 1", "y = 2"))
    assert choose([long, case(f"f({'9' * 90})", arcs), case("f(7)", arcs)])[0] == "f(7)"


@pytest.mark.parametrize("origin", ["model", "docstring"])
def test_readable_origins_win_at_equal_gain(origin: str) -> None:
    cases = [case("f(1)", [(1, 2)]), case("f(25)", [(1, 2)], origin=origin)]
    assert choose(cases, cases_per_target=1) == ["f(25)"]


def test_accidental_exceptions_are_never_kept() -> None:
    accident = Raised("AttributeError", "", "", is_deliberate=False, is_inside=True)
    outside = Raised("TypeError", "", "", is_deliberate=True, is_inside=False)
    purpose = Raised("ValueError", "", "", is_deliberate=True, is_inside=True)
    arcs = [(1, 2)]
    assert choose([case("f(None)", arcs, raised=accident)]) == []
    assert choose([case("f()", arcs, raised=outside)]) == []
    assert choose([case("f(-1)", arcs, raised=purpose)]) == ["f(-1)"]


def test_type_is_asserted_only_where_nothing_better_is_there() -> None:
    weak = case("f(1)", [(1, 2), (2, 3)], kind=CheckKind.TYPE, value="'X'")
    strong = case("f(2)", [(1, 2)])
    assert choose([weak, case("f(3)", [(1, 2), (2, 3)])]) == ["f(3)"]
    assert choose([weak, strong]) == ["f(1)"]  # it makes the other superfluous


def test_both_booleans_are_shown_with_two_inputs_each() -> None:
    cases = [
        case(f"f({number})", [(1, 2)], kind=CheckKind.IS, value=str(number > 50))
        for number in range(1, 100, 7)
    ]
    values = [int(code[2:-1]) > 50 for code in choose(cases)]
    assert values.count(True) >= 2
    assert values.count(False) >= 2
    assert len(values) <= 6


def test_other_outcomes_become_rows_of_the_same_test() -> None:
    cases = [case(f"f({n})", [(1, 2)], value=str(n * n)) for n in (1, -3, 20, 4000)]
    cases.append(case("f(1, 2)", [(1, 2)], value="77"))  # would be another test
    assert set(choose(cases)) == {"f(1)", "f(-3)", "f(20)", "f(4000)"}
    assert len(choose(cases, cases_per_target=2)) == 2


def test_boundaries_are_pinned_from_both_sides() -> None:
    cases = [case("f(3)", [(1, 2), (2, 9)], value="'small'")]
    cases += [case(f"f({n})", [(1, 3)], value="'large'") for n in (70, 10, 90)]
    cases += [case(f"f({n})", [(1, 2)], value="'small'") for n in (5, 9, 1)]
    kept = choose(cases)
    assert "f(9)" in kept
    assert "f(10)" in kept


def test_inputs_of_another_type_than_asked_for_come_last() -> None:
    odd = case("f('x')", [(1, 2), (2, 3)], origin="odd", value="'x'")
    plain = [case("f(1)", [(1, 2)]), case("f(22)", [(2, 3)], value="22")]
    assert set(choose([odd, *plain])) == {"f(1)", "f(22)"}
    assert choose([odd, plain[0]], cases_per_target=1) == ["f(1)", "f('x')"]


def test_errors_with_one_message_are_shown_once() -> None:
    def error(code: str, name: str) -> Observation:
        raised = Raised("ValueError", "", f"bad name: '{name}'", True, True)
        return case(code, [(1, 2)], raised=raised)

    assert len(choose([error(f"f('{name}')", name) for name in ("a", "bc", "def", "x y")])) == 1


def test_procedure_that_shows_nothing_is_the_last_choice() -> None:
    nothing = case("f(1)", [(1, 2), (2, 3)], kind=CheckKind.IS, value="None")
    assert choose([nothing]) == ["f(1)"]
    shown = case("g(1)", [(1, 2), (2, 3)], target="g", value="7")
    assert choose([nothing, shown]) == ["g(1)"]


def test_choice_is_the_same_for_the_same_seed_and_any_order() -> None:
    cases = [case(f"f({n})", [(n % 5, n % 7)], value=str(n)) for n in range(60)]
    assert choose(cases) == choose(cases[::-1])
    assert choose(cases, seed=1) == choose(cases, seed=1)


arcs_of_module = st.frozensets(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=12)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 99), arcs_of_module), max_size=25), arcs_of_module)
def test_nothing_reachable_is_lost_and_every_test_adds_an_arc(
    parts: list[tuple[int, frozenset[Arc]]], covered: frozenset[Arc]
) -> None:
    names = "fgh"
    cases = [
        case(f"{names[n % 3]}({n})", arcs, target=names[n % 3], value=str(n % 4))
        for n, arcs in dict(parts).items()
    ]
    kept = suite.select(cases, covered=covered, targets=(), seed=3, cases_per_target=1).observations
    reachable = frozenset().union(*(item.arcs for item in cases)) - covered
    assert frozenset().union(*(item.arcs for item in kept)) >= reachable
    tests: dict[object, set[Arc]] = {}
    for item in kept:
        tests.setdefault(shape_of(item), set()).update(item.arcs - covered)
    for shape, own in tests.items():
        others = set().union(*(arcs for other, arcs in tests.items() if other != shape))
        assert own - others


def test_case_of_a_method_joins_rows_by_its_set_up(
    observe: Callable[..., Observation],
) -> None:
    first = observe("Cart.add", "cart = Cart()", '= cart.add("a", 1, count=0)')
    second = observe("Cart.add", "cart = Cart()", '= cart.add("b", 2, count=-1)')
    other = observe("Cart.add", 'cart = Cart("x")', '= cart.add("b", 2, count=-1)')
    assert shape_of(first) == shape_of(second) is not None
    assert shape_of(first) != shape_of(other)


def test_arguments_from_the_set_up_are_no_rows(observe: Callable[..., Observation]) -> None:
    assert shape_of(observe("find", "names = ['a']", "= find(names, 'a')")) is None


def test_screening_counts_reasons(pricing: Module, observe: Callable[..., Observation]) -> None:
    token = "gh" + "p_" + "a1B2" * 9
    cases = [
        observe("vat", '= vat("100")'),
        observe("find", f"= find(['{token}'], 'g')"),
        observe("find", "import os", "= find([os.sep], '/')"),
        observe("find", "x = 1"),
        observe("find", "= nowhere"),
    ]
    kept, dropped = suite.screened(cases, pricing, "shop.pricing")
    assert kept == (cases[0],)
    assert dropped == {"secret": 1, "not allowed": 1, "no assertion": 2}
