"""Tests that are expected to fail: what somebody said of the code, where the code disagrees.

Strict: the test fails as soon as the code does what was said, so that the mark goes away then.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import re
from collections.abc import Mapping, Sequence, Set

from hybridgen.domain import (
    Candidate,
    Check,
    CheckKind,
    Module,
    Observation,
    Raised,
    Step,
    StepKind,
    StepResult,
    Suspect,
)
from hybridgen.secretscan import secret_in
from hybridgen.suite.allowlist import forbidden
from hybridgen.suite.blocks import Block, UnrenderableError, build
from hybridgen.suite.imports import Import

_PLAIN_TYPES = ("str", "int", "bool", "bytes", "list", "dict", "tuple", "set", "frozenset")
_NAMES = (
    ("docstring", "does_as_its_docstring_says"),
    ("return hint", "returns_what_its_hint_says"),
    ("exception", "does_not_break"),
    ("round trip", "survives_the_round_trip"),
)


def xfail_blocks(
    suspects: Sequence[Suspect],
    module: Module,
    import_name: str,
    *,
    taken: Set[str],
    bound: Mapping[str, Import | None],
) -> list[Block]:
    """A marked test for each suspect whose call and expectation can be written down.

    Args:
        suspects: the strong ones.
        taken: names that the tests must not have.
        bound: what the file's top level binds already.
    """
    used, found = set(taken), list[Block]()
    for suspect in suspects:
        expectation = expectation_of(suspect)
        if expectation is None:
            continue
        try:
            block = build([expectation], module, import_name, taken=used, bound=bound)
        except UnrenderableError:
            continue
        if secret_in(block.source) is not None or forbidden(
            block.source, import_name, module.source.text
        ):
            continue
        marked = _marked(block, suspect, used)
        used.add(marked.name)
        found.append(marked)
    return found


def expectation_of(suspect: Suspect) -> Observation | None:
    """What should have been observed, or None where no test can say it."""
    found = _promise(suspect) if _expression(suspect.call) is not None else None
    if found is None:
        return None
    step, result = found
    told = suspect.observation
    candidate = Candidate(
        target=suspect.target,
        steps=(step,),
        label=told.label,
        origin=told.candidate.origin,
        imports=told.candidate.imports,
    )
    return Observation(candidate, (result,), frozenset(), told.label)


def _promise(suspect: Suspect) -> tuple[Step, StepResult] | None:
    """The step of a test, and what it should give."""
    call, expected = suspect.call, suspect.expected
    if expected == "no exception":  # the call alone says it
        return Step(StepKind.SETUP, call), StepResult("ok")
    name = expected.removeprefix("raises ")
    if name != expected and _is_exception(name):
        raised = Raised(name, "", "", is_deliberate=True, is_inside=True)
        return Step(StepKind.PROBE, call), StepResult("raised", raised=raised)
    kind = expected.removeprefix("a value of type ")
    if kind != expected and kind in _PLAIN_TYPES:
        check = Check(CheckKind.IS, "", "True")
        asked = Step(StepKind.PROBE, f"isinstance({call}, {kind})")
        return asked, StepResult("ok", checks=(check,))
    found = _check(expected)
    if found is None:
        return None
    return Step(StepKind.PROBE, call), StepResult("ok", checks=(found,))


def _is_exception(name: str) -> bool:
    kind = getattr(builtins, name, None)
    return isinstance(kind, type) and issubclass(kind, Exception)


def _check(expected: str) -> Check | None:
    """An assertion for an expected literal; None for anything in words."""
    try:
        value = ast.literal_eval(expected)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None
    if value is None or isinstance(value, bool):
        return Check(CheckKind.IS, "", repr(value))
    return Check(CheckKind.APPROX if isinstance(value, float) else CheckKind.EQUAL, "", expected)


def _expression(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _marked(block: Block, suspect: Suspect, taken: Set[str]) -> Block:
    """The block under its mark, with a name that says what is promised."""
    kind = suspect.evidence.partition(" (")[0]
    word = next((text for start, text in _NAMES if kind.startswith(start)), "keeps_its_promise")
    subject = re.sub(r"\W+|__", "_", suspect.target).strip("_").lower()
    base = f"test_{subject}_{word}"
    names = (base, *(f"{base}_{number}" for number in range(2, 1000)))
    name = next(name for name in names if name not in taken)
    text = re.sub(rf"^def {block.name}\(", f"def {name}(", block.text, count=1, flags=re.MULTILINE)
    mark = f"@pytest.mark.xfail(reason={f'contradicts: {kind}'!r}, strict=True)"
    imports = dict.fromkeys((*block.imports, Import("pytest")))
    return dataclasses.replace(block, name=name, text=f"{mark}\n{text}", imports=tuple(imports))
