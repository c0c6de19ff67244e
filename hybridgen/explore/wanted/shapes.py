"""What code asks of objects that are of no known class: attributes, methods, and their failures.

Read from the source of a function or a class: ``gauge.read() > 5`` inside of ``try`` with
``except TimeoutError`` says that a gauge has a method ``read``, that it gives numbers around five,
and that it may raise a ``TimeoutError``.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

ASKING = {
    "repr": "__repr__",
    "str": "__str__",
    "len": "__len__",
    "iter": "__iter__",
    "list": "__iter__",
    "bool": "__bool__",
    "hash": "__hash__",
}
"""Functions of Python that ask a method of what they are given."""

ITEM = "[]"
"""The name of the member that stands for the items."""

NEVER_RAISED = ("KeyboardInterrupt", "SystemExit", "GeneratorExit", "BaseExceptionGroup")
ANY_FAILURE = ("Exception", "BaseException")
COMMON = frozenset().union(*map(dir, (str, list, dict, set)))
ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)

Subject = Callable[[ast.AST], str]

_DEPTH = 3
"""So many members deep names are followed."""


@dataclass
class Shape:
    """What is asked of an object, or of what one of its members is or gives.

    Attributes:
        members: by name.
        counts: with how many positional arguments it is called; -1 for calls of another form.
        is_awaited: whether what a call gives is awaited.
        hints: types that it may be of.
        literals: values that it is compared with, as source text.
        names: local names for it.
        failures: exceptions that code around it waits for, by the method that would raise them:
            ``__call__`` where it is called itself.
    """

    members: dict[str, Shape] = field(default_factory=dict)
    counts: dict[int, None] = field(default_factory=dict)
    is_awaited: bool = False
    hints: dict[str, None] = field(default_factory=dict)
    literals: dict[str, None] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    failures: dict[str, dict[str, None]] = field(default_factory=dict)

    def member(self, name: str) -> Shape:
        """One of its members, a new one where it is not known yet."""
        return self.members.setdefault(name, Shape())

    @property
    def is_deep(self) -> bool:
        """True if more is asked of its members than texts, lists and dictionaries have."""
        return any(
            not {name for name in member.members if name != ITEM} <= COMMON
            or (ITEM in member.members and member.is_deep)
            for member in self.members.values()
        )

    @property
    def can_fail(self) -> bool:
        """True if code waits for exceptions of the object or its members."""
        return bool(self.failures) or any(member.failures for member in self.members.values())

    def add(self, other: Shape) -> None:
        """Takes over what is asked elsewhere."""
        self.counts |= other.counts
        self.is_awaited |= other.is_awaited
        self.hints |= other.hints
        self.literals |= other.literals
        self.names |= other.names
        for name, theirs in other.members.items():
            self.member(name).add(theirs)
        for name, kinds in other.failures.items():
            self.failures[name] = self.failures.get(name, {}) | kinds


def shapes_in(tree: ast.AST, subject_of: Subject) -> dict[str, Shape]:
    """The shapes of what a text has names for, by name; local names of members are followed.

    Args:
        subject_of: the name of what an expression is, empty if it has none.
    """
    reader = _Reader(subject_of)
    reader.visit(tree)
    # As they were read: a name may stand for a member of itself, as in `node = node.next`.
    read = copy.deepcopy(reader.found)
    for name, shape in reader.found.items():
        _follow(shape, name, read, _DEPTH)
    return reader.found


def _follow(shape: Shape, own: str, read: dict[str, Shape], depth: int) -> None:
    if not depth:
        return
    for member in shape.members.values():
        for name in [*member.names]:
            if name in read and name != own:
                member.add(read[name])
        _follow(member, own, read, depth - 1)


class _Reader(ast.NodeVisitor):
    """Collects what is asked of every name."""

    def __init__(self, subject_of: Subject) -> None:
        self.found: dict[str, Shape] = {}
        self._subject_of = subject_of
        self._above: list[ast.AST] = []
        self._awaited: list[str] = []

    def visit(self, node: ast.AST) -> None:
        """Notes what a node asks, then goes on inside."""
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            if not (isinstance(node, ast.Attribute) and self._is_inner(node)):
                self._note(node)
        if isinstance(node, ast.Try):
            return self._try(node)
        self._above.append(node)
        self.generic_visit(node)
        self._above.pop()

    def _try(self, node: ast.Try) -> None:
        self._above.append(node)
        kinds = [name for handler in node.handlers for name in caught(handler.type)]
        outer, self._awaited = self._awaited, [*kinds, *self._awaited]
        for statement in node.body:
            self.visit(statement)
        self._awaited = outer
        for part in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(part)
        self._above.pop()

    def _is_inner(self, node: ast.Attribute) -> bool:
        """Whether a chain of attributes starts at a name of its own, noted from there."""
        return not self._subject_of(node)

    def _note(self, node: ast.expr) -> None:
        name = self._subject_of(node)
        if not name or name in ("self", "cls"):
            return
        shape, at, inner = self.found.setdefault(name, Shape()), len(self._above), node
        is_whole = True
        while at:
            at -= 1
            above = self._above[at]
            if isinstance(above, ast.Attribute) and isinstance(above.ctx, ast.Load):
                shape, is_whole = shape.member(above.attr), False
            elif isinstance(above, ast.Call) and above.func is inner:
                shape.counts[_count(above)] = None
                self._fail(shape, "__call__")
            elif isinstance(above, ast.Await):
                shape.is_awaited = True
            else:
                self._used(shape, above, inner, is_whole)
                return
            inner = above

    def _fail(self, shape: Shape, method: str) -> None:
        if self._awaited:
            kinds = shape.failures.get(method, {})
            shape.failures[method] = kinds | dict.fromkeys(self._awaited)

    def _used(self, shape: Shape, above: ast.AST, node: ast.AST, is_whole: bool) -> None:
        """Notes what is done with the value of an expression."""
        match above:
            case ast.Assign(targets=[ast.Name(id=name)]) if not is_whole:
                shape.names[name] = None
            case ast.NamedExpr(target=ast.Name(id=name)) if not is_whole:
                shape.names[name] = None
            case ast.Compare():
                self._compared(shape, above, node)
            case ast.If() | ast.While() | ast.IfExp() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                if not is_whole:
                    shape.hints["bool"] = None
            case ast.For(iter=value) | ast.comprehension(iter=value) if value is node:
                shape.hints["list"] = None
                if isinstance(above.target, ast.Name) and not is_whole:
                    shape.member(ITEM).names[above.target.id] = None
                self._fail(shape, "__iter__")
            case ast.AsyncFor():
                shape.hints["AsyncIterable"] = None
            case ast.Call(func=ast.Name(id=function)) if function in ASKING:
                self._fail(shape, ASKING[function])
            case ast.Subscript(value=value) if value is node:
                is_text = isinstance(above.slice, ast.Constant) and type(above.slice.value) is str
                shape.hints["dict[str, Any]" if is_text else "list"] = None
                self._fail(shape, "__getitem__")
            case ast.BinOp(left=left, right=right, op=operator):
                other = right if left is node else left
                shape.hints[_operand(operator, other)] = None

    def _compared(self, shape: Shape, above: ast.Compare, node: ast.AST) -> None:
        for operator, other in zip(above.ops, above.comparators, strict=True):
            if isinstance(operator, ast.Eq | ast.NotEq):
                self._fail(shape, "__eq__")
            sides = [above.left, other] if above.left is not node else [other]
            for side in sides:
                items = side.elts if isinstance(side, ast.Tuple | ast.List | ast.Set) else [side]
                values = [item.value for item in items if isinstance(item, ast.Constant)]
                shape.literals |= {repr(value): None for value in values[:6]}
                if isinstance(operator, ORDER) and not values:
                    shape.hints["int"] = None


def caught(node: ast.expr | None) -> Iterator[str]:
    """The exceptions that a handler is for, as far as Python itself has them."""
    for part in node.elts if isinstance(node, ast.Tuple) else [node]:
        name = ast.unparse(part) if part is not None else "Exception"
        if name in ANY_FAILURE:
            yield "ValueError"
        elif name not in NEVER_RAISED and hasattr(builtins, name):
            yield name


def _count(node: ast.Call) -> int:
    is_open = any(isinstance(argument, ast.Starred) for argument in node.args)
    return -1 if is_open or node.keywords else len(node.args)


def _operand(operator: ast.operator, other: ast.expr) -> str:
    value = other.value if isinstance(other, ast.Constant) else None
    is_text = isinstance(value, str) or isinstance(other, ast.JoinedStr)
    return "str" if is_text and isinstance(operator, ast.Add) else "int"
