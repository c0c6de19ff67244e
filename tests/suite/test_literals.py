"""Literals are spelled for readers, and keep their values."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridgen.suite.literals import readable

LONG = "A first line that is long enough to be kept.\n\nAnd a second one, indented:\n    - item\n"

values = st.recursive(
    st.text(max_size=120) | st.binary(max_size=90) | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@settings(max_examples=200)
@given(values)
def test_values_stay_what_they_are(value: object) -> None:
    text = readable(f"f(x)[{value!r}]")
    inner = ast.parse(text, mode="eval").body
    assert isinstance(inner, ast.Subscript)
    assert eval(compile(ast.Expression(inner.slice), "", "eval")) == value


def test_long_text_stands_line_by_line() -> None:
    lines = (
        r"'A first line that is long enough to be kept.\n' '\n' "
        r"'And a second one, indented:\n' '    - item\n'"
    )
    assert readable(f"parse({LONG!r})") == f"parse({lines})"
    assert readable(f"[{LONG!r}, 1]") == f"[({lines}), 1]"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (f"f({'a' * 200!r})", "f('a' * 200)"),
        (f"{'a' * 200!r}.upper()", "('a' * 200).upper()"),
        ("f({'a': 2, 'b': 3, 'a': 1})", "f({'a': 1, 'b': 3})"),
        ("f('short\\n', 1e3, {'a': 1})", "f('short\\n', 1e3, {'a': 1})"),
        ("f(é='ü', x={1: 2, 1: 3})", "f(é='ü', x={1: 3})"),
    ],
)
def test_only_what_is_hard_to_read_changes(source: str, expected: str) -> None:
    assert readable(source) == expected
