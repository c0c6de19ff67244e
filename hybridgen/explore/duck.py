"""Type hints for parameters that have none, read from how the code uses them."""

from __future__ import annotations

import ast
import datetime
import decimal
import pathlib
from collections import defaultdict
from collections.abc import Mapping

from hybridgen.domain import Target, TargetKind

LIBRARY: Mapping[str, frozenset[str]] = {
    kind.__name__: frozenset(dir(kind))
    for kind in (
        *(str, list, dict, set, bytes, int, float),
        *(datetime.date, datetime.datetime, datetime.timedelta, datetime.time),
        *(decimal.Decimal, pathlib.Path),
    )
}
"""Types that values exist for, with the names that they answer to."""


def members_of(target: Target) -> frozenset[str]:
    """The names that objects of a class answer to, by its source; empty for what is no class."""
    if target.kind is not TargetKind.CLASS:
        return frozenset()
    found = {parameter.name for parameter in target.parameters}
    for node in _nodes(target.source):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
    return frozenset(found)


def hints_in(target: Target, classes: Mapping[str, frozenset[str]]) -> dict[str, tuple[str, ...]]:
    """Likely types for each parameter of ``target``.

    They come from ``isinstance`` checks, from the attributes that are asked for (``when.month``
    fits dates), and for operators from the class itself.

    Args:
        classes: the module's classes with the names that their objects answer to.
    """
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    attributes: defaultdict[str, set[str]] = defaultdict(set)
    for node in _nodes(target.source):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            attributes[node.value.id].add(node.attr)
        for name, kind in _checked(node):
            found[name][kind] = None
    names = [parameter.name for parameter in target.parameters]
    for name in names:
        asked = attributes.get(name)
        if asked:
            known = {**LIBRARY, **classes}
            found[name].update({kind: None for kind, has in known.items() if asked <= has})
    if target.parent and names and target.name.startswith("__") and target.name != "__init__":
        found[names[0]][target.parent] = None
    return {name: tuple(found[name]) for name in names if found[name]}


def _checked(node: ast.AST) -> list[tuple[str, str]]:
    """(name, type) of ``isinstance(name, type)``."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        return []
    if node.func.id != "isinstance" or len(node.args) != 2:
        return []
    subject, kinds = node.args
    if not isinstance(subject, ast.Name):
        return []
    each = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
    return [(subject.id, ast.unparse(kind)) for kind in each]


def _nodes(source: str) -> list[ast.AST]:
    try:
        return list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError):
        return []
