"""Mutants of a module, and which assertions notice them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hybridgen.domain.runs import Candidate, Step, StepResult


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small change of a module's source.

    Attributes:
        line: 1-based, where it begins.
        last_line: 1-based, inclusive.
        kind: what was changed (``comparison``, ``constant`` ...).
        before: the code that was there, as people see it.
        after: what stands there instead.
        start: place in the UTF-8 bytes of the source where the change begins.
        end: place behind it.
        text: the bytes put there; as many lines as before, so that no other line moves.
        lines: where it has an effect; for a value made at import time the lines that use it.
    """

    line: int
    last_line: int
    kind: str
    before: str
    after: str
    start: int
    end: int
    text: bytes
    lines: frozenset[int]

    def source(self, original: bytes) -> str:
        """The whole module with this change."""
        return (original[: self.start] + self.text + original[self.end :]).decode()

    def describe(self) -> str:
        """``12: a < b -> a <= b``."""
        return f"{self.line}: {_short(self.before)} -> {_short(self.after)}"


def _short(code: str) -> str:
    text = " ".join(code.split())
    return text if len(text) <= 60 else f"{text[:57]}..."


Finding = tuple[str, str]
"""Something that a test can assert: the code of a step, and what is said about it."""


def findings(step: Step, result: StepResult) -> Iterator[Finding]:
    """All that a test could assert about one step."""
    code = step.code.strip()
    for check in result.checks:
        yield code, f"{check.kind} {check.path} {check.expression}"
    for name, checks in result.changed:
        for check in checks:
            yield code, f"{name} {check.kind} {check.path} {check.expression}"
    if result.raised is not None:
        yield code, f"raises {result.raised.type_name}"
    if result.output:
        yield code, f"prints {result.output}"
    if result.complaints:
        yield code, f"complains {result.complaints}"
    for name in result.warnings:
        yield code, f"warns {name}"
    if result.logs:
        yield code, f"logs {[message for _, message in result.logs]}"


@dataclass(frozen=True, slots=True)
class Kills:
    """Which mutants make which assertion fail.

    Attributes:
        mutants: those that were tried.
        found: for each candidate, by what is asserted: indices into ``mutants``.
        is_complete: True if no mutant was left out for want of time.
        partial: candidates that were not run on all mutants that they reach, because enough
            others had noticed those.
        equivalent: indices of mutants that no input told apart although many were tried.
        untried: how many there were no time for, roughly: some of them cannot be imported.
    """

    mutants: tuple[Mutant, ...] = ()
    found: Mapping[Candidate, Mapping[Finding, frozenset[int]]] = field(default_factory=dict)
    is_complete: bool = False
    partial: frozenset[Candidate] = frozenset()
    equivalent: frozenset[int] = frozenset()
    untried: int = 0
