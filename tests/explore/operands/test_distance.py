"""Steps towards boundaries that the input does not hold itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridgen.domain import Module
from hybridgen.explore.archive import Archive
from hybridgen.explore.operands.distance import LONGEST, distance, moved, sized, towards
from hybridgen.explore.search import Search
from hybridgen.observe.measure import measure
from hybridgen.observe.operands import Operands, Watcher
from hybridgen.observe.runner import Runner, Sandbox


@pytest.mark.parametrize(
    ("value", "other", "before", "after", "goal"),
    [
        (10, 11, 600 - 7260, 660 - 7260, 121),  # value * 60 against 7260
        ("ab", "aba", -94, -91, "ab" * 16 + "a"),  # len(value) * 3 against 100
        (1.0, 2.0, 5.0, 4.5, 11.0),
        ([1], [1, 1], -4, -3, [1, 1, 1, 1, 1]),
        (3, 4, 7, -5, 4),
    ],
)
def test_change_of_the_distance_tells_how_far_to_go(
    value: object, other: object, before: float, after: float, goal: object
) -> None:
    assert goal in list(towards(value, other, before, after))


@pytest.mark.parametrize(("before", "after"), [(3, 3), (None, 1), (1, None), (1e300, 1e300 - 1)])
def test_what_does_not_change_leads_nowhere(before: float | None, after: float | None) -> None:
    assert list(towards(1, 2, before, after)) == []


def test_sizes_stay_reasonable_and_types_what_they_are() -> None:
    assert sized("ab", LONGEST + 1) is None
    assert sized(5, 10**15) is None
    assert sized((), 2) == (1, 1)
    assert sized(b"", 2) == b"aa"
    assert moved(True) is None
    assert moved({"a": 1}) is None
    assert (moved(0), moved(80), moved("ab")) == (1, 90, "aba")


def test_distance_is_of_numbers_only() -> None:
    assert distance([Operands(1, "len <", 3, 8)]) == -5
    assert distance([Operands(1, "==", "a", "b"), Operands(1, "==", 4, 2)]) == 2
    assert distance([Operands(1, "in", 3, [8]), Operands(1, "==", True, 2)]) is None


FARES = """
def fare(minutes: int) -> str:
    seconds = minutes * 60 + 15
    if seconds == 1_234_575:
        return "exact"
    return "other"


def size(text: str) -> str:
    if len(text) * 7 > 1_900:
        return "long"
    return "short"
"""


def test_search_comes_to_boundaries_of_what_is_computed_from_the_input(
    read: Callable[[str], Module], tmp_path: Path
) -> None:
    module, sandbox = read(FARES), Sandbox(True, 1.0, 2 * 2**30)
    for name in ("runner", "watcher"):
        (tmp_path / name).mkdir()
    runner = Runner(module, sandbox, tmp_path / "runner")
    watcher = Watcher(module, runner, sandbox, tmp_path / "watcher")
    try:
        runner.open()
        archive = Archive(runner.import_arcs)
        search = Search(module, module.targets, runner, archive, seed=0, watcher=watcher)

        def until() -> float:
            done = measure(module.path, archive.arcs).coverage.pooled == 100
            return 0.0 if done else end

        end = time.monotonic() + 20
        search.run(until)
    finally:
        watcher.close()
        runner.close()

    codes = [step.code for held in archive.candidates for step in held.steps]
    assert "fare(20576)" in codes
    assert measure(module.path, archive.arcs).coverage.pooled == 100
