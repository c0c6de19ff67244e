"""Names what no test enters."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from hybridgen.domain import Arc, Target, TargetKind

MOST_NAMES = 5


def untested_note(targets: Sequence[Target], arcs: Iterable[Arc]) -> str:
    """One line that names public functions and methods of which nothing ran, or "".

    Args:
        arcs: what all tests execute.
    """
    lines = {line for arc in arcs for line in arc if line > 0}
    names = [
        target.qualname
        for target in targets
        if target.kind is not TargetKind.CLASS
        and not target.is_private
        and lines.isdisjoint(_body(target))
    ]
    if not names:
        return ""
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"no test enters {', '.join(names[:MOST_NAMES])}{more}"


def _body(target: Target) -> range:
    """The lines that run when a function is called; the line of its ``def`` if it has no others."""
    try:
        node = ast.parse(target.source).body[0]
    except (SyntaxError, IndexError):
        return range(target.first_line, target.last_line + 1)
    body = getattr(node, "body", [node])
    is_told = ast.get_docstring(node) is not None if isinstance(node, _FUNCTIONS) else False
    first = body[1] if is_told and len(body) > 1 else body[0]
    return range(target.first_line + first.lineno - 1, target.last_line + 1)


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
