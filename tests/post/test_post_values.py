"""Values of a list that a model wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridgen.domain import Completion, Label, Usage
from hybridgen.post import texts, values


def answer(text: str) -> tuple[str, ...]:
    usage = Usage(0, 0, 0.0)
    return values(Completion(text, Label.CONFIDENTIAL, "local", "tiny", usage))


START = "```python\ntext = [\n    "


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("'a',\n    \"b\",\n]\n```", ("'a'", "'b'")),
        ("'a',\n    'b',\n    'cut o", ("'a'", "'b'")),
        ("'a', 'b'", ("'a'", "'b'")),
        ("'a',  # one, two]\n    'b'\n]", ("'a'", "'b'")),
        ("'a', 'a', 'b']", ("'a'", "'b'")),
        ("1, -2.5, None, (1, 'x'), {'k': [1]}]", ("1", "-2.5", "None", "(1, 'x')", "{'k': [1]}")),
        ("'''two\nlines''',\n'b'\n]", ("'two\\nlines'", "'b'")),
        ("'[x]', '],'\n]", ("'[x]'", "'],'")),
        ("'a',\n]\nother = [\n 'b']", ("'a'",)),
        ("open('/etc/passwd'), name, 'a']", ("'a'",)),
        ("]", ()),
        ("I cannot do that.", ()),
    ],
)
def test_complete_literals_are_taken(text: str, found: tuple[str, ...]) -> None:
    assert answer(START + text) == found


def test_answer_without_a_list_has_no_values() -> None:
    assert answer("Sorry.") == ()


def test_values_too_large_for_a_test_are_left_out() -> None:
    assert answer(f"{START}'{'x' * 5000}', 'a']") == ("'a'",)


@given(st.text(alphabet="[](){}'\"\\\n,#a1 -.e", max_size=200))
def test_no_text_raises(text: str) -> None:
    for value in answer(START + text):
        compile(value, "value", "eval")


def test_number_that_python_cannot_write_is_left_out() -> None:
    assert answer(f"{START}1,\n    0x{'f' * 4000},\n]") == ("1",)


TEST = "```python\nfrom shop import load\n\n\ndef test_load():\n    text = "


def long_text(text: str, *, is_cut_off: bool = True) -> tuple[str, ...]:
    usage = Usage(0, 0, 0.0)
    answer = Completion(TEST + text, Label.CONFIDENTIAL, "local", "tiny", usage, is_cut_off)
    return texts(answer)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"""a = 1\nb = 2\n"""\n    assert load(text)', ("'a = 1\\nb = 2\\n'",)),
        ('"""a = 1\nb = 2\nc = ', ("'a = 1\\nb = 2'",)),
        (
            '"""\\\n    [a]\n    b = 1\n    """',
            ("'[a]\\nb = 1\\n'", "'    [a]\\n    b = 1\\n    '"),
        ),
        ('"""one line"""', ("'one line'",)),
        ('"""cut off in its only line', ()),
        ('"""   """', ()),
        ('"""\\N{nothing}"""', ()),
        ("no text", ()),
    ],
)
def test_long_text_is_taken_as_it_is_and_without_indentation(
    text: str, found: tuple[str, ...]
) -> None:
    assert long_text(text) == found


def test_text_that_was_stopped_at_its_closing_quotes_is_whole() -> None:
    assert long_text('"""a = 1\nb = 2', is_cut_off=False) == ("'a = 1\\nb = 2'",)


@given(st.text(alphabet="\"'\\\n N{}ux0 a", max_size=200))
def test_no_long_text_raises(text: str) -> None:
    for value in long_text(f'"""{text}'):
        compile(value, "value", "eval")
