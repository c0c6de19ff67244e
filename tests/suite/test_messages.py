"""What of an exception's message a test matches."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridgen.suite.messages import common_part, stable_part, telling_part


@pytest.mark.parametrize(
    ("message", "code", "part"),
    [
        ("not a price: 'a'", "parse('a')", "not a price"),
        ("not a coupon: ABC", "cart.use('abc')", "not a coupon"),
        ("got 7.5, which is too much", "f(7.5)", "got 7.5, which is too much"),
        ("discount must be at most 99, got -1", "f(-1)", "discount must be at most 99"),
        ("quantity must be at least 1", "f(-1)", "quantity must be at least 1"),
        ("xyz is not a version", "f('xyz')", "is not a version"),
        ("'mug'", "f('mug')", "'mug'"),
        ("unknown", "f('unknown')", "unknown"),
        ("a b c", "f(1)", "a b c"),
    ],
)
def test_stable_part_does_not_repeat_the_input(message: str, code: str, part: str) -> None:
    assert re.sub(r"\\(.)", r"\1", stable_part(re.escape(message), code)) == part


def test_short_inputs_stay_in_the_message_of_a_single_case() -> None:
    assert telling_part("not a price: 'a'", "f('a')") == "not a price: 'a'"
    text = "x" * 30
    assert telling_part(f"not a price: '{text}'", f"f('{text}')") == "not a price"


def test_long_message_is_matched_by_its_first_sentence_or_words() -> None:
    assert telling_part("This is wrong\\. Do that instead\\.", "f()") == "This is wrong"
    assert telling_part("word, " * 20, "f()") == ("word, " * 10).strip(", ")


@pytest.mark.parametrize(
    ("messages", "part"),
    [
        (["between 0 and 100, not 101", "between 0 and 100, not -1"], "between 0 and 100"),
        (["value 2 needs more than 1 bits", "value 15 needs more than 3 bits"], "needs more than"),
        (["count must be positive", "count must be positive"], "count must be positive"),
        (["too low", "too high"], None),
        (["'a'", "'b'"], None),
    ],
)
def test_rows_share_one_pattern_where_only_numbers_and_quotations_differ(
    messages: list[str], part: str | None
) -> None:
    found = common_part([re.escape(message) for message in messages])
    assert (re.sub(r"\\(.)", r"\1", found) if found is not None else None) == part


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=90), st.one_of(st.text(max_size=20), st.integers(), st.floats()))
def test_pattern_always_matches_its_own_message(before: str, value: object) -> None:
    message = f"{before}{value}"
    for part in (stable_part, telling_part):
        pattern = part(re.escape(message), f"f({value!r})")
        assert re.search(pattern, message)
        assert part(pattern, f"f({value!r})") == pattern
