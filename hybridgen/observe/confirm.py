"""Keeps only what is the same in other processes, hash seeds, clocks, folders and orders."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence
from dataclasses import replace

from hybridgen.domain import Candidate, Observation, Raised, StepKind, StepResult
from hybridgen.observe.runner import Dropped, Runner, Variation
from hybridgen.observe.trim import is_assertable

ELSEWHERE = (
    ("TZ", "ELS-05:45"),  # a zone that no machine has by chance, spelt without a zone file
    ("COLUMNS", "133"),
    ("LINES", "47"),
    ("TERM", "xterm"),
    ("USER", "somebody"),
    ("LOGNAME", "somebody"),
)
VARIATIONS = (
    Variation(hash_seed=1, clock=0),
    Variation(
        hash_seed=20_002,
        clock=3 * 365 * 86_400 + 5 * 3_600 + 1_234,
        arguments=("/pytest/__main__.py", "tests", "-x"),
    ),
    Variation(
        hash_seed=31,
        clock=40 * 86_400 + 47,
        arguments=("py.test",),
        environment=ELSEWHERE,
        repeats=True,
    ),
)
"""Three processes; the second is years, the third weeks away, at another time of the day and on
what looks like another machine. Each has another command line: pytest's, when tests run."""


BATCH = 64
"""Candidates that go through all variations before the next ones do, best first: so when time is
short, the best are confirmed and not all of them half."""


def confirm(
    runner: Runner,
    candidates: Sequence[Candidate],
    *,
    seed: int,
    deadline: float,
    work: float = math.inf,
) -> tuple[tuple[Observation, ...], tuple[Dropped, ...]]:
    """Runs each candidate under every variation and keeps what agrees.

    Args:
        deadline: ``time.monotonic()`` after which what is unconfirmed is dropped as ``"budget"``.
        work: the same, in seconds of the runner's effort; looked at between batches.

    Returns:
        Confirmed observations, in the order of ``candidates``, and what was dropped.
    """
    kept: list[Observation] = []
    dropped: list[Dropped] = []
    for start in range(0, len(candidates), BATCH):
        batch = candidates[start : start + BATCH]
        if start and runner.effort.seconds >= work:
            dropped += [Dropped(candidate, "budget") for candidate in candidates[start:]]
            break
        some_kept, some_dropped = _confirm_batch(runner, batch, seed + start, deadline)
        kept += some_kept
        dropped += some_dropped
    return tuple(kept), tuple(dropped)


def _confirm_batch(
    runner: Runner, candidates: Sequence[Candidate], seed: int, deadline: float
) -> tuple[list[Observation], list[Dropped]]:
    runs: dict[int, list[Observation]] = {index: [] for index in range(len(candidates))}
    dropped: dict[int, Dropped] = {}
    for number, variation in enumerate(VARIATIONS):
        order = list(range(len(candidates)))
        if number:
            random.Random(seed + number).shuffle(order)
        for index in order:
            if index in dropped:
                continue
            if time.monotonic() > deadline:
                dropped[index] = Dropped(candidates[index], "budget")
                continue
            result = runner.run(candidates[index], variation)
            if isinstance(result, Dropped):
                dropped[index] = result
            else:
                runs[index].append(result)
    kept = []
    for index, candidate in enumerate(candidates):
        if index in dropped:
            continue
        agreed = agree(runs[index])
        if agreed is None:
            dropped[index] = Dropped(candidate, "unstable")
        else:
            kept.append(agreed)
    return kept, list(dropped.values())


def agree(runs: Sequence[Observation]) -> Observation | None:
    """What all ``runs`` of one candidate have in common, or None if that asserts nothing."""
    first = runs[0]
    if any(len(run.results) != len(first.results) for run in runs):
        return None
    steps, results = [], []
    for index, step in enumerate(first.candidate.steps):
        result = _common([run.results[index] for run in runs])
        if result is None:
            return None
        if step.kind is StepKind.PROBE and result.status == "ok":
            if not is_assertable(step, result):
                # It may have changed something that later steps show, so it stays as set-up.
                step = replace(step, kind=StepKind.SETUP, opinion=None)
        steps.append(step)
        results.append(result)
    while steps and not is_assertable(steps[-1], results[-1]) and results[-1].raised is None:
        steps.pop()
        results.pop()
    if not steps:
        return None
    arcs = frozenset.intersection(*(run.arcs for run in runs))
    candidate = replace(first.candidate, steps=tuple(steps))
    return Observation(candidate, tuple(results), arcs, first.label)


def _common(results: Sequence[StepResult]) -> StepResult | None:
    """The part of a step's results that is the same in all runs; None if even its end differs."""
    first = results[0]
    if any(other.status != first.status for other in results):
        return None
    raised = first.raised
    for other in results[1:]:
        raised = _common_exception(raised, other.raised)
    if first.raised is not None and raised is None:
        return None
    checks = tuple(c for c in first.checks if all(c in other.checks for other in results))
    changed = tuple(
        (name, kept)
        for name, items in first.changed
        if (
            kept := tuple(
                c for c in items if all(c in dict(o.changed).get(name, ()) for o in results)
            )
        )
    )
    return replace(
        first,
        checks=checks,
        raised=raised,
        output=first.output if all(o.output == first.output for o in results) else "",
        warnings=tuple(w for w in first.warnings if all(w in o.warnings for o in results)),
        changed=changed,
        logs=first.logs if all(o.logs == first.logs for o in results) else (),
    )


def _common_exception(one: Raised | None, other: Raised | None) -> Raised | None:
    if one is None or other is None or one.type_import != other.type_import:
        return None
    if one.type_name != other.type_name:
        return None
    return one if one.match == other.match else replace(one, match="")
