"""Stages end by work; the clock is only a cap, and that it was reached is known."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable

from hybridgen.domain import Candidate
from hybridgen.observe.effort import Effort, Limit
from hybridgen.observe.runner import Runner

COUNTER = """
calls = []

def note(text):
    calls.append(text)
    return len(calls)

def twice(number):
    return 2 * number
"""


def test_stage_ends_when_its_work_is_done_however_late_the_cap() -> None:
    limit = Limit(Effort(), 2.0, math.inf)
    limit.effort.add(1.5)
    assert not limit.is_over()
    limit.effort.add(0.5)
    assert limit.is_over()
    assert not limit.is_cut
    assert limit.until() < time.monotonic()


def test_cap_that_ends_a_stage_before_its_work_is_done_is_told() -> None:
    limit = Limit(Effort(), 2.0, time.monotonic() - 1)
    assert limit.is_over()
    assert limit.is_cut


def test_part_of_a_limit_counts_from_what_is_done_already() -> None:
    limit = Limit(Effort(4.0), 10.0, math.inf)
    part = limit.part(0.5)
    assert part.seconds == 7.0
    limit.effort.add(3.0)
    assert part.is_over()
    assert not limit.is_over()


def test_part_of_a_limit_that_is_over_is_over() -> None:
    assert Limit(Effort(11.0), 10.0, math.inf).part(0.5).is_over()


def test_same_runs_are_the_same_work(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    efforts = []
    for _ in range(2):
        runner = open_runner(COUNTER)
        for code in ("?twice(1)", "?note('a')", "?twice(2)"):
            runner.run(candidate(code))
        efforts.append(runner.effort.seconds)
    assert efforts[0] == efforts[1]


def test_call_that_needs_a_new_process_afterwards_is_more_work(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    runner = open_runner(COUNTER)
    efforts = [runner.effort.seconds]
    for code in ("?twice(1)", "?note('a')", "?twice(2)"):
        runner.run(candidate(code))
        efforts.append(runner.effort.seconds)
    clean, changing, after = (b - a for a, b in itertools.pairwise(efforts))
    assert after > 10 * clean
    assert changing < after
