"""Exceptions that nobody raised on purpose, for input that the code asks for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from hybridgen.domain import (
    Module,
    Observation,
    Raised,
    Step,
    Strength,
    Suspect,
    Target,
    TargetKind,
)
from hybridgen.suspects.calling import REPLACES, Called, Caller, is_replacing

ALWAYS = frozenset({"UnboundLocalError", "NameError"})
"""No input makes these right."""

ACCIDENTS = ALWAYS | {
    *("RecursionError", "AttributeError", "IndexError", "ZeroDivisionError", "TypeError"),
}
# Methods that are known to break on an empty object, and say so by their name.
_TAKES = re.compile(
    r"pop|peek|top|first|last|next|head|tail|front|back|nth|index|item|at|get|remove|choice|min|max"
)

_FORMS = re.compile(r"format|fmt|template|pattern|spec|regex|regexp|query|expr", re.IGNORECASE)


def accident_suspects(
    observations: Sequence[Observation], module: Module, caller: Caller
) -> Iterator[Suspect]:
    """One suspect for each observation that ends in an exception that looks like a bug."""
    for observation in observations:
        results = observation.results
        index = next((i for i, r in enumerate(results) if r.raised is not None), None)
        if index is None:
            continue
        raised = results[index].raised
        calls = list(caller.calls(observation.candidate))[: index + 1]
        if raised is None or not calls or not is_accident(raised):
            continue
        strength = _strength(raised, observation, calls, caller)
        if strength is None:
            continue
        about = next((call.target for call in calls[-1] if call.is_whole), None)
        name = about.qualname if about is not None else observation.candidate.target
        line = about.first_line if about is not None else 0
        yield Suspect(
            target=name,
            call=_shown(observation.candidate.steps[: index + 1]),
            expected="no exception",
            observed=f"raises {raised.type_name}",
            evidence=f"exception {raised.type_name} ({module.display}:{line})",
            strength=strength,
            observation=observation,
        )


def _shown(steps: Sequence[Step]) -> str:
    """What was called; of what was replaced around it only that it was, for it is long."""
    plain = [step.code for step in steps if not REPLACES.match(step.code)]
    is_around = len(plain) < len(steps)
    return "; ".join(plain) + (" (with what it needs replaced)" if is_around else "")


def is_accident(raised: Raised) -> bool:
    """True if an exception came out of the project and no statement of it raised it."""
    is_stated = bool(raised.match) or (raised.is_deliberate and not _is_contract(raised))
    return raised.is_inside and raised.type_name in ACCIDENTS and not is_stated


def _is_contract(raised: Raised) -> bool:
    return raised.type_name == "ZeroDivisionError"  # deliberate by its type alone


def _strength(
    raised: Raised, observation: Observation, calls: Sequence[Sequence[Called]], caller: Caller
) -> Strength | None:
    """How sure it is that it is a bug; None if it is none."""
    name = raised.type_name
    found = [call for step in calls for call in step]
    is_asked_for = caller.is_plausible(observation.candidate) or (
        bool(found) and all(map(caller.is_asked_for, found))
    )
    if name in ALWAYS:
        return Strength.STRONG if is_asked_for else Strength.WEAK
    last = next((call for call in calls[-1] if call.is_whole), None)  # not a part of `a[b()]`
    if not is_asked_for or last is None or _is_told(name, last.target, caller):
        return None
    if is_replacing(observation.candidate):
        return None  # what stands in for something else may be to blame
    values = [node for step in observation.candidate.steps for node in _constants(step.code)]
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if name == "RecursionError":
        is_deep = any(abs(number) > 300 for number in numbers)
        return None if is_deep else Strength.STRONG
    if not any(call.arguments for call in found) or _is_unfinished(last.target, caller):
        return None  # it is the state that is missing, not an answer to what was asked
    if name == "ZeroDivisionError" and 0 in numbers:
        return None  # dividing by what the caller said
    if name == "IndexError":
        is_by_number = any(isinstance(number, int) for number in numbers)
        if is_by_number or _TAKES.search(last.target.name) or last.target.name.startswith("__"):
            return None
    if any(
        _FORMS.search(parameter.name) for call in found for parameter, _ in call.arguments or ()
    ):
        return None  # a text in a small language, which hints cannot describe
    if name in ("TypeError", "AttributeError") and not _is_typed(found):
        return None
    return Strength.WEAK


def _is_unfinished(target: Target, caller: Caller) -> bool:
    """True for a class that others are to inherit from, and its methods."""
    owner = target if target.kind is TargetKind.CLASS else caller.targets.get(target.parent or "")
    if owner is None:
        return False
    is_named = re.search(r"Base|Abstract|Mixin|Interface|ABC", owner.name) is not None
    return is_named or "NotImplementedError" in owner.source or "abstractmethod" in owner.source


def _is_typed(calls: Sequence[Called]) -> bool:
    """True if every argument has a hint, so that the exception contradicts what is written."""
    return all(
        parameter.annotation is not None for call in calls for parameter, _ in call.arguments or ()
    )


def _is_told(name: str, target: Target, caller: Caller) -> bool:
    """True if the code or its docstring says that it raises such a thing."""
    owner = caller.targets.get(target.parent or "")
    texts = [target.docstring or "", (owner.docstring or "") if owner is not None else ""]
    if any(re.search(rf"\b{name}\b|LookupError|ArithmeticError", text) for text in texts):
        return True
    return name in target.raises


def _constants(code: str) -> Iterator[object]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant):
            yield node.value
