"""What a case really shows: a sequence for one method may end with a call of another."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from hybridgen.domain import Observation, Target
from hybridgen.dunders import SYMBOLS

# A builtin on an instance calls a method of its class.
_BUILTINS = {
    "bool": "__bool__",
    "hash": "__hash__",
    "iter": "__iter__",
    "len": "__len__",
    "list": "__iter__",
    "next": "__next__",
    "repr": "__repr__",
    "sorted": "__iter__",
    "str": "__str__",
    "tuple": "__iter__",
}


def subject_of(observation: Observation, targets: Iterable[Target]) -> str:
    """The qualified name of what the last step of a case calls on an instance.

    Where that is not plain to see, or no target, it is the target that the case was made for.
    An operator counts even if its method is inherited.
    """
    known = {target.qualname for target in targets}
    *before, last = observation.candidate.steps
    classes: dict[str, str] = {}
    for step in before:
        for node in _body(step.code):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=function)):
                    if kind := _class_of(function, known):
                        classes[name] = kind
    for node in _body(last.code):
        found = _method(getattr(node, "value", None), classes, known)
        is_operator = found.endswith("__") and found.rpartition(".")[0] in known
        if found in known or is_operator:
            return found
    return observation.candidate.target


def _method(node: ast.expr | None, classes: dict[str, str], known: set[str]) -> str:
    """``Cart.add`` for ``cart.add(1)``, ``Cart.__len__`` for ``len(cart)``, else ""."""
    match node:
        case ast.Compare(
            left=ast.Call(func=ast.Name(id=one), args=[ast.Name(id=name)]),
            comparators=[ast.Call(func=ast.Name(id=other), args=[ast.Name(id=again)])],
        ) if one == other and name == again:  # hash(x) == hash(x)
            attribute = _BUILTINS.get(one, "")
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute)) if (
            name in classes
        ):
            pass
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            pass
        case ast.Subscript(value=ast.Name(id=name)):
            attribute = "__getitem__"
        case ast.Call(func=ast.Name(id=function), args=[ast.Name(id=name)]):
            attribute = _BUILTINS.get(function, "")
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=name)]):
            attribute = "__contains__"
        case (
            ast.Compare(left=ast.Name(id=name), ops=[operator])
            | ast.BinOp(left=ast.Name(id=name), op=operator)
            | ast.UnaryOp(operand=ast.Name(id=name), op=operator)
        ):
            attribute = SYMBOLS.get(type(operator), "")
        case ast.Call(func=ast.Attribute(value=ast.Call(func=function), attr=attribute)) if (
            kind := _class_of(function, known)
        ):  # Version.parse("1.2.3").bump_major()
            return f"{kind}.{attribute}"
        case ast.Call(args=[inner], keywords=[]):  # asyncio.run(cart.load()), list(cart.items())
            return _method(inner, classes, known)
        case ast.Await(value=inner):
            return _method(inner, classes, known)
        case _:
            return ""
    return f"{classes[name]}.{attribute}" if name in classes and attribute else ""


def _class_of(function: ast.expr, known: set[str]) -> str:
    """The class whose instance a call gives, as far as its name tells, or ""."""
    kind = ast.unparse(function)
    owner = kind.rpartition(".")[0]  # Version.parse("1.2.3")
    return next((name for name in (owner, kind) if name in known), "")


def _body(code: str) -> list[ast.stmt]:
    try:
        return ast.parse(code.strip()).body
    except (SyntaxError, ValueError):
        return []
