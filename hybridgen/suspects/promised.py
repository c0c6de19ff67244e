"""Where a call does not do what a docstring promises for its case.

"0.0 if the whole is 0", "raises ValueError if there are none", and the sections in which the usual
styles of docstrings list exceptions. A case counts if :mod:`hybridgen.suspects.conditions`
understands it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hybridgen.domain import Module, Observation, StepResult, Strength, Suspect, Target, TargetKind
from hybridgen.suspects.calling import Called, Caller
from hybridgen.suspects.conditions import holds
from hybridgen.suspects.documented import is_comparable, is_kind_of, is_shown
from hybridgen.suspects.kinds import literal
from hybridgen.suspects.pairs import needed
from hybridgen.suspects.returned import value_of

_NAME = r"(?::\w+:)?`*~?(?:\w+\.)*(?P<name>[A-Z]\w+)`*"
# Up to the end of the sentence, over the ends of its lines.
_GOES_ON = r"[ \t]*(?![\w.]+[ \t]*:)[a-z0-9`]"
_CASE = (
    rf"(?P<case>(?:[^.;:()\n]|\.(?=\S)|\n(?={_GOES_ON}))+?)"
    rf"(?=,\s+(?:else|otherwise)\b|[.](?!\S)|[;:()]|\n(?!{_GOES_ON})|\Z)"
)
_LITERAL = r"(?P<value>'[^'\n]*'|\"[^\"\n]*\"|-?\d+(?:\.\d+)?|True|False|None|\[\]|\(\)|\{\})"
_IF = r"(?:[Ii]f|[Ww]hen)"
_RAISES = re.compile(
    rf"\b[Rr]aises?\s+(?:an?\s+)?{_NAME}\s+(?:error\s+)?(?:if|when|for|on)\s+{_CASE}"
)
_LISTED = (
    re.compile(rf"^[ \t]*:(?:raises?|except|exception)\s+{_NAME}\s*:\s*{_IF}\s+{_CASE}", re.M),
    re.compile(rf"^[ \t]*{_NAME}\s*:\s*{_IF}\s+{_CASE}", re.M),
    re.compile(rf"^[ \t]*{_NAME}[ \t]*\n[ \t]+{_IF}\s+{_CASE}", re.M),
)
_GIVES = re.compile(
    r"(?:^|[.;,:]\s|\b(?:[Rr]eturns?|gives?|or|else)\s)\s*`*"
    rf"{_LITERAL}`*\s+(?:is\s+returned\s+)?(?:if|when|for)\s+{_CASE}",
    re.M,
)
# What arguments mean is told like what comes back: "limit: 0 for none".
_ARGUMENTS = re.compile(
    r"^[ \t]*(?:Args|Arguments|Parameters|Params|Keyword Args|Attributes)\s*(?::|\n[ \t]*-{3,}).*?"
    r"(?=^[ \t]*(?:Returns?|Yields?|Raises?|Examples?|Notes?)\s*(?::|\n[ \t]*-{3,})|\Z)"
    r"|^[ \t]*[:@](?:param|arg|type|ivar|var)\b.*?(?=^[ \t]*[:@]|^\s*$|\Z)",
    re.M | re.S,
)
_EXCEPTION = re.compile(r"\w*(?:Error|Exception|Exit|Iteration)")


@dataclass(frozen=True, slots=True)
class Promise:
    """What a docstring says of one case: a literal, or the name of an exception."""

    case: str
    value: str = ""
    raises: str = ""


def promises(text: str) -> list[Promise]:
    """The promises of a docstring, whether their cases are understood or not."""
    text = _ARGUMENTS.sub("", text)
    found = [
        Promise(match["case"], raises=match["name"])
        for pattern in (_RAISES, *_LISTED)
        for match in pattern.finditer(text)
        if _EXCEPTION.fullmatch(match["name"])
    ]
    return [*found, *(Promise(m["case"], value=m["value"]) for m in _GIVES.finditer(text))]


def promised_suspects(
    observations: Sequence[Observation], module: Module, caller: Caller
) -> Iterator[Suspect]:
    """One suspect for each call of a function that breaks what is promised for its case."""
    told = {
        target.qualname: found
        for target in module.targets
        if target.kind is TargetKind.FUNCTION and (found := promises(target.docstring or ""))
    }
    for observation in observations:
        steps, results = observation.candidate.steps, observation.results
        if not told or len(steps) != 1 or len(results) != 1:
            continue  # a state or a replacement may matter
        call = next((c for c in next(caller.calls(observation.candidate)) if c.is_whole), None)
        if call is None or call.target.qualname not in told or not _is_asked_for(call, caller):
            continue
        promise = _broken(call, results[0], told[call.target.qualname])
        if promise is not None:
            line = line_of(promise, call.target, module)
            said = f"raises {promise.raises}" if promise.raises else promise.value
            yield Suspect(
                target=call.target.qualname,
                call=steps[0].code,
                expected=said,
                observed=_observed(results[0]),
                evidence=f"docstring promise ({module.display}:{line})",
                strength=Strength.STRONG,
                observation=observation,
            )


def _is_asked_for(call: Called, caller: Caller) -> bool:
    """True if each argument fits its hint; one without a hint fits the case by its kind."""
    if not call.arguments:
        return False
    return all(
        item.annotation is None or caller.hints.admits(item.annotation, value, is_deep=True) is True
        for item, value in call.arguments
    )


def _broken(call: Called, result: StepResult, told: Sequence[Promise]) -> Promise | None:
    """The promise that a call breaks, if it keeps no other one instead."""
    values = {p.name: literal(p.default) for p in call.target.parameters if p.default is not None}
    values |= {item.name: literal(ast.unparse(value)) for item, value in call.arguments or ()}
    known = {name: found[0] for name, found in values.items() if found is not None}
    names = tuple(needed(call.target))
    due = [promise for promise in told if holds(promise.case, known, names)]
    if not due:
        return None
    raised = result.raised
    if raised is not None:
        is_told = any(p.raises and is_kind_of(raised.type_name, p.raises) for p in told)
        # What the code states may come from another check, of which nothing is written.
        is_stated = bool(raised.match) and not due[0].raises
        return None if is_told or is_stated or not raised.is_inside else due[0]
    if result.status != "ok":
        return None
    value = value_of(result)
    got = "" if value is None else ast.unparse(value)
    if any(promise.value and is_shown(promise.value, got) for promise in told):
        return None
    return next((p for p in due if p.raises or is_comparable(p.value, got, None)), None)


def _observed(result: StepResult) -> str:
    if result.raised is not None:
        return f"raises {result.raised.type_name}"
    value = value_of(result)
    return "a value" if value is None else ast.unparse(value)[:200]


def line_of(promise: Promise, target: Target, module: Module) -> int:
    """Where in the file a promise of ``target`` stands; its text is no matter for a report."""
    first = promise.case.strip().partition("\n")[0]
    lines = module.source.text.splitlines()
    numbers = range(target.first_line, min(target.last_line, len(lines)) + 1)
    return next((n for n in numbers if first in lines[n - 1]), target.first_line)


def case_of(promise: Promise) -> str:
    """The case of a promise, on one line."""
    return "if " + re.sub(r"\s+", " ", promise.case).strip()[:80]
