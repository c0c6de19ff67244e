"""``datetime.date(2024, 2, 29)`` where ``datetime`` already means the class of that name.

Expected values and inputs come with ``import datetime``. If the module under test, or the
file the test goes into, has another meaning for that name, or nobody imports it as a whole,
a test takes what it needs by ``from datetime import date`` instead.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Collection, Iterator, Mapping

from hybridgen.domain import Candidate, Check, Module, Observation
from hybridgen.suite.imports import Import, module_imports, parse_imports
from hybridgen.suite.policy import words

# Modules of classes: their names read better alone. Of others, the module says what is meant.
_OF_CLASSES = words("collections datetime decimal fractions ipaddress pathlib uuid")


def better_short(
    observation: Observation, module: Module, import_name: str, bound: Mapping[str, Import | None]
) -> frozenset[str]:
    """Modules whose names a test should take by ``from``, so that a file has one style only.

    Not those that the module under test or the test file imports as a whole, and not where
    a name already has another meaning.
    """
    got = module_imports(module, import_name)
    nodes = (node for step in observation.candidate.steps for node in _nodes(step.code))
    variables = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    found: set[str] = set()
    for name in _OF_CLASSES:
        is_whole = got.get(name) == Import(name) or bound.get(name) == Import(name)
        items = [Import(name, attribute) for attribute in _attributes(observation, name)]
        is_clear = not any(_means_another(item, got, module, bound) for item in items)
        is_clear &= not variables & {item.bound for item in items}
        if is_clear and not is_whole:
            found.add(name)
    return frozenset(found)


def _means_another(
    item: Import, got: Mapping[str, Import], module: Module, bound: Mapping[str, Import | None]
) -> bool:
    in_module = item.bound in module.names and got.get(item.bound) != item
    return in_module or (item.bound in bound and item.conflicts_with(bound[item.bound]))


def _attributes(observation: Observation, name: str) -> set[str]:
    """What a case takes from a module, by ``name.attribute``."""
    codes = [step.code for step in observation.candidate.steps]
    codes += [check.expression for check in _all_checks(observation)]
    found: set[str] = set()
    for code in codes:
        for node in _nodes(code):
            match node:
                case ast.Attribute(value=ast.Name(id=owner), attr=attribute) if owner == name:
                    found.add(attribute)
    return found


def requalified(observation: Observation, taken: Collection[str]) -> Observation:
    """An observation that does not need ``import x`` for any ``x`` in ``taken``."""
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
    candidate = _candidate(observation.candidate, taken)
    return dataclasses.replace(observation, candidate=candidate, results=results)


def _candidate(candidate: Candidate, taken: Collection[str]) -> Candidate:
    items = parse_imports(candidate.imports)
    modules = {i.module for i in items if not i.name and not i.alias and i.module in taken}
    if not modules:
        return candidate
    shortener = _Shortener(modules)
    steps = tuple(
        dataclasses.replace(step, code=_shortened(step.code, shortener)) for step in candidate.steps
    )
    others = [item.statement for item in items if item.bound not in modules]
    imports = tuple(dict.fromkeys((*others, *sorted(shortener.imports))))
    return dataclasses.replace(candidate, steps=steps, imports=imports)


def _shortened(code: str, shortener: _Shortener) -> str:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return code
    before = ast.dump(tree)
    changed = shortener.visit(tree)
    return code if ast.dump(changed) == before else ast.unparse(changed)


def _nodes(code: str) -> list[ast.AST]:
    try:
        return list(ast.walk(ast.parse(code.strip())))
    except (SyntaxError, ValueError):
        return []


def _all_checks(observation: Observation) -> Iterator[Check]:
    for result in observation.results:
        yield from result.checks
        for _, checks in result.changed:
            yield from checks


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
