"""Which statement blocks of a module run when it is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def runtime_blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Yield the blocks inside a compound statement that an import can run.

    Left out are ``if TYPE_CHECKING:`` and ``if __name__ == "__main__":``. Definitions open a
    scope of their own and yield nothing.
    """
    if isinstance(statement, ast.If):
        always = _value_on_import(statement.test)
        if always is not False:
            yield statement.body
        if always is not True:
            yield statement.orelse
    elif isinstance(statement, ast.Try | ast.TryStar):
        yield statement.body
        yield statement.orelse
        for handler in statement.handlers:
            yield handler.body
        yield statement.finalbody
    elif isinstance(statement, ast.For | ast.AsyncFor | ast.While):
        yield statement.body
        yield statement.orelse
    elif isinstance(statement, ast.With | ast.AsyncWith):
        yield statement.body
    elif isinstance(statement, ast.Match):
        for case in statement.cases:
            yield case.body


def last_name(node: ast.expr) -> str:
    """The last part of a dotted name or of what is called: ``functools.wraps(f)`` is ``wraps``."""
    if isinstance(node, ast.Call | ast.Subscript):
        return last_name(node.func if isinstance(node, ast.Call) else node.value)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _value_on_import(test: ast.expr) -> bool | None:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        value = _value_on_import(test.operand)
        return None if value is None else not value
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if last_name(test) == "TYPE_CHECKING":
        return False
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq):
        sides = [test.left, *test.comparators]
        names = {side.id for side in sides if isinstance(side, ast.Name)}
        texts = {side.value for side in sides if isinstance(side, ast.Constant)}
        if "__name__" in names and "__main__" in texts:
            return False
    return None
