"""Which code is found in an answer, whatever its shape."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridgen.domain import Candidate

Double = Callable[..., list[list[str]]]
Recover = Callable[..., tuple[Candidate, ...]]


@pytest.mark.parametrize(
    "text",
    [
        "double(3)",
        "```python\ndouble(3)\n```",
        "```python\ndouble(3)",
        "```\ndouble(3)\n```\nThat is all.",
        "~~~py\ndouble(3)\n~~~",
        "double(3)\n```\nExplanation of the call.",
        "Sure! Here it is:\n\n1. `double(3)`: the usual case\n",
        "- double(3)\n",
        "* **`double(3)`**",
        "double(3) returns 6",
        "double(3) -> 6",
        "Call double:\r\n\r\n```python\r\ndouble(3)\r\n```\r\n",
        "\tdouble(3)",
        "\ufeffdouble(3)",
        "```python\ndouble(3)```",
        "```python\nprint(double(3))\n```",
        "```python\nif __name__ == '__main__':\n\tprint(double(3))\n```",
        "```bash\npytest -q\n```\n```python\ndouble(3)\n```",
        "def double(x):\n    return 2 * x\n\ndouble(3)",
        "def main():\n    print(double(3))\nmain()",
        ">>> double(3)",
        "Example::\n\n    >>> from lib import double\n    >>> double(3)\n    6\n",
    ],
)
def test_call_is_found_in_every_wrapping(double: Double, text: str) -> None:
    assert double(text) == [["double(3)"]]


def test_blocks_of_one_answer_share_their_imports_and_values(double: Double) -> None:
    text = (
        "```python\nCASES = [(1, 2)]\n```\nand\n```python\nfor a, b in CASES:\n"
        "    assert double(a) == b\n```"
    )
    assert double(text) == [["double(1)"]]


def test_broken_test_does_not_take_the_others_with_it(double: Double) -> None:
    text = (
        "def test_a():\n    assert double(1) == 2\n\n"
        "def test_b(:\n    assert double(2) == 4\n\n"
        "def test_c():\n    x = = 3\n    assert double(3) == 1 = 6\n    assert double(4) == 8\n"
    )
    assert double(text) == [["double(1)"], ["double(3)"], ["double(4)"], ["double(2)"]]


def test_typographic_quotes_are_repaired_only_where_they_break_the_code(double: Double) -> None:
    assert double("double(“a”)") == [["double('a')"]]
    assert double("double('“a”')") == [["double('“a”')"]]


def test_last_line_of_a_cut_off_answer_is_closed(double: Double) -> None:
    assert double("double(1)\ndouble([1, 2", True) == [["double(1)"], ["double([1, 2])"]]
    assert double("def test_a():\n    assert double('ab", True) == [["double('ab')"]]


def test_half_an_expected_value_is_no_opinion(recover: Recover) -> None:
    source = "def f(x):\n    return x\n"
    for text in ("assert f(1) == 12", "def test_a():\n    assert f(1) == [1, 2", "assert f(1) =="):
        (candidate,) = recover(source, "f", text, is_cut_off=True)
        assert [(step.code, step.opinion) for step in candidate.steps] == [("f(1)", None)]


def test_complete_rows_of_a_table_without_its_test_are_used(double: Double) -> None:
    text = "@pytest.mark.parametrize('x, expected', [\n    (1, 2),\n    (2, 4),  # two\n    (3"
    assert double(text, True) == [["double(1)"], ["double(2)"]]


def test_doctest_with_a_traceback_becomes_an_opinion(
    recover: Recover,
) -> None:
    text = (
        ">>> f(0)\nTraceback (most recent call last):\n    ...\nValueError: no\n"
        ">>> x = 2\n>>> f(x)\n3\n"
    )
    found = recover("def f(x):\n    return x + 1\n", "f", text)
    assert [[(s.code, s.opinion) for s in c.steps] for c in found] == [
        [("f(0)", "raises ValueError")],
        [("x = 2", None), ("f(x)", "_ == 3")],
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I cannot help with that.",
        "double",
        "Double the number and double it again.",
        "def double(x):\n    '''>>> double(3)\n    6'''\n    return x",
        '```json\n{"double": 3}\n```',
        "assert True",
        "x = 1\nprint(x)",
        "import pytest",
        "double(" * 5000,
        "double(" + "-" * 5000 + "1)",
        "double(" + "9" * 5000 + ")",
        "double(0x" + "f" * 5000 + ")",
        "double('" + "a" * 500 + "')",
        "\x00\x0c\ud800",
    ],
)
def test_nothing_is_made_of_nothing(double: Double, text: str) -> None:
    assert double(text) == []
