"""Exceptions that a docstring promises and that nothing in a function could ever raise."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from hybridgen.domain import Module, Observation, Strength, Suspect, Target, TargetKind
from hybridgen.suspects.calling import Caller
from hybridgen.suspects.promised import Promise, case_of, line_of, promises

# What operators raise too, wherever they stand.
_NATURAL = frozenset(
    {
        *("TypeError", "AttributeError", "KeyError", "IndexError", "LookupError", "NameError"),
        *("ZeroDivisionError", "ArithmeticError", "OverflowError", "RecursionError", "MemoryError"),
        *("StopIteration", "Exception", "AssertionError", "UnicodeError"),
    }
)
# Calls that raise none of the rest, whatever they are given.
_SAFE = frozenset(
    {
        *("len", "isinstance", "issubclass", "sorted", "repr", "enumerate", "zip", "list", "tuple"),
        *("dict", "set", "frozenset", "reversed", "abs", "sum", "bool", "any", "all", "append"),
        *("extend", "lower", "upper", "strip", "lstrip", "rstrip", "items", "keys", "values"),
        *("startswith", "endswith", "title", "copy", "add", "isdigit", "isalpha", "isspace"),
    }
)
_LEAST_CALLS = 3


def unkept_suspects(
    observations: Sequence[Observation], module: Module, caller: Caller
) -> Iterator[Suspect]:
    """One weak suspect for each promised exception without a way to raise it."""
    for target in module.targets:
        if target.kind is not TargetKind.FUNCTION or target.is_async or target.raises:
            continue
        told = [p for p in promises(target.docstring or "") if p.raises not in {"", *_NATURAL}]
        if not told or not _is_harmless(target):
            continue
        own = [o for o in observations if o.candidate.target == target.qualname]
        results = [result for o in own for result in o.results]
        raised = {result.raised.type_name for result in results if result.raised is not None}
        for promise in told:
            if len(own) >= _LEAST_CALLS and promise.raises not in raised:
                yield _suspect(target, promise, own, module)


def _suspect(
    target: Target, promise: Promise, own: Sequence[Observation], module: Module
) -> Suspect:
    line = line_of(promise, target, module)
    return Suspect(
        target=target.qualname,
        call=f"{target.qualname}(...)",
        expected=f"raises {promise.raises} {case_of(promise)}",
        observed="raises nothing of the kind anywhere",
        evidence=f"docstring promises {promise.raises} ({module.display}:{line})",
        strength=Strength.WEAK,
        observation=own[0],
    )


def _is_harmless(target: Target) -> bool:
    """True if a function has no statement and no call that could raise what it wants to."""
    for node in ast.walk(ast.parse(target.source)):
        match node:
            case ast.Raise() | ast.Assert() | ast.Import() | ast.ImportFrom() | ast.With():
                return False
            case ast.Assign(targets=[ast.Tuple() | ast.List()]):  # too many values to unpack
                return False
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                if name not in _SAFE:
                    return False
            case ast.Call():
                return False
    return bool(target.docstring)
