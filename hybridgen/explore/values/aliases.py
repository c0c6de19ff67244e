"""Types that a module defines without ``class``: aliases, type variables, named tuples."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

PLAIN_TYPES = ("int", "str", "float", "bool", "bytes", "dict", "list", "tuple", "set")
NAMED_TUPLES = ("namedtuple", "NamedTuple")


@dataclass(frozen=True)
class Definitions:
    """What the top level of a module says about types.

    Attributes:
        aliases: name -> the type expression that it stands for (``Pair = tuple[int, int]``,
            ``UserId = NewType("UserId", int)``, a type variable's bound or constraints).
        records: name -> field names with their hints, for ``Point = namedtuple("Point", "x y")``.
        members: name -> members, for ``Color = Enum("Color", "RED GREEN")``.
    """

    aliases: Mapping[str, ast.expr] = field(default_factory=dict)
    records: Mapping[str, tuple[tuple[str, str | None], ...]] = field(default_factory=dict)
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def definitions_in(source: str) -> Definitions:
    """The definitions of a module's text; none where it does not parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return Definitions()
    aliases: dict[str, ast.expr] = {}
    records: dict[str, tuple[tuple[str, str | None], ...]] = {}
    members: dict[str, tuple[str, ...]] = {}
    for name, value in _assigned(tree.body):
        if not isinstance(value, ast.Call):
            if _is_type(value):
                aliases[name] = value
            continue
        called = ast.unparse(value.func).rpartition(".")[2]
        if called == "NewType" and len(value.args) == 2:
            aliases[name] = value.args[1]
        elif called == "TypeVar":
            aliases[name] = _variable(value)
        elif called in NAMED_TUPLES and len(value.args) > 1:
            records[name] = tuple(_fields(value.args[1]))
        elif called in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag") and len(value.args) > 1:
            members[name] = tuple(field_name for field_name, _ in _fields(value.args[1]))
    return Definitions(aliases, records, members)


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            yield node.target.id, node.value
        elif isinstance(node, ast.If | ast.Try):
            yield from _assigned([*node.body, *node.orelse])
        elif type(node).__name__ == "TypeAlias":  # the statement of Python 3.12
            name, value = getattr(node, "name", None), getattr(node, "value", None)
            if isinstance(name, ast.Name) and isinstance(value, ast.expr):
                yield name.id, value


def _is_type(node: ast.expr) -> bool:
    """True for what looks like a type: ``int | str``, ``dict[str, int]``, ``Callable[..., T]``."""
    match node:
        case ast.Subscript(value=ast.Name(id=name)) | ast.Subscript(value=ast.Attribute(attr=name)):
            return name[:1].isupper() or name in (
                "list",
                "dict",
                "tuple",
                "set",
                "frozenset",
                "type",
            )
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return _is_type(left) or _is_type(right) or _names_a_type(left)
    return _names_a_type(node)


def _names_a_type(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in PLAIN_TYPES


def _variable(call: ast.Call) -> ast.expr:
    """What a type variable may stand for: its bound, its constraints, or anything."""
    bound = next((word.value for word in call.keywords if word.arg == "bound"), None)
    if bound is not None:
        return bound
    union: ast.expr | None = None
    for kind in call.args[1:]:
        union = kind if union is None else ast.BinOp(union, ast.BitOr(), kind)
    return union or ast.Name("Any", ast.Load())


def _fields(node: ast.expr) -> Iterator[tuple[str, str | None]]:
    """``"x y"``, ``["x", "y"]`` or ``[("x", int), ("y", int)]``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from ((name, None) for name in node.value.replace(",", " ").split())
    elif isinstance(node, ast.List | ast.Tuple):
        for item in node.elts:
            if isinstance(item, ast.Constant) and isinstance(item.value, str):
                yield item.value, None
            elif isinstance(item, ast.Tuple) and len(item.elts) == 2:
                name = item.elts[0]
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    yield name.value, ast.unparse(item.elts[1])
