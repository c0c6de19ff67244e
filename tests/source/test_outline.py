from __future__ import annotations

import ast

import pytest

DEF = "\ndef f(): ...\n"


def test_imports_are_on_one_line_each_with_conditional_ones(read) -> None:
    module = read(
        "from __future__ import annotations\nimport os, sys as system\nfrom .a import (\n    b,\n"
        "    c as d,  # comment\n)\ntry:\n    import fast\nexcept ImportError:\n    fast = None\n"
        "if TYPE_CHECKING:\n    from x import Y\nimport os, sys as system\n"
        "def f():\n    import local\n",
        name="pkg/mod.py",
    )
    assert module.imports == (
        "from __future__ import annotations",
        "import os, sys as system",
        "from .a import b, c as d",
        "import fast",
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("X = 1", ("X = 1",)),
        ("X: Final[int] = 1", ("X: Final[int] = 1",)),
        ("X = Y = 'a'", ("X = Y = 'a'",)),
        ("X: int", ()),
        ("a, b = 1, 2", ()),
        ("x.y = 1", ()),
        ("__all__ = ['f']", ()),
        ("if x:\n    X = 1\nelse:\n    X = 2", ("X = 1", "X = 2")),
        ("X = [\n  1,  # one\n  2,\n]", ("X = [1, 2]",)),
        ("X = (1,)", ("X = (1,)",)),
        ("X = {'a': 1, **rest}", ("X = {'a': 1, **rest}",)),
        ("X = lambda x: x", ("X = lambda x: x",)),
    ],
)
def test_constants_are_assignments_to_plain_names(read, source, expected) -> None:
    assert read(source + DEF).constants == expected


@pytest.mark.parametrize(
    "value",
    [
        repr("long " * 100),
        repr(b"long " * 100),
        repr(list(range(1000))),
        repr({f"k{i}": [i] * 50 for i in range(1000)}),
        repr({("x" * 30) + str(i) for i in range(100)}),
        "re.compile(" + repr("a" * 500) + ")",
        "make(\n" + "1,\n" * 200 + ")",
        "x + " + " + ".join(["1"] * 100),
        "[i for i in range(10)\n" + "if i\n" * 150 + "]",
    ],
    ids=["str", "bytes", "list", "dict", "set", "call", "long-call", "sum", "comprehension"],
)
def test_long_values_are_cut_and_stay_python(read, value) -> None:
    (constant,) = read(f"X = {value}{DEF}").constants
    assert len(constant) < 120
    assert "..." in constant
    ast.parse(constant)


def test_names_are_all_that_the_import_binds(read) -> None:
    module = read(
        "import a.b, c.d as e\nfrom x import y as z, w\nfrom star import *\n"
        "P, (Q, *R) = 1, (2, 3)\nS: int = 1\nT += 1\nobj.attr = 1\n"
        "for i in range(3):\n    inside = [hidden for hidden in q]\n"
        "with open(f) as handle:\n    pass\n"
        "if (walrus := 1):\n    pass\n"
        "try:\n    pass\nexcept E as gone:\n    caught = 1\n"
        "match v:\n    case [first, *rest]:\n        pass\n"
        "    case {'k': k, **others}:\n        pass\n"
        "if TYPE_CHECKING:\n    from t import OnlyType\n"
        "if __name__ == '__main__':\n    script = 1\n"
        "class A:\n    attribute = 1\nasync def f():\n    local = 1\n"
    )
    assert module.names == {
        *("a", "e", "z", "w", "P", "Q", "R", "S", "T", "i", "inside", "handle", "walrus"),
        *("caught", "first", "rest", "k", "others", "A", "f"),
    }
