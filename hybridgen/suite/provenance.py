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


@lru_cache(maxsize=16)
def own_names(source: str) -> frozenset[str]:
    """Names that a module defines itself and has from nowhere else.

    A function or class statement at its top level, or a plain value; not what any import, loop,
    ``global`` statement or computed value may bind as well, nor anything beside ``import *``.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return frozenset()
    own: set[str] = set()
    others: set[str] = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                own.add(name)
            case ast.ClassDef(name=name):
                own.add(name)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_plain(value):
                own.add(name)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if _is_plain(
                value
            ):
                own.add(name)
            case _:
                others |= _bound_in(node)
    for part in ast.walk(tree):
        match part:
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                others |= {(item.asname or item.name).partition(".")[0] for item in names}
            case ast.Global(names=bound):
                others |= set(bound)
    return frozenset() if "*" in others else frozenset(own - others)


def _is_plain(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, RecursionError):
        return False
    return True


def _bound_in(node: ast.AST) -> set[str]:
    """Every name that a statement may bind, in whatever way."""
    found: set[str] = set()
    for part in ast.walk(node):
        match part:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                found.add(name)
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                found.add(name)
            case ast.MatchMapping(rest=str(name)):
                found.add(name)
    return found


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
