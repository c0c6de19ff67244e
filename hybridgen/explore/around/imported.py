"""Names that a module imports, and the full names of what its code writes shortly."""

from __future__ import annotations

import ast

from hybridgen.domain import Module


def imported_names(module: Module) -> dict[str, str]:
    """Full dotted names by the names that the module's top-level imports bind."""
    found: dict[str, str] = {}
    for line in module.imports:
        for node in ast.walk(ast.parse(line)):
            found |= names_bound(node)
    return found


def names_bound(node: ast.AST) -> dict[str, str]:
    """The same for one statement; none for what is no import."""
    if isinstance(node, ast.Import):
        bound = {alias.asname or alias.name.partition(".")[0]: alias for alias in node.names}
        return {name: alias.name if alias.asname else name for name, alias in bound.items()}
    if isinstance(node, ast.ImportFrom) and not node.level:
        return {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return {}


def dotted(node: ast.expr) -> str:
    """``a.b.c`` for a chain of attributes on a name, else what can be said of its end."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    root = node.id if isinstance(node, ast.Name) else ""
    return ".".join([root, *reversed(parts)])
