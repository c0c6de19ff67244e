"""What parameters want, learned from calls that went wrong and from those that went well.

A call that ends in a ``TypeError`` or ``AttributeError`` which nobody raised on purpose had an
argument of a kind that the code cannot use. The message often says which kind that was and what it
would have needed; where it does not, counting tells after a while.
"""

from __future__ import annotations

import ast
import builtins
import functools
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hybridgen.domain import Raised
from hybridgen.explore.values.standins import HELPERS
from hybridgen.explore.wanted.duck import INTERFACES, LIBRARY, OBJECTS

ACCIDENTS = ("TypeError", "AttributeError")
LEAST_CHANCE = 0.08
"""How often a kind of value is still tried that never went well."""

MOST_LEARNED = 6
ANY = "Any"

MESSAGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"'([\w.]+)' object is not callable", ("Callable[..., Any]",)),
    (r"'([\w.]+)' object is not (?:iterable|an iterator|reversible)", ("Iterable",)),
    (r"(?:argument of type|container or iterable) '([\w.]+)'", ("Iterable",)),
    (r"cannot unpack non-iterable ([\w.]+) object", ("tuple[Any, Any]",)),
    (r"after \* must be an iterable, not ([\w.]+)", ("Iterable",)),
    (r"after \*\* must be a mapping, not ([\w.]+)", ("Mapping[str, Any]",)),
    (r"'([\w.]+)' object is not subscriptable", ("list", "dict", "str")),
    (r"'([\w.]+)' object does not support item (?:assignment|deletion)", ("list", "dict")),
    (r"object of type '([\w.]+)' has no len", ("list", "str", "dict")),
    (r"unhashable type: '([\w.]+)'", ("str", "int", "tuple[int, int]")),
    (r"'([\w.]+)' object cannot be interpreted as an integer", ("int",)),
    (r"indices must be integers(?: or slices)?, not '?([\w.]+)'?", ("int",)),
    (r"must be (?:a )?str(?:ing)?,? not '?([\w.]+)'?", ("str",)),
    (r"expected string or bytes-like object(?:, got '([\w.]+)')?", ("str",)),
    (r"expected str instance, ([\w.]+) found", ("list[str]", "str")),
    (r"can only concatenate str \(not \"([\w.]+)\"\)", ("str",)),
    (r"can only concatenate list \(not \"([\w.]+)\"\)", ("list",)),
    (r"expected str, bytes or os.PathLike object, not ([\w.]+)", ("Path", "str")),
    (r"must be real number, not ([\w.]+)", ("float", "int")),
    (r"bad operand type for .*: '([\w.]+)'", ("int", "float")),
    (r"must be a (?:string|number)[^']*, not '([\w.]+)'", ("int", "str")),
    (r"bytes-like object is required, not '([\w.]+)'", ("bytes",)),
    (r"'([\w.]+)' object (?:does not support the|is not an?) context manager", ("ContextManager",)),
    (r"object ([\w.]+) can't be used in 'await'", ("Awaitable",)),
    (r"requires an object with __aiter__ method, got ([\w.]+)", ("AsyncIterable",)),
    (r"exceptions must derive from|classes that do not inherit from", ("type[Exception]",)),
    (r"arg 1 must be a class|must be a type", ("type",)),
    (r"not supported between instances of '([\w.]+)' and '([\w.]+)'", ("int", "str")),
    (r"unsupported operand type\(s\) for [^:]+: '([\w.]+)' and '([\w.]+)'", ("int", "float")),
)
"""What messages of Python itself say: the kinds that were wrong, and what to pass instead."""

NO_ATTRIBUTE = re.compile(r"(?:'([\w.]+)'|type) object(?: '\w+')? has no attribute '(\w+)'")
TOO_MANY = re.compile(r"<lambda>\(\) takes (?:from \d+ to )?\d+ positional arguments? but (\d+)")
TOO_FEW = re.compile(r"<lambda>\(\) missing (\d+) required positional")

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call that was made: to which parameter, and its text."""

    target: str
    parameter: str
    text: str


@dataclass
class _Record:
    """What is known of one parameter: hints, and how often a kind of value went well or not."""

    hints: dict[str, None] = field(default_factory=dict)
    good: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    bad: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))


class Wants:
    """What the parameters of a module's targets want.

    Args:
        members: the module's classes with the names that their objects answer to.
    """

    def __init__(self, members: Mapping[str, frozenset[str]], chooser: random.Random) -> None:
        self._known = {**LIBRARY, **INTERFACES, **members, **OBJECTS}
        self._chooser = chooser
        self._records: dict[Place, _Record] = {}

    def hints(self, target: str, parameter: str) -> tuple[str, ...]:
        """Type hints that accidents spoke for."""
        record = self._records.get((target, parameter))
        return tuple(record.hints) if record else ()

    def pick(self, target: str, parameter: str, make: Callable[[], str]) -> str:
        """A value of ``make``, of a kind that went well so far if it makes some."""
        record = self._records.get((target, parameter))
        text = make()
        for _ in range(3):
            if record is None or self._chooser.random() < _chance(record, kind_in(text)):
                break
            text = make()
        return text

    def succeeded(self, arguments: Iterable[Argument]) -> None:
        """Notes the arguments of a call that went well."""
        for argument in arguments:
            self._record(argument).good[kind_in(argument.text)] += 1

    def failed(self, now: Sequence[Argument], before: Sequence[Argument], raised: Raised) -> None:
        """Notes the arguments of a call that ended in an accident.

        Args:
            now: the arguments of the call itself.
            before: those of the calls before it: what a constructor stored fails in a method.
        """
        wrong, hints = self._said(raised.text)
        culprits = _of_kinds(now, wrong) or _of_kinds(before, wrong)
        if not culprits:
            for argument in now:
                self._record(argument).bad[kind_in(argument.text)] += 1 / (1 + len(now))
            return
        for argument in culprits:
            record = self._record(argument)
            record.bad[kind_in(argument.text)] += 1
            wanted = _counted(argument.text, raised.text) or hints
            for hint in wanted:
                if len(record.hints) < MOST_LEARNED:
                    record.hints[hint] = None

    def _record(self, argument: Argument) -> _Record:
        return self._records.setdefault((argument.target, argument.parameter), _Record())

    def _said(self, text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The kinds that a message complains about, and hints for what would do."""
        match = NO_ATTRIBUTE.search(text)
        if match is not None:
            fitting = [hint for hint, members in self._known.items() if match[2] in members]
            return (match[1] or "type",), tuple(fitting[:4])
        if "<lambda>()" in text:
            return ("function",), ()
        for pattern, hints in MESSAGES:
            found = re.search(pattern, text)
            if found is not None:
                return tuple(kind for kind in found.groups() if kind), hints
        return (), ()


def _chance(record: _Record, kind: str) -> float:
    """How likely a kind of value is taken: all alike at first, rarely what always failed."""
    good, bad = record.good[kind], record.bad[kind]
    return max(LEAST_CHANCE, (1 + 2 * good) / (1 + 2 * good + bad))


def _of_kinds(arguments: Sequence[Argument], kinds: Sequence[str]) -> list[Argument]:
    return [a for a in arguments if any(kind in _kinds(a.text) for kind in kinds)]


def _counted(value: str, message: str) -> tuple[str, ...]:
    """The hint for a lambda that was called with another number of arguments than it takes."""
    if not value.startswith("lambda"):
        return ()
    many, few = TOO_MANY.search(message), TOO_FEW.search(message)
    if many is not None:
        count = int(many[1])
    elif few is not None:
        node = ast.parse(value, mode="eval").body
        count = len(node.args.args) - int(few[1]) if isinstance(node, ast.Lambda) else -1
    else:
        return ()
    return (f"Callable[[{', '.join([ANY] * count)}], Any]",) if 0 <= count < 7 else ()


def kind_in(text: str) -> str:
    """The kind of a value in source form, with that of its first item: ``list[int]``."""
    return "[".join(_kinds(text)[:2])


@functools.lru_cache(maxsize=20_000)
def _kinds(text: str) -> tuple[str, ...]:
    """The type names of a value and of its first item, as messages of Python name them."""
    try:
        return tuple(_kinds_of(ast.parse(text, mode="eval").body))
    except (SyntaxError, ValueError, RecursionError):
        return ("other",)


_BY_CALL = {"compile": "Pattern", "match": "Match", "iter": "list_iterator"}


def _kinds_of(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=value):
            return [type(value).__name__]
        case ast.UnaryOp(operand=inner):
            return _kinds_of(inner)
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            first = _kinds_of(items[0])[:1] if items else []
            return [type(node).__name__.lower(), *first]
        case ast.Dict(values=values):
            return ["dict", *(_kinds_of(values[0])[:1] if values else [])]
        case ast.Lambda(args=arguments):
            count = "*" if arguments.vararg else str(len(arguments.args))
            return ["function", count]
        case ast.Name(id=name):
            if name in HELPERS:
                return ["function", "*"]
            is_class = isinstance(getattr(builtins, name, None), type) or name[:1].isupper()
            return ["type" if is_class else "builtin_function_or_method"]
        case ast.Attribute(value=inner):
            return [ast.unparse(inner)]
        case ast.Call(func=function):
            name = ast.unparse(function).rpartition(".")[2]
            return [_BY_CALL.get(name, name)]
        case ast.BinOp(left=left):
            return _kinds_of(left)
    return ["other"]
