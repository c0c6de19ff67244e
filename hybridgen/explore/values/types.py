"""Values for type hints, as source text: simple ones first, since they may end up in a test."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Mapping, Sequence

from hybridgen.explore.values.aliases import Definitions
from hybridgen.explore.values.plain import BY_TYPE, GENERIC, IMPORTS, MAPPINGS, SEQUENCES, SETS
from hybridgen.explore.values.standins import NAMED, callables

__all__ = ["GENERIC", "IMPORTS", "TypeValues"]

DEEPEST = 3
NAMED_SHARE = 0.08
"""How often functions with a name are among those to choose from; a lambda reads better."""

THEMES: Mapping[str, tuple[str, ...]] = {
    "int": ("1", "2", "3", "0", "5", "-1"),
    "str": ("'a'", "'b'", "'c'", "''", "'ab'"),
    "float": ("0.5", "1.5", "2.0"),
    "tuple": ("(1, 2)", "(2, 3)", "(1, 'a')"),
    "any": GENERIC,
}
"""What the items of containers are, and values of any type: code that puts one thing into a
container and asks for another only gets far if they are of a kind."""

TRANSPARENT = ("Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly", "TypeGuard")
GENERIC_TYPES = {*SEQUENCES, *MAPPINGS, *SETS, "tuple", "Tuple", "Callable", "type", "Type"}
ANYTHING = ("Any", "object", "Hashable", "T", "TypeAlias")


class TypeValues:
    """Values for type hints.

    Args:
        chooser: the seeded source of chance.
        objects: name of a class of the module -> a function that gives source text for an
            instance, at a depth of nesting.
        definitions: types that the module defines in other ways.
        heirs: name of a class -> classes of the module that inherit from it.
        doubles: gives objects for the name of a type that nothing defines, at a depth; none where
            it does not know it.

    Attributes:
        theme: the kind of values that items of containers and values of any type are now.
        sizes: numbers of the code, as sizes that collections may have to exceed.
    """

    def __init__(
        self,
        chooser: random.Random,
        objects: Mapping[str, Callable[[int], str | None]],
        definitions: Definitions | None = None,
        heirs: Mapping[str, Sequence[str]] | None = None,
        doubles: Callable[[str, int], tuple[str, ...]] = lambda name, depth: (),
    ) -> None:
        self._chooser = chooser
        self._objects = objects
        self._definitions = definitions or Definitions()
        self._heirs = heirs or {}
        self._doubles = doubles
        self._parsed: dict[str, ast.expr | None] = {}
        self.theme = "any"
        self.sizes: tuple[int, ...] = ()

    def of(self, annotation: str | None, depth: int = 0) -> tuple[str, ...]:
        """Values for a hint given as source text; generic ones where it says nothing to us."""
        if annotation is None or depth > DEEPEST:
            return self._anything()
        node = self._parse(annotation)
        return (self._of_node(node, depth) if node is not None else ()) or self._anything()

    def known(self, annotation: str) -> tuple[str, ...]:
        """Values for a hint as :meth:`of` gives them, none where it says nothing to us."""
        node = self._parse(annotation)
        return self._of_node(node, 0) if node is not None else ()

    def is_known(self, annotation: str) -> bool:
        """Whether a hint names any type that values are made for."""
        node = self._parse(annotation)
        if node is None:
            return False
        parts = [part for part in ast.walk(node) if isinstance(part, ast.expr)]
        names = {_last_name(part) for part in parts}
        own = (self._objects, self._definitions.aliases, self._definitions.members)
        return "Literal" in names or any(
            name in place
            for name in names - {"Optional", "Union", "None", ""}
            for place in (*own, self._definitions.records, self._heirs, BY_TYPE, GENERIC_TYPES)
        )

    def _parse(self, annotation: str) -> ast.expr | None:
        if annotation not in self._parsed:
            try:
                tree = ast.parse(annotation.strip("'\""), mode="eval").body
            except (SyntaxError, ValueError):
                tree = None
            self._parsed[annotation] = tree
        return self._parsed[annotation]

    def _anything(self) -> tuple[str, ...]:
        if self.theme == "any" or self._chooser.random() < 0.2:
            return GENERIC
        return THEMES[self.theme]

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
        return self._of_name(_last_name(node), depth)

    def _of_name(self, name: str, depth: int) -> tuple[str, ...]:
        if name in self._objects:
            return self._instances(name, depth)
        definitions = self._definitions
        if name in definitions.aliases and depth <= DEEPEST:
            return self._of_node(definitions.aliases[name], depth + 1)
        if name in definitions.members:
            return tuple(f"{name}.{member}" for member in definitions.members[name])
        if name in definitions.records and depth <= DEEPEST:
            return tuple(self._record(name, depth) for _ in range(2))
        if name in ANYTHING:
            return self._anything()
        if name in GENERIC_TYPES:
            return self._of_generic(name, [], depth)
        return self._plain(name, depth) or self._doubles(name, depth)

    def _plain(self, name: str, depth: int) -> tuple[str, ...]:
        """Values of a type that everybody has, and of classes that inherit from it."""
        values = BY_TYPE.get(name, ())
        heirs = self._heirs.get(name, ())
        if not heirs or depth > DEEPEST:
            return values
        return (*values, *self._instances(self._chooser.choice(heirs), depth))

    def _instances(self, name: str, depth: int) -> tuple[str, ...]:
        """Objects of a class; of a class that inherits from it too."""
        if depth > DEEPEST:
            return ()
        names = (name, name, self._chooser.choice((name, *self._heirs.get(name, ()))))
        texts = (self._objects[one](depth + 1) for one in names)
        return tuple(dict.fromkeys(text for text in texts if text))

    def _record(self, name: str, depth: int) -> str:
        fields = self._definitions.records[name]
        values = (self._chooser.choice(self.of(hint, depth + 1)) for _, hint in fields)
        return f"{name}({', '.join(values)})"

    def _of_generic(self, name: str, inner: Sequence[ast.expr], depth: int) -> tuple[str, ...]:
        if name == "Literal":
            return tuple(ast.unparse(part) for part in inner)
        if name == "Callable":
            return self._functions(inner, depth)
        if name in ("type", "Type"):
            return self._classes(inner)
        if name in TRANSPARENT:
            return self._of_node(inner[0], depth) if inner else ()
        pick = self._chooser.choice
        parts = [list(self._of_node(part, depth + 1) or self._items()) for part in inner]
        if name in ("Optional", "Union"):
            flat = [value for part in parts for value in part]
            return tuple(dict.fromkeys((["None"] if name == "Optional" else []) + flat))
        if name in MAPPINGS:
            keys, values = parts if len(parts) == 2 else (self._keys(), list(GENERIC[1:6]))
            sizes = (1, 2, 3)
            texts = [_pairs(keys, values, size, self._chooser) for size in sizes]
            return ("{}", *(_as(MAPPINGS[name], text, "{}") for text in texts))
        if name in ("tuple", "Tuple"):
            if len(inner) == 2 and isinstance(inner[1], ast.Constant) and inner[1].value is ...:
                return ("()", f"({pick(parts[0])}, {pick(parts[0])})", f"({pick(parts[0])},)")
            columns = parts or [list(self._items())] * 2
            end = "," if len(columns) == 1 else ""
            return tuple(f"({', '.join(map(pick, columns))}{end})" for _ in range(3))
        members = parts[0] if parts else list(self._items())
        if name in SETS:
            body = "{" + ", ".join(dict.fromkeys(pick(members) for _ in range(3))) + "}"
            return ("set()", f"frozenset({body})" if "rozen" in name else body)
        if name in SEQUENCES:
            lists = [_listed(members, n, self._chooser) for n in (0, 1, 2, 3, 5)]
            if not inner and name in ("Iterable", "Collection", "Sequence"):
                lists += self._other_iterables(lists[-1])
            return tuple(_as(SEQUENCES[name], text, "[]") for text in lists)
        if name in self._objects or name in self._definitions.aliases:
            return self._of_name(name, depth)  # a generic class of the module
        return BY_TYPE.get(name, ())

    def _items(self) -> tuple[str, ...]:
        return GENERIC[1:6] if self.theme == "any" else THEMES[self.theme]

    def _keys(self) -> list[str]:
        return ["'a'", "'b'", "'c'"] if self.theme in ("any", "str") else list(self._items())

    def _other_iterables(self, text: str) -> list[str]:
        """What can be iterated over besides lists."""
        found = [f"({text[1:-1]},)" if text != "[]" else "()", f"iter({text})"]
        if self.theme in ("any", "str"):
            found += ["'abc'", "'abca'"]
        if self.theme in ("any", "int"):
            found += ["range(5)", f"range({self._chooser.choice((10, *self.sizes))})"]
        return found

    def _functions(self, inner: Sequence[ast.expr], depth: int) -> tuple[str, ...]:
        count = len(inner[0].elts) if inner and isinstance(inner[0], ast.List) else None
        result = inner[1] if len(inner) > 1 else None
        name = _last_name(result.value if isinstance(result, ast.Subscript) else result)
        constants = self._of_node(result, depth + 1) if result is not None else ()
        found = callables(count, name, constants or ("1",))
        is_named = self._chooser.random() < NAMED_SHARE
        return (*found, *NAMED) if is_named else found

    def _classes(self, inner: Sequence[ast.expr]) -> tuple[str, ...]:
        wanted = _last_name(inner[0]) if inner else ""
        if wanted in self._objects:
            return (wanted, *self._heirs.get(wanted, ()))
        if wanted in ("Exception", "BaseException"):
            return ("ValueError", "KeyError", "Exception", "(ValueError, TypeError)")
        return (wanted,) if wanted in BY_TYPE else ("int", "str", "list", "dict", *self._objects)


def _listed(members: Sequence[str], count: int, chooser: random.Random) -> str:
    return "[" + ", ".join(chooser.choice(members) for _ in range(count)) + "]"


def _pairs(keys: Sequence[str], values: Sequence[str], count: int, chooser: random.Random) -> str:
    pairs = {chooser.choice(keys): chooser.choice(values) for _ in range(count)}
    return "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "}"


def _as(constructor: str, text: str, empty: str) -> str:
    """A list or a dictionary as another type: ``deque([1])``."""
    if not constructor:
        return text
    return constructor.format("" if text == empty and constructor[-2:] == "{}" else text)


def _last_name(node: ast.expr | None) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return node.id if isinstance(node, ast.Name) else ""
