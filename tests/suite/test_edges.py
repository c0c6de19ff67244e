"""How inputs lie to each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridgen.domain import Candidate, Label, Observation, Step, StepKind
from hybridgen.suite.edges import are_neighbours, edges, row_order


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("100, 10", "100, 11", True),
        ("100, 10", "100, 12", False),
        ("100, 10", "101, 11", False),
        ("100, 0.5", "100, 1", True),
        ("100, True", "100, 1", False),
        ("100, 1e999", "100, 1", False),
        ("Decimal('9.5'), 1", "Decimal('10'), 1", True),
        ("Decimal('NaN'), 1", "Decimal('10'), 1", False),
    ],
)
def test_neighbours_differ_in_one_argument_by_a_small_step(
    observe: Callable[..., Observation], one: str, other: str, expected: bool
) -> None:
    cases = [observe("discount", f"= discount({text})") for text in (one, other)]
    assert are_neighbours(cases[0], cases[1]) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("'ab'", "'abc'", True), ("'ab'", "'ac'", True), ("'ab'", "'cd'", False)],
)
def test_texts_are_neighbours_if_one_character_differs(
    observe: Callable[..., Observation], one: str, other: str, expected: bool
) -> None:
    cases = [observe("is_sku", f"= is_sku({text})") for text in (one, other)]
    assert are_neighbours(cases[0], cases[1]) is expected


def test_ordinary_rows_come_before_edges_and_numbers_in_order(
    observe: Callable[..., Observation],
) -> None:
    texts = ["''", "'7,5'", "' '", "'3'"]
    rows = sorted((observe("is_sku", f"= is_sku({text})") for text in texts), key=row_order)
    assert [row.candidate.steps[-1].code for row in rows] == [
        "is_sku('7,5')",
        "is_sku('3')",
        "is_sku('')",
        "is_sku(' ')",
    ]
    numbers = [observe("vat", f"= vat({number})") for number in (10, -3, 2)]
    assert [row.candidate.steps[-1].code for row in sorted(numbers, key=row_order)] == [
        "vat(-3)",
        "vat(2)",
        "vat(10)",
    ]


@pytest.mark.parametrize(
    ("made", "expected"),
    [("write_text('x')", 0), ("write_text('')", 1), ("write_bytes(b'')", 1), ("touch()", 1)],
)
def test_file_prepared_with_nothing_in_it_is_an_edge(made: str, expected: int) -> None:
    steps = (
        Step(StepKind.SETUP, f"(tmp_path / 'a').{made}"),
        Step(StepKind.PROBE, "rotate(tmp_path / 'a')"),
    )
    candidate = Candidate("rotate", steps, Label.PUBLIC, "types", (), ("tmp_path",))
    assert edges(Observation(candidate, (), frozenset(), Label.PUBLIC)) == expected
