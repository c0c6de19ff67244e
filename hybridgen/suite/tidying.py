"""Leaves out of an observation what a reviewer would cross out.

What was observed stays true; a test just need not say everything that is true.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Sequence, Set

from hybridgen.domain import Check, CheckKind, Observation, Step, StepKind, StepResult, Target
from hybridgen.suite.messages import telling_part
from hybridgen.suite.shapes import WEAK_KINDS, printed_only
from hybridgen.suite.subjects import subject_of

_PRIVATE = re.compile(r"\._(?!_)")
_MOST_CHECKS = 6  # of one value; more is a snapshot, not a test
_MOST_CHANGES = 3  # checks of one changed argument


def tidy(observation: Observation) -> Observation:
    """An observation with fewer, stronger checks; tidying twice changes nothing.

    - The type or length of a value is not asserted beside the value's own attributes.
    - Output beside a value is not asserted, see :func:`printed_only`.
    - A last step that raised assigns nothing.
    - A message is matched by its telling part, without a long input that it repeats.
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
            match = telling_part(raised.match, code) if raised.match else ""
            raised = dataclasses.replace(raised, match=match)
        results.append(
            dataclasses.replace(
                result,
                raised=raised,
                checks=checks,
                changed=tuple(c for c in changed if not _is_shown_by_value(result, c[0])),
                output=result.output if _is_told_by_output(result) else "",
                complaints=result.complaints if _is_told_by_output(result) else "",
            )
        )
    candidate = dataclasses.replace(observation.candidate, steps=_nameless(steps, results))
    return dataclasses.replace(observation, candidate=candidate, results=tuple(results))


def _is_told_by_output(result: StepResult) -> bool:
    """True where what was printed is what a command says: it returns None or its exit status."""
    is_status = [check.expression for check in result.checks] in (["0"], ["1"], ["2"])
    raised = result.raised
    return printed_only(result) or is_status or (raised and raised.type_name) == "SystemExit"


def _nameless(steps: Sequence[Step], results: Sequence[StepResult]) -> tuple[Step, ...]:
    """What nothing reads needs no variable; a last step that raised gave no value for one."""
    read: set[str] = set()
    kept: list[Step] = []
    for step, result in zip(reversed(steps), reversed(results), strict=True):
        told = {name for name, _ in result.changed}
        kept.append(_without_variable(step, read | told))
        read |= _reads(step.code) | told
    steps = kept[::-1]
    last = steps[-1]
    if results[-1].raised is not None and last.kind is StepKind.SETUP:
        match _statement(last.code):
            case ast.Assign(targets=[ast.Name()], value=ast.Call() as value):
                code = ast.get_source_segment(last.code, value) or last.code
                return (*steps[:-1], dataclasses.replace(last, kind=StepKind.PROBE, code=code))
    return tuple(steps)


def _without_variable(step: Step, read: Set[str]) -> Step:
    """``queue.pop()`` for ``x = queue.pop()``, if nothing reads ``x``."""
    match _statement(step.code):
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as value) if (
            step.kind is StepKind.SETUP and name not in read
        ):
            code = ast.get_source_segment(step.code, value) or step.code
            return dataclasses.replace(step, code=code)
    return step


def reworded(observation: Observation, targets: Sequence[Target]) -> Observation:
    """The same in the words of a person: ``a != b`` for ``(a == b) is False``.

    Args:
        observation: the case.
        targets: of the module; a class has to have no ``!=`` of its own, and no base class.
    """
    *before, last = observation.candidate.steps
    *earlier, result = observation.results
    names = {target.qualname for target in targets}
    plain = {t.qualname for t in targets if not t.bases and f"{t.qualname}.__ne__" not in names}
    is_plain = subject_of(observation, targets).removesuffix(".__eq__") in plain
    if is_plain and [c.expression for c in result.checks] == ["False"]:
        match _expression(last.code):
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                texts = (ast.get_source_segment(last.code, part) for part in (left, right))
                code = " != ".join(text or "" for text in texts)
                check = dataclasses.replace(result.checks[0], expression="True")
                last = dataclasses.replace(last, code=code)
                result = dataclasses.replace(result, checks=(check,))
    if twin := _twin(before, _expression(last.code)):
        last = dataclasses.replace(last, code=twin)
    candidate = dataclasses.replace(observation.candidate, steps=(*before, last))
    return dataclasses.replace(observation, candidate=candidate, results=(*earlier, result))


def _twin(before: Sequence[Step], node: ast.expr | None) -> str:
    """``hash(card) == hash(Card("a"))`` for ``hash(card) == hash(card)``, which says nothing.

    Where equal objects have other hashes, the finished file does not pass and loses this test.
    """
    match node, [_statement(step.code) for step in before]:
        case (
            ast.Compare(
                left=ast.Call(func=ast.Name(id="hash"), args=[ast.Name(id=name)]),
                ops=[ast.Eq()],
                comparators=[ast.Call(func=ast.Name(id="hash"), args=[ast.Name(id=again)])],
            ),
            [ast.Assign(targets=[ast.Name(id=built)], value=ast.Call() as call)],
        ) if name == again == built:
            return f"hash({name}) == hash({ast.unparse(call)})"
    return ""


def _statement(code: str) -> ast.stmt | None:
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError):
        return None
    return body[0] if len(body) == 1 else None


def _expression(code: str) -> ast.expr | None:
    node = _statement(code)
    return node.value if isinstance(node, ast.Expr) else None


def _strongest(checks: Sequence[Check]) -> tuple[Check, ...]:
    """Without private attributes, types and, beside the whole value, lengths, if more is known."""
    public = [check for check in checks if not _PRIVATE.search(check.path)]
    checks = public or checks
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


def _is_shown_by_value(result: StepResult, subject: str) -> bool:
    """True if a call that builds or returns the argument is asserted on already."""
    changes = [item for name, checks in result.changed if name.isidentifier() for item in checks]
    changed = {check.expression for check in changes}
    returned = {check.expression for check in result.checks}
    return bool(changed) and changed <= returned and subject.isidentifier()


def _reads(code: str) -> set[str]:
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError):
        return set()
    changed = {id(node.target) for node in nodes if isinstance(node, ast.AugAssign)}
    names = [node for node in nodes if isinstance(node, ast.Name)]
    return {n.id for n in names if not isinstance(n.ctx, ast.Store) or id(n) in changed}
