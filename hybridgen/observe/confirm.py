"""Keeps only what is the same in other processes, hash seeds, clocks, folders and orders."""

from __future__ import annotations

import math
import random
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace

from hybridgen.domain import Candidate, Check, Observation, Raised, StepKind, StepResult
from hybridgen.domain.places import QUESTIONS, is_listing, is_place
from hybridgen.observe.bearing import idle_steps
from hybridgen.observe.effort import RUN
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


MOST_PLACES = 3
"""Files and folders that a test looks at after one step."""

Change = tuple[str, tuple[Check, ...]]

BATCH, FIRST_BATCH = 64, 8
"""Candidates that go through all variations before the next ones do, best first: so when time is
short, the best are confirmed and not all of them half. At most, and before a price is known."""

BATCH_WORK = 2.0
"""Seconds of work that a batch should be: a few candidates where each changes the process."""

LEAST_WORK = 1.0
"""Seconds of work that are done though all of it was used up before."""

MOST_TIMEOUTS = 2
"""After so many hangs of a target, those of its candidates that took long before are dropped."""


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
        work: the same, in seconds of the runner's effort; looked at between batches, of which
            the size depends on what a candidate costs.

    Returns:
        Confirmed observations, in the order of ``candidates``, and what was dropped.
    """
    kept: list[Observation] = []
    dropped: list[Dropped] = []
    effort, hangs = runner.effort, Counter[str]()
    work = max(work, effort.seconds + LEAST_WORK)
    start, size = 0, FIRST_BATCH
    while start < len(candidates):
        if effort.seconds >= work:
            dropped += [Dropped(candidate, "budget") for candidate in candidates[start:]]
            break
        before, batch = effort.seconds, candidates[start : start + size]
        some_kept, some_dropped = _confirm_batch(runner, batch, seed + start, deadline, hangs)
        kept += some_kept
        dropped += some_dropped
        start += len(batch)
        price = max(RUN, effort.seconds - before) / len(batch)
        size = max(1, min(BATCH, int(BATCH_WORK / price)))
    return tuple(kept), tuple(dropped)


def _confirm_batch(
    runner: Runner,
    candidates: Sequence[Candidate],
    seed: int,
    deadline: float,
    hangs: Counter[str],
) -> tuple[list[Observation], list[Dropped]]:
    """Runs a batch variation by variation; where that may not end in time, one by one.

    Args:
        hangs: how often a candidate of a target did not come back; more are counted in.
    """
    runs: list[list[Observation]] = [[] for _ in candidates]
    dropped: dict[int, Dropped] = {}
    turns = deque(_turns(len(candidates), seed))
    began, is_hurried = time.monotonic(), False
    while turns:
        now = time.monotonic()
        if not is_hurried and now > (began + deadline) / 2:
            # What was begun is ended first: two runs of three are worth nothing.
            turns = deque(sorted(turns, key=lambda turn: (-len(runs[turn[0]]), *turn)))
            is_hurried = True
        index, number = turns.popleft()
        candidate = candidates[index]
        if index in dropped:
            continue
        if now > deadline:
            dropped[index] = Dropped(candidate, "budget")
            continue
        if hangs[candidate.target] >= MOST_TIMEOUTS and candidate in runner.slow:
            dropped[index] = Dropped(candidate, "timeout")
            continue
        result = runner.run(candidate, VARIATIONS[number])
        if isinstance(result, Dropped):
            dropped[index] = result
            hangs[candidate.target] += result.reason == "timeout"
        else:
            runs[index].append(result)
    return _agreed(candidates, runs, dropped, runner.names)


def _turns(count: int, seed: int) -> Iterator[tuple[int, int]]:
    """Which candidate runs in which variation, one after the other; in other orders each time."""
    for number in range(len(VARIATIONS)):
        order = list(range(count))
        if number:
            random.Random(seed + number).shuffle(order)
        yield from ((index, number) for index in order)


def _agreed(
    candidates: Sequence[Candidate],
    runs: Sequence[Sequence[Observation]],
    dropped: dict[int, Dropped],
    known: Set[str],
) -> tuple[list[Observation], list[Dropped]]:
    kept = []
    for index, candidate in enumerate(candidates):
        if index in dropped:
            continue
        agreed = agree(runs[index], known)
        if agreed is None:
            dropped[index] = Dropped(candidate, "unstable")
        else:
            kept.append(agreed)
    return kept, list(dropped.values())


def agree(runs: Sequence[Observation], known: Set[str]) -> Observation | None:
    """What all ``runs`` of one candidate have in common, or None if that asserts nothing.

    Args:
        known: the names of the module; what has nothing to do with it is not asserted.
    """
    first = runs[0]
    if any(len(run.results) != len(first.results) for run in runs):
        return None
    idle = idle_steps(first.candidate, known)
    steps, results = [], []
    for index, step in enumerate(first.candidate.steps):
        result = _common([run.results[index] for run in runs])
        if result is None:
            return None
        if step.kind is StepKind.PROBE and result.status == "ok":
            if not is_assertable(step, result) or index in idle:
                # It may have changed something that later steps show, so it stays as set-up.
                step = replace(step, kind=StepKind.SETUP, opinion=None)
        steps.append(step)
        results.append(result)
    while steps and (
        len(steps) - 1 in idle
        or not (is_assertable(steps[-1], results[-1]) or results[-1].raised is not None)
    ):
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
        (name, _telling(name, kept))
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
        changed=_readable(changed),
        logs=first.logs if all(o.logs == first.logs for o in results) else (),
        complaints=first.complaints if len({o.complaints for o in results}) == 1 else "",
    )


def _telling(subject: str, checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """What a file holds, without that it is one; only the latter where the contents differ."""
    if not is_place(subject):
        return checks
    return tuple(check for check in checks if check.path not in QUESTIONS) or checks


def _readable(changed: Sequence[Change]) -> tuple[Change, ...]:
    """No more than a few places below ``tmp_path``; of many, what some hold and all names."""
    places = [item for item in changed if is_place(item[0])]
    listings = [item for item in changed if is_listing(item[0])]
    others = [item for item in changed if item not in places and item not in listings]
    if len(places) <= MOST_PLACES:
        return (*others, *places, *listings)
    if listings:
        places = [item for item in places if item[1][0].path not in QUESTIONS]
    return (*others, *listings, *places[:MOST_PLACES])


def _common_exception(one: Raised | None, other: Raised | None) -> Raised | None:
    if one is None or other is None or one.type_import != other.type_import:
        return None
    if one.type_name != other.type_name:
        return None
    return one if one.match == other.match else replace(one, match="")
