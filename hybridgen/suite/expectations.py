"""Whether expected values are built by classes alone.

What a test expects was told by the worker, in which the code under test ran: it is no reason to
call a function of the project with arguments of anybody's choice. By its name, ``Zap("x")`` could
be either; the source that the name comes from says which.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from hybridgen.domain import Check, Module, Observation
from hybridgen.suite.imports import Import, imports_in, module_imports, parse_imports
from hybridgen.suite.unfolding import dotted

_MAKERS = ("namedtuple", "NamedTuple", "make_dataclass")
_LARGEST = 2_000_000  # characters of a file that is read for its classes
_STEPS = 4  # of a class that one module has from another

_Names = Mapping[str, frozenset[str | Import]]


def expects_by_a_function(observation: Observation, module: Module, import_name: str) -> bool:
    """True if an expected value calls what is not known to be a class.

    Classes are those of the standard library (the allow-list says of which modules) and those
    that a module of the project defines by a class statement or as a named tuple.
    """
    own = {item.bound: item for item in _imports(observation.candidate.imports, import_name)}
    for check in _checks(observation):
        told = {item.bound: item for item in _imports(check.imports, import_name)}
        for call in _calls(check.expression):
            path = dotted(call.func).split(".")
            origin = told.get(path[0]) or own.get(path[0]) or _inside(path[0], module, import_name)
            if origin is None:
                if len(path) > 1 or not hasattr(builtins, path[0]):
                    return True
            elif not _is_class(origin, path[1:], module, import_name):
                return True
    return False


def _imports(statements: Sequence[str], import_name: str) -> tuple[Import, ...]:
    return parse_imports(statements, import_name.rpartition(".")[0])


def _checks(observation: Observation) -> Iterator[Check]:
    for result in observation.results:
        yield from result.checks
        for _, checks in result.changed:
            yield from checks


def _calls(expression: str) -> Iterator[ast.Call]:
    try:
        tree = ast.parse(expression.strip() or "None", mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _inside(name: str, module: Module, import_name: str) -> Import | None:
    """What a name means inside of the module under test, None for a builtin."""
    if name not in module.names:
        return None
    return module_imports(module, import_name).get(name, Import(import_name, name))


def _is_class(origin: Import, path: Sequence[str], module: Module, import_name: str) -> bool:
    """Whether ``origin`` followed by attributes is a class."""
    top = origin.module.partition(".")[0]
    if top in sys.stdlib_module_names and top != import_name.partition(".")[0]:
        return True
    full = [*([origin.name] if origin.name else []), *path]
    name = origin.module
    if not origin.name and not origin.alias and origin.module != top:  # import shop.money
        below = origin.module.split(".")[1:]
        if list(path[: len(below)]) != below:
            return False
        full = list(path[len(below) :])
    for _ in range(_STEPS):
        defined = _definitions(name, module, import_name)
        meanings = defined.get(".".join(full), frozenset())
        if meanings == {"class"}:
            return True
        others = defined.get(full[0], frozenset()) if full else frozenset()
        items = [item for item in others if isinstance(item, Import)]
        if len(others) != 1 or not items or not items[0].name:
            return False
        name, full = items[0].module, [items[0].name, *full[1:]]
    return False


def _definitions(name: str, module: Module, import_name: str) -> _Names:
    """What the names of a module of the project are."""
    if name == import_name:
        return _of_source(module.source.text, name, module.path.stem == "__init__")
    if name.partition(".")[0] != import_name.partition(".")[0]:
        return {}
    for root in dict.fromkeys(item.root for item in module.import_names):
        place = root.joinpath(*name.split("."))
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            text = _text(path)
            if text is not None:
                return _of_source(text, name, path.stem == "__init__")
    return {}


def _text(path: Path) -> str | None:
    try:
        if path.stat().st_size > _LARGEST:
            return None
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=64)
def _of_source(source: str, name: str, is_package: bool) -> _Names:
    """For each name, and each class inside of a class, ``"class"``, ``"other"`` or an import."""
    package = name if is_package else name.rpartition(".")[0]
    found: defaultdict[str, set[str | Import]] = defaultdict(set)
    try:
        for key, meaning in _meanings(ast.parse(source).body, "", package):
            found[key].add(meaning)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    return {key: frozenset(meanings) for key, meanings in found.items()}


def _meanings(
    body: Iterable[ast.AST], prefix: str, package: str
) -> Iterator[tuple[str, str | Import]]:
    for node in body:
        match node:
            case ast.ClassDef(name=name):
                yield f"{prefix}{name}", "class"
                yield from _meanings(node.body, f"{prefix}{name}.", package)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield f"{prefix}{name}", "other"
            case ast.Import() | ast.ImportFrom():
                yield from ((f"{prefix}{i.bound}", i) for i in imports_in(node, package))
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=maker)) if (
                dotted(maker).rpartition(".")[2] in _MAKERS
            ):
                yield f"{prefix}{name}", "class"
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield f"{prefix}{name}", "other"
            case _:
                yield from _meanings(ast.iter_child_nodes(node), prefix, package)
