"""What the source of a condition says that its names would have to be."""

from __future__ import annotations

import ast

import pytest

from hybridgen.explore.operands.conditions import ways


def ways_of(condition: str, outcome: bool) -> list[dict[str, tuple[str, str]]]:
    found = ways(ast.parse(condition, mode="eval").body, outcome)
    return [{name: (w.wish.value, w.text) for name, w in way.items()} for way in found]


@pytest.mark.parametrize(
    ("condition", "outcome", "expected"),
    [
        ("data", True, [{"data": ("true", "")}]),
        ("not data", True, [{"data": ("false", "")}]),
        ("mode is None", True, [{"mode": ("value", "None")}]),
        ("mode is None", False, [{"mode": ("other", "None")}]),
        ("shade == Color.RED", True, [{"shade": ("value", "Color.RED")}]),
        ("isinstance(x, str)", False, [{"x": ("no kind", "str")}]),
        ("len(rows) == 2", True, [{"rows": ("length", "2")}]),
        ("x != x", True, [{"x": ("value", "float('nan')")}]),
        ("self.closed", True, [{"self.closed": ("true", "")}]),
        ("'a' in names", True, [{"names": ("holds", "'a'")}]),
        ("key in self", True, [{"self": ("shares", "key")}]),
        ("callable(x)", True, [{"x": ("kind", "Callable[..., Any]")}]),
    ],
)
def test_a_condition_says_what_is_wished(
    condition: str, outcome: bool, expected: list[dict[str, tuple[str, str]]]
) -> None:
    assert ways_of(condition, outcome) == expected


def test_each_of_several_types_is_a_way() -> None:
    assert ways_of("isinstance(x, (str, Path))", True) == [
        {"x": ("kind", "str")},
        {"x": ("kind", "Path")},
    ]


def test_a_number_may_lie_at_a_limit_or_beyond_it() -> None:
    assert ways_of("count <= 3", True) == [{"count": ("value", "3")}, {"count": ("value", "2")}]
    assert ways_of("count <= 3", False) == [{"count": ("value", "4")}]
    assert ways_of("3 < count", True) == [{"count": ("value", "4")}]


def test_both_sides_of_and_are_wished_together_and_those_of_or_one_by_one() -> None:
    together = {"a": ("true", ""), "b": ("value", "1")}
    assert ways_of("a and b == 1", True) == [together]
    assert ways_of("not (not a or b != 1)", True) == [together]
    assert ways_of("a or b == 1", True) == [{"a": ("true", "")}, {"b": ("value", "1")}]


def test_the_stricter_of_two_wishes_for_a_name_counts() -> None:
    assert ways_of("x is not None and isinstance(x, str)", True) == [{"x": ("kind", "str")}]
    assert ways_of("isinstance(x, str) and x", True) == [{"x": ("kind", "str")}]


def test_values_of_local_names_are_not_said() -> None:
    assert ways_of("x == other", True) == []
    assert ways_of("compute(3)", True) == []
