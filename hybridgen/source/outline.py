"""What a module says at its top level: imports, constants and the names it binds."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from hybridgen.source.blocks import runtime_blocks

_MAX_VALUE = 80  # characters of a constant's value in an outline
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def find_imports(block: Sequence[ast.stmt]) -> tuple[str, ...]:
    """Top-level import statements on one line each, also those inside ``if`` and ``try``."""
    return tuple(dict.fromkeys(_imports(block)))


def find_constants(block: Sequence[ast.stmt]) -> tuple[str, ...]:
    """Top-level assignments to plain names; a long value is cut and shows ``...``.

    Names with two underscores (``__all__``) are left out.
    """
    return tuple(_constants(block))


def find_names(block: Sequence[ast.stmt]) -> frozenset[str]:
    """All names that importing the module binds at its top level (``import *`` aside)."""
    return frozenset(_names(block))


def _imports(block: Sequence[ast.stmt]) -> Iterator[str]:
    for statement in block:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield ast.unparse(statement)
        for inner in runtime_blocks(statement):
            yield from _imports(inner)


def _constants(block: Sequence[ast.stmt]) -> Iterator[str]:
    for statement in block:
        if isinstance(statement, ast.Assign):
            targets, annotation, value = statement.targets, None, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, annotation, value = [statement.target], statement.annotation, statement.value
        else:
            for inner in runtime_blocks(statement):
                yield from _constants(inner)
            continue
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if len(names) == len(targets) and not any(name.startswith("__") for name in names):
            typed = f": {ast.unparse(annotation)}" if annotation else ""
            yield f"{' = '.join(names)}{typed} = {_shortened(value)}"


def _shortened(value: ast.expr) -> str:
    """The value's source on one line; of a long one its beginning, still valid Python."""
    lines = (value.end_lineno or value.lineno) - value.lineno
    if isinstance(value, ast.Constant) and isinstance(value.value, str | bytes):
        content = value.value
        if len(content) <= _MAX_VALUE:
            return repr(content)
        head = content[:_MAX_VALUE]
        return repr(head + "..." if isinstance(head, str) else head + b"...")
    if isinstance(value, ast.List | ast.Set | ast.Tuple):
        brackets = {"List": "[]", "Set": "{}", "Tuple": "()"}[type(value).__name__]
        if len(value.elts) > 1:
            return brackets[0] + _head(value.elts) + brackets[1]
    if isinstance(value, ast.Dict):
        pairs = zip(value.keys, value.values, strict=True)
        return "{" + _head_of(_pair(key, item) for key, item in pairs) + "}"
    if lines > 100:  # a table of data inside a call: too much to write out first
        return f"{ast.unparse(value.func)}(...)" if isinstance(value, ast.Call) else "..."
    text = ast.unparse(value)
    if len(text) <= _MAX_VALUE:
        return text
    return f"{ast.unparse(value.func)}(...)" if isinstance(value, ast.Call) else "..."


def _pair(key: ast.expr | None, value: ast.expr) -> str:
    return f"**{ast.unparse(value)}" if key is None else f"{ast.unparse(key)}: {ast.unparse(value)}"


def _head(items: Sequence[ast.expr]) -> str:
    return _head_of(ast.unparse(item) for item in items)


def _head_of(items: Iterable[str]) -> str:
    """The first items that fit, with ``...`` if that is not all of them."""
    taken: list[str] = []
    length = 0
    for item in items:
        length += len(item) + 2
        if length > _MAX_VALUE:
            return ", ".join([*taken, "..."])
        taken.append(item)
    return ", ".join(taken)


def _names(block: Sequence[ast.stmt]) -> Iterator[str]:
    for statement in block:
        if isinstance(statement, ast.Import):
            yield from (a.asname or a.name.partition(".")[0] for a in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            yield from (a.asname or a.name for a in statement.names if a.name != "*")
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        else:
            yield from _stored(statement)
        for inner in runtime_blocks(statement):
            yield from _names(inner)


def _stored(statement: ast.stmt) -> Iterator[str]:
    """Names that the statement itself binds, without its inner blocks."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest
        if not isinstance(node, (*_SCOPES, *_COMPREHENSIONS)):
            waiting += (
                child
                for child in ast.iter_child_nodes(node)
                if not isinstance(child, ast.stmt | ast.ExceptHandler)
            )
