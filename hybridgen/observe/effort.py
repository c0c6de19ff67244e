"""How much work was done, in seconds that no clock measured.

What a search finds must not depend on how busy the machine is, so stages end by work: every run,
every new process has a price, which is what it takes on a laptop with two cores. The clock is a cap
that a slower machine may reach earlier.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

RUN: Final = 0.0015
"""Running a candidate, and making it."""

START: Final = 0.15
"""A new process that imports the module under test."""

WATCHED_RUN: Final = 0.004
"""Running a candidate in instrumented code."""

FORK: Final = 0.015
"""A forked process that imports a mutant."""

MUTANT_RUN: Final = 0.001
"""Running a candidate on a mutant."""


@dataclass(slots=True)
class Effort:
    """The work on one module so far; ``seconds`` are the sum of prices."""

    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """Something was done."""
        self.seconds += seconds


@dataclass(slots=True)
class Limit:
    """Where a stage ends.

    Attributes:
        effort: what is counted.
        seconds: so much of it ends the stage.
        deadline: the cap, on the clock of ``time.monotonic``.
        is_cut: whether the cap was reached before the work was done.
    """

    effort: Effort
    seconds: float
    deadline: float
    is_cut: bool = field(default=False, init=False)

    def is_over(self) -> bool:
        """Whether the stage has to end now."""
        if self.effort.seconds >= self.seconds:
            return True
        self.is_cut |= time.monotonic() >= self.deadline
        return self.is_cut

    def until(self) -> float:
        """The deadline; a moment long ago once the work is done."""
        return 0.0 if self.effort.seconds >= self.seconds else self.deadline

    def part(self, share: float) -> Limit:
        """An earlier limit, after that share of what is left."""
        now = time.monotonic()
        work = max(0.0, self.seconds - self.effort.seconds)
        clock = max(0.0, self.deadline - now)
        return Limit(self.effort, self.effort.seconds + work * share, now + clock * share)
