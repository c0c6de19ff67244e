"""Variations of a candidate: one place each, near the given value, the same every time."""

from __future__ import annotations

import ast

import pytest

from hybridgen.domain import Candidate, Label, Step, StepKind
from hybridgen.explore.neighbours import calls_at_import, constants_in, neighbours


def candidate(*codes: str) -> Candidate:
    steps = [Step(StepKind.SETUP, code) for code in codes[:-1]]
    return Candidate("f", (*steps, Step(StepKind.PROBE, codes[-1])), Label.PUBLIC, "docstring")


def varied(*codes: str, constants: tuple[int | str, ...] = (), most: int = 60) -> list[str]:
    found = neighbours(candidate(*codes), constants, most)
    return ["; ".join(step.code for step in item.steps) for item in found]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("f(7)", ["f(8)", "f(6)", "f(-7)", "f(0)"]),
        ("f(-7)", ["f(-6)", "f(-8)", "f(7)"]),
        ("f(True)", ["f(False)"]),
        ("f('abc')", ["f('ab')", "f('bc')", "f('abcc')", "f('aabc')", "f('ABC')"]),
        ("f([1, 2])", ["f([2])", "f([1])", "f([1, 2, 1])", "f([2, 1])", "f([2, 2])"]),
        ("f({'a': 1})", ["f({})", "f({'a': 2})"]),
        ("f(1, key=2)", ["f(1)", "f(1, key=3)", "f(2, key=2)"]),
        ("f('a1')", ["f('a2')"]),
    ],
)
def test_values_next_to_the_given_one_are_tried(code: str, expected: list[str]) -> None:
    assert set(expected) <= set(varied(code))


def test_constants_of_the_code_take_the_place_of_others() -> None:
    assert {"f(41)", "f('q')"} <= {
        *varied("f(1)", constants=(41, "q")),
        *varied("f(None)", constants=("q",)),
    }
    assert "f('abc--')" in varied("f('abc')", constants=("--",))


def test_calls_on_the_way_are_left_out_and_done_twice() -> None:
    found = varied("box = Box(3)", "box.add(1)", "box.size()")
    assert "box = Box(3); box.size()" in found
    assert "box = Box(3); box.add(1); box.add(1); box.size()" in found
    assert "box = Box(4); box.add(1); box.size()" in found


def test_places_take_turns_and_their_number_is_kept() -> None:
    found = varied("f(1, 'a', [2])", most=6)
    assert len(found) == 6
    assert found == varied("f(1, 'a', [2])", most=6)
    assert {code.startswith("f(1,") for code in found} == {True, False}
    assert all(ast.parse(code) for code in varied("f(1, 'a', x=(2,), **y)"))


def test_constants_come_with_the_numbers_next_to_them() -> None:
    source = "def f(a):\n    if a > 10:\n        return 'yes'\n    return 99\n"
    assert constants_in(source, frozenset({2, 3}), seed=0) == (10, 11, 9, "yes")


def test_texts_for_a_regular_expression_take_its_place() -> None:
    found = constants_in("RULE = (r'(matr)ix$', r'\\1ices')\n", frozenset({1}), seed=0)
    assert "matrix" in found
    assert "f('matrix')" in varied("f('a')", constants=found)


def test_function_that_was_given_is_called() -> None:
    found = neighbours(candidate("make(2)"), (41,), 20, gives_callable=True)
    assert {"make(2)(41)", "make(2)('aB1')", "make(3)"} <= {item.steps[0].code for item in found}


def test_lines_where_a_module_calls_its_own_function_are_found() -> None:
    source = "def rule(a, b):\n    return a\n\n\nrule('man',\n     'men')\nother(3)\n"
    assert calls_at_import(source, 2) == {5, 6}
    assert calls_at_import(source, 7) == frozenset()


def test_a_text_that_stands_for_a_number_takes_the_constants_of_the_code() -> None:
    found = varied("f(Decimal('25'))", constants=(100, 101))
    assert {"f(Decimal('101'))", "f(Decimal('26'))"} <= set(found)


def test_a_call_on_the_way_is_done_again_with_something_else() -> None:
    assert "box.add('a', 1); box.add('a', 2); box.mean('a')" in varied(
        "box.add('a', 1)", "box.mean('a')"
    )
