"""What definitions are for that nobody calls alone: to decorate, to describe, to be inherited from.

A descriptor shows what it does in a class, a decorator on a function or a class, an abstract class
in an heir. Which of these a definition wants is read from its source.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from enum import StrEnum

from hybridgen.domain import Parameter, ParameterKind, Target, TargetKind
from hybridgen.explore.genomes.catalogue import Catalogue, base_name, is_left_open, is_protocol
from hybridgen.explore.wanted.duck import FUNCTION_NAMES

CLASS_NAMES = frozenset({"cls", "klass", "class_", "kls"})
ACCESSED = ("__get__", "__set__", "__delete__")
DESCRIBING = (*ACCESSED, "__set_name__")
ACCESSES = (*DESCRIBING, "__init_subclass__")
"""Methods that Python itself calls where a class is used as it is meant to be."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
TakesFunction = Callable[[Target, Parameter], bool]


class Role(StrEnum):
    """What a definition is in the code that uses it."""

    FIELD = "field"  # value = Bounded(0, 9)
    PROPERTY = "property"  # a decorator of a method that is then read like a value
    METHOD = "method"  # a decorator of a method that is then called
    FUNCTION = "function"  # a decorator of a function
    CLASS = "class"  # a decorator of a class
    BASE = "base"  # a base of a class


Use = tuple[Role, bool]
"""A role, and whether arguments come first: ``@retry(3)`` and not ``@retry``."""


def uses_of(target: Target, catalogue: Catalogue, takes_function: TakesFunction) -> tuple[Use, ...]:
    """The ways in which a function or a class is used other than by a plain call.

    Args:
        takes_function: whether a parameter seems to want something that can be called.
    """
    if target.kind is TargetKind.CLASS:
        found = _of_class(target, catalogue, takes_function)
    elif target.kind is TargetKind.FUNCTION and not target.is_async:
        found = _of_function(target, takes_function)
    else:
        return ()
    return tuple(dict.fromkeys(found))


def is_for_classes(parameter: Parameter) -> bool:
    """Whether a parameter wants a class."""
    return parameter.name in CLASS_NAMES or (parameter.annotation or "").startswith(
        ("type", "Type", "typing.Type")
    )


def _of_class(target: Target, catalogue: Catalogue, takes_function: TakesFunction) -> Iterator[Use]:
    found = {m.name: m for m in reversed(list(catalogue.inherited(target.qualname)))}
    describes = any(name in found for name in DESCRIBING)
    first = _only(catalogue.constructor(target).parameters)
    later = _only(found["__call__"].parameters) if "__call__" in found else None
    if later is not None and is_for_classes(later):
        yield Role.CLASS, True
    elif later is not None and takes_function(found["__call__"], later):
        yield from ((Role.PROPERTY, True),) if describes else _BOTH_LATER
    elif first is not None and takes_function(target, first):
        if describes:
            yield (Role.METHOD if "__call__" in found else Role.PROPERTY), False
        elif "__call__" in found:
            yield Role.FUNCTION, False
    elif "__get__" in found or "__set__" in found:
        yield Role.FIELD, True
    if _wants_heirs(target, found, catalogue):
        yield Role.BASE, True


def _wants_heirs(target: Target, found: dict[str, Target], catalogue: Catalogue) -> bool:
    """Whether a class is used by classes that inherit from it only, and this module has none."""
    if "__init_subclass__" in found:
        return True
    head = target.source.partition(":")[0]
    keyword = next((part for part in head.split(",") if "metaclass=" in part), "")
    if base_name(keyword.partition("=")[2].strip(" )\n")) in catalogue.classes:
        return True
    is_open = any(map(is_left_open, found.values()))
    return is_open and not catalogue.heirs.get(target.qualname) and not is_protocol(target)


_BOTH: tuple[Use, ...] = ((Role.METHOD, False), (Role.FUNCTION, False))
_BOTH_LATER: tuple[Use, ...] = ((Role.METHOD, True), (Role.FUNCTION, True))


def _of_function(target: Target, takes_function: TakesFunction) -> Iterator[Use]:
    try:
        node = ast.parse(target.source).body[0]
    except (SyntaxError, ValueError, RecursionError, IndexError):
        return
    if not isinstance(node, Function):
        return
    first = _only(target.parameters)
    is_direct = False
    if first is not None:
        if is_for_classes(first) and _hands_on(node, first.name, of_class=True):
            yield Role.CLASS, False
        elif takes_function(target, first) and _hands_on(node, first.name):
            is_direct = True
            yield from _BOTH
    for value in _returned(node):
        match value:
            case ast.Name(id=name) if name in (inner := _inner(node)):
                parameters = inner[name].args.args
                if len(parameters) == 1 and _is_given_function(inner[name], parameters[0].arg):
                    yield from _later(inner[name], parameters[0])
            case ast.Lambda() | ast.Call(args=[ast.Name(id=target.name), *_]) if is_direct:
                yield from _BOTH_LATER  # partial(traced, prefix=prefix)


def _is_given_function(node: Function, name: str) -> bool:
    """Whether a function's own parameter is a function or a class."""
    called = (p.func for p in ast.walk(node) if isinstance(p, ast.Call))
    is_called = any(isinstance(part, ast.Name) and part.id == name for part in called)
    return is_called or name in FUNCTION_NAMES or name in CLASS_NAMES


def _later(node: Function, argument: ast.arg) -> Iterator[Use]:
    """For the function that a factory of decorators returns."""
    if argument.arg in CLASS_NAMES:
        if _hands_on(node, argument.arg, of_class=True):
            yield Role.CLASS, True
    elif _hands_on(node, argument.arg):
        yield from _BOTH_LATER


def _hands_on(node: Function, name: str, *, of_class: bool = False) -> bool:
    """Whether a function returns what it is given, or something made around it."""
    inner = _inner(node)
    for value in _returned(node):
        match value:
            case ast.Name(id=other) if other in inner:
                if of_class or name in _names(inner[other]):
                    return True
            case ast.Name(id=other) if other == name:
                return True
            case ast.Call(func=function, args=args):
                named = set().union(*map(_names, (function, *args)))
                if name in named and not (isinstance(function, ast.Name) and function.id == name):
                    return True
            case ast.Name(id=other):
                if any(name in _names(part) for part in _scope(node) if _binds(part, other)):
                    return True
    return False


def _binds(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Assign) and any(
        isinstance(part, ast.Name) and part.id == name for part in node.targets
    )


def _only(parameters: tuple[Parameter, ...]) -> Parameter | None:
    """The first parameter, where nothing else has to be given."""
    plain = [p for p in parameters if not p.kind.is_variadic]
    if not plain or plain[0].kind is ParameterKind.KEYWORD:
        return None
    return plain[0] if all(p.default is not None for p in plain[1:]) else None


def _inner(node: Function) -> dict[str, Function]:
    return {part.name: part for part in _scope(node) if isinstance(part, Function)}


def _returned(node: Function) -> list[ast.expr]:
    found = (part.value for part in _scope(node) if isinstance(part, ast.Return))
    return [value for value in found if value is not None]


def _scope(node: Function) -> Iterator[ast.AST]:
    """The parts of a function without the insides of functions and classes in it."""
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        part = waiting.pop(0)
        yield part
        if not isinstance(part, Function | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(part)


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
