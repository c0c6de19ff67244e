"""Cuts an observed candidate down to what is worth asserting.

Only failing steps and what depends on them go; set-up, object state and order survive. Each
deliberate exception becomes a candidate of its own, with just the set-up that it needs.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from hybridgen.domain import Candidate, Observation, Step, StepKind, StepResult

WORLD = frozenset({"monkeypatch", "tmp_path", "random"})
"""Names through which a step prepares what code reads beside its arguments."""

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def trim(observation: Observation) -> tuple[Candidate, ...]:
    """The candidates worth confirming: one of what went well, one for each exception."""
    pairs = tuple(zip(observation.candidate.steps, observation.results, strict=False))
    fine = tuple(step for step, result in pairs if result.status == "ok")
    found = []
    if any(is_assertable(step, result) for step, result in pairs if result.status == "ok"):
        found.append(fine)
    for index, (step, result) in enumerate(pairs):
        if result.raised is not None and result.raised.is_deliberate and result.raised.is_inside:
            before = tuple(s for s, r in pairs[:index] if r.status == "ok")
            found.append((*_needed(before, step), step))
    return tuple(_with_steps(observation.candidate, steps) for steps in found)


def _with_steps(candidate: Candidate, steps: tuple[Step, ...]) -> Candidate:
    """The candidate with fewer steps, and without fixtures that none of them names."""
    text = "\n".join(step.code for step in steps)
    fixtures = tuple(name for name in candidate.fixtures if name in text)
    return replace(candidate, steps=steps, fixtures=fixtures)


def is_assertable(step: Step, result: StepResult) -> bool:
    """True if the step gives a test something to assert."""
    if result.changed or result.warnings or result.output or result.logs or result.complaints:
        return True
    return step.kind is StepKind.PROBE and bool(result.checks)


def _needed(before: tuple[Step, ...], last: Step) -> tuple[Step, ...]:
    """The steps of ``before`` that ``last`` depends on, by the names they share.

    What prepares the world is needed by no name, so all of it stays.
    """
    wanted, kept = _names(last), []
    for step in reversed(before):
        names = _names(step)
        is_world = step.kind is StepKind.SETUP and _prepares(step)
        if is_world or (names & wanted and _binds_or_calls(step, wanted)):
            kept.append(step)
            wanted |= names
    return tuple(reversed(kept))


def _prepares(step: Step) -> bool:
    """True for ``monkeypatch.setenv(...)``, a file in ``tmp_path``, ``random.seed(1)``."""
    match ast.parse(step.code).body:
        case [ast.Expr(value=ast.Call(func=ast.Attribute(value=owner)))]:
            names = {node.id for node in ast.walk(owner) if isinstance(node, ast.Name)}
            return bool(names & WORLD)
    return False


def _names(step: Step) -> set[str]:
    nodes = list(ast.walk(ast.parse(step.code)))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.name for node in nodes if isinstance(node, DEFINITIONS)}


def _binds_or_calls(step: Step, wanted: set[str]) -> bool:
    """True if ``step`` can give ``wanted`` names their state: it binds one or calls on one."""
    for node in ast.walk(ast.parse(step.code)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in wanted:
            return True
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.Delete, *DEFINITIONS)):
            return True
        if isinstance(node, ast.Attribute | ast.Subscript):
            names = {inner.id for inner in ast.walk(node.value) if isinstance(inner, ast.Name)}
            if any(name in wanted and not name[:1].isupper() for name in names):
                return True
    return False
