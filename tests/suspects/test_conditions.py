"""Conditions in prose."""

import pytest

from hybridgen.suspects.conditions import holds


@pytest.mark.parametrize(
    ("condition", "arguments", "needed"),
    [
        ("the whole is 0", {"part": 1, "whole": 0}, ("part", "whole")),
        ("`n` is negative", {"n": -1, "m": 0}, ("n", "m")),
        ("negative", {"n": -0.5}, ("n",)),
        ("n <= 0", {"n": 0}, ("n",)),
        ("number is not within 1..3999", {"number": 4000}, ("number",)),
        ("n is outside the range 1 to\n   5", {"n": 0}, ("n",)),
        ("n is greater than 9", {"n": 10}, ("n",)),
        ("there is none", {"words": []}, ("words",)),
        ("no values", {"values": ()}, ("values",)),
        ("there are no even numbers", {"values": []}, ("values",)),
        ("text is empty", {"text": ""}, ("text",)),
        ("the list is empty", {"items": [], "limit": 3}, ("items",)),
        ("value is None", {"value": None}, ("value",)),
    ],
)
def test_a_condition_that_is_understood_holds(condition, arguments, needed):
    assert holds(condition, arguments, needed)


@pytest.mark.parametrize(
    ("condition", "arguments", "needed"),
    [
        ("n is greater than 9", {"n": 9}, ("n",)),
        ("number is not within 1..3999", {"number": 1}, ("number",)),
        ("the result is 0", {"n": 0}, ("n",)),
        ("negative", {"n": -1, "m": 1}, ("n", "m")),
        ("n is negative and m is 0", {"n": -1, "m": 1}, ("n", "m")),
        ("n is 0", {"n": False}, ("n",)),
        ("n is negative", {"n": "-1"}, ("n",)),
        ("there is none", {"text": ""}, ("text",)),
        ("the cache is empty", {"items": []}, ("items",)),
        ("all goes well", {"n": 1}, ("n",)),
    ],
)
def test_what_is_not_so_or_not_understood_says_nothing(condition, arguments, needed):
    assert not holds(condition, arguments, needed)
