"""What prose says that calls give."""

import pytest

from hybridgen.domain.prose import Told, told_calls


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Example: f("A  b") returns "a-b".', Told('f("A  b")', value='"a-b"')),
        ("The middle: f([1, 2, 3, 4]) is 2.5. None is returned", Told("f([1, 2, 3, 4])", "2.5")),
        ("f(1) -> 2", Told("f(1)", "2")),
        ("- f(1) => [1, {'a': 2}]  # so", Told("f(1)", "[1, {'a': 2}]")),
        ("f(1)  # -> 'x'", Told("f(1)", "'x'")),
        ("``f(1) == 3`` holds", Told("f(1)", "")),
        ("``f(1) == 3``, and more", Told("f(1)", "3")),
        ("f(1) = true", Told("f(1)", "True")),
        ("f(1) evaluates to\n    (1, 2).", Told("f(1)", "(1, 2)")),
        ("f(')') yields 1", Told("f(')')", "1")),
        ("Here f(0) raises ValueError.", Told("f(0)", raises="ValueError")),
        ("f(0) raises a `json.JSONDecodeError`", Told("f(0)", raises="JSONDecodeError")),
    ],
)
def test_a_call_is_read_with_what_it_is_said_to_give(text, expected):
    assert list(told_calls(text, "f")) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "f(1) is 2 times slower",
        "f(1) returns 3 in most cases",
        "f(1) returns 3, if there is one",
        "f(1) is 2...",
        "f(1) gives 1, 2 and 3",
        "f(1) -> something",
        "Without a cache f(1) is 2.",
        "If it is full, f(1) is 2.",
        "It isn't so that f(1) is 2.",
        "f(1) is\n2 times slower",
    ],
)
def test_what_may_be_meant_otherwise_says_nothing(text):
    assert [(told.value, told.raises) for told in told_calls(text, "f")] == [("", "")]


@pytest.mark.parametrize(
    "text",
    [">>> f(1)\n2", ">>> x = f(1)\nf(1) is 2", "f(x) = 2", "f(x=None, *rest) -> 2", "g.f(1)"],
)
def test_doctests_signatures_and_calls_of_others_are_left_alone(text):
    assert list(told_calls(text, "f")) == []
