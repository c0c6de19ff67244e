"""Values become smaller and plainer, as far as the one who asks says that it matters not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridgen.explore.simplify.smaller import Values, is_plain, smaller_numbers, smaller_texts


def best(values: Values, start: object, does: Callable[[object], bool]) -> tuple[object, int]:
    """The last value that does, and how many were tried."""
    count, answer = 0, None
    try:
        while True:
            value = next(values) if answer is None else values.send(answer)
            answer = does(value)
            count += 1
            start = value if answer else start
    except StopIteration:
        return start, count


@pytest.mark.parametrize(
    ("number", "least", "expected"),
    [
        (385_885, 1, 1),
        (385_885, 2_001, 2_001),
        (385_885, 501, 501),
        (99, 99, 99),
        (-4_711, -(10**9), -1),
        (7.25, 0.1, 1.0),
        ("167684.47", 500, "500"),
        ("-0", -1, "0"),
    ],
)
def test_a_number_becomes_the_smallest_that_does(
    number: int | float | str, least: float, expected: object
) -> None:
    found, tries = best(smaller_numbers(number), number, lambda n: float(str(n)) >= least)
    assert found == expected
    assert type(found) is type(expected)
    assert tries <= 40


@pytest.mark.parametrize(
    ("text", "kind", "does", "expected"),
    [
        (":except:a a: a 1s", "whole", lambda text: True, "a"),
        ("ZKA700", "kind", lambda text: text[:3].isupper(), "ABC123"),
        ("GBP700", "kind", lambda text: text.startswith("GBP"), "GBP123"),
        ("GBP,.,29,.", "less", lambda text: "GBP" in text and "." in text, "GBP."),
        ("one\ntwo:\nthree\n", "less", lambda text: ":" in text, ":"),
        ("ä\x00b", "kind", lambda text: True, "a b"),
    ],
)
def test_a_text_becomes_plainer(
    text: str, kind: str, does: Callable[[str], bool], expected: str
) -> None:
    found, _ = best(smaller_texts(text, kind, ("GBP",)), text, lambda new: does(str(new)))
    assert found == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("abc", True),
        ("Hello World", True),
        ("SAVE-50", False),
        ("", False),
        (2, True),
        (-1, True),
        (385_885, False),
        (0.5, False),
        (b"\x00\xff", False),
    ],
)
def test_what_a_person_would_have_written_is_plain(value: object, expected: bool) -> None:
    assert is_plain(value) is expected


def test_a_text_that_the_code_knows_is_plain() -> None:
    assert is_plain("SAVE-50", ("SAVE-50",))
