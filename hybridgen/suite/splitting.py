"""One test a question: a sequence with several assertions becomes several short cases.

What was asked on the way and changed nothing is left out of the later cases; what changed
something stays there as set-up, without an assertion. pytest judges the result before it is
written, so a question that did change something in secret costs a test, never a wrong one.
"""

from __future__ import annotations

import ast
import dataclasses

from hybridgen.domain import Observation, Step, StepKind, StepResult
from hybridgen.suite.bodies import expression
from hybridgen.suite.shapes import printed_only

_DONE = StepResult("ok")


def split(observation: Observation) -> tuple[Observation, ...]:
    """The cases in a sequence, in order; the last one shows what the sequence ends with.

    Executed arcs are known for the whole only: the last case keeps them, the others have none.
    """
    pairs = tuple(zip(observation.candidate.steps, observation.results, strict=True))
    asking = [index for index, (_, result) in enumerate(pairs) if _shows_something(result)]
    if len(asking) < 2 or asking[-1] != len(pairs) - 1:
        return (observation,)
    has_files = bool(observation.candidate.fixtures)
    cases: list[Observation] = []
    for place in asking:
        before = [
            (_setup(step), _quiet(result))
            for step, result in pairs[:place]
            if has_files or not _is_question(step, result)
        ]
        steps, results = zip(*before, pairs[place], strict=True)
        candidate = dataclasses.replace(observation.candidate, steps=steps)
        arcs = observation.arcs if place == asking[-1] else frozenset()
        cases.append(
            dataclasses.replace(observation, candidate=candidate, results=results, arcs=arcs)
        )
    return tuple(cases)


def _shows_something(result: StepResult) -> bool:
    return bool(result.checks or result.changed or result.raised or printed_only(result))


def _setup(step: Step) -> Step:
    code = step.code if step.kind is StepKind.SETUP else expression(step.code)
    return Step(StepKind.SETUP, code)


def _quiet(result: StepResult) -> StepResult:
    """What still has to be said about a step that is only set-up: its warnings and output."""
    return dataclasses.replace(_DONE, warnings=result.warnings, output=result.output)


def _is_question(step: Step, result: StepResult) -> bool:
    """True for a step that gave a value and, as far as was seen, changed nothing."""
    if step.kind is not StepKind.PROBE or not result.checks or result.raised is not None:
        return False
    if result.changed or result.output or result.warnings:
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
