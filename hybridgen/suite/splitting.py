"""One test a question: a sequence with several assertions becomes several short cases.

What was asked on the way and changed nothing is left out of the later cases; what changed
something stays there as set-up, without an assertion. So does a call of a method that may have
changed what only private attributes of its object hold.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
from collections.abc import Sequence, Set
from functools import lru_cache

from hybridgen.domain import Observation, Step, StepKind, StepResult, Target
from hybridgen.suite.bodies import expression
from hybridgen.suite.policy import words
from hybridgen.suite.shapes import printed_only
from hybridgen.suite.subjects import subject_of

_MUTATORS = words(
    "add append appendleft clear discard extend insert pop popitem popleft remove reverse send "
    "setdefault sort update write __setattr__ __setitem__"
)
_ASKING = words("abs bool copy.copy copy.deepcopy float hash int len repr str type")
_DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_DONE = StepResult("ok")
_LONG_TEXT = 100  # characters


def split(observation: Observation, targets: Sequence[Target]) -> tuple[Observation, ...]:
    """The cases in a sequence, in order; the last one shows what the sequence ends with.

    Executed arcs are known for the whole only: the last case keeps them, the others have none.

    Args:
        observation: as it was made, not tidied, because that leaves out what was changed.
        targets: of the module; their sources tell what may change an object.
    """
    pairs = tuple(zip(observation.candidate.steps, observation.results, strict=True))
    asking = [index for index, (_, result) in enumerate(pairs) if _shows_something(result)]
    if len(asking) < 2 or asking[-1] != len(pairs) - 1 or _has_long_text(pairs[0][0]):
        return (observation,)
    writes = _writers(tuple(targets))
    is_left_out = [
        _is_question(step, result) and _is_harmless(observation, place, targets, writes)
        for place, (step, result) in enumerate(pairs)
    ]
    has_files = bool(observation.candidate.fixtures)
    cases: list[Observation] = []
    for place in asking:
        before = [
            (_setup(step), _quiet(result))
            for earlier, (step, result) in enumerate(pairs[:place])
            if result.raised is None and (has_files or not is_left_out[earlier])
        ]
        steps, results = zip(*before, pairs[place], strict=True)
        candidate = dataclasses.replace(observation.candidate, steps=steps)
        arcs = observation.arcs if place == asking[-1] else frozenset()
        cases.append(
            dataclasses.replace(observation, candidate=candidate, results=results, arcs=arcs)
        )
    return tuple(cases)


def _has_long_text(step: Step) -> bool:
    """True if it is easier to read on than to read the same text again."""
    texts = (node.value for node in _nodes(step.code) if isinstance(node, ast.Constant))
    return any(isinstance(text, str) and len(text) > _LONG_TEXT for text in texts)


def _shows_something(result: StepResult) -> bool:
    return bool(result.checks or result.changed or result.raised or printed_only(result))


def _is_harmless(
    observation: Observation, place: int, targets: Sequence[Target], writes: Set[str]
) -> bool:
    """True if a step asks something that is known to change nothing."""
    asked = _asked(observation, place, targets)
    if asked:
        return asked not in writes
    nodes = _nodes(observation.candidate.steps[place].code)
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    if all(hasattr(builtins, n.id) for n in nodes if isinstance(n, ast.Name)):
        return True  # list(): nothing of the sequence is in it
    is_plain = not any(_is_own_item(node) or isinstance(node, ast.comprehension) for node in nodes)
    return is_plain and all(ast.unparse(call.func) in _ASKING for call in calls)


def _is_own_item(node: ast.AST) -> bool:
    """``cache["a"]``, which may be a method of the class; ``page.links[0]`` is one of a list."""
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)


def _asked(observation: Observation, place: int, targets: Sequence[Target]) -> str:
    steps = observation.candidate.steps[: place + 1]
    candidate = dataclasses.replace(observation.candidate, target="", steps=steps)
    return subject_of(dataclasses.replace(observation, candidate=candidate), targets)


@lru_cache(maxsize=8)
def _writers(targets: tuple[Target, ...]) -> frozenset[str]:
    """Methods that may change their object, though nothing of it was seen from outside.

    They set something on it, or call a method of it or of something in it that may do so.
    """
    found = {target.qualname for target in targets if _sets_something(target.source)}
    size = -1
    while size != len(found):
        size = len(found)
        names = {name.rpartition(".")[2] for name in found}
        found |= {target.qualname for target in targets if _called(target.source) & names}
    return frozenset(found)


def _sets_something(source: str) -> bool:
    for node in _nodes(source):
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store()):
                return True
            case ast.Global() | ast.Nonlocal() | ast.Subscript(ctx=ast.Del()):
                return True
    fresh = _fresh(source)
    for node in _nodes(source):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name))) if name in fresh:
                continue
            case ast.Call(func=ast.Attribute(attr=name)) if name in _MUTATORS:
                return True
    return False


def _fresh(source: str) -> set[str]:
    """Variables that only ever hold lists and the like that the function made itself."""
    made: set[str] = set()
    others: set[str] = set()
    for node in _nodes(source):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                is_own = isinstance(value, _DISPLAYS)
                (made if is_own else others).add(name)
            case ast.arg(arg=name):
                others.add(name)
    return made - others


def _called(source: str) -> set[str]:
    """Names of the methods that are called on something."""
    calls = (node.func for node in _nodes(source) if isinstance(node, ast.Call))
    return {function.attr for function in calls if isinstance(function, ast.Attribute)}


def _setup(step: Step) -> Step:
    code = step.code if step.kind is StepKind.SETUP else expression(step.code)
    return Step(StepKind.SETUP, code)


def _quiet(result: StepResult) -> StepResult:
    """What still has to be said about a step that is only set-up: its warnings and output."""
    return dataclasses.replace(
        _DONE, warnings=result.warnings, output=result.output, complaints=result.complaints
    )


def _is_question(step: Step, result: StepResult) -> bool:
    """True for a step that gave a value and, as far as was seen, changed nothing."""
    if step.kind is not StepKind.PROBE or not result.checks or result.raised is not None:
        return False
    if result.changed or result.output or result.complaints or result.warnings:
        return False
    if any(isinstance(node, ast.Call) and _name(node) == "next" for node in _nodes(step.code)):
        return False
    return [check.expression for check in result.checks] != ["None"]


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _nodes(code: str) -> list[ast.AST]:
    try:
        return list(ast.walk(ast.parse(code.strip())))
    except (SyntaxError, ValueError):
        return []
