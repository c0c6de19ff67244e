"""Type hints for parameters that have none, read from how the code uses them."""

from __future__ import annotations

import ast
import collections
import configparser
import datetime
import decimal
import email.message
import logging
import pathlib
import re
import urllib.parse
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping

from hybridgen.domain import Parameter, ParameterKind, Target, TargetKind
from hybridgen.explore.syntax import tree_of
from hybridgen.explore.wanted.shapes import ITEM, Shape
from hybridgen.explore.wanted.uses import Uses, merged, uses_in

LIBRARY: Mapping[str, frozenset[str]] = {
    kind.__name__: frozenset(dir(kind))
    for kind in (
        *(str, list, dict, set, bytes, int, float),
        *(datetime.date, datetime.datetime, datetime.timedelta, datetime.time),
        *(decimal.Decimal, pathlib.Path),
    )
}
"""Types that values exist for, with the names that they answer to."""

OBJECTS: Mapping[str, frozenset[str]] = {
    kind.__name__: frozenset(dir(kind))
    for kind in (
        *(configparser.ConfigParser, email.message.Message, ET.Element, re.Match),
        *(collections.deque, collections.OrderedDict, collections.Counter, collections.ChainMap),
        urllib.parse.SplitResult,
    )
} | {"LogRecord": frozenset(vars(logging.makeLogRecord({}))) | {"getMessage"}}
"""The same for what is meant only where none of these, and no class of the module, will do."""

INTERFACES: Mapping[str, frozenset[str]] = {
    "TextIO": frozenset({"read", "readline", "readlines", "write", "writelines", "seek", "close"}),
    "Pattern": frozenset({"match", "search", "fullmatch", "finditer", "findall", "pattern"}),
    "Callable[..., Any]": frozenset({"__name__", "__doc__", "__module__", "__wrapped__"}),
    "type": frozenset({"__name__", "__mro__", "__bases__", "__subclasses__"}),
    "Iterator": frozenset({"__next__", "send", "throw"}),
}
"""What other kinds of values answer to that code asks for by name."""

CALL = "Callable[..., Any]"
DOUBLE = "Double__"
"""What the names of types begin with that stand for objects of no known class."""

DEEPEST = 4
"""How far a value is followed from name to name and from function to function."""

NAMES: Mapping[str, str] = {
    CALL: "func function fn callback callable predicate pred getter handler hook factory",
    "Iterable": "iterable iterables items values seq sequence elements data it others",
    "int": "n num count size length width limit maxsize index idx start stop step depth pos",
    "str": "name text string s msg message prefix suffix sep encoding fmt format line",
    "dict": "mapping dict dictionary d options kwargs kwds headers",
    "type[Exception]": "exc exception exceptions",
    "TextIO": "file fp fileobj stream buffer",
}
"""What names of parameters mean by convention; used where the code itself says nothing."""

FUNCTION_NAMES = frozenset(("f", "fget", "method", "wrapped", *NAMES[CALL].split()))
"""Names of what is decorated, and of other functions that are handed in."""


class Ducks:
    """Likely types for the parameters of a module's targets.

    Args:
        targets: by name; classes with their methods, other files' included.

    Attributes:
        doubles: what is asked of objects that no known type fits, by the name that stands for the
            type in hints.
    """

    def __init__(self, targets: Mapping[str, Target]) -> None:
        self.doubles: dict[str, Shape] = {}
        self._targets = targets
        self._classes = {
            name: members_of(target)
            for name, target in targets.items()
            if target.kind is TargetKind.CLASS
        }
        self._uses = {name: uses_in(_relevant(target)) for name, target in targets.items()}
        self._class_uses = {
            name: merged(whole, self._family(name))
            for whole in ({n: uses_in(targets[n].source) for n in self._classes},)
            for name in self._classes
        }

    def hints(self, target: Target) -> dict[str, tuple[str, ...]]:
        """Likely types for each parameter of ``target``, as type hints; the best evidence only.

        They come from how its code uses a parameter, and the code that it is handed on to, and
        for operators from the class itself; then from the docstring, and then from its name.
        """
        found: dict[str, tuple[str, ...]] = {}
        for parameter in target.parameters:
            place, name = target.qualname, parameter.name
            if parameter.kind is ParameterKind.VAR_POSITIONAL:
                hints = dict.fromkeys(self._items_of(place, name))
            elif parameter.kind is ParameterKind.VAR_KEYWORD:
                hints = {}
            else:
                hints = dict.fromkeys(self._of(place, name, self._uses[place], 0))
                if target.kind is TargetKind.CLASS:
                    hints |= dict.fromkeys(self._of(place, f"self.{name}", None, 0))
            if self._is_operand(target, parameter):
                hints[target.parent or ""] = None
            if not hints and not parameter.kind.is_variadic:
                hints = dict.fromkeys((*_documented(target, parameter), *_named(parameter)))
            if any(f"list[{name}]" in hints for name in self._classes):
                hints = {hint: None for hint in hints if hint not in ("Iterable", "list")}
            if hints:
                found[parameter.name] = tuple(self._with_one_double(hints))
        return found

    def held(self, owner: str, name: str) -> tuple[str, ...]:
        """Likely types for an attribute of a class, by its methods and by whoever asks for it."""
        found = dict.fromkeys(self._of(owner, f"self.{name}", None, 0))
        shapes = (shape for uses in self._uses.values() for shape in uses.shapes.values())
        for shape in shapes:
            if name in shape.members and ITEM in shape.members[name].members:
                asked = set(shape.members[name].members[ITEM].members)
                fitting = (kind for kind, has in self._classes.items() if asked and asked <= has)
                found |= {f"list[{kind}]": None for kind in fitting}
        is_own = {hint for hint in found if any(f"[{kind}]" in hint for kind in self._classes)}
        return tuple(sorted(found, key=lambda hint: hint not in is_own))

    def _with_one_double(self, hints: Iterable[str]) -> Iterator[str]:
        """The hints with one type for all that is asked here and where a value is handed on to."""
        first: dict[str, str] = {}
        for hint in hints:
            name = next(iter(re.findall(rf"{DOUBLE}\d+", hint)), "")
            form = hint.replace(name, DOUBLE) if name else hint
            if name and form in first:
                self.doubles[first[form]].add(self.doubles[name])
            else:
                first[form] = name
                yield hint

    def _is_operand(self, target: Target, parameter: Parameter) -> bool:
        """True for what an operator's method, or one that says ``other``, is given."""
        if target.parent not in self._classes or target.binding != "instance":
            return False
        is_operator = target.name.startswith("__") and target.name not in ("__init__", "__call__")
        is_first = parameter is target.parameters[0]
        is_keyed = target.name in ("__getitem__", "__setitem__", "__delitem__", "__contains__")
        return (is_operator and is_first and not is_keyed) or parameter.name.startswith("other")

    def _of(self, place: str, subject: str, uses: Uses | None, depth: int) -> Iterator[str]:
        """The hints for a name in a target, following where its value goes.

        Args:
            uses: the uses to look into, those of the whole class for what an object holds.
        """
        if subject.startswith("self."):
            uses = self._class_uses.get(self._owner(place))
        if uses is None or depth > DEEPEST:
            return
        yield from self._seen(uses, subject)
        for item in uses.elements.get(subject, ()):
            yield from (f"list[{hint}]" for hint in self._of(place, item, uses, depth + 1))
        for alias in uses.aliases.get(subject, ()):
            # Local names mean other things in other methods of the class.
            if alias.startswith("self.") or not subject.startswith("self."):
                yield from self._of(place, alias, uses, depth + 1)
        for function, at in uses.handed.get(subject, ()):
            other = self._called(place, function)
            parameter = _parameter(other, at) if other is not None else None
            if other is not None and other.qualname != place and parameter is not None:
                if parameter.annotation:
                    yield parameter.annotation
                name = other.qualname
                yield from self._of(name, parameter.name, self._uses[name], depth + 2)

    def _items_of(self, place: str, subject: str) -> Iterator[str]:
        """The hints for each value of ``*args``: what is done with its items."""
        uses = self._uses[place]
        for item in uses.elements.get(subject, ()):
            yield from self._of(place, item, uses, 1)
        for alias in uses.aliases.get(subject, ()):
            whole = uses
            if alias.startswith("self."):
                whole = self._class_uses.get(self._owner(place), uses)
            for item in whole.elements.get(alias, ()):
                yield from self._of(place, item, whole, 2)
        for function, at in uses.handed.get(subject, ()):
            other = self._called(place, function)
            if other is not None and other.qualname != place and isinstance(at, int):
                for parameter in other.parameters[at:]:
                    inner = self._uses[other.qualname]
                    if parameter.kind is ParameterKind.VAR_POSITIONAL:
                        for item in inner.elements.get(parameter.name, ()):
                            yield from self._of(other.qualname, item, inner, 2)
                    else:
                        yield from self._of(other.qualname, parameter.name, inner, 2)

    def _seen(self, uses: Uses, subject: str) -> Iterator[str]:
        yield from uses.hints.get(subject, ())
        asked = uses.asked.get(subject)
        found: list[str] = []
        if asked:
            known = {**LIBRARY, **INTERFACES, **self._classes}
            found = [kind for kind, has in known.items() if asked <= has]
            yield from found or (kind for kind, has in OBJECTS.items() if asked <= has)
        shape = uses.shapes.get(subject)
        is_loose = asked and all(kind in INTERFACES for kind in found)
        is_own = any(kind in self._classes for kind in found)
        if shape is not None and (is_loose or shape.can_fail or (shape.is_deep and not is_own)):
            name = f"{DOUBLE}{len(self.doubles)}"
            self.doubles[name] = Shape()
            self.doubles[name].add(shape)
            yield name

    def _owner(self, place: str) -> str:
        return place if place in self._classes else place.rpartition(".")[0]

    def _called(self, place: str, function: str) -> Target | None:
        """The target that a call in ``place`` means."""
        owner = self._owner(place)
        first, _, last = function.rpartition(".")
        if first in ("self", "cls", "super"):
            for name in self._ancestors(owner)[int(first == "super") :]:
                if last == "__init__" and name in self._targets:
                    return self._targets[name]
                if f"{name}.{last}" in self._targets:
                    return self._targets[f"{name}.{last}"]
            return None
        if last == "__init__" and first in self._targets:
            return self._targets[first]
        return self._targets.get(function)

    def _ancestors(self, name: str) -> list[str]:
        """A class and its bases, as far as they are known."""
        found = [name] if name in self._classes else []
        for known in found:
            bases = (base.split("[")[0].rpartition(".")[2] for base in self._targets[known].bases)
            found += [base for base in bases if base in self._classes and base not in found]
        return found

    def _family(self, name: str) -> tuple[str, ...]:
        """A class, its bases, and the classes that inherit from it."""
        heirs = (other for other in self._classes if name in self._ancestors(other))
        return tuple(dict.fromkeys((*self._ancestors(name), *heirs)))


def members_of(target: Target) -> frozenset[str]:
    """The names that objects of a class answer to, by its source; empty for what is no class."""
    if target.kind is not TargetKind.CLASS:
        return frozenset()
    found = {parameter.name for parameter in target.parameters}
    for node in ast.walk(tree_of(target.source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
    return frozenset(found)


def _relevant(target: Target) -> str:
    """The text in which a target's parameters are known: of a class, its constructors."""
    if target.kind is not TargetKind.CLASS:
        return target.source
    body = [part for node in tree_of(target.source).body[:1] for part in getattr(node, "body", ())]
    names = ("__init__", "__new__", "__post_init__")
    makers = [part for part in body if isinstance(part, ast.FunctionDef) and part.name in names]
    return "\n".join(map(ast.unparse, makers))


def _parameter(target: Target, at: int | str) -> Parameter | None:
    if isinstance(at, str):
        return next((p for p in target.parameters if p.name == at), None)
    return target.parameters[at] if at < len(target.parameters) else None


# ---------------------------------------------------------------- what people say

WORDS: tuple[tuple[str, str], ...] = (
    (r"list of (?:str|string|text)s?", "list[str]"),
    (r"list of (?:int|integer|number)s?", "list[int]"),
    (r"str|string|text", "str"),
    (r"int|integer|number", "int"),
    (r"float", "float"),
    (r"bool|boolean", "bool"),
    (r"dict|dictionary|mapping", "dict"),
    (r"list|array", "list"),
    (r"tuple", "tuple"),
    (r"set", "set"),
    (r"iterable|sequence|collection", "Iterable"),
    (r"iterator|generator", "Iterator"),
    (r"callable|function|callback", CALL),
    (r"bytes", "bytes"),
    (r"datetime", "datetime"),
    (r"path", "Path"),
)
"""Words of docstrings for types; the first that a text holds counts."""


def _documented(target: Target, parameter: Parameter) -> Iterator[str]:
    """Types by docstring: ``:type x: int``, ``:param int x:``, ``x (int):``, ``x : int``."""
    name = re.escape(parameter.name)
    forms = (
        rf":type\s+{name}\s*:\s*(?P<type>[^\n]+)",
        rf":param\s+(?P<type>[^:\n]+?)\s+{name}\s*:",
        rf"^\s*\*{{0,2}}{name}\s*\((?P<type>[^)\n]+)\)\s*:",
        rf"^\s*\*{{0,2}}{name}\s+:\s+(?P<type>[^\n]+)",
    )
    for form in forms:
        match = re.search(form, target.docstring or "", re.MULTILINE)
        if match is not None:
            yield from types_said(match["type"])
            return


def types_said(text: str) -> list[str]:
    """The type hints for a type in words: ``str or None``, ``list of ints``."""
    said = text.strip(" `.,").lower()
    found: list[str] = []
    for pattern, hint in WORDS:
        if re.search(rf"\b(?:{pattern})\b", said):
            found.append(hint)
            said = re.sub(rf"\b(?:{pattern})\b", " ", said)
    return found


def _named(parameter: Parameter) -> Iterator[str]:
    if parameter.default is None or parameter.default == "None":
        last = parameter.name.rpartition("_")[2]
        yield from (hint for hint, words in NAMES.items() if last in words.split())
