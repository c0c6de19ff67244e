"""Syntax trees: parsing that never raises, free names, substitution, literals."""

from __future__ import annotations

import ast
import copy
import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TypeVar

_DEEPEST = 60  # nodes below each other; real tests stay under 25, recursion limits over 200
_LONGEST_NUMBER = 10**40
_UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_Node = TypeVar("_Node", bound=ast.AST)


def parse(code: str) -> list[ast.stmt] | None:
    """The statements of ``code``, or None if it is no Python or is too deeply nested."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes are the model's business
            tree = ast.parse(code)
    except _UNPARSABLE:
        return None
    return tree.body if _is_shallow(tree) else None


def parse_expression(code: str) -> ast.expr | None:
    """The expression in ``code``, or None."""
    body = parse(code)
    if body and len(body) == 1 and isinstance(body[0], ast.Expr):
        return body[0].value
    return None


def is_valid(code: str, mode: str) -> bool:
    """True if ``code`` compiles in ``mode`` (``"exec"`` or ``"eval"``) on its own."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "<step>", mode, dont_inherit=True)
    except (*_UNPARSABLE, OverflowError):
        return False
    return True


def _is_shallow(tree: ast.AST) -> bool:
    waiting: deque[tuple[ast.AST, int]] = deque([(tree, 0)])
    while waiting:
        node, depth = waiting.popleft()
        if depth > _DEEPEST:
            return False
        # str() of an int longer than 4,300 digits raises, also inside ast.unparse.
        number = node.value if isinstance(node, ast.Constant) else None
        if isinstance(number, int) and abs(number) > _LONGEST_NUMBER:
            return False
        waiting.extend((child, depth + 1) for child in ast.iter_child_nodes(node))
    return True


class _Names(ast.NodeVisitor):
    """Collects the names that a scope reads and binds, nested scopes resolved."""

    def __init__(self) -> None:
        self.loads: set[str] = set()
        self.stores: set[str] = set()
        self.augmented: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        (self.stores if isinstance(node.ctx, ast.Store) else self.loads).add(node.id)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name):
            self.augmented.add(node.target.id)

    def visit_alias(self, node: ast.alias) -> None:
        self.stores.add((node.asname or node.name).split(".")[0])

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.stores.add(node.name)
        self.generic_visit(node)

    def _nested(self, parts: Sequence[ast.AST], bound: set[str]) -> None:
        inner = _Names()
        inner.stores |= bound
        for part in parts:
            inner.visit(part)
        self.loads |= (inner.loads | inner.augmented) - inner.stores

    def _function(self, node: FunctionNode | ast.Lambda, body: Sequence[ast.AST]) -> None:
        arguments = node.args
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self.visit(default)
        self._nested(body, {item.arg for item in ast.walk(arguments) if isinstance(item, ast.arg)})

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._definition(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._definition(node)

    def _definition(self, node: FunctionNode) -> None:
        self.stores.add(node.name)
        for decorator in node.decorator_list:
            self.visit(decorator)
        for argument in ast.walk(node.args):
            if isinstance(argument, ast.arg) and argument.annotation:
                self.visit(argument.annotation)
        if node.returns:
            self.visit(node.returns)
        # A function may call itself.
        self._function(node, node.body)
        self.loads.discard(node.name)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node, [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.stores.add(node.name)
        for part in (*node.decorator_list, *node.bases, *(item.value for item in node.keywords)):
            self.visit(part)
        self._nested(node.body, {node.name, "super", "__class__"})

    def _comprehension(self, node: ast.AST, generators: list[ast.comprehension]) -> None:
        self.visit(generators[0].iter)
        bound = _Names()
        for generator in generators:
            bound.visit(generator.target)
        inner = [child for child in ast.iter_child_nodes(node) if child is not generators[0]]
        self._nested([*inner, *generators[0].ifs], bound.stores)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node, node.generators)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._comprehension(node, node.generators)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node, node.generators)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node, node.generators)


def free_names(node: ast.AST) -> frozenset[str]:
    """The names that ``node`` needs from outside."""
    names = _Names()
    names.visit(node)
    if isinstance(node, ast.For | ast.AsyncFor | ast.While | ast.With | ast.AsyncWith | ast.Try):
        return frozenset((names.loads - names.stores) | names.augmented)
    return frozenset(names.loads | names.augmented)


def bound_names(node: ast.AST) -> frozenset[str]:
    """The names that ``node`` binds in the scope where it stands."""
    names = _Names()
    names.visit(node)
    return frozenset(names.stores)


def dotted(node: ast.expr) -> list[str] | None:
    """``["a", "b", "c"]`` for ``a.b.c``, or None for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [node.id, *reversed(parts)] if isinstance(node, ast.Name) else None


def words(text: str) -> frozenset[str]:
    """The words of ``text``: a compact way to write a long set of names."""
    return frozenset(text.split())


def name(identifier: str) -> ast.Name:
    """An expression that reads ``identifier``."""
    return ast.Name(identifier, ast.Load())


def assign(identifier: str, value: ast.expr) -> ast.Assign:
    """The statement ``identifier = value``."""
    statement = ast.Assign([ast.Name(identifier, ast.Store())], value)
    return ast.fix_missing_locations(statement)


class _Substitution(ast.NodeTransformer):
    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self._values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if isinstance(node.ctx, ast.Load) and node.id in self._values:
            return copy.deepcopy(self._values[node.id])
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        return _folded(node)


def _folded(node: ast.Subscript) -> ast.expr:
    """The element that ``node`` takes out of a literal table, else ``node`` itself."""
    if not isinstance(node.slice, ast.Constant):
        return node
    key = node.slice.value
    if isinstance(node.value, ast.Tuple | ast.List):
        is_inside = isinstance(key, int) and 0 <= key < len(node.value.elts)
        return node.value.elts[int(str(key))] if is_inside else node
    if isinstance(node.value, ast.Dict):
        for label, value in zip(node.value.keys, node.value.values, strict=True):
            if isinstance(label, ast.Constant) and label.value == key:
                return value
    return node


def substitute(node: _Node, values: Mapping[str, ast.expr]) -> _Node:
    """A copy of ``node`` in which names are replaced, except where ``node`` binds them."""
    rebound = {
        item.id
        for item in ast.walk(node)
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    } | {item.arg for item in ast.walk(node) if isinstance(item, ast.arg)}
    wanted = {key: value for key, value in values.items() if key not in rebound}
    changed: _Node = _Substitution(wanted).visit(copy.deepcopy(node))
    return ast.fix_missing_locations(changed)


def is_literal(node: ast.expr) -> bool:
    """True for constants and containers of constants."""
    if isinstance(node, ast.List | ast.Set | ast.Tuple):
        return all(map(is_literal, node.elts))
    if isinstance(node, ast.Dict):
        return all(key is not None and is_literal(key) for key in node.keys) and all(
            map(is_literal, node.values)
        )
    return is_constant(node)


def is_constant(node: ast.expr) -> bool:
    """True for constants that cannot change: numbers, text, tuples of them."""
    if isinstance(node, ast.UnaryOp):
        return is_constant(node.operand)
    if isinstance(node, ast.BinOp):
        return is_constant(node.left) and is_constant(node.right)
    if isinstance(node, ast.Tuple):
        return all(map(is_constant, node.elts))
    return isinstance(node, ast.Constant)
