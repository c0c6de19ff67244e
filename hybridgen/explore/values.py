"""Values to call code with, as source text: from types, from the code's own literals, by mutation.

Values are literals in source form, because that is what crosses to the worker and what ends up in
a test file.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

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

LOOKS_LIKE_PATTERN = re.compile(r"\\[dwsbDWSB1-9]|\(\?|[\])*][*+?]|\.[*+]|^\^|\$$")
"""Regular expressions and templates: texts that the code uses, but nobody passes in."""

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


def literals_of(source: str) -> tuple[str, ...]:
    """Constants in ``source`` as source text, with neighbours of numbers.

    Docstrings, parts of f-strings and messages of exceptions are left out: they say something to
    people and decide nothing.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    prose: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr | ast.JoinedStr | ast.Raise):
            is_call = isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
            prose.update(() if is_call else map(id, ast.walk(node)))
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in prose:
            for text in _neighbours(node.value):
                found[text] = None
    return tuple(found)[:60]


def _neighbours(value: object) -> Iterable[str]:
    if value is None or isinstance(value, bool | bytes):
        yield repr(value)
    elif isinstance(value, int) and abs(value) < 10**12:
        yield from (repr(value), repr(value - 1), repr(value + 1))
    elif isinstance(value, float):
        yield from (repr(value), repr(value + 0.5))
    elif isinstance(value, str) and len(value) <= 60 and not LOOKS_LIKE_PATTERN.search(value):
        yield repr(value)


def composed(literals: Sequence[str], chooser: random.Random) -> str:
    """A text of two or three literals, a text of the code first, mostly without a separator."""
    words = [text for text in literals if kind_of(text) == "str"]
    parts = [chooser.choice(words or literals)]
    parts += [chooser.choice(literals) for _ in range(chooser.choice((1, 1, 2)))]
    separator = "" if chooser.random() < 0.6 else chooser.choice(" ,-:=/.@\n")
    return repr(separator.join(str(ast.literal_eval(part)) for part in parts)[:200])


def decimals(literals: Sequence[str]) -> list[str]:
    """The numbers among literals, and texts that are numbers, as ``Decimal``."""
    found = (re.fullmatch(r"'?(-?\d+(?:\.\d+)?)'?", text) for text in literals)
    return [f"Decimal('{match.group(1)}')" for match in found if match]


def kind_of(text: str) -> str:
    """A coarse type of a value in source form: ``str``, ``int`` ... or ``other``."""
    try:
        return type(ast.literal_eval(text)).__name__
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return "other"


def mutate(text: str, pool: Sequence[str], chooser: random.Random) -> str | None:
    """A value near the literal ``text``, of the same type; None if it is no literal."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    if pool and chooser.random() < 0.15:
        same = [other for other in pool if kind_of(other) == type(value).__name__]
        if same:
            return chooser.choice(same)
    changed = repr(_mutated(value, pool, chooser))
    return changed if len(changed) <= 2_000 else None


def _mutated(value: object, pool: Sequence[str], chooser: random.Random) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        bounded = max(min(value, 10**9), -(10**9))
        steps = (bounded + 1, bounded - 1, -bounded, bounded * 2, bounded * 10, bounded // 2)
        return chooser.choice((*steps, bounded + chooser.randint(-20, 20)))
    if isinstance(value, float):
        return chooser.choice(
            (value + 1, value - 1, -value, value * 2, value / 2, float(round(value)))
        )
    if isinstance(value, str):
        return _mutated_text(value, pool, chooser)
    if isinstance(value, bytes):
        return _mutated_text(value.decode("latin-1"), (), chooser).encode("latin-1", "ignore")
    if isinstance(value, list | tuple):
        items = list(value)
        choice = chooser.randrange(4)
        if items and choice == 0:
            del items[chooser.randrange(len(items))]
        elif items and choice == 1:
            items.append(chooser.choice(items))
        elif items and choice == 2:
            at = chooser.randrange(len(items))
            items[at] = _mutated(items[at], pool, chooser)
        else:
            items.insert(chooser.randint(0, len(items)), _from_pool(pool, chooser))
        return type(value)(items[:20])
    if isinstance(value, dict):
        return _mutated_mapping(value, pool, chooser)
    return value


def _mutated_mapping(
    value: dict[object, object], pool: Sequence[str], chooser: random.Random
) -> object:
    result = dict(value)
    if result and chooser.random() < 0.5:
        key = chooser.choice(list(result))
        if chooser.random() < 0.4:
            del result[key]
        else:
            result[key] = _mutated(result[key], pool, chooser)
    else:
        key = _from_pool(pool, chooser)
        if isinstance(key, str | int):
            result[key] = _from_pool(pool, chooser)
    return result


def _from_pool(pool: Sequence[str], chooser: random.Random) -> object:
    for _ in range(4):
        text = chooser.choice(pool) if pool else chooser.choice(GENERIC)
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError):
            continue
    return 1


def _mutated_text(value: str, pool: Sequence[str], chooser: random.Random) -> str:
    at = chooser.randint(0, len(value))
    other = _from_pool(pool, chooser)
    piece = other if isinstance(other, str) else str(other)
    letter = chooser.choice("aZ09 _-.,:;@/()[]{}'\"\n\té+#%=")
    changes = (
        value[:at] + letter + value[at:],
        value[: max(at - 1, 0)] + value[at:],
        value[: max(at - 1, 0)] + letter + value[at:],
        value[:at] + piece + value[at:],
        value + piece,
        piece + value,
        value.upper(),
        value.lower(),
        value[::-1],
        value * 2,
        value.strip(),
        value.replace(" ", ""),
        value[:at],
        value.title(),
    )
    return chooser.choice(changes)[:400]
