"""Which names a candidate may use: the module's own, safe builtins, a short list of the stdlib.

What is written must be harmless when the developer runs it outside the sandbox, so everything
here is an allow-list: a name that no list knows takes its statement with it.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from hybridgen.domain import Module, Target, TargetKind
from hybridgen.post.syntax import dotted, parse, words

SAFE_MODULES = words(
    """
    array base64 binascii bisect calendar cmath collections collections.abc copy
    dataclasses datetime decimal difflib enum fractions functools hashlib heapq html
    ipaddress itertools json math numbers re statistics string struct textwrap typing
    unicodedata uuid zoneinfo
    """
)
# Of these only some names are harmless.
_SAFE_PARTS = {
    "asyncio": words(
        """
    run sleep gather wait_for Event Lock Queue Semaphore Future TimeoutError
    CancelledError QueueEmpty QueueFull iscoroutine iscoroutinefunction
    """
    ),
    "io": frozenset({"StringIO", "BytesIO"}),
    "operator": words("add sub mul truediv floordiv mod neg eq ne lt le gt ge not_"),
    "pathlib": frozenset({"Path", "PurePath", "PurePosixPath", "PureWindowsPath"}),
    "types": frozenset({"SimpleNamespace", "MappingProxyType"}),
}
_WELL_KNOWN = {
    name: origin
    for origin, names in {
        "collections": "Counter OrderedDict defaultdict deque namedtuple",
        "dataclasses": "dataclass",
        "datetime": "date timedelta timezone",
        "decimal": "Decimal ROUND_HALF_UP ROUND_HALF_EVEN ROUND_DOWN ROUND_UP InvalidOperation",
        "enum": "Enum IntEnum",
        "fractions": "Fraction",
        "functools": "partial reduce",
        "io": "StringIO BytesIO",
        "pathlib": "Path PurePath",
        "types": "SimpleNamespace",
        "typing": "Any Optional Union List Dict Tuple Set NamedTuple",
        "uuid": "UUID",
        "zoneinfo": "ZoneInfo",
    }.items()
    for name in names.split()
}
_FORBIDDEN_BUILTINS = words(
    """
    open exec eval compile __import__ globals locals vars input breakpoint exit quit help
    getattr setattr delattr copyright credits license super __build_class__ __loader__
    __spec__ memoryview
    """
)
_BUILTINS = frozenset(
    name for name in dir(builtins) if name not in _FORBIDDEN_BUILTINS and name != "_"
)
_CONSTRUCTORS = words("strptime fromisoformat combine fromtimestamp")
_NEVER_OURS = words(
    """
    numpy pandas pytest unittest mock hypothesis requests nose asynctest parameterized
    freezegun os sys random time subprocess socket shutil tempfile threading logging
    contextlib
    """
)


@dataclass(slots=True)
class Imports:
    """What the import statements of an answer bind.

    Attributes:
        aliases: bound name -> name in the module under test.
        modules: names that stand for the module under test or its packages.
        statements: bound name -> import statement from the allowed standard library.
    """

    aliases: dict[str, str] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)
    statements: dict[str, str] = field(default_factory=dict)


def safe_import(origin: str, name: str | None, bound: str) -> str | None:
    """The statement that imports ``origin`` (or ``name`` from it) as ``bound``, if allowed."""
    if name is None:
        if origin not in SAFE_MODULES and origin not in _SAFE_PARTS:
            return None
        return (
            f"import {origin}" if bound == origin.split(".")[0] else f"import {origin} as {bound}"
        )
    parts = _SAFE_PARTS.get(origin)
    if name == "*" or (name not in parts if parts is not None else origin not in SAFE_MODULES):
        return None
    return f"from {origin} import {name}" + ("" if bound == name else f" as {bound}")


def is_safe_part(origin: str, name: str) -> bool:
    """True if ``origin.name`` may be used where ``origin`` is an allowed module."""
    parts = _SAFE_PARTS.get(origin)
    return parts is None or name in parts


class Vocabulary:
    """The names around one target, for one answer.

    Attributes:
        own: names that the module defines itself.
        async_functions: own coroutine functions; async_methods: names of coroutine methods.
        classes: own classes by name.
        imports: what the answer imported.
    """

    def __init__(self, module: Module, target: Target, imports: Imports | None = None) -> None:
        self.target = target
        self.imports = imports or Imports()
        imported = _bindings(module.imports)
        self.own = frozenset(module.names - imported.keys())
        self._inherited = {name: imported[name] for name in module.names & imported.keys()}
        self.async_functions = {
            item.name
            for item in module.targets
            if item.is_async and item.kind is TargetKind.FUNCTION
        }
        self.async_methods = {
            item.name for item in module.targets if item.is_async and item.parent is not None
        }
        self.classes = {item.name: item for item in module.targets if item.kind is TargetKind.CLASS}
        self.functions = {
            item.name: item for item in module.targets if item.kind is TargetKind.FUNCTION
        }
        self.definitions = self.classes.keys() | self.functions.keys()
        self.methods = {item.name for item in module.targets if item.kind is TargetKind.METHOD}

    def is_known(self, name: str) -> bool:
        """True if ``name`` may be used without being set up in the candidate."""
        return (
            name in self.own
            or name in _BUILTINS
            or self.import_for(name) is not None
            or (self._inherited.get(name) == "")
        )

    def import_for(self, name: str) -> str | None:
        """The standard library import that ``name`` needs, or None."""
        if name in self.own:
            return None
        if name in self.imports.statements:
            return self.imports.statements[name]
        if self._inherited.get(name):
            return self._inherited[name]
        if name in self._inherited or name in _BUILTINS:
            return None
        if name in _WELL_KNOWN:
            return f"from {_WELL_KNOWN[name]} import {name}"
        return safe_import(name, None, name)

    def own_name(self, name: str) -> str | None:
        """The module's own name that ``name`` stands for: itself, an alias, or a misspelling."""
        name = self.imports.aliases.get(name, name)
        if name in self.own:
            return name
        # "account" is no misspelling of "Account": it is a variable.
        is_class = name[0].isupper()
        wanted = {_squeezed(own): own for own in sorted(self.own) if own[0].isupper() == is_class}
        if name in self._inherited or name in _BUILTINS or len(name) < 4:
            return None
        close = get_close_matches(_squeezed(name), wanted, n=2, cutoff=0.84)
        return wanted[close[0]] if len(close) == 1 else None

    def is_about_module(self, names: Iterable[str]) -> bool:
        """True if one of ``names`` is defined by the module under test."""
        return not self.own.isdisjoint(names)

    def new_object(self, name: str) -> str | None:
        """The class that an undefined ``name`` is an object of, if it needs no arguments."""
        for class_name, definition in self.classes.items():
            needed = [
                item
                for item in definition.parameters
                if item.default is None and not item.kind.startswith("var")
            ]
            if not needed and _squeezed(class_name) == _squeezed(name) and name != class_name:
                return class_name
        return None


def _squeezed(name: str) -> str:
    return re.sub(r"_", "", name).lower()


def _bindings(imports: tuple[str, ...]) -> dict[str, str | None]:
    """Bound name -> safe import statement; None forbids it, "" leaves it to the module."""
    bound: dict[str, str | None] = {}
    for statement in imports:
        for node in ast.walk(ast.Module(parse(statement.strip()) or [], [])):
            if isinstance(node, ast.Import):
                for item in node.names:
                    name = item.asname or item.name.split(".")[0]
                    bound[name] = _inherited(item.name, None, name)
            elif isinstance(node, ast.ImportFrom):
                for item in node.names:
                    name = item.asname or item.name
                    origin = "." if node.level else node.module or "."
                    bound[name] = _inherited(origin, item.name, name)
    return bound


def _inherited(origin: str, name: str | None, bound: str) -> str | None:
    statement = safe_import(origin, name, bound)
    if statement is not None:
        return statement
    root = origin.split(".")[0]
    # Project code and third-party values may be used through the module; whole third-party
    # modules and the rest of the standard library may not.
    if origin == "." or (
        name is not None and root not in sys.stdlib_module_names and root not in _NEVER_OURS
    ):
        return ""
    return None


def read_imports(nodes: Iterable[ast.AST], vocabulary: Vocabulary) -> Imports:
    """What the import statements among ``nodes`` bind."""
    found = Imports()
    for node in nodes:
        if isinstance(node, ast.Import):
            for item in node.names:
                root = item.name.split(".")[0]
                bound = item.asname or root
                statement = safe_import(item.name, None, bound)
                if statement:
                    found.statements[bound] = statement
                elif root not in sys.stdlib_module_names and root not in _NEVER_OURS:
                    found.modules.add(bound)
        elif isinstance(node, ast.ImportFrom):
            _read_from(node, vocabulary, found)
        elif isinstance(node, ast.Call) and "datetime" not in found.statements:
            parts = dotted(node.func) or [""]
            # The class is meant, not the module, and nobody imported it.
            if parts == ["datetime"] or (parts[0] == "datetime" and parts[1] in _CONSTRUCTORS):
                found.statements.setdefault("datetime", "from datetime import datetime")
    return found


def _read_from(node: ast.ImportFrom, vocabulary: Vocabulary, found: Imports) -> None:
    origin = "" if node.level else node.module or ""
    for item in node.names:
        bound = item.asname or item.name
        statement = safe_import(origin, item.name, bound)
        if statement and item.name not in vocabulary.own:
            found.statements[bound] = statement
        elif origin.split(".")[0] in _NEVER_OURS:
            continue
        elif item.name in vocabulary.own:
            found.aliases[bound] = item.name
        else:
            # "from package import module", or a misspelling that own_name() repairs.
            found.aliases[bound] = item.name
            found.modules.add(bound)
