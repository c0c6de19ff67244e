"""Candidates on their way to plainer ones, and single changes of their steps."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from hybridgen.domain import Candidate, Step, StepKind
from hybridgen.explore.around.circumstances import is_set_up

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


_NUMERIC = ("Decimal", "Fraction")


_SETENV = re.compile(r"monkeypatch\.setenv\((?P<name>[^,]+), .+\)")


_ELSEWHERE = "monkeypatch.setenv({name}, '/elsewhere')"


@dataclass(frozen=True, slots=True)
class Version:
    """A candidate on its way to a plainer one.

    Attributes:
        places: for each of its steps, the place of the step that it was at the beginning.
    """

    candidate: Candidate
    places: tuple[int, ...]


def is_movable(step: Step) -> bool:
    """False for set-up of the world, and for functions and classes that a test defines."""
    nodes = ast.walk(ast.parse(step.code))
    return not is_set_up(step) and not any(isinstance(node, DEFINITIONS) for node in nodes)


def literals_in(candidate: Candidate, is_meant: Callable[[Step], bool]) -> list[object]:
    """The texts, bytes and numbers in the steps, in order, without doubles."""
    found: dict[str, object] = {}
    for step in candidate.steps:
        tree = ast.parse(step.code)
        inside = {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.JoinedStr)
            for part in ast.walk(node)
        }
        for node in ast.walk(tree) if is_meant(step) else ():
            if isinstance(node, ast.Constant) and id(node) not in inside:
                is_value = isinstance(node.value, str | bytes | int | float)
                if is_value and not isinstance(node.value, bool):
                    found.setdefault(repr(node.value), node.value)
    return list(found.values())


def numerals_in(candidate: Candidate) -> set[str]:
    """Texts that stand for numbers: ``"10.50"`` in ``Decimal("10.50")``."""
    return {
        argument.value
        for step in candidate.steps
        for node in ast.walk(ast.parse(step.code))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _NUMERIC
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def exchanged(version: Version, old: object, new: object) -> Version:
    """Another value wherever a literal stands."""
    steps = []
    for step in version.candidate.steps:
        tree, is_changed = ast.parse(step.code), False
        for node in ast.walk(tree) if is_movable(step) else ():
            if isinstance(node, ast.Constant) and repr(node.value) == repr(old):
                assert isinstance(new, str | bytes | int | float), "a literal for a literal"
                node.value, is_changed = new, True
        steps.append(replace(step, code=ast.unparse(tree)) if is_changed else step)
    return replace(version, candidate=replace(version.candidate, steps=tuple(steps)))


def with_code(version: Version, index: int, code: str) -> Version:
    """Another code for one step."""
    steps = list(version.candidate.steps)
    steps[index] = replace(steps[index], code=code)
    return replace(version, candidate=replace(version.candidate, steps=tuple(steps)))


def without_step(version: Version, place: int) -> Iterator[Version]:
    """Without one step of set-up; one that sets the environment has to be worth nothing."""
    index = version.places.index(place)
    step = version.candidate.steps[index]
    if step.kind is not StepKind.SETUP or (is_set_up(step) and not _SETENV.match(step.code)):
        return
    steps = (*version.candidate.steps[:index], *version.candidate.steps[index + 1 :])
    code = "\n".join(item.code for item in steps)
    if (found := _SETENV.match(step.code)) and found["name"] in code:
        return
    fixtures = tuple(name for name in version.candidate.fixtures if name in code)
    candidate = replace(version.candidate, steps=steps, fixtures=fixtures)
    yield Version(candidate, (*version.places[:index], *version.places[index + 1 :]))


def elsewhere(candidate: Candidate) -> Candidate | None:
    """The candidate where variables of the environment mean nothing; None if it sets none.

    A test that shows the same there needs none of them.
    """
    steps = tuple(
        replace(step, code=_ELSEWHERE.format(name=found["name"]))
        if (found := _SETENV.match(step.code))
        else step
        for step in candidate.steps
    )
    return None if steps == candidate.steps else replace(candidate, steps=steps)


def less(version: Version) -> Iterator[Version]:
    """One argument or item less, last ones first."""
    for index, step in enumerate(version.candidate.steps):
        if is_movable(step):
            for code in without_parts(step.code, is_kept=is_number_of):
                yield with_code(version, index, code)


def without_parts(
    code: str, is_kept: Callable[[ast.Call], bool], largest: int | None = None
) -> Iterator[str]:
    """``code`` with one argument or item of a container less.

    Args:
        is_kept: True for calls whose last argument by place stays.
        largest: takes the place of larger whole numbers; None leaves them.
    """
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for at in reversed(range(len(node.keywords))):
                keyword = node.keywords.pop(at)
                yield ast.unparse(tree)
                node.keywords.insert(at, keyword)
            if node.args and not node.keywords and not (_asks_builtin(node) or is_kept(node)):
                last = node.args.pop()
                yield ast.unparse(tree)
                node.args.append(last)
        elif isinstance(node, ast.List | ast.Set) and len(node.elts) > 1:
            for at in reversed(range(len(node.elts))):
                item = node.elts.pop(at)
                yield ast.unparse(tree)
                node.elts.insert(at, item)
        elif isinstance(node, ast.Dict) and len(node.keys) > 1:
            for at in reversed(range(len(node.keys))):
                key, value = node.keys.pop(at), node.values.pop(at)
                yield ast.unparse(tree)
                node.keys.insert(at, key)
                node.values.insert(at, value)
        elif isinstance(node, ast.Constant) and type(node.value) is int:
            if largest is not None and abs(node.value) > largest:
                number, node.value = node.value, largest
                yield ast.unparse(tree)
                node.value = number


def _asks_builtin(call: ast.Call) -> bool:
    """True for ``bool(money)``: ``bool()`` can be run too, and asks nobody."""
    is_builtin = isinstance(call.func, ast.Name) and hasattr(builtins, call.func.id)
    return is_builtin and any(isinstance(node, ast.Name) for node in ast.walk(call.args[-1]))


def is_number_of(call: ast.Call) -> bool:
    """True for ``Decimal("0")``: ``Decimal()`` is shorter, and nobody writes it."""
    return ast.unparse(call.func).rpartition(".")[2] in _NUMERIC
