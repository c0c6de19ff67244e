"""Where the names of a module under test come from: its own, or borrowed from elsewhere.

``from os import system as Zap`` makes ``Zap`` a name of the module, and a test that takes it from
there would call ``os.system``. So what a module borrowed is judged by its first name.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

from hybridgen.suite.imports import Import, imports_in


@lru_cache(maxsize=16)
def borrowed(source: str) -> Mapping[str, frozenset[Import]]:
    """Names that a module has from the standard library, with every way in which it got them.

    Imports count wherever they stand, and so does ``name = module.attribute``; what came by way
    of another module of the project, or by a computed name, is not seen.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return {}
    found: defaultdict[str, set[Import]] = defaultdict(set)
    assigned: list[tuple[str, ast.expr]] = []
    for node in ast.walk(tree):
        match node:
            case ast.Import() | ast.ImportFrom(level=0):
                for item in imports_in(node):
                    if item.module.partition(".")[0] in sys.stdlib_module_names:
                        found[item.bound].add(_first(item))
            case ast.Assign(targets=targets, value=value):
                assigned += [(t.id, value) for t in targets if isinstance(t, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                assigned.append((name, value))
    for _ in range(3):  # a = os.system; b = a; c = b
        for name, value in assigned:
            root, *parts = _chain(value)
            for item in tuple(found.get(root, ())):
                if parts or root != name:
                    found[name].add(_below(item, parts))
    return {name: frozenset(items) for name, items in found.items()}


def _first(item: Import) -> Import:
    """An import without its alias; ``import os.path`` binds ``os``."""
    if not item.name and not item.alias:
        return Import(item.bound)
    return Import(item.module, item.name)


def _below(item: Import, parts: list[str]) -> Import:
    full = [*item.module.split("."), *([item.name] if item.name else []), *parts]
    return Import(".".join(full[:-1]), full[-1]) if item.name or parts else item


def _chain(node: ast.expr) -> list[str]:
    """``["os", "system"]`` for ``os.system``, ``[""]`` for anything but names and attributes."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [node.id, *reversed(parts)] if isinstance(node, ast.Name) else [""]
