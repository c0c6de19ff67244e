"""A pytest plugin that leaves tests out by name and writes down how each of the others ended.

``BENCH_LEFT_OUT`` names a JSON file with node ids to deselect, ``BENCH_OUTCOMES`` the JSON file
to write: {node id: "passed" | "failed" | "skipped" | "xfailed"}. A test that cannot be set up,
torn down or collected has failed; so has one that takes too long.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

_TEST_SECONDS = 20
_outcomes: dict[str, str] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects what is to be left out."""
    name = os.environ.get("BENCH_LEFT_OUT")
    if not name:
        return
    left_out = set(json.loads(Path(name).read_text(encoding="utf-8")))
    dropped = [item for item in items if item.nodeid in left_out]
    if dropped:
        items[:] = [item for item in items if item.nodeid not in left_out]
        config.hook.pytest_deselected(items=dropped)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A file that cannot be collected counts as one failed test."""
    if report.failed:
        _outcomes[report.nodeid] = "failed"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Ends a test that hangs, so that it does not take the others with it."""

    def give_up(number: int, frame: object) -> None:
        pytest.fail(f"over {_TEST_SECONDS} s", pytrace=False)

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(_TEST_SECONDS)
    try:
        return (yield)
    finally:
        signal.alarm(0)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keeps the worst of the three phases of a test."""
    before = _outcomes.get(report.nodeid)
    if report.failed or before == "failed":
        _outcomes[report.nodeid] = "failed"
    elif report.skipped:
        _outcomes[report.nodeid] = "xfailed" if hasattr(report, "wasxfail") else "skipped"
    elif before is None:
        _outcomes[report.nodeid] = "passed"


def pytest_sessionfinish() -> None:
    """Writes the outcomes."""
    name = os.environ.get("BENCH_OUTCOMES")
    if name:
        Path(name).write_text(json.dumps(_outcomes), encoding="utf-8")
