"""``datetime.date(2024, 2, 29)`` where ``datetime`` already means the class of that name.

Expected values come with ``import datetime``. If the module under test, or the file the test
goes into, has another meaning for that name, the expression takes what it needs by
``from datetime import date`` instead.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Collection

from hybridgen.domain import Check, Observation
from hybridgen.suite.imports import parse_imports


def requalified(observation: Observation, taken: Collection[str]) -> Observation:
    """An observation whose checks do not need ``import x`` for any ``x`` in ``taken``."""
    results = tuple(
        dataclasses.replace(
            result,
            checks=tuple(_check(check, taken) for check in result.checks),
            changed=tuple(
                (name, tuple(_check(check, taken) for check in checks))
                for name, checks in result.changed
            ),
        )
        for result in observation.results
    )
    return dataclasses.replace(observation, results=results)


def _check(check: Check, taken: Collection[str]) -> Check:
    items = parse_imports(check.imports)
    modules = {i.module for i in items if not i.name and not i.alias and i.module in taken}
    if not modules:
        return check
    try:
        tree = ast.parse(check.expression, mode="eval")
    except (SyntaxError, ValueError):
        return check
    shortener = _Shortener(modules)
    text = ast.unparse(shortener.visit(tree))
    others = [item.statement for item in items if item.bound not in modules]
    return dataclasses.replace(
        check, expression=text, imports=(*others, *sorted(shortener.imports))
    )


class _Shortener(ast.NodeTransformer):
    """Turns ``module.name`` into ``name`` and notes the import."""

    def __init__(self, modules: Collection[str]) -> None:
        self.modules = modules
        self.imports: set[str] = set()

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Shortens one attribute of a module, or looks further inside."""
        if isinstance(node.value, ast.Name) and node.value.id in self.modules:
            self.imports.add(f"from {node.value.id} import {node.attr}")
            return ast.Name(node.attr, ast.Load())
        self.generic_visit(node)
        return node
