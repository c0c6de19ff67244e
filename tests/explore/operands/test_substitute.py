"""From operands to inputs."""

from __future__ import annotations

import pytest

from hybridgen.explore.operands.substitute import LARGEST_LENGTH, Length, pairs_of, replacements
from hybridgen.explore.values.patterns import Patterns
from hybridgen.observe.operands import Operands


def tried(value: object, kind: str, left: object, right: object) -> list[object]:
    record = Operands(1, kind, left, right)
    pairs = pairs_of(record, Patterns(0))
    return [new for seen, instead in pairs for new in replacements(value, seen, instead)]


@pytest.mark.parametrize(
    ("value", "kind", "left", "right", "wanted"),
    [
        ("shut", "==", "shut", "open", "open"),
        ("a//b", "isdigit", "", None, "a/1/b"),
        ("bill", "==", "billx", "invoicex", "invoice"),
        ("it is SHUT now", "==", "shut", "open", "it is open now"),
        ("a=1", "startswith", "a=1", "--", "--a=1"),
        ("a=1", "endswith", "a=1", ("!", "?"), "a=1?"),
        ("ab", "in", ",", "ab", "a,b"),
        ("k", "in", "k", {"left", "right"}, "left"),
        (17, ">=", 17, 18, 18),
        (17, ">=", 17, 18, 19),
        ("age 017", ">=", 17, 18, "age 018"),
        ([1, 2], "len >", 2, 3, [1, 2, 2, 2]),
        ("ab", "len <", 2, 2, "a"),
        ({"a": 1}, "key", "size", ["a"], {"a": 1, "size": 1}),
        ("q", "key", "q", ["red"], "red"),
        ([{"name": "x"}], "==", "x", "root", [{"name": "root"}]),
        ("x1", "fullmatch", "x1", (r"v\d", 0), "v1"),
        ("1.2", "match", "1.2", (r"(>=|\^)?(.*)", 0), "^1.2"),
        ("x", "isinstance", "x", ["int"], 1),
        ("x", "int", "x", None, "12"),
        (b"ab", "startswith", b"ab", b"#", b"#ab"),
        ("1.2.0", "<", (1, 2, 0), (1, 3, 0), "1.3.0"),
    ],
)
def test_the_other_side_takes_the_place_of_the_one(
    value: object, kind: str, left: object, right: object, wanted: object
) -> None:
    assert wanted in tried(value, kind, left, right)


@pytest.mark.parametrize(
    ("value", "kind", "left", "right"),
    [("other", "==", "shut", "open"), (True, "==", 1, 2), ("21", "==", 1, 5), ([], "==", 0, 1)],
)
def test_what_does_not_occur_in_the_input_changes_nothing(
    value: object, kind: str, left: object, right: object
) -> None:
    assert tried(value, kind, left, right) == []


def test_lengths_stay_reasonable() -> None:
    assert list(replacements("abc", Length(3), 10**9)) == []
    longest = "abc".ljust(LARGEST_LENGTH, "c")
    assert list(replacements("abc", Length(3), LARGEST_LENGTH)) == [longest]
    assert list(replacements("abc", Length(3), -1)) == []


@pytest.mark.parametrize("kind", ["match", "len <", "key", "<", "in", "split", "no such kind"])
@pytest.mark.parametrize("left", [None, "a", 1, (1,), {"a"}, b"a"])
@pytest.mark.parametrize("right", [None, "a", ("a", "b"), ("(", 0), [None], 2.5])
def test_any_record_is_taken(kind: str, left: object, right: object) -> None:
    for value in ("a", 1, [b"a", {"a": (1,)}]):
        assert isinstance(tried(value, kind, left, right), list)
