"""Values are told apart in a word that fits into a name."""

from __future__ import annotations

import pytest

from hybridgen.domain import Check, CheckKind
from hybridgen.suite.qualities import kind, quality, result_in_words, value_in_words


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("abc", ""),
        ("12", "numeric"),
        (" a", "padded"),
        ("a\nb", "multiline"),
        ("é", "non_ascii"),
        ("AB", "upper_case"),
        ("--", "punctuation"),
        ([], "empty"),
        ([1], "single"),
        ([1, 2], ""),
        (b"a", "bytes"),
        (0.5, "fractional"),
        (7, ""),
    ],
)
def test_kind_of_an_input(value: object, expected: str) -> None:
    assert kind(value) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("''", "empty"), ("' '", "blank"), ("None", "none"), ("-1", "negative"), ("0", "zero"),
     ("True", ""), ("7", ""), ("name", "")],
)  # fmt: skip
def test_quality_of_an_argument(text: str, expected: str) -> None:
    assert quality(text) == expected


@pytest.mark.parametrize(
    ("expression", "result", "value"),
    [("None", "none", ""), ("[]", "empty_list", ""), ("['a']", "one_item", ""),
     ("''", "empty_text", ""), ("-3", "", "minus_3"), ("'A b'", "", "a_b")],
)  # fmt: skip
def test_results_in_words(expression: str, result: str, value: str) -> None:
    check = Check(CheckKind.EQUAL, "", expression)
    assert (result_in_words(check), value_in_words(check)) == (result, value)
