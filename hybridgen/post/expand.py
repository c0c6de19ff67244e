"""Expands tables of cases: ``pytest.mark.parametrize`` and loops over literals."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Mapping, Sequence

from hybridgen.domain import Target, TargetKind
from hybridgen.post.syntax import FunctionNode, assign, dotted, is_constant, name, substitute

MOST_CASES = 24
Row = dict[str, ast.expr]


def tables(body: Sequence[ast.stmt]) -> dict[str, ast.expr]:
    """The literal containers that ``body`` assigns to names."""
    found: dict[str, ast.expr] = {}
    for statement in body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], statement.value
            if isinstance(target, ast.Name) and isinstance(
                value, ast.List | ast.Tuple | ast.Dict | ast.Set
            ):
                found[target.id] = value
    return found


def elements(node: ast.expr, known: Mapping[str, ast.expr]) -> list[ast.expr] | None:
    """The expressions that iterating over ``node`` gives, or None if that is not plain."""
    if isinstance(node, ast.Name) and node.id in known:
        return elements(known[node.id], {})
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return None if any(isinstance(item, ast.Starred) for item in node.elts) else node.elts
    if isinstance(node, ast.Dict):
        return [key for key in node.keys if key is not None]
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Attribute) and not node.args:
        return _dictionary_elements(node.func, known)
    function = node.func.id if isinstance(node.func, ast.Name) else ""
    if function == "range" and all(
        isinstance(item, ast.Constant) and isinstance(item.value, int) for item in node.args
    ):
        return _counted([ast.literal_eval(item) for item in node.args])
    parts = [elements(item, known) for item in node.args]
    rows = [part for part in parts if part is not None]
    if function == "enumerate" and len(rows) == 1:
        return [_pair(ast.Constant(at), item) for at, item in enumerate(rows[0])]
    if function == "zip" and rows and len(rows) == len(parts):
        return [ast.Tuple(list(row), ast.Load()) for row in zip(*rows, strict=False)]
    return None


def _counted(limits: list[int]) -> list[ast.expr] | None:
    """The first numbers of ``range(*limits)``."""
    if not 1 <= len(limits) <= 3 or limits[2:] == [0]:
        return None
    return [ast.Constant(number) for number in range(*limits)[: MOST_CASES + 1]]


def _dictionary_elements(
    method: ast.Attribute, known: Mapping[str, ast.expr]
) -> list[ast.expr] | None:
    """The elements of ``{...}.items()``, ``.keys()`` or ``.values()``."""
    table = method.value
    if isinstance(table, ast.Name):
        table = known.get(table.id, table)
    if not isinstance(table, ast.Dict):
        return None
    pairs = [
        (key, value) for key, value in zip(table.keys, table.values, strict=True) if key is not None
    ]
    if method.attr == "items":
        return [_pair(key, value) for key, value in pairs]
    chosen = {"keys": 0, "values": 1}.get(method.attr)
    return None if chosen is None else [pair[chosen] for pair in pairs]


def _pair(first: ast.expr, second: ast.expr) -> ast.expr:
    return ast.Tuple([first, second], ast.Load())


def unpacked(target: ast.expr, value: ast.expr) -> Row | None:
    """What ``target = value`` binds to which expression, or None if that is not plain."""
    if isinstance(target, ast.Name):
        return {target.id: value}
    if not isinstance(target, ast.Tuple | ast.List) or not isinstance(value, ast.Tuple | ast.List):
        return None
    if len(target.elts) != len(value.elts):
        return None
    row: Row = {}
    for part, item in zip(target.elts, value.elts, strict=True):
        inner = unpacked(part, item)
        if inner is None:
            return None
        row |= inner
    return row


def bound(body: Sequence[ast.stmt], row: Row) -> list[ast.stmt]:
    """``body`` with the names of ``row`` replaced; what may change is assigned first."""
    uses = [
        node.id
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and node.id in row
    ]
    kept = {
        key: value
        for key, value in row.items()
        if not is_constant(value) and not isinstance(value, ast.Dict) and uses.count(key) > 1
    }
    replaced = {key: value for key, value in row.items() if key not in kept}
    setup: list[ast.stmt] = [assign(key, value) for key, value in kept.items()]
    return setup + [substitute(statement, replaced) for statement in body]


def parameter_rows(function: FunctionNode, known: Mapping[str, ast.expr]) -> list[Row]:
    """One row for each case of the ``parametrize`` decorators; one empty row without any."""
    columns: list[list[Row]] = []
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call):
            is_table = (dotted(decorator.func) or [""])[-1] == "parametrize"
            if is_table and len(decorator.args) + len(decorator.keywords) > 1:
                column = _column(decorator, known)
                columns.extend([column] if column else [])
    rows: list[Row] = []
    for combination in itertools.product(*columns):
        rows.append({key: value for row in combination for key, value in row.items()})
        if len(rows) == MOST_CASES:
            break
    return rows


def _column(decorator: ast.Call, known: Mapping[str, ast.expr]) -> list[Row]:
    values = {item.arg: item.value for item in decorator.keywords}
    names = _names(decorator.args[0] if decorator.args else values.get("argnames"))
    table = decorator.args[1] if len(decorator.args) > 1 else values.get("argvalues")
    rows: list[Row] = []
    for case in (elements(table, known) if table else None) or []:
        if isinstance(case, ast.Call) and (dotted(case.func) or [""])[-1] == "param":
            parts = case.args
        elif len(names) == 1:
            parts = [case]
        else:
            parts = case.elts if isinstance(case, ast.Tuple | ast.List) else []
        # Small models leave out the last columns; what depends on them is dropped later.
        if parts and (len(parts) == len(names) or len(parts) == len(names) - 1):
            rows.append(dict(zip(names, parts, strict=False)))
    return rows


def _names(node: ast.expr | None) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [part.strip() for part in node.value.split(",") if part.strip()]
    if isinstance(node, ast.Tuple | ast.List):
        return [
            item.value
            for item in node.elts
            if isinstance(item, ast.Constant) and isinstance(item.value, str)
        ]
    return []


def call_with(target: Target, row: Row) -> list[ast.stmt]:
    """A call of ``target`` for a row whose test was cut off, where the column names tell how."""
    if target.kind is not TargetKind.FUNCTION:
        return []
    arguments: list[ast.expr] = []
    keywords: list[ast.keyword] = []
    is_positional = True
    for parameter in target.parameters:
        value = row.get(parameter.name)
        if value is None or parameter.kind.startswith("var"):
            is_positional = False
        elif is_positional and parameter.kind != "keyword-only":
            arguments.append(value)
        else:
            keywords.append(ast.keyword(parameter.name, value))
    if not arguments and not keywords:
        return []
    call = ast.Call(name(target.name), arguments, keywords)
    return [ast.fix_missing_locations(ast.Expr(call))]
