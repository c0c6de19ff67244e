"""Values for what an open condition wishes of a parameter, as source text."""

from __future__ import annotations

import ast
import builtins
import random
from collections.abc import Iterator
from functools import partial

from hybridgen.domain import Module, Parameter, Target, TargetKind
from hybridgen.explore.genomes.calls import CallMaker
from hybridgen.explore.genomes.catalogue import enum_members
from hybridgen.explore.genomes.genome import call_text
from hybridgen.explore.operands.conditions import Wanted, Wish
from hybridgen.explore.values.aliases import definitions_in
from hybridgen.explore.values.literals import kind_of
from hybridgen.explore.values.types import TypeValues
from hybridgen.explore.wanted.duck import LIBRARY

MOST_VALUES = 3
LEFT_OUT = ""
"""Stands for not giving an argument at all."""

NOTHING = ("None", "''", "[]", "0", "{}", "False", "()")
SOMETHING = ("True", "1", "'a'", "[1]", "{'a': 1}")
STRANGERS = ("1", "None", "'a'", "[1]", "{'a': 1}", "b'a'")
"""Values of different types, for code that refuses some."""

FAMILIES = {
    "Mapping": ("dict",),
    "MutableMapping": ("dict",),
    "Sequence": ("list", "tuple", "str", "bytes"),
    "Iterable": ("list", "tuple", "str", "bytes", "dict"),
    "Collection": ("list", "tuple", "str", "bytes", "dict"),
    "Sized": ("list", "tuple", "str", "bytes", "dict"),
    "Hashable": ("int", "str", "bytes", "NoneType"),
    "Number": ("int",),
    "Real": ("int",),
    "Integral": ("int",),
    "object": ("int", "str", "bytes", "NoneType", "list", "dict"),
}
"""Types of the values above that more general types take in."""


class Wishes:
    """Makes values for wishes.

    Args:
        maker: builds objects of the module's classes.
    """

    def __init__(self, module: Module, maker: CallMaker, chooser: random.Random) -> None:
        self._maker = maker
        self._chooser = chooser
        self._names = module.names
        classes = [t for t in (*module.targets, *module.neighbours) if t.kind is TargetKind.CLASS]
        objects = {target.qualname: partial(self._instance, target) for target in classes}
        self._types = TypeValues(chooser, objects, definitions_in(module.source.text))

    def values(self, wanted: Wanted, parameter: Parameter) -> list[str]:
        """A few values for a parameter that may be what is wished, the likeliest first."""
        found: dict[str, None] = {}
        for text in self._values(wanted, parameter):
            if text != wanted.text or wanted.wish is Wish.VALUE:
                found[text] = None
            if len(found) >= MOST_VALUES:
                break
        return list(found)

    def _values(self, wanted: Wanted, parameter: Parameter) -> Iterator[str]:
        text = wanted.text
        if parameter.default is not None and _is_met(wanted, parameter.default):
            yield LEFT_OUT
        match wanted.wish:
            case Wish.VALUE if text == "self" or self._is_usable(text):
                yield text
            case Wish.OTHER:
                yield from self._typed(parameter)
                yield from STRANGERS
            case Wish.KIND:
                yield from self._sampled(text)
            case Wish.NO_KIND:
                kinds = _kinds_in(text)
                yield from (value for value in STRANGERS if kind_of(value) not in kinds)
            case Wish.TRUE:
                yield from (value for value in self._typed(parameter) if _truth(value) is not False)
                yield from SOMETHING
            case Wish.FALSE:
                yield from (value for value in self._typed(parameter) if _truth(value) is False)
                yield from NOTHING
            case Wish.LENGTH:
                count = int(text)
                filled = (repr("a" * count), f"[{', '.join(['1'] * count)}]", repr((1,) * count))
                kinds = {kind_of(value) for value in self._typed(parameter)}
                yield from (value for value in filled if kind_of(value) in kinds)
                yield from filled
            case Wish.HOLDS:
                yield from (
                    f"[{text}]",
                    f"{{{text}: 1}}",
                    *([text] if kind_of(text) == "str" else []),
                )
            case Wish.HAS:
                yield from (
                    v for k, has in LIBRARY.items() if text in has for v in self._sampled(k)
                )
                if text.isidentifier() and not text.startswith("__"):
                    yield f"types.SimpleNamespace({text}=1)"

    def _typed(self, parameter: Parameter) -> tuple[str, ...]:
        hint = parameter.annotation
        if hint is None and parameter.default is not None:
            kind = kind_of(parameter.default)
            hint = None if kind in ("other", "NoneType") else kind
        return self._types.of(hint) if hint is not None else ()

    def _sampled(self, hint: str) -> list[str]:
        known = list(self._types.known(hint))
        return known if len(known) <= 2 else self._chooser.sample(known, 2)

    def _instance(self, target: Target, depth: int) -> str | None:
        """Source text for an object of a class of the module."""
        members = enum_members(target)
        if members:
            return f"{target.qualname}.{self._chooser.choice(members)}"
        if depth > 2:
            return None
        build = self._maker.genome(target).build
        return call_text(build.target, build.arguments) if build is not None else None

    def _is_usable(self, text: str) -> bool:
        """Whether a test can say this: names of the module and of Python only."""
        try:
            tree = ast.parse(text, mode="eval")
        except (SyntaxError, ValueError, RecursionError):
            return False
        return all(
            not isinstance(node, ast.Name)
            or (node.id in self._names and not node.id.startswith("_"))
            or hasattr(builtins, node.id)
            for node in ast.walk(tree)
        )


def _is_met(wanted: Wanted, default: str) -> bool:
    """Whether the default of a parameter is what is wished."""
    if wanted.wish in (Wish.TRUE, Wish.FALSE):
        return _truth(default) is (wanted.wish is Wish.TRUE)
    return wanted.wish is Wish.VALUE and default == wanted.text


def _kinds_in(hint: str) -> set[str]:
    """The built-in types that a hint names or takes in."""
    words = {
        node.id if isinstance(node, ast.Name) else node.attr
        for node in ast.walk(ast.parse(hint or "None", mode="eval"))
        if isinstance(node, ast.Name | ast.Attribute)
    }
    return words | {kind for word in words for kind in FAMILIES.get(word, ())}


def _truth(text: str) -> bool | None:
    """Whether a literal counts as true, None for what is none."""
    try:
        return bool(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
