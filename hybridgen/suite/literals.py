"""Literals as a person writes them: long texts by lines, no key twice, no endless repetition.

Only the spelling changes: every literal keeps its value.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

_LONG = 76  # characters of a text that no line of a test has room for
_WIDTH = 64  # characters of each part of it
_LONG_RUN = 30  # the same character as often as this is told by its number
_TIGHT = (ast.Attribute, ast.Subscript, ast.BinOp, ast.Await)
# Beside a comma, two texts without one between them look like a mistake.
_CLOSED = (*_TIGHT, ast.List, ast.Tuple, ast.Set, ast.Dict)
_Edit = tuple[int, int, str]  # start, end (in bytes), new text


def readable(source: str) -> str:
    """``source`` with its unreadable literals spelled in another way.

    Args:
        source: any valid piece of a module; docstrings are left alone.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return source
    return spliced(source, list(_edits(tree, Places(source))))


def spliced(source: str, edits: list[_Edit]) -> str:
    """``source`` with byte ranges replaced; ranges must not overlap."""
    data = source.encode("utf-8", "surrogatepass")
    for start, end, text in sorted(edits, reverse=True):
        data = data[:start] + text.encode("utf-8", "surrogatepass") + data[end:]
    return data.decode("utf-8", "surrogatepass")


class Places:
    """Where the nodes of a source lie, in bytes."""

    def __init__(self, source: str) -> None:
        lines = source.encode("utf-8", "surrogatepass").split(b"\n")
        self.starts = [0]
        for line in lines:
            self.starts.append(self.starts[-1] + len(line) + 1)

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Start and end of a node, in bytes."""
        end_line, end = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return self.starts[node.lineno - 1] + node.col_offset, self.starts[end_line - 1] + end


def _edits(tree: ast.AST, places: Places) -> Iterator[_Edit]:
    """What to replace, outermost first, so that nothing overlaps."""
    for child in ast.iter_child_nodes(tree):
        match child:
            case ast.Expr(value=ast.Constant()) | ast.JoinedStr():
                continue
            case ast.Dict() if text := _without_doubles(child):
                yield (*places.span(child), text)
                continue
            case ast.Constant(value=str() | bytes() as value) if text := _spelled(value):
                needs_parentheses = isinstance(tree, _TIGHT if " * " in text else _CLOSED)
                yield (*places.span(child), f"({text})" if needs_parentheses else text)
                continue
        yield from _edits(child, places)


def _without_doubles(node: ast.Dict) -> str:
    """A dictionary literal that has each key once, or "" if it has already."""
    keys = [ast.dump(key) if isinstance(key, ast.Constant) else str(id(key)) for key in node.keys]
    if len(set(keys)) == len(keys):
        return ""
    last = dict(zip(keys, zip(node.keys, node.values, strict=True), strict=True))
    pairs = [last[name] for name in dict.fromkeys(keys)]
    return ast.unparse(ast.Dict([key for key, _ in pairs], [value for _, value in pairs]))


def _spelled(value: str | bytes) -> str:
    """Another spelling of a long text, or ""."""
    if len(value) >= _LONG_RUN and len(set(value)) == 1:
        return f"{value[:1]!r} * {len(value)}"
    if len(repr(value)) <= _LONG:
        return ""
    if isinstance(value, bytes):
        parts: list[str] = [repr(value[i : i + 16]) for i in range(0, len(value), 16)]
    else:
        parts = [repr(piece) for line in value.splitlines(keepends=True) for piece in _folded(line)]
    return " ".join(parts) if len(parts) > 1 else ""


def _folded(line: str) -> Iterator[str]:
    """One line in pieces that end with a space."""
    while len(line) > _WIDTH:
        cut = line.rfind(" ", 20, _WIDTH) + 1
        if not cut:
            break
        yield line[:cut]
        line = line[cut:]
    yield line
