"""What the kernel locks on this machine, found by trying, against what the settings demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hybridgen.domain.health import Fact, Finding, State
from hybridgen.lockdown import LockLevel


@dataclass(frozen=True, slots=True)
class Demand:
    """Without which locks no code is run, and who says so.

    Attributes:
        is_required: all of them, unless a run is told otherwise.
        minimum: ``none``, ``best-effort``, ``sockets`` or ``kernel``, whatever a run is told.
        sandbox_place: the place of the setting ``sandbox``, for people.
        minimum_place: likewise of ``security.minimum_level``.
    """

    is_required: bool = True
    minimum: str = "none"
    sandbox_place: str = "default"
    minimum_place: str = "default"

    def has_minimum(self, level: LockLevel) -> bool:
        """Whether ``level`` holds what may never be missing."""
        return level.reaches(self.minimum)

    def is_met_by(self, level: LockLevel) -> bool:
        """Whether code is run where the kernel locks as much as ``level``."""
        return self.has_minimum(level) and (level.can_run or not self.is_required)


def check_locks(level: LockLevel, demand: Demand) -> Iterator[Finding]:
    """Whether code under test runs locked."""
    claims = {"sockets": level.sockets, "files": level.files}
    held = [name for name, holds in claims.items() if holds]
    text = f"{level.name}; tried: {' and '.join(held) or 'nothing'} locked ({level.why})"
    facts: dict[str, Fact] = {
        "level": level.name,
        **claims,
        "why": level.why,
        "minimum": demand.minimum,
    }
    if not demand.has_minimum(level):
        text = f"{text}; security.minimum_level = {demand.minimum} ({demand.minimum_place})"
        fix = "run it where the kernel has them: docs/sandbox.md says what that takes"
        yield Finding("locks", State.WRONG, f"{text}: no code is run", fix, facts=facts)
    elif not demand.is_required:
        text = f"sandbox = off ({demand.sandbox_place}): code runs without protection; {text}"
        fix = "take that setting out; see where it is: hybridgen config show"
        yield Finding("locks", State.WARNING, text, fix, facts=facts)
    elif level.seatbelt:
        fix = "nothing is sent here: hybridgen itself has no locks on macOS (docs/security.md)"
        yield Finding("locks", State.WARNING, text, fix, facts=facts)
    elif level.boxed:
        fix = "nothing is sent here, since what sends cannot be locked: docs/security.md"
        yield Finding("locks", State.WARNING, text, fix, facts=facts)
    elif not level.is_full:
        fix = "what it takes: docs/sandbox.md; --unsafe-no-sandbox runs code without protection"
        yield Finding("locks", State.WRONG, f"{text}; no code is run", fix, facts=facts)
    else:
        yield Finding("locks", State.OK, text, facts=facts)
