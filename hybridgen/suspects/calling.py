"""Which targets the steps of a candidate call, and whether anybody would call them so.

An exception or a wrong type is only worth a line where the input was one that the code asks for:
it fits every type hint, it stands in the documentation, or it is of a kind that stands there.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hybridgen.domain import (
    Candidate,
    Module,
    Observation,
    Parameter,
    ParameterKind,
    Step,
    Target,
    TargetKind,
)
from hybridgen.suspects.kinds import Hints, kind_of, parsed

DOCUMENTED = "docstring"
"""Origin of candidates that stand in a docstring."""

ELSEWHERE = "example"
"""Origin of candidates that stand in documents, tests or other code of the project."""


REPLACES = re.compile(r"monkeypatch\.|ticks = ")
"""A step that puts something else in the place of what surrounds a call."""


COMPARISONS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Eq: ("__eq__",),
    ast.NotEq: ("__ne__", "__eq__"),
    ast.Lt: ("__lt__",),
    ast.LtE: ("__le__",),
    ast.Gt: ("__gt__",),
    ast.GtE: ("__ge__",),
}
"""Methods that a comparison calls, the first that there is."""


@dataclass(frozen=True, slots=True)
class Called:
    """A call of a target.

    Attributes:
        arguments: what goes to which parameter; None where that is not plain to see.
        is_whole: True if the step is this call and nothing else, so that its value is the call's.
    """

    target: Target
    arguments: tuple[tuple[Parameter, ast.expr], ...] | None
    is_whole: bool


class Caller:
    """Understands the calls in candidates for one module.

    Args:
        observations: those that people wrote say what kinds of values are usual.
    """

    def __init__(self, module: Module, observations: Iterable[Observation] = ()) -> None:
        self.hints = Hints(module)
        self.targets = {target.qualname: target for target in module.targets}
        self._usual: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for observation in observations:
            if observation.candidate.origin in (DOCUMENTED, ELSEWHERE):
                self._learn(observation)

    def _learn(self, observation: Observation) -> None:
        statuses = [result.status for result in observation.results]
        if any(status != "ok" for status in statuses):
            return
        for calls in self.calls(observation.candidate):
            for call in calls:
                for parameter, value in call.arguments or ():
                    self._usual[call.target.qualname, parameter.name].add(kind_of(value))

    def calls(self, candidate: Candidate) -> Iterator[tuple[Called, ...]]:
        """For each step the calls of targets in it."""
        classes: dict[str, str] = {}
        for step in candidate.steps:
            yield tuple(self._calls(step, classes))
            match _statement(step):
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=function)):
                    classes[name] = ast.unparse(function)

    def is_plausible(self, candidate: Candidate) -> bool:
        """True if all calls of targets in ``candidate`` have arguments that are asked for."""
        if candidate.origin == DOCUMENTED:
            return True
        if candidate.origin == "odd":
            return False
        found = [call for calls in self.calls(candidate) for call in calls]
        return bool(found) and all(map(self.is_asked_for, found))

    def is_asked_for(self, call: Called) -> bool:
        """True if every argument fits its hint, or is of a kind that is usual for it."""
        if call.arguments is None:
            return False
        return all(self._fits(call.target, item, value) for item, value in call.arguments)

    def _fits(self, target: Target, parameter: Parameter, value: ast.expr) -> bool:
        if parameter.default is not None and ast.unparse(value) == parameter.default:
            return True
        if parameter.annotation is not None:
            return self.hints.admits(parameter.annotation, value, is_deep=True) is True
        kind = kind_of(value)
        default = parsed(parameter.default or "None")
        usual = set(self._usual.get((target.qualname, parameter.name), ()))
        if default is not None and kind_of(default) != "NoneType":
            usual.add(kind_of(default))
        return kind in usual - {"", "function"}

    def _calls(self, step: Step, classes: dict[str, str]) -> Iterator[Called]:
        statement = _statement(step)
        if statement is None:
            return
        whole = statement.value if isinstance(statement, ast.Assign | ast.Expr) else None
        if isinstance(whole, ast.Await):
            whole = whole.value
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                target = self._called(node.func, classes)
                if target is not None:
                    yield Called(target, bound(target, node), node is whole)
            elif isinstance(node, ast.Compare):
                yield from self._compared(node, classes, is_whole=node is whole)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                target = self._called(node, classes)
                if target is not None and target.binding == "property":
                    yield Called(target, (), node is whole)

    def _compared(
        self, node: ast.Compare, classes: dict[str, str], *, is_whole: bool
    ) -> Iterator[Called]:
        """``Stack() == 4`` calls ``Stack.__eq__(4)``."""
        owner = node.left.func if isinstance(node.left, ast.Call) else node.left
        if not isinstance(owner, ast.Name) or len(node.ops) != 1:
            return
        name = classes.get(owner.id, owner.id if owner is not node.left else "")
        for method in COMPARISONS.get(type(node.ops[0]), ()):
            target = self.method(name, method)
            if target is not None and target.parameters:
                yield Called(target, ((target.parameters[0], node.comparators[0]),), is_whole)
                return

    def _called(self, function: ast.expr, classes: dict[str, str]) -> Target | None:
        match function:
            case ast.Name(id=name):
                target = self.targets.get(name)
                if target is not None and target.kind is TargetKind.CLASS:
                    return self.constructor(target)
                return target
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                return self.method(classes.get(owner, owner), name)
        return None

    def method(self, owner: str, name: str) -> Target | None:
        """A method of a class of the module, inherited ones too."""
        for _ in range(5):
            found = self.targets.get(f"{owner}.{name}")
            if found is not None or owner not in self.targets:
                return found
            bases = self.targets[owner].bases
            owner = bases[0].split("[")[0] if bases else ""
        return None

    def constructor(self, target: Target) -> Target:
        """What takes the arguments of a construction: the class, or the base that has them."""
        seen = target
        for _ in range(5):
            if seen.parameters or not seen.bases:
                break
            base = self.targets.get(seen.bases[0].split("[")[0].split(".")[-1])
            if base is None:
                break
            seen = base
        return seen


def is_replacing(candidate: Candidate) -> bool:
    """True if something stands in for a program, a service, the clock: it may be to blame."""
    return any(REPLACES.match(step.code) for step in candidate.steps)


def bound(target: Target, call: ast.Call) -> tuple[tuple[Parameter, ast.expr], ...] | None:
    """Arguments by parameter, or None where the call is not so plain."""
    if any(isinstance(item, ast.Starred) for item in call.args):
        return None
    by_name = {parameter.name: parameter for parameter in target.parameters}
    rest = next((p for p in target.parameters if p.kind is ParameterKind.VAR_KEYWORD), None)
    found: list[tuple[Parameter, ast.expr]] = []
    for at, value in enumerate(call.args):
        parameter = _positional(target.parameters, at)
        if parameter is None:
            return None
        found.append((parameter, value))
    for keyword in call.keywords:
        named = by_name.get(keyword.arg or "", rest)
        if keyword.arg is None or named is None:
            return None
        found.append((named, keyword.value))
    return tuple(found)


def _positional(parameters: Sequence[Parameter], at: int) -> Parameter | None:
    for index, parameter in enumerate(parameters):
        if parameter.kind is ParameterKind.VAR_POSITIONAL:
            return parameter
        if parameter.kind in (ParameterKind.KEYWORD, ParameterKind.VAR_KEYWORD):
            return None
        if index == at:
            return parameter
    return None


def _statement(step: Step) -> ast.stmt | None:
    try:
        body = ast.parse(step.code.strip()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return body[0] if len(body) == 1 else None
