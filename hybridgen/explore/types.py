"""Values for type hints, as source text."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Mapping, Sequence

from hybridgen.explore.files import PATHS

GENERIC = ("None", "0", "1", "-1", "2", "'a'", "''", "[]", "{}", "1.5", "True", "[1, 2]", "'1'")
"""What a parameter without a type is tried with first."""

TEXTS = ("''", "'a'", "'abc'", "'Hello World'", "'1'", "' '", "'a b'", "'A'", "'-'", "'x,y'")
INTEGERS = ("0", "1", "-1", "2", "3", "7", "10", "100", "1000")
FLOATS = ("0.0", "1.0", "-1.0", "0.5", "2.5", "100.0")

BY_TYPE: dict[str, tuple[str, ...]] = {
    "str": TEXTS,
    "int": INTEGERS,
    "float": FLOATS,
    "complex": ("1j", "0j"),
    "bool": ("True", "False"),
    "bytes": ("b''", "b'a'", "b'abc'"),
    "bytearray": ("bytearray(b'')", "bytearray(b'ab')"),
    "None": ("None",),
    "Decimal": ("Decimal('0')", "Decimal('1')", "Decimal('-1')", "Decimal('10.50')"),
    "Fraction": ("Fraction(1, 2)", "Fraction(0)"),
    "date": (
        "datetime.date(2024, 2, 29)",
        "datetime.date(2023, 12, 31)",
        "datetime.date(2024, 1, 6)",
    ),
    "datetime": ("datetime.datetime(2024, 2, 29, 12, 30)", "datetime.datetime(2023, 12, 31)"),
    "time": ("datetime.time(12, 30)",),
    "timedelta": (
        "datetime.timedelta(days=1)",
        "datetime.timedelta(seconds=90)",
        "datetime.timedelta(0)",
    ),
    "UUID": ("uuid.UUID(int=1)",),
    "Path": PATHS,
    "PathLike": PATHS,
    "tzinfo": ("datetime.timezone.utc",),
    "Callable": (
        "lambda *args: args[0] if args else None",
        "lambda *args: True",
        "lambda *args: 1",
    ),
    "object": GENERIC,
    "Any": GENERIC,
}

SEQUENCES = {
    "list",
    "List",
    "Sequence",
    "Iterable",
    "Collection",
    "MutableSequence",
    "Iterator",
    "Reversible",
}
MAPPINGS = {"dict", "Dict", "Mapping", "MutableMapping", "OrderedDict", "defaultdict"}
SETS = {"set", "Set", "frozenset", "FrozenSet", "AbstractSet", "MutableSet"}

IMPORTS = {
    "Decimal": "from decimal import Decimal",
    "Fraction": "from fractions import Fraction",
    "datetime": "import datetime",
    "uuid": "import uuid",
}
"""What a name in a value needs to be imported by."""


class TypeValues:
    """Values for type hints.

    Args:
        chooser: the seeded source of chance.
        objects: name of a class of the module -> a function that gives source text for an
            instance, at a depth of nesting.
    """

    def __init__(
        self, chooser: random.Random, objects: Mapping[str, Callable[[int], str | None]]
    ) -> None:
        self._chooser = chooser
        self._objects = objects

    def of(self, annotation: str | None, depth: int = 0) -> tuple[str, ...]:
        """Values for a hint given as source text; generic ones where it says nothing to us."""
        if annotation is None or depth > 3:
            return GENERIC
        try:
            tree = ast.parse(annotation.strip("'\""), mode="eval").body
        except (SyntaxError, ValueError):
            return GENERIC
        return self._of_node(tree, depth) or GENERIC

    def _of_node(self, node: ast.expr, depth: int) -> tuple[str, ...]:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return (*self._of_node(node.left, depth), *self._of_node(node.right, depth))
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                return self.of(node.value, depth + 1)
            return (repr(node.value),)
        if isinstance(node, ast.Subscript):
            inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return self._of_generic(_last_name(node.value), inner, depth)
        name = _last_name(node)
        if name in SEQUENCES | MAPPINGS | SETS | {"tuple", "Tuple"}:
            return self._of_generic(name, [], depth)
        if name in self._objects and depth <= 3:
            texts = (self._objects[name](depth + 1) for _ in range(3))
            return tuple(dict.fromkeys(text for text in texts if text))
        return BY_TYPE.get(name, ())

    def _of_generic(self, name: str, inner: Sequence[ast.expr], depth: int) -> tuple[str, ...]:
        if name == "Literal":
            return tuple(ast.unparse(part) for part in inner)
        parts = [list(self._of_node(part, depth + 1) or GENERIC[1:6]) for part in inner]
        pick = self._chooser.choice
        if name in ("Optional", "Union", "Annotated", "Final", "ClassVar"):
            flat = [value for part in parts for value in part]
            return tuple(dict.fromkeys((["None"] if name == "Optional" else []) + flat))
        if name in BY_TYPE:
            return BY_TYPE[name]
        if name in MAPPINGS:
            keys, values = parts if len(parts) == 2 else (["'a'", "'b'"], ["1", "2"])
            pairs = [f"{pick(keys)}: {pick(values)}" for _ in range(3)]
            return ("{}", "{" + pairs[0] + "}", "{" + ", ".join(pairs) + "}")
        if name in ("tuple", "Tuple"):
            if len(inner) == 2 and isinstance(inner[1], ast.Constant) and inner[1].value is ...:
                return ("()", f"({pick(parts[0])}, {pick(parts[0])})")
            columns = parts or [["1"], ["2"]]
            return tuple(f"({', '.join(pick(part) for part in columns)},)" for _ in range(3))
        members = parts[0] if parts else list(GENERIC[1:6])
        if name in SETS:
            body = "{" + ", ".join(dict.fromkeys(pick(members) for _ in range(2))) + "}"
            return ("set()", f"frozenset({body})" if "rozen" in name else body)
        if name in SEQUENCES:
            sizes = (1, 2, 3, 4)
            return ("[]", *("[" + ", ".join(pick(members) for _ in range(n)) + "]" for n in sizes))
        return ()


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
