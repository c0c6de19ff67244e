"""Calls inside of ``async with``: a coroutine of the test enters, calls and leaves."""

from __future__ import annotations

import ast
import builtins
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hybridgen.domain import Candidate, Step, StepKind, Target

INSIDE_SHARE = 0.8
"""How often calls on an object that can be entered are made while it is."""

RAISING_SHARE = 0.25
"""How often the block ends with an exception, which leaving it may swallow."""


def in_context(
    candidate: Candidate, targets: Mapping[str, Target], chooser: random.Random
) -> Candidate:
    """``candidate`` with its calls inside of ``async with`` where an object wants that."""
    *before, last = candidate.steps
    target = targets.get(candidate.target)
    if target is not None and any("asynccontextmanager" in d for d in target.decorators):
        is_call = last.kind is StepKind.PROBE and last.code.startswith(f"{target.qualname}(")
        return _with_block(candidate, before, last.code, "value", ["return value"], is_call)
    for index, step in enumerate(candidate.steps):
        built = re.fullmatch(r"(\w+) = ((\w+)\(.*\))", step.code, re.DOTALL)
        if built is None or f"{built[3]}.__aenter__" not in targets:
            continue
        if chooser.random() > INSIDE_SHARE:
            return candidate
        body = _body(candidate.steps[index + 1 :], built[1], built[3], targets)
        if not body or chooser.random() < RAISING_SHARE:
            body = [line.removeprefix("return ") for line in body]
            body = [line for line in body if not line.isidentifier()]
            body.append(f"raise {_error(targets.get(f'{built[3]}.__aexit__'), chooser)}('failed')")
        before = list(candidate.steps[:index])
        return _with_block(candidate, before, built[2], built[1], body, bool(body))
    return candidate


def _with_block(
    candidate: Candidate,
    before: Sequence[Step],
    entered: str,
    name: str,
    body: Sequence[str],
    is_possible: bool,
) -> Candidate:
    if not is_possible:
        return candidate
    lines = ["async def scenario():", f"    async with {entered} as {name}:"]
    lines += [f"        {part}" for line in body for part in line.splitlines()]
    steps = [
        Step(StepKind.SETUP, "\n".join(lines)),
        Step(StepKind.PROBE, "asyncio.run(scenario())"),
    ]
    imports = tuple(dict.fromkeys((*candidate.imports, "import asyncio")))
    return replace(candidate, steps=(*before, *steps), imports=imports)


def _body(steps: Sequence[Step], name: str, owner: str, targets: Mapping[str, Target]) -> list[str]:
    """The steps as statements, the last value returned."""
    lines = []
    for step in steps:
        called = re.match(rf"{name}\.(\w+)\(", step.code)
        target = targets.get(f"{owner}.{called[1]}") if called else None
        is_awaited = target is not None and target.is_async and "yield" not in target.source
        lines.append(f"await {step.code}" if is_awaited else step.code)
    if lines and steps[-1].kind is StepKind.PROBE:
        lines[-1] = f"return {lines[-1]}"
    return lines


def _error(leaving: Target | None, chooser: random.Random) -> str:
    """An exception that leaving the block may know."""
    known = ["ValueError"]
    if leaving is not None:
        names = [n.id for n in ast.walk(ast.parse(leaving.source)) if isinstance(n, ast.Name)]
        known += [n for n in dict.fromkeys(names) if _is_error(n)]
    return chooser.choice(known)


def _is_error(name: str) -> bool:
    kind = getattr(builtins, name, None)
    return isinstance(kind, type) and issubclass(kind, Exception)
