"""What a case really shows: a sequence for one method may end with a call of another."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from hybridgen.domain import Observation, Target
from hybridgen.dunders import SYMBOLS

# A builtin on an instance calls a method of its class.
_BUILTINS = {
    "abs": "__abs__",
    "bool": "__bool__",
    "complex": "__complex__",
    "float": "__float__",
    "format": "__format__",
    "hash": "__hash__",
    "int": "__int__",
    "iter": "__iter__",
    "len": "__len__",
    "list": "__iter__",
    "next": "__next__",
    "repr": "__repr__",
    "reversed": "__reversed__",
    "round": "__round__",
    "sorted": "__iter__",
    "str": "__str__",
    "tuple": "__iter__",
}


def subject_of(observation: Observation, targets: Iterable[Target]) -> str:
    """The qualified name of what the last step of a case calls.

    Where that is not plain to see, or no target, it is the target that the case was made for.
    An operator counts even if its method is inherited.
    """
    known = {target.qualname for target in targets}
    *before, last = observation.candidate.steps
    done = [node for step in before for node in _body(step.code)]
    inside = _coroutine(done, last.code)
    classes = {name: kind for node in (*done, *inside) for name, kind in _built(node, known)}
    for node in inside[-1:] or _body(last.code):
        if ast.unparse(node).startswith("runpy.run_module("):
            return "__main__"
        found = _changed(node, classes, known) or _method(
            getattr(node, "value", None), classes, known
        )
        is_operator = found.endswith("__") and found.rpartition(".")[0] in known
        if found in known or is_operator:
            return found
    return observation.candidate.target


def _coroutine(done: list[ast.stmt], last: str) -> list[ast.stmt]:
    """The statements of what a case defines only to run it: ``asyncio.run(scenario())``."""
    match _body(last):
        case [ast.Expr(value=ast.Call(args=[ast.Call(func=ast.Name(id=name), args=[])]))]:
            functions = [node for node in done if isinstance(node, ast.AsyncFunctionDef)]
            return [part for node in functions if node.name == name for part in _flat(node.body)]
    return []


def _flat(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.With | ast.AsyncWith):
            yield from _flat(node.body)


def _built(node: ast.stmt, known: set[str]) -> Iterator[tuple[str, str]]:
    """Variables that a statement binds to objects of a class, with its name."""
    pairs: list[tuple[ast.expr | None, ast.expr]] = []
    if isinstance(node, ast.Assign):
        pairs = [(node.targets[0], node.value)]
    elif isinstance(node, ast.With | ast.AsyncWith):
        pairs = [(item.optional_vars, item.context_expr) for item in node.items]
    for pair in pairs:
        match pair:
            case (ast.Name(id=name), ast.Call(func=function)):
                if kind := _class_of(function, known):
                    yield name, kind


def _changed(node: ast.stmt, classes: dict[str, str], known: set[str]) -> str:
    """``Cart.__iadd__`` for ``cart += 1``, ``Cart.__delitem__`` for ``del cart[0]``, or nothing."""
    match node:
        case ast.AugAssign(target=ast.Name(id=name), op=operator):
            attribute = SYMBOLS.get(type(operator), "")
            in_place = attribute.replace("__", "__i", 1)
            attribute = in_place if f"{classes.get(name)}.{in_place}" in known else attribute
        case ast.Delete(targets=[ast.Subscript(value=ast.Name(id=name))]):
            attribute = "__delitem__"
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))]):
            attribute = "__setitem__"
        case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=name), attr=attribute)]):
            pass  # a property is set
        case _:
            return ""
    return f"{classes[name]}.{attribute}" if name in classes and attribute else ""


def _method(node: ast.expr | None, classes: dict[str, str], known: set[str]) -> str:
    """``Cart.add`` for ``cart.add(1)``, ``Cart.__len__`` for ``len(cart)``, else ""."""
    match node:
        case ast.Compare(
            left=ast.Call(func=ast.Name(id=one), args=[ast.Name(id=name)]),
            comparators=[ast.Call(func=ast.Name(id=other), args=[ast.Name(id=again)])],
        ) if one == other and name == again:  # hash(x) == hash(x)
            attribute = _BUILTINS.get(one, "")
        case ast.Compare(left=ast.Call() as left, ops=[ast.Eq()]) if (
            found := _method(left, classes, known)
        ) and "." in found:  # cart.total() == 3
            return found
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute)) if (
            name in classes
        ):
            pass
        case ast.Call(func=ast.Name() | ast.Attribute() as function) if (
            called := ast.unparse(function)
        ) in known:  # total(cart), Version.parse("1.2.3")
            return called
        case ast.Call(func=ast.Name(id=name)) if name in classes:
            attribute = "__call__"
        case ast.ListComp(generators=[ast.comprehension(iter=inner, is_async=1)]):
            return _method(inner, classes, known)
        case ast.Attribute(value=ast.Call() as inner) | ast.Subscript(value=ast.Call() as inner):
            return _method(inner, classes, known)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            pass
        case ast.Subscript(value=ast.Name(id=name)):
            attribute = "__getitem__"
        case ast.Call(func=ast.Name(id=function), args=[ast.Name(id=name), *_]):
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
