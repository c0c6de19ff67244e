"""What a model expects of calls, and the names that it gives tests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridgen.domain import Completion, Label, Usage
from hybridgen.post import expected, name_after

CALLS = ("fee(1)", "fee('a', rate=2)", "Bank.fee([1])")


def completion(text: str, *, is_cut_off: bool = False) -> Completion:
    usage = Usage(0, 0, 0.0)
    return Completion(text, Label.CONFIDENTIAL, "local", "tiny", usage, is_cut_off)


def said(text: str, *, is_cut_off: bool = False) -> dict[str, object]:
    return expected(completion(f"```python\nassert {text}", is_cut_off=is_cut_off), CALLS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("fee(1) == 2\nassert Bank.fee([1]) == {'a': (1, -2.5)}\n```", {0: 2, 2: {"a": (1, -2.5)}}),
        ('fee( "a",rate = 2 ) == "x"  # why not', {1: "x"}),
        ("fee(1) is None", {0: None}),
        ("fee(2) == 3\nassert other(1) == 2", {}),
        ("fee(1) == fee(2)\nassert fee(1) != 3\nassert fee(1)", {}),
        ("fee(1) == 2\nassert fee(1) == 3\nassert Bank.fee([1]) == 1", {2: 1}),
        ("fee(1) == 2\nassert fee(1) == 2", {0: 2}),
        ("I cannot == say", {}),
    ],
)
def test_only_literals_that_calls_were_asked_for_count(text: str, found: dict[int, object]) -> None:
    assert said(text) == {CALLS[index]: value for index, value in found.items()}


def test_last_line_of_an_answer_that_was_cut_off_says_nothing() -> None:
    text = "fee(1) == 2\nassert Bank.fee([1]) == 12"
    assert said(text, is_cut_off=True) == {"fee(1)": 2}
    assert said(text) == {"fee(1)": 2, "Bank.fee([1])": 12}


@given(st.text(alphabet="[](){}'\"\\\n,=fe1 -.assrt`", max_size=200), st.booleans())
def test_no_answer_raises(text: str, is_cut_off: bool) -> None:
    assert set(said(text, is_cut_off=is_cut_off)) <= set(CALLS)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("empty_text():\n    assert", "empty_text"),
        ("empty(text, x):", "empty"),
        ("one_two_three_four_five_six(", "one_two_three_four_five_six"),
        ("one_two_three_four_five_six_seven(", ""),
        (f"{'x' * 60}(", ""),
        ("empty_te", ""),
        ("2(", ""),
        ("_2_items(", ""),
        ("Empty(", ""),
        ("é(", ""),
        (" empty(", ""),
        ("(", ""),
    ],
)
def test_name_is_a_few_words_of_letters(text: str, name: str) -> None:
    answer = completion(f"```python\ndef test_fee_with_{text}")
    assert name_after(answer, "test_fee_with_") == name


def test_answer_that_was_begun_otherwise_has_no_name() -> None:
    assert name_after(completion("def test_other_words():"), "test_fee_with_") == ""


@given(st.text(alphabet="ab_2(:\n `é", max_size=60))
def test_every_name_can_be_part_of_one(text: str) -> None:
    name = name_after(completion(f"def test_x_{text}"), "test_x_")
    assert name == "" or f"test_{name}".isidentifier()
