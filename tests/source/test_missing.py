from __future__ import annotations

import pytest

from hybridgen.domain import Label
from hybridgen.source import missing_fragments

PICK = """
import os

def pick(items, n=0, *, strict=False):
    \"\"\"Doc.\"\"\"
    if not items:
        return None
    if n < 0:
        raise ValueError("negative")
    elif n > 100:
        n = 100
    else:
        for i in items:
            if i == n and strict:
                return i
    try:
        return items[n]
    except IndexError:
        match n:
            case 1:
                return "one"
            case _:
                return "other"
    return 3
"""


def texts(module, name: str, lines) -> list[str]:
    target = next(t for t in module.targets if t.qualname == name)
    return [fragment.text for fragment in missing_fragments(module, target, lines)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        ([1, 2, 99], []),
        ([7], ["if not items:\n    return None"]),
        ([9], ['if n < 0:\n    raise ValueError("negative")']),
        ([11], ["if not (n < 0):\n    if n > 100:\n        n = 100"]),
        ([13, 14, 15], ["if not (n < 0):\n    if not (n > 100):\n        for i in items:"]),
        ([15], [
            "if not (n < 0):\n    if not (n > 100):\n        for i in items:\n"
            "            if i == n and strict:\n                return i"
        ]),
        ([21], [
            "except IndexError:  # in: return items[n]\n    match n:\n        case 1:\n"
            '            return "one"'
        ]),
        ([24], ["# not: not items\nreturn 3"]),
        ([8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 24], ["# not: not items\nif n < 0:"]),
        ([7, 11], ["if not items:\n    return None",
                   "if not (n < 0):\n    if n > 100:\n        n = 100"]),
    ],
)  # fmt: skip
def test_conditions_on_the_way_are_named(read, lines, expected) -> None:
    assert texts(read(PICK), "pick", lines) == expected


def test_fragments_carry_label_and_place(read) -> None:
    module = read(PICK)
    (fragment,) = missing_fragments(module, module.targets[0], [9])
    assert (fragment.label, fragment.why) == (Label.CONFIDENTIAL, module.source.why)
    assert fragment.origin == f"{module.display}:9"


def test_loops_with_else_and_nested_functions_are_named(read) -> None:
    module = read(
        "async def f(x):\n    while x:\n        if x.done:\n            break\n    else:\n"
        "        return 1\n    def inner(y):\n        return y\n    async with x as z:\n"
        "        return inner\n"
    )
    assert texts(module, "f", [6]) == [
        "while x:\n    else:  # ends without break\n        return 1"
    ]
    assert texts(module, "f", [8]) == ["def inner(y):\n    return y"]
    assert texts(module, "f", [10]) == ["return inner"]


def test_class_leaves_the_lines_of_its_methods_to_them(read) -> None:
    module = read(
        "class A:\n    def __init__(self, x):\n        if x < 0:\n            raise ValueError\n"
        "    def m(self):\n        return 1\n"
    )
    assert texts(module, "A", [4, 6]) == [
        "def __init__(self, x):\n    if x < 0:\n        raise ValueError"
    ]
    assert texts(module, "A.m", [4, 6]) == ["return 1"]


def test_setter_counts_for_its_property(read) -> None:
    module = read(
        "class A:\n    @property\n    def x(self):\n        return 1\n    @x.setter\n"
        "    def x(self, v):\n        if v:\n            self.v = v\n"
    )
    assert texts(module, "A.x", [8]) == ["if v:\n    self.v = v"]


def test_fragments_stay_short_however_deep_and_long_the_code(read) -> None:
    source = "def f(x):\n"
    for depth in range(1, 15):
        source += "    " * depth + f"if x == {'x' * 300!r} and x > {depth}:\n"
    source += "    " * 15 + "return 1\n"
    (text,) = texts(read(source), "f", [16])
    assert len(text.split("\n")) == 5
    assert len(text) < 500
    assert text.endswith("return 1")
