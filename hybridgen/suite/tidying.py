"""Leaves out of an observation what a reviewer would cross out.

What was observed stays true; a test just need not say everything that is true.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Sequence

from hybridgen.domain import Check, CheckKind, Observation, StepKind, StepResult
from hybridgen.suite.messages import stable_part
from hybridgen.suite.shapes import WEAK_KINDS, printed_only

_MOST_CHECKS = 6  # of one value; more is a snapshot, not a test
_MOST_CHANGES = 3  # checks of one changed argument


def tidy(observation: Observation) -> Observation:
    """An observation with fewer, stronger checks; tidying twice changes nothing.

    - The type or length of a value is not asserted beside the value's own attributes.
    - Output beside a value is not asserted, see :func:`printed_only`.
    - A message is matched by its telling part, without the input that it repeats.
    - That a procedure returned None is not asserted beside what it did.
    - Changes of an argument are asserted once, after the last one, and not at all where a
      later probe looks at that argument anyway.
    """
    steps = observation.candidate.steps
    has_more = sum(bool(r.checks or r.changed or r.raised) for r in observation.results) > 1
    code = "\n".join(step.code for step in steps)
    seen = [_reads(step.code) if step.kind is StepKind.PROBE else set() for step in steps]
    seen = [
        names if result.checks else set()
        for names, result in zip(seen, observation.results, strict=True)
    ]
    results: list[StepResult] = []
    for index, result in enumerate(observation.results):
        later = set[str]().union(*seen[index + 1 :])
        later |= {name for other in observation.results[index + 1 :] for name, _ in other.changed}
        changed = tuple(
            (name, kept)
            for name, checks in result.changed
            if name not in later and (kept := _strongest(checks)[:_MOST_CHANGES])
        )
        checks = _strongest(result.checks)[:_MOST_CHECKS]
        is_last = index == len(observation.results) - 1
        if _is_none(checks) and (changed or (has_more and not is_last)):
            checks = ()  # a procedure: what it did is what counts
        raised = result.raised
        if raised is not None:
            match = stable_part(raised.match, code) if raised.match else ""
            raised = dataclasses.replace(raised, match=match)
        results.append(
            dataclasses.replace(
                result,
                raised=raised,
                checks=checks,
                changed=changed if not _is_shown_by_value(result) else (),
                output=result.output if printed_only(result) else "",
            )
        )
    return dataclasses.replace(observation, results=tuple(results))


def _strongest(checks: Sequence[Check]) -> tuple[Check, ...]:
    """Without types beside anything, and without lengths beside the whole value."""
    strong = [check for check in checks if check.kind not in WEAK_KINDS]
    if not strong:
        lengths = [check for check in checks if check.kind is CheckKind.LENGTH]
        return tuple(lengths or checks)
    whole = {check.path for check in strong}
    return tuple(
        check
        for check in checks
        if check.kind not in WEAK_KINDS
        or (check.kind is CheckKind.LENGTH and check.path not in whole)
    )


def _is_none(checks: Sequence[Check]) -> bool:
    return [(check.kind, check.expression) for check in checks] == [(CheckKind.IS, "None")]


def _is_shown_by_value(result: StepResult) -> bool:
    """True if a call that builds or returns what it changed is asserted on already."""
    changed = {check.expression for _, checks in result.changed for check in checks}
    returned = {check.expression for check in result.checks}
    return bool(changed) and changed <= returned


def _reads(code: str) -> set[str]:
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError):
        return set()
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
