"""Docstrings cut to their first line, code untouched."""

from __future__ import annotations

import ast

import pytest

from hybridgen.prompt.shorten import without_long_docstrings


def code_of(source: str) -> str:
    """The program without its docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
    return ast.dump(tree)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('def f():\n    """One.\n\n    Two.\n    """\n    return 1', '    """One."""\n'),
        ('def f():\n    """\n    One.\n    Two.\n    """', '    """One."""'),
        (
            'class C:\n    """One.\n    """\n\n    def f(self):\n        """A\n        b"""',
            '"""A"""',
        ),
        ("def f():\n    '''Say \"hi\".\n    '''\n    return 1", '"""Say \'hi\'."""'),
        ('def f():\n    """\n    """\n    return 1', '""""""'),
        ('def é():\n    """Ünï.\n    x"""\n    return "é"', '"""Ünï."""'),
    ],
)
def test_only_the_first_line_is_kept(source: str, expected: str) -> None:
    short = without_long_docstrings(source)
    assert expected in short
    assert len(short) < len(source)
    assert code_of(short) == code_of(source)


@pytest.mark.parametrize(
    "source",
    [
        'def f():\n    """One."""\n    return 1',
        'def f(): """One.\n    Two."""',
        "def f():\n    return '''\n    not a docstring\n    '''",
        "def f(:",
        "",
    ],
)
def test_nothing_else_is_changed(source: str) -> None:
    assert without_long_docstrings(source) == source
