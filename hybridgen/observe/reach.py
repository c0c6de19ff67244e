"""Which executed lines a piece of a module's code has an effect on.

For code in a function that is the lines of its own statement. What runs at import time shows
elsewhere: a default in its function's body, a constant in the statements that use its name.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Reach:
    """Knows for each statement of a module the executed lines that it has an effect on.

    Args:
        tree: the module.
        executed: lines that tests execute after the import.
        imported: lines that the import executes.
    """

    def __init__(
        self, tree: ast.Module, executed: frozenset[int], imported: frozenset[int]
    ) -> None:
        self._executed = executed
        self._imported = imported
        self._users: defaultdict[str, set[int]] = defaultdict(set)
        self._derived: defaultdict[str, set[str]] = defaultdict(set)
        self._changed_by: defaultdict[str, set[str]] = defaultdict(set)
        for statement, owner in _statements(tree, owner=""):
            used = _used(statement)
            if owner:
                self._changed_by[owner] |= _bound(statement)
                for name in used:
                    self._users[name] |= self.own(statement)
            else:
                for name in used:
                    self._derived[name] |= _bound(statement)

    def own(self, statement: ast.stmt | ast.ExceptHandler) -> frozenset[int]:
        """The executed lines of a statement itself, without those of a body."""
        return self._executed & frozenset(range(statement.lineno, _header_end(statement) + 1))

    def inside(self, statement: ast.stmt | ast.ExceptHandler, owner: str) -> frozenset[int]:
        """The same for one in a function; where only the import executes it, as for the import.

        Args:
            owner: where it lies (``.Cart.add``).
        """
        own = self.own(statement)
        if own or statement.lineno not in self._imported:
            return own
        return self._using(self._changed_by[owner.split(".")[1]])

    def body(self, function: Function) -> frozenset[int]:
        """The executed lines of a function, without its header."""
        last = function.end_lineno or function.lineno
        return self._executed & frozenset(range(function.body[0].lineno, last + 1))

    def at_import(self, statement: ast.stmt | ast.ExceptHandler) -> frozenset[int]:
        """The executed lines that use the names that a statement, or what it calls, binds."""
        called = (self._changed_by[name] for name in _used(statement) if name in self._changed_by)
        return self._using(_bound(statement).union(*called))

    def _using(self, names: set[str]) -> frozenset[int]:
        """The executed lines that use some names, or others that are made from those."""
        known, pending = set[str](), sorted(names)
        while pending:
            name = pending.pop()
            if name not in known:
                known.add(name)
                pending += sorted(self._derived[name])
        return frozenset(line for name in known for line in self._users[name])


def _statements(node: ast.AST, *, owner: str) -> Iterator[tuple[ast.stmt | ast.ExceptHandler, str]]:
    """All statements, each with the outermost function or class that it lies in.

    The owner is "" for what runs at import time: the statements of a class do.
    """
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.ExceptHandler):
            yield child, owner
        name = owner
        if isinstance(child, Function) and not owner:
            name = child.name
        yield from _statements(child, owner=name)


def _header_end(statement: ast.stmt | ast.ExceptHandler) -> int:
    if isinstance(statement, ast.Match):
        return statement.subject.end_lineno or statement.lineno
    body: list[ast.stmt] = getattr(statement, "body", [])
    if body:
        return max(statement.lineno, body[0].lineno - 1)
    return statement.end_lineno or statement.lineno


def _own_nodes(statement: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a statement without the statements in it."""
    for child in ast.iter_child_nodes(statement):
        if not isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield child
            yield from _own_nodes(child)


def _used(statement: ast.AST) -> set[str]:
    found = set()
    for node in _own_nodes(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found


def _bound(statement: ast.AST) -> set[str]:
    """Names that a statement gives a value, or whose value it changes by a method."""
    found = set()
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        found.add(statement.name)
    for node in _own_nodes(statement):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
                found.add(name)
            case ast.Attribute(value=ast.Name(id=name)) if isinstance(statement, ast.Expr):
                found.add(name)
    return found
