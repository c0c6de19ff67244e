"""Runs what may show a suspect beside what may become a test, and keeps the two apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hybridgen.domain import Candidate, Module, Observation, Strength, Suspect, Target
from hybridgen.suspects import FIRST, FURTHER, further_candidates, left_out, suspects_in


@dataclass(frozen=True, slots=True)
class Doubted:
    """Suspects, and the observations without what the strong ones show.

    Attributes:
        observations: what may become a test.
        suspects: what the report tells; none with ``--suspects drop``.
        promised: those that become tests marked as failing, with ``--suspects xfail``.
        left_out: how many observations are left out.
    """

    observations: tuple[Observation, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    promised: tuple[Suspect, ...] = ()
    left_out: int = 0


def with_further(
    candidates: Sequence[Candidate],
    module: Module,
    targets: Sequence[Target],
    observations: Sequence[Observation],
    leads: Sequence[Observation],
) -> tuple[Candidate, ...]:
    """What to confirm: doctests as they are, what may become tests, laws and accidents.

    Args:
        candidates: what may become tests.
        observations: what the search saw of them.
        leads: what it noted besides.
    """
    further = further_candidates(module, targets, observations, leads)
    first = [item for item in further if item.origin in FIRST]
    return (*first, *candidates, *(item for item in further if item.origin not in FIRST))


def doubt(
    confirmed: Sequence[Observation],
    module: Module,
    targets: Sequence[Target],
    mode: Literal["report", "xfail", "drop"],
) -> Doubted:
    """Finds the suspects among confirmed observations, those of :func:`with_further` too."""
    asked = {target.qualname for target in targets}
    found = tuple(item for item in suspects_in(confirmed, module) if item.target in asked)
    usual = [item for item in confirmed if item.candidate.origin not in FURTHER]
    kept = left_out(usual, found, module)
    strong = tuple(suspect for suspect in found if suspect.strength is Strength.STRONG)
    return Doubted(
        kept,
        () if mode == "drop" else found,
        strong if mode == "xfail" else (),
        len(usual) - len(kept),
    )
