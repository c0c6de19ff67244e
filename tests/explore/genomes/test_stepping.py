"""Generators are asked step by step where they take something at their steps."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from hybridgen.domain import Module
from hybridgen.explore.archive import Archive
from hybridgen.explore.genomes.stepping import asked_at_steps
from hybridgen.explore.search import Search

CODE = """
def average(start=0):
    total, count = start, 0
    while count < 5:
        try:
            value = yield total
        except LookupError:
            total = 0
            continue
        if value is None:
            return total
        total += value
        count += 1
    return None


def plain(items):
    for item in items:
        yield item
"""


def test_what_a_generator_takes_is_read_from_its_source(read: Callable[[str], Module]) -> None:
    first, second = read(CODE).targets
    asked = asked_at_steps(first)
    assert asked is not None
    assert (asked.names, asked.errors) == (("value",), ("LookupError",))
    assert asked_at_steps(second) is None


def test_a_generator_that_ends_with_a_deed_is_asked_as_a_whole(
    read: Callable[[str], Module],
) -> None:
    code = "def f(x):\n    try:\n        y = yield x\n    finally:\n        x.clear()\n"
    assert asked_at_steps(read(code).targets[0]) is None


@pytest.mark.parametrize("line", ["total = 0", "total += value", "count += 1"])
def test_code_behind_what_is_sent_is_reached(
    start: Callable[..., tuple[Search, Archive, Module]], line: str
) -> None:
    search, archive, _ = start(CODE)
    end = time.monotonic() + 60
    search.run(lambda: end if search.report.runs < 500 else 0.0)
    reached = {line for arc in archive.arcs for line in arc}
    assert next(at for at, text in enumerate(CODE.split("\n"), 1) if line in text) in reached
