"""Source text made shorter without changing what it does: docstrings cut to their first line."""

from __future__ import annotations

import ast

_MAX_DOCSTRING = 100  # characters


def without_long_docstrings(source: str) -> str:
    """``source`` with each docstring reduced to its first line.

    Examples in docstrings are run by the search anyway, and a small model copies them.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return source
    lines = source.split("\n")
    for node in reversed([node for node in ast.walk(tree) if _has_docstring(node)]):
        _shorten(node, lines)
    return "\n".join(lines)


def _has_docstring(node: ast.AST) -> bool:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return isinstance(node, kinds) and ast.get_docstring(node, clean=False) is not None


def _shorten(node: ast.AST, lines: list[str]) -> None:
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    docstring = node.body[0]
    last = docstring.end_lineno or docstring.lineno
    if last == docstring.lineno and len(lines[last - 1]) <= _MAX_DOCSTRING:
        return
    before = lines[docstring.lineno - 1][: docstring.col_offset]
    after = lines[last - 1].encode()[docstring.end_col_offset or 0 :].decode()
    if before.strip() or after.strip():  # shares a line with code
        return
    text = (ast.get_docstring(node) or "").partition("\n")[0][:_MAX_DOCSTRING]
    kept = text.replace("\\", "").replace('"', "'").strip()
    # An empty docstring still holds the place of a body.
    lines[docstring.lineno - 1 : last] = [f'{before}"""{kept}"""']
