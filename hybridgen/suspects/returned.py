"""Where a return hint and the type of what came back disagree."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from hybridgen.domain import CheckKind, Module, Observation, StepResult, Strength, Suspect, Target
from hybridgen.suspects.calling import DOCUMENTED, Called, Caller, is_replacing
from hybridgen.suspects.kinds import PLAIN, kind_of, last_name, parsed

# Decorators under which a function still returns what its hint says.
_TRANSPARENT = {
    *("staticmethod", "classmethod", "property", "cached_property", "cache", "lru_cache"),
    *("abstractmethod", "override", "final", "wraps"),
}
# What runs while it is iterated over; the worker looks at a list of its items.
_LAZY = {"Iterator", "Generator", "AsyncIterator", "AsyncGenerator", "NoReturn", "Never"}


def returned_suspects(
    observations: Sequence[Observation], module: Module, caller: Caller
) -> Iterator[Suspect]:
    """One suspect for each observed value that its return hint does not admit."""
    for observation in observations:
        candidate = observation.candidate
        if candidate.origin != "odd" and not is_replacing(candidate):
            calls = caller.calls(candidate)
            for index, (found, result) in enumerate(zip(calls, observation.results, strict=False)):
                suspect = _judge(found, result, observation, index, module, caller)
                if suspect is not None:
                    yield suspect


def _judge(
    calls: Sequence[Called],
    result: StepResult,
    observation: Observation,
    index: int,
    module: Module,
    caller: Caller,
) -> Suspect | None:
    whole = next((call for call in calls if call.is_whole), None)
    if whole is None or result.status != "ok" or not _is_honest(whole.target):
        return None
    value = value_of(result)
    if value is None:
        return None
    hint = whole.target.returns
    is_documented = observation.candidate.origin == DOCUMENTED
    if not is_documented and not _is_reached_as_asked(observation, index, caller):
        return None
    is_plain_wrong = caller.hints.admits(hint, value, is_deep=False) is False
    if not is_plain_wrong and caller.hints.admits(hint, value, is_deep=True) is not False:
        return None
    kind = kind_of(value)
    return Suspect(
        target=whole.target.qualname,
        call=observation.candidate.steps[index].code,
        expected=f"a value of type {hint}",
        observed=ast.unparse(value)[:200],
        evidence=f"return hint ({module.display}:{whole.target.first_line})",
        strength=Strength.STRONG if is_plain_wrong and kind in PLAIN else Strength.WEAK,
        observation=observation,
    )


def _is_reached_as_asked(observation: Observation, index: int, caller: Caller) -> bool:
    """True if this call, and those before it, have arguments that the code asks for."""
    calls = list(caller.calls(observation.candidate))[: index + 1]
    return all(caller.is_asked_for(call) for found in calls for call in found)


def _is_honest(target: Target) -> bool:
    """True if what a call gives is what the hint speaks of."""
    if target.returns is None or target.qualname.endswith("__init__"):
        return False
    names = [text.partition("(")[0].rpartition(".")[2] for text in target.decorators]
    hint = parsed(target.returns)
    outer = hint.value if isinstance(hint, ast.Subscript) else hint
    is_lazy = outer is not None and last_name(outer) in _LAZY
    return all(name in _TRANSPARENT for name in names) and not is_lazy


def value_of(result: StepResult) -> ast.expr | None:
    """The observed value as an expression, or None if it is not known as a whole."""
    for check in result.checks:
        if check.path:
            continue
        if check.kind is CheckKind.NAN:
            return ast.Call(ast.Name("float"), [ast.Constant("nan")], [])
        if check.kind in (CheckKind.EQUAL, CheckKind.IS, CheckKind.APPROX):
            if check.expression == "NotImplemented":
                return None
            return parsed(check.expression)
        if check.kind is CheckKind.TYPE:
            return None  # an object of a class, perhaps one that inherits from what is asked for
    return None
