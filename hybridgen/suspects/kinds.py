"""What kind of value a piece of source text builds, and whether a type hint admits it.

Answers are yes, no, or that nobody can say (None): a hint that is not understood in full never
makes a suspect.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable

from hybridgen.domain import Module, TargetKind

CONTAINERS = frozenset(
    {
        *("list", "tuple", "str", "bytes", "bytearray", "range", "dict", "set", "frozenset"),
        *("deque", "Counter", "OrderedDict"),
    }
)
MAPPINGS = frozenset({"dict", "OrderedDict", "Counter", "defaultdict"})
SEQUENCES = frozenset({"list", "tuple", "str", "bytes", "bytearray", "range", "deque"})
SETS = frozenset({"set", "frozenset"})

ADMITTED: dict[str, frozenset[str]] = {
    "None": frozenset({"NoneType"}),
    "str": frozenset({"str"}),
    "bool": frozenset({"bool"}),
    "int": frozenset({"int", "bool"}),
    "float": frozenset({"float", "int", "bool"}),  # PEP 484's numeric tower
    "complex": frozenset({"complex", "float", "int", "bool"}),
    "bytes": frozenset({"bytes", "bytearray"}),
    "bytearray": frozenset({"bytearray"}),
    "range": frozenset({"range"}),
    **dict.fromkeys(("list", "List"), frozenset({"list"})),
    **dict.fromkeys(("tuple", "Tuple"), frozenset({"tuple"})),
    **dict.fromkeys(("set", "Set"), frozenset({"set"})),
    **dict.fromkeys(("frozenset", "FrozenSet"), frozenset({"frozenset"})),
    **dict.fromkeys(("dict", "Dict"), MAPPINGS),
    **dict.fromkeys(("Mapping", "MutableMapping"), MAPPINGS),
    "Sequence": SEQUENCES,
    "MutableSequence": frozenset({"list", "bytearray", "deque"}),
    **dict.fromkeys(("Iterable", "Collection", "Container"), CONTAINERS),
    **dict.fromkeys(("AbstractSet", "MutableSet"), SETS),
    "Decimal": frozenset({"Decimal"}),
    "Fraction": frozenset({"Fraction"}),
    "date": frozenset({"date", "datetime"}),
    "datetime": frozenset({"datetime"}),
    "timedelta": frozenset({"timedelta"}),
    "UUID": frozenset({"UUID"}),
    "Path": frozenset({"Path", "PosixPath", "WindowsPath"}),
}
"""Kinds of values by the name of a hint; a hint that is not here says nothing."""

KINDS = frozenset[str]().union(*ADMITTED.values())
PLAIN = frozenset({"NoneType", "str", "bool", "int", "float", "complex", "bytes", *CONTAINERS})
_LOWER = {"date", "datetime", "time", "timedelta", "timezone", "deque"}
_OPEN = ("Protocol", "ABC", "TypedDict")


def parsed(text: str) -> ast.expr | None:
    """An expression, or None if it is none."""
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def same_code(text: str) -> str:
    """``text`` in one spelling, to compare code by."""
    node = parsed(text)
    return text.strip() if node is None else ast.unparse(node)


def literal(text: str) -> tuple[object] | None:
    """The value of a plain literal in a tuple, or None if it is none (``None`` is one)."""
    try:
        return (ast.literal_eval(text.strip()),)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None


def last_name(node: ast.expr) -> str:
    """``date`` of ``datetime.date``; empty for anything but names."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def kind_of(node: ast.expr) -> str:
    """The type name of what an expression builds, or "" where that is not plain to see."""
    match node:
        case ast.Constant(value=value):
            return type(value).__name__
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=inner):
            return kind_of(inner)
        case ast.BinOp(op=ast.Add() | ast.Sub(), right=ast.Constant(value=complex())):
            return "complex"
        case ast.JoinedStr():
            return "str"
        case ast.List() | ast.ListComp():
            return "list"
        case ast.Tuple():
            return "tuple"
        case ast.Dict() | ast.DictComp():
            return "dict"
        case ast.Set() | ast.SetComp():
            return "set"
        case ast.Lambda():
            return "function"
        case ast.Call(func=function):
            name = last_name(function)
            is_kind = name in KINDS or name in _LOWER or name[:1].isupper()
            return name if is_kind else ""
    return ""


class Hints:
    """Reads the type hints of one module."""

    def __init__(self, module: Module) -> None:
        classes = [t for t in module.targets if t.kind is TargetKind.CLASS]
        self._bases = {
            target.qualname: tuple(base.split("[")[0].split(".")[-1] for base in target.bases)
            for target in classes
        }
        # What a module binds itself may be something else than what its name says.
        self._hidden = {name for name in module.names if hasattr(builtins, name)}

    def admits(self, hint: str | ast.expr | None, value: ast.expr, *, is_deep: bool) -> bool | None:
        """Whether ``value`` is of the type that ``hint`` says; None if nobody can say.

        Args:
            is_deep: look at what is inside of containers too.
        """
        if isinstance(hint, str):
            hint = parsed(hint)
        match hint:
            case None:
                return None
            case ast.Constant(value=str(text)):
                return self.admits(text, value, is_deep=is_deep)
            case ast.Constant(value=None):
                return self._plain("None", value)
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                return self._any((left, right), value, is_deep)
            case ast.Subscript(value=outer, slice=inner):
                parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                return self._generic(last_name(outer), parts, value, is_deep)
        return self._plain(last_name(hint), value)

    def _any(self, hints: Iterable[ast.expr], value: ast.expr, is_deep: bool) -> bool | None:
        answers = [self.admits(hint, value, is_deep=is_deep) for hint in hints]
        if True in answers:
            return True
        return None if None in answers else False

    def _generic(
        self, name: str, parts: list[ast.expr], value: ast.expr, is_deep: bool
    ) -> bool | None:
        if name == "Union":
            return self._any(parts, value, is_deep)
        if name == "Optional":
            return self._any((ast.Constant(None), *parts), value, is_deep)
        if name in ("Annotated", "Final", "ClassVar"):
            return self.admits(parts[0], value, is_deep=is_deep)
        if name == "Literal":
            found = [ast.unparse(part) for part in parts]
            return ast.unparse(value) in found if isinstance(value, ast.Constant) else None
        outer = self._plain(name, value)
        if not outer or not is_deep:
            return outer
        return self._inside(name, parts, value, is_deep)

    def _inside(
        self, name: str, parts: list[ast.expr], value: ast.expr, is_deep: bool
    ) -> bool | None:
        """Whether the members of a container are of the types that its hint says."""
        match value:
            case ast.Dict(keys=keys, values=values):
                if len(parts) != 2 or None in keys:
                    return None
                pairs = [(parts[0], key) for key in keys if key is not None]
                pairs += [(parts[1], item) for item in values]
            case ast.Tuple(elts=items) if name in ("tuple", "Tuple"):
                is_open = len(parts) == 2 and ast.unparse(parts[1]) == "..."
                if not is_open and len(items) != len(parts):
                    return False
                pairs = [
                    (parts[0] if is_open else part, item)
                    for part, item in zip([*parts, *parts * len(items)], items, strict=False)
                ]
            case ast.List(elts=items) | ast.Set(elts=items) | ast.Tuple(elts=items):
                pairs = [(parts[0], item) for item in items]
            case ast.Constant(value=str()):  # the members of a text are texts
                pairs = [(parts[0], value)] if value.value else []
            case ast.Constant(value=bytes()):
                pairs = [(parts[0], ast.Constant(0))] if value.value else []
            case _:
                return None
        answers = [self.admits(hint, item, is_deep=is_deep) for hint, item in pairs]
        if False in answers:
            return False
        return None if None in answers else True

    def _plain(self, name: str, value: ast.expr) -> bool | None:
        if name == "object" and name not in self._hidden:
            return True
        kind = kind_of(value)
        if not kind or name in self._hidden:
            return None
        if name in self._bases:
            return self._own(name, kind)
        admitted = ADMITTED.get(name)
        if admitted is None:
            return None
        if kind in admitted:
            return True
        return False if kind in KINDS else None  # another class may inherit from it

    def _own(self, name: str, kind: str) -> bool | None:
        """Whether a value of ``kind`` is an instance of a class of the module."""
        if name == kind or name in self._ancestors(kind):
            return True
        if kind == "NoneType":
            return None if self._is_open(name) else False
        is_strange = kind in PLAIN and not self._bases[name]
        return False if is_strange else None

    def _is_open(self, name: str) -> bool:
        return any(base.endswith(_OPEN) for base in self._bases[name])

    def _ancestors(self, name: str) -> set[str]:
        found: set[str] = set()
        queue = [name]
        while queue:
            for base in self._bases.get(queue.pop(), ()):
                if base not in found:
                    found.add(base)
                    queue.append(base)
        return found
