"""Keeps what a strong suspect shows out of the suite: no passing test may freeze a likely bug."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from hybridgen.domain import Module, Observation, Strength, Suspect
from hybridgen.suspects.accidents import accident_suspects
from hybridgen.suspects.calling import Caller
from hybridgen.suspects.kinds import parsed, same_code
from hybridgen.suspects.promised import promised_suspects
from hybridgen.suspects.returned import returned_suspects


def left_out(
    observations: Sequence[Observation], suspects: Sequence[Suspect], module: Module
) -> tuple[Observation, ...]:
    """The observations that show nothing of what the strong ones among ``suspects`` show.

    A return hint, a promise or an exception speaks of every call that it is broken by, an example
    or a law of one call; of a round trip both halves go.
    """
    strong = [suspect for suspect in suspects if suspect.strength is Strength.STRONG]
    if not strong:
        return tuple(observations)
    calls = {same_code(text) for suspect in strong for text in _halves(suspect.call)}
    caller = Caller(module, observations)
    meant = {(suspect.target, suspect.evidence) for suspect in strong}
    bad = {
        id(item.observation)
        for judge in (returned_suspects, promised_suspects, accident_suspects)
        for item in judge(observations, module, caller)
        if (item.target, item.evidence) in meant
    }
    return tuple(
        observation
        for observation in observations
        if id(observation) not in bad
        and not any(same_code(step.code) in calls for step in observation.candidate.steps)
    )


def _halves(call: str) -> tuple[str, ...]:
    """``decode(encode(x))`` and ``encode(x)``; a call alone is itself."""
    match parsed(call):
        case ast.Call(args=[ast.Call() as inner], keywords=[]):
            return call, ast.unparse(inner)
    return (call,)
