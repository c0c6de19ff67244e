"""Chains of calls as an object and a question: ``Version.parse("1.2").match(">1")`` in two steps.

So what several examples ask of an object made in one way are the rows of one table, and share a
fixture with other tests of its class.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from hybridgen.domain import Candidate, Observation, Step, StepKind, StepResult
from hybridgen.domain.mutants import Finding, Kills
from hybridgen.suite.literals import Places, spliced
from hybridgen.suite.shapes import construction

_FEWEST = 2  # chains of one form, to be worth two lines each


def unchained(
    observations: Sequence[Observation], kills: Kills
) -> tuple[tuple[Observation, ...], Kills]:
    """The observations with chains of a common form in two steps, and what these notice."""
    forms = [_form(observation) for observation in observations]
    count = Counter(form for form in forms if form)
    found = dict(kills.found)
    partial = set(kills.partial)
    result: list[Observation] = []
    for observation, form in zip(observations, forms, strict=True):
        if count[form] < _FEWEST or (steps := _steps(observation)) is None:
            result.append(observation)
            continue
        old = observation.candidate
        new = dataclasses.replace(old, steps=steps)
        result.append(
            dataclasses.replace(
                observation, candidate=new, results=(StepResult("ok"), *observation.results)
            )
        )
        if old in found:
            found[new] = _renamed(found[old], steps[-1].code)
        if old in partial:
            partial.add(new)
    return tuple(result), dataclasses.replace(kills, found=found, partial=frozenset(partial))


def _renamed(
    noticing: Mapping[Finding, frozenset[int]], code: str
) -> Mapping[Finding, frozenset[int]]:
    """The findings of a candidate of one step, said of another code."""
    return {(code, text): mutants for (_, text), mutants in noticing.items()}


def _form(observation: Observation) -> str:
    """What chains with other arguments have in common, or ""."""
    if (steps := _steps(observation)) is None:
        return ""
    made = construction(steps[0].code)
    assert made is not None, "a chain starts with a call that has arguments"
    last = re.sub(r"\(.*\)", "()", steps[1].code, flags=re.DOTALL)
    return f"{made[1].function} {len(made[1].arguments)} {last}"


def _steps(observation: Observation) -> tuple[Step, Step] | None:
    """The steps for a candidate that is one chain and returned; else None."""
    candidate: Candidate = observation.candidate
    if len(candidate.steps) != 1 or observation.results[0].status != "ok":
        return None
    step = candidate.steps[0]
    if step.kind is not StepKind.PROBE or observation.results[0].changed:
        return None
    try:
        tree = ast.parse(step.code.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return None
    calls = list(_made(tree.body))
    if len(calls) != 1:
        return None
    source = step.code.strip()
    maker = ast.get_source_segment(source, calls[0]) or ast.unparse(calls[0])
    kind = re.match(r"[A-Z]\w*", maker)
    if kind is None:
        return None
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind[0]).lower()
    is_used = any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(tree))
    setup = Step(StepKind.SETUP, f"{name} = {maker}")
    if is_used or construction(setup.code) is None:
        return None
    start, end = Places(source).span(calls[0])
    return setup, dataclasses.replace(step, code=spliced(source, [(start, end, name)]))


def _made(node: ast.AST) -> Iterator[ast.Call]:
    """Calls of a class, or of a method on a class, whose result a method is called on."""
    for inner in ast.walk(node):
        match inner:
            case ast.Call(func=ast.Attribute(value=ast.Call(func=maker) as made)):
                text = ast.unparse(maker)
                if re.fullmatch(r"[A-Z]\w*(?:\.[a-z]\w*)?", text):
                    yield made
