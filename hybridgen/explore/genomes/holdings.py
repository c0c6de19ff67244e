"""Collections that an object starts with empty, and that only an attribute leads to.

``desk.players = [Player('Ann', 12)]`` fills what no parameter and perhaps no method does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from hybridgen.domain import Parameter, ParameterKind, Target, TargetKind
from hybridgen.explore.syntax import tree_of
from hybridgen.explore.wanted.duck import Ducks

EMPTY = {"list": "list", "dict": "dict", "set": "set", "deque": "deque", "OrderedDict": "dict"}
"""Functions that make an empty collection, and what may be given in its place."""


def holdings_of(target: Target, ducks: Ducks) -> tuple[Target, ...]:
    """What stands for the setting of each collection that objects of a class hold.

    Args:
        target: a class.
        ducks: knows what its code does with the items.
    """
    taken = {parameter.name for parameter in target.parameters}
    found: dict[str, Target] = {}
    for name, kind, hint in _held(target):
        if name not in taken and not name.startswith("_"):
            likely = [h for h in ducks.held(target.qualname, name) if h.startswith(f"{kind}[")]
            parameter = Parameter(name, ParameterKind.POSITIONAL, hint or (*likely, kind)[0])
            found[name] = _setting(target, parameter)
    return tuple(found.values())


def _held(target: Target) -> Iterator[tuple[str, str, str]]:
    """Attributes that the constructor makes empty: the name, the kind, the annotation."""
    for method in ast.walk(tree_of(target.source)):
        if not isinstance(method, ast.FunctionDef) or method.name != "__init__":
            continue
        for node in ast.walk(method):
            match node:
                case ast.Assign(targets=[ast.Attribute(ast.Name("self"), name)], value=value):
                    hint = ""
                case ast.AnnAssign(
                    ast.Attribute(ast.Name("self"), name), note, ast.expr() as value
                ):
                    hint = ast.unparse(note)
                case _:
                    continue
            kind = _kind_of(value)
            if kind:
                yield name, kind, hint


def _kind_of(value: ast.expr) -> str:
    match value:
        case ast.List(elts=[]):
            return "list"
        case ast.Dict(keys=[]):
            return "dict"
        case ast.Call(func=function, args=[], keywords=[]):
            return EMPTY.get(ast.unparse(function).rpartition(".")[2], "")
    return ""


def _setting(owner: Target, parameter: Parameter) -> Target:
    return Target(
        qualname=f"{owner.qualname}.{parameter.name}",
        kind=TargetKind.METHOD,
        is_async=False,
        parameters=(parameter,),
        returns=None,
        docstring=None,
        decorators=(),
        binding="",
        bases=(),
        first_line=0,
        last_line=0,
        source="",
        calls=(),
        raises=(),
        label=owner.label,
    )
