"""Finds suspects: places where what was observed contradicts what somebody said.

Who says so: an example in a docstring, a return hint, an exception that nobody raises on purpose,
a function that undoes another, a law that a name or an operator promises, several answers of a
model. :func:`further_candidates` gives the calls that have to run for that; the caller runs them
like all others, and :func:`suspects_in` looks at everything that was the same in each run.

A wrong alarm costs more than a missed bug: a reader who saw three switches this off. So input
counts only if the code asks for it (:mod:`hybridgen.suspects.calling`), and what may be meant
otherwise says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from hybridgen.domain import AGREED, Candidate, Module, Observation, Strength, Suspect, Target
from hybridgen.suspects.accidents import accident_suspects
from hybridgen.suspects.calling import DOCUMENTED, Caller
from hybridgen.suspects.documented import documented_suspects
from hybridgen.suspects.frozen import left_out
from hybridgen.suspects.laws import law_candidates, law_suspects
from hybridgen.suspects.opinions import opinion_suspects
from hybridgen.suspects.pairs import LAW
from hybridgen.suspects.promised import promised_suspects
from hybridgen.suspects.returned import returned_suspects
from hybridgen.suspects.sessions import SESSION, sessions
from hybridgen.suspects.unkept import unkept_suspects

__all__ = ["FIRST", "FURTHER", "further_candidates", "law_candidates", "left_out", "suspects_in"]

FIRST = frozenset({SESSION})
"""Origins of further candidates that are few and show most."""

FURTHER = frozenset({SESSION, LAW, AGREED})
"""Origins of candidates that never become a test. (An accident cannot become one anyway.)"""


def further_candidates(
    module: Module,
    targets: Sequence[Target],
    observations: Sequence[Observation],
    leads: Sequence[Observation] = (),
) -> tuple[Candidate, ...]:
    """What has to run beyond the search to find suspects: doctests as they are, leads, laws.

    None of it may become a test.

    Args:
        observations: what the search found, confirmed or not.
        leads: what it noted besides, seen once (:class:`hybridgen.explore.leads.Leads`); only
            those that would make a suspect are run again.
    """
    caller = Caller(module, observations)
    found = [session.candidate for session in sessions(module, targets)]
    for judge in (accident_suspects, promised_suspects, opinion_suspects):
        found += [item.observation.candidate for item in judge(leads, module, caller)]
    return (*found, *law_candidates(module, targets, observations))


def suspects_in(observations: Sequence[Observation], module: Module) -> tuple[Suspect, ...]:
    """The suspects, the strong ones first, one for each target and kind of evidence.

    Args:
        observations: confirmed ones, those of :func:`further_candidates` and accidents too.
    """
    caller = Caller(module, observations)
    found: dict[tuple[str, str, str], Suspect] = {}
    # What breaks a promise is told once, and not as a mere accident too.
    promised = {suspect.call for suspect in promised_suspects(observations, module, caller)}
    for judge in (
        documented_suspects,
        promised_suspects,
        returned_suspects,
        accident_suspects,
        law_suspects,
        opinion_suspects,
        unkept_suspects,
    ):
        for suspect in judge(observations, module, caller):
            if judge is accident_suspects and suspect.call in promised:
                continue
            if judge is unkept_suspects and any(key[0] == suspect.target for key in found):
                continue  # a call says more
            # Of several calls that show the same, a documented and then the shortest one.
            key = (suspect.target, suspect.evidence, suspect.strength)
            held = found.get(key)
            if held is None or _rank(suspect) < _rank(held):
                found[key] = suspect
    order = {target.qualname: index for index, target in enumerate(module.targets)}
    return tuple(
        sorted(
            found.values(),
            key=lambda s: (s.strength is not Strength.STRONG, order.get(s.target, len(order))),
        )
    )


def _rank(suspect: Suspect) -> tuple[bool, int]:
    return suspect.observation.candidate.origin != DOCUMENTED, len(suspect.call)
