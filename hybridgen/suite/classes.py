"""Takes tests out of a class of tests that hybridgen wrote and nobody edited."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence


def tests_in(lines: Sequence[str]) -> list[str]:
    """The names of the tests in a class, as pytest has them: ``TestCart::test_add``.

    Args:
        lines: of the class statement, with their ends.
    """
    statement = _class(lines)
    return [f"{statement.name}::{method.name}" for method in _tests(statement)]


def without_tests(lines: Sequence[str], unwanted: Collection[str]) -> list[str]:
    """The class without some of its tests, and without what only they needed.

    Args:
        lines: of the class statement, with their ends.
        unwanted: names of tests as above; at least one other test stays.
    """
    statement = _class(lines)
    methods = _methods(statement)
    kept = [m for m in _tests(statement) if f"{statement.name}::{m.name}" not in unwanted]
    used = {name for method in kept for name in _used(method)}
    gone: set[int] = set()
    for method in methods:
        made = {target.attr for target in _attributes(method)} or {method.name}
        if method in kept or (not _is_test(method) and made & used):
            continue
        start = min([method.lineno, *(d.lineno for d in method.decorator_list)]) - 1
        gone.update(range(start, method.end_lineno or method.lineno))
        above = start - 1
        while above > 0 and not lines[above].strip():
            gone.add(above)
            above -= 1
    rest = [line for number, line in enumerate(lines) if number not in gone]
    while len(rest) > 1 and not rest[1].strip():
        del rest[1]  # the first method follows the head
    return rest


def _class(lines: Sequence[str]) -> ast.ClassDef:
    statement = ast.parse("".join(lines)).body[0]
    assert isinstance(statement, ast.ClassDef), "the lines of a class"
    return statement


def _methods(statement: ast.ClassDef) -> list[ast.FunctionDef]:
    return [node for node in statement.body if isinstance(node, ast.FunctionDef)]


def _tests(statement: ast.ClassDef) -> list[ast.FunctionDef]:
    return [method for method in _methods(statement) if _is_test(method)]


def _is_test(method: ast.FunctionDef) -> bool:
    return method.name.startswith("test")


def _used(method: ast.FunctionDef) -> set[str]:
    """The fixtures and attributes that a test uses."""
    names = {argument.arg for argument in method.args.args}
    nodes = (node for node in ast.walk(method) if isinstance(node, ast.Attribute))
    return names | {node.attr for node in nodes if _is_own(node)}


def _attributes(method: ast.FunctionDef) -> list[ast.Attribute]:
    """What ``setUp`` makes: ``self.cart``."""
    nodes = (node for node in ast.walk(method) if isinstance(node, ast.Attribute))
    return [node for node in nodes if _is_own(node) and isinstance(node.ctx, ast.Store)]


def _is_own(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"
