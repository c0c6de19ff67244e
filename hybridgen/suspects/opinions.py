"""Where several answers of a model agree with each other, and not with the code.

One answer alone is noise: a small model is mostly wrong about values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from hybridgen.domain import AGREED, Module, Observation, StepKind, Strength, Suspect
from hybridgen.suspects.calling import Caller
from hybridgen.suspects.returned import value_of


def opinion_suspects(
    observations: Sequence[Observation], module: Module, caller: Caller
) -> Iterator[Suspect]:
    """One suspect for each call on whose value several answers agree, and the code does not."""
    seen: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for observation in observations:
        candidate = observation.candidate
        if candidate.origin not in ("model", AGREED):
            continue
        for index, (step, result) in enumerate(
            zip(candidate.steps, observation.results, strict=False)
        ):
            if step.kind is not StepKind.PROBE or result.opinion_holds is not False:
                continue
            opinion = step.opinion or ""
            key = (*(item.code for item in candidate.steps[: index + 1]), opinion)
            seen[key] += 2 if candidate.origin == AGREED else 1
            target = caller.targets.get(candidate.target)
            if seen[key] < 2 or target is None:
                continue
            value, raised = value_of(result), result.raised
            yield Suspect(
                target=candidate.target,
                call=step.code,
                expected=opinion.removeprefix("_ == ").removeprefix("_ is "),
                observed=f"raises {raised.type_name}"
                if raised is not None
                else "another value"
                if value is None
                else str(result.checks[0].expression),
                evidence=f"several answers of the model ({module.display}:{target.first_line})",
                strength=Strength.WEAK,
                observation=observation,
            )
