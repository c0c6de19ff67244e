"""What a check of this installation found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Fact = str | int | float | bool | None


class State(StrEnum):
    """How it stands with one thing."""

    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``hybridgen doctor``.

    Attributes:
        subject: what was looked at, one word.
        text: what there is, a clause, without source text, keys or parts of them.
        fix: what mends it: a command or a change to make.
        details: further lines, where something is not right.
        facts: the same for programs, by name.
    """

    subject: str
    state: State
    text: str
    fix: str | None = None
    details: tuple[str, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)


def is_wrong(findings: Iterable[Finding]) -> bool:
    """Whether anything has to be mended; a warning need not be."""
    return any(finding.state is State.WRONG for finding in findings)
