"""Arguments that fit type hints, and objects made as most tests make them."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from hybridgen.domain import Candidate, Step, Target, TargetKind
from hybridgen.explore.simplify.versions import (
    Version,
    is_movable,
    is_number_of,
    with_code,
)

HINTED = {
    "str": "'a'",
    "int": "1",
    "float": "1.5",
    "bool": "True",
    "bytes": "b'a'",
    "list": "[]",
    "dict": "{}",
    "set": "set()",
    "tuple": "()",
    "Decimal": "Decimal('1')",
}
"""A plain value for a parameter by its type hint."""


Hints = Mapping[str, Sequence[tuple[str, str]]]


def hints_of(targets: Sequence[Target]) -> Hints:
    """Name and annotation of the parameters of each function and class, by its short name.

    A name that several targets have says nothing.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    doubles: set[str] = set()
    for target in targets:
        is_meant = target.kind is TargetKind.CLASS or not target.name.startswith("__")
        if is_meant:
            doubles |= {target.name} & set(found)
            found[target.name] = [(p.name, p.annotation or "") for p in target.parameters]
    return {name: hints for name, hints in found.items() if name not in doubles}


def as_hinted(version: Version, hints: Hints) -> Iterator[Version]:
    """Values of the type hint for arguments of another type; ``Decimal("0")`` for ``Decimal()``."""
    objects = _objects(version.candidate)
    for index, step in enumerate(version.candidate.steps):
        if not is_movable(step):
            continue
        tree = ast.parse(step.code)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            if is_number_of(node) and not node.args and not node.keywords:
                node.args.append(ast.Constant("0"))
                yield with_code(version, index, ast.unparse(tree))
                node.args.pop()
            own = hints.get(ast.unparse(node.func).rpartition(".")[2], ())
            for place, argument in enumerate(node.args[: len(own)]):
                plain = _hinted(argument, own[place][1], objects)
                if plain is not None:
                    node.args[place] = plain
                    yield with_code(version, index, ast.unparse(tree))
                    node.args[place] = argument
            for keyword in node.keywords:
                plain = _hinted(keyword.value, dict(own).get(keyword.arg or "", ""), objects)
                if plain is not None:
                    before, keyword.value = keyword.value, plain
                    yield with_code(version, index, ast.unparse(tree))
                    keyword.value = before


def constructions(candidates: Iterable[Candidate]) -> dict[str, str]:
    """How most of the tests make an object: ``cart = Cart`` -> ``cart = Cart("a")``."""
    counts = Counter(
        (made, step.code)
        for candidate in candidates
        for step in candidate.steps
        if (made := _construction(step)) is not None
    )
    found: dict[str, str] = {}
    for (made, code), _ in sorted(counts.items(), key=lambda i: (-i[1], len(i[0][1]), i[0])):
        found.setdefault(made, code)
    return found


def _construction(step: Step) -> str | None:
    match ast.parse(step.code).body:
        case [ast.Assign(targets=[ast.Name(name)], value=ast.Call(func=function))]:
            kind = ast.unparse(function)
            return f"{name} = {kind}" if kind[:1].isupper() else None
    return None


def as_others(version: Version, common: Mapping[str, str]) -> Iterator[Version]:
    """The object made as in most of the other tests, which then share a fixture."""
    for index, step in enumerate(version.candidate.steps):
        code = common.get(_construction(step) or "", step.code)
        if code != step.code:
            yield with_code(version, index, code)


def _objects(candidate: Candidate) -> frozenset[str]:
    """Names of variables that hold an object of some class: ``cart = Cart("a")``."""
    found = set()
    for step in candidate.steps:
        match ast.parse(step.code).body:
            case [ast.Assign(targets=[ast.Name(name)], value=ast.Call(func=ast.Name(kind)))]:
                if kind[:1].isupper() and kind not in HINTED:
                    found.add(name)
    return frozenset(found)


def _hinted(argument: ast.expr, annotation: str, objects: Collection[str]) -> ast.expr | None:
    """A plain value for a parameter whose hint does not admit the argument, else None."""
    kinds = {re.split(r"[\[.]", part.strip())[0] for part in annotation.split("|")}
    if "Decimal" in annotation and annotation.endswith("Decimal"):
        kinds = {"Decimal"}
    if not kinds <= {*HINTED, "None"}:
        return None
    is_object = isinstance(argument, ast.Name) and argument.id in objects
    given = "object" if is_object else _type_of(argument)
    is_fitting = given in kinds or (given, "float") in [("int", k) for k in kinds]
    if not given or is_fitting:
        return None
    wanted = next((kind for kind in HINTED if kind in kinds), None)
    return None if wanted is None else ast.parse(HINTED[wanted], mode="eval").body


def _type_of(node: ast.expr) -> str:
    """The type of a literal, a container or a Decimal, "" for anything else."""
    match node:
        case ast.Constant(value=None):
            return "None"
        case ast.Constant(value=value):
            return type(value).__name__
        case ast.UnaryOp(operand=operand):
            return _type_of(operand)
        case ast.List():
            return "list"
        case ast.Dict():
            return "dict"
        case ast.Tuple():
            return "tuple"
        case ast.Set():
            return "set"
        case ast.Call(func=ast.Name(id="Decimal")):
            return "Decimal"
    return ""
