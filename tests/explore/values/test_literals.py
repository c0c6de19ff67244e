"""Values in source form: from hints, from literals, by mutation."""

from __future__ import annotations

import ast
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridgen.explore.values.literals import decimals, kind_of, literals_of, mutate
from hybridgen.explore.values.types import GENERIC, TypeValues


def values(hint: str | None) -> tuple[str, ...]:
    return TypeValues(random.Random(1), {"Cart": lambda depth: "Cart('a')"}).of(hint)


@pytest.mark.parametrize(
    ("hint", "kinds"),
    [
        ("int", {"int"}),
        ("str | None", {"str", "NoneType"}),
        ("Optional[int]", {"int", "NoneType"}),
        ("list[str]", {"list"}),
        ("Mapping[str, int]", {"dict"}),
        ("tuple[int, str]", {"tuple"}),
        ("Literal['a', 3]", {"str", "int"}),
        ("'float'", {"float"}),
        ("typing.Sequence[bytes]", {"list"}),
    ],
)
def test_hint_gives_values_of_its_type(hint: str, kinds: set[str]) -> None:
    assert {kind_of(value) for value in values(hint)} == kinds


def test_class_of_the_module_gives_instances() -> None:
    assert values("Cart") == ("Cart('a')",)
    assert all("Cart('a')" in value for value in values("list[Cart]") if value != "[]")


def test_hint_that_says_nothing_gives_generic_values() -> None:
    for hint in (None, "Unknown", "not a hint(", "T"):
        assert values(hint) == GENERIC


def test_literals_are_found_with_neighbours_and_without_prose() -> None:
    source = '''
def f(x):
    """Never 'docstring'."""
    if x > 10 and x != "key":
        raise ValueError("message")
    return f"text {x}"
'''
    found = literals_of(source)
    assert {"10", "9", "11", "'key'"} <= set(found)
    assert not {"'message'", "'text '"} & set(found)
    assert not any("docstring" in text for text in found)


literal = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    value=literal, seed=st.integers(0, 1000), pool=st.lists(st.sampled_from(GENERIC), max_size=4)
)
def test_mutation_of_a_literal_is_a_literal_of_the_same_type(
    value: object, seed: int, pool: list[str]
) -> None:
    try:
        same = ast.literal_eval(repr(value))
    except (ValueError, SyntaxError):
        return  # inf has no literal
    changed = mutate(repr(same), pool, random.Random(seed))
    if changed is not None and "inf" not in changed and "nan" not in changed:
        assert type(ast.literal_eval(changed)) is type(same)


def test_numbers_of_the_code_are_tried_as_decimals_too() -> None:
    assert decimals(("500", "'19.99'", "-1", "'x1'", "None", "True")) == [
        "Decimal('500')",
        "Decimal('19.99')",
        "Decimal('-1')",
    ]


def test_what_is_no_literal_is_not_mutated() -> None:
    assert mutate("Cart('a')", ("1",), random.Random(0)) is None
