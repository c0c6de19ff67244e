"""Objects that stand in for those of classes that nobody here knows, by what code asks of them.

What a test's author would write: ``types.SimpleNamespace(read=lambda: 6, name='a')``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, MutableMapping

from hybridgen.explore.values.standins import ANSWERING, NAMES
from hybridgen.explore.values.types import TypeValues
from hybridgen.explore.wanted.shapes import ITEM, Shape

MISSING_SHARE = 0.12
"""How often an object lacks what code asks of it; more often where it reckons with that."""

FAILING_SHARE = 0.35
"""How often something raises what code waits for."""

LITERAL_SHARE = 0.6
DEEPEST = 5
NEVER_MADE = ("__class__", "__dict__", "__doc__", "__module__")


class Doubles:
    """Writes objects for shapes.

    Args:
        shapes: by the names that stand for their types in hints.
        defined: where functions and classes go that a test has to define, by name.
    """

    def __init__(
        self,
        shapes: Mapping[str, Shape],
        defined: MutableMapping[str, str],
        chooser: random.Random,
    ) -> None:
        self._shapes = shapes
        self._defined = defined
        self._chooser = chooser
        self.types: TypeValues | None = None

    def of(self, name: str, depth: int) -> tuple[str, ...]:
        """Objects for the name of a type; none for any other name."""
        shape = self._shapes.get(name)
        if shape is None or depth > DEEPEST:
            return ()
        return tuple(dict.fromkeys(self._object(shape, depth) for _ in range(2)))

    def _object(self, shape: Shape, depth: int) -> str:
        choose = self._chooser
        failures = {name: kinds for name, kinds in shape.failures.items() if kinds}
        if failures and (not shape.members or choose.random() < FAILING_SHARE):
            method = choose.choice(list(failures))
            return self._failing(method, choose.choice(list(failures[method])))
        parts = []
        for name, member in shape.members.items():
            if name in NEVER_MADE or name == ITEM or not name.isidentifier():
                continue
            if choose.random() > MISSING_SHARE:
                parts.append(f"{name}={self._member(member, depth + 1)}")
        return f"types.SimpleNamespace({', '.join(parts)})"

    def _member(self, member: Shape, depth: int) -> str:
        failures = list(member.failures.get("__call__", {}))
        if failures and self._chooser.random() < FAILING_SHARE:
            return self._failing("__call__", self._chooser.choice(failures), member.is_awaited)
        value = self._value(member, depth)
        if not member.counts:
            return value
        if member.is_awaited:
            return f"{ANSWERING}({value})"
        count = next(iter(member.counts))
        is_plain = len(member.counts) == 1 and 0 <= count < len(NAMES)
        given = ", ".join(NAMES[:count]) if is_plain else "*args, **kwargs"
        return f"lambda {given}: {value}" if given else f"lambda: {value}"

    def _value(self, shape: Shape, depth: int) -> str:
        choose = self._chooser
        if ITEM in shape.members and depth < DEEPEST:
            count = choose.choice((0, 1, 1, 2))
            items = [self._value(shape.members[ITEM], depth + 1) for _ in range(count)]
            return f"[{', '.join(items)}]"
        if shape.literals and choose.random() < LITERAL_SHARE:
            return _near(choose.choice(list(shape.literals)), choose)
        is_object = bool(set(shape.members) - set(dir(str)) - {ITEM})
        if is_object and depth < DEEPEST and choose.random() < 0.85:
            return self._object(shape, depth)
        hints = list(shape.hints)
        if shape.members and not is_object:
            hints.append("str")
        hints += [kind for kind in map(_type_of, shape.literals) if kind]
        assert self.types is not None, "set by whoever made this"
        return choose.choice(self.types.of(choose.choice(hints) if hints else None, 2))

    def _failing(self, method: str, kind: str, is_awaited: bool = False) -> str:
        """A function, or an object with one method, that raises an exception."""
        word = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower()
        if method == "__call__":
            name = f"raise_{word}_later" if is_awaited else f"raise_{word}"
            head = "async def" if is_awaited else "def"
            self._defined[name] = f"{head} {name}(*args, **kwargs):\n    raise {kind}('failed')"
            return name
        name = f"{kind}In{method.strip('_').title()}"
        more = ", other" if method in ("__eq__", "__getitem__") else ""
        inside = f"    def {method}(self{more}):\n        raise {kind}('failed')"
        self._defined[name] = f"class {name}:\n{inside}"
        return f"{name}()"


def _near(literal: str, chooser: random.Random) -> str:
    """A literal that code compares with, or another near it."""
    if re.fullmatch(r"-?\d+", literal):
        return str(int(literal) + chooser.choice((0, 0, 1, -1)))
    return literal


def _type_of(literal: str) -> str:
    return next((kind for kind, start in _STARTS.items() if re.match(start, literal)), "")


_STARTS = {"str": "'", "float": r"-?\d+\.", "int": r"-?\d", "bool": "True|False", "bytes": "b'"}
