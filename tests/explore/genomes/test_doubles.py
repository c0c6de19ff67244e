"""Objects for what code asks of those of no known class."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from hybridgen.explore.archive import Archive
from hybridgen.explore.search import Search

Start = Callable[..., tuple[Search, Archive, object]]


def open_lines(start: Start, source: str, runs: int = 500) -> set[int]:
    """The lines with a ``return`` that a search does not come to."""
    search, archive, _ = start(source)
    end = time.monotonic() + 60
    search.run(lambda: end if search.report.runs < runs else 0.0)
    reached = {line for arc in archive.arcs for line in arc}
    lines = enumerate(source.split("\n"), 1)
    return {at for at, line in lines if line.strip().startswith("return")} - reached


@pytest.mark.parametrize(
    "source",
    [
        """
def level(gauge):
    try:
        value = gauge.measure()
    except TimeoutError:
        return "late"
    except OSError:
        return "broken"
    if value > 17:
        return "high"
    return "low"
""",
        """
def options(args: Namespace):
    if args.verbose and args.mode == "slow":
        return 1
    if not args.verbose and args.mode != "slow":
        return 2
    return 3
""".replace("Namespace", "'elsewhere.Settings'"),
        """
def shown(thing):
    try:
        return repr(thing)
    except RecursionError:
        return "deep"
    except Exception:
        return "?"
""",
        """
def first(page):
    for part in page.parts:
        if part.kind() == "picture":
            return part.owner.name
    return None
""",
    ],
)
def test_code_is_reached_that_wants_objects_of_unknown_classes(start: Start, source: str) -> None:
    assert not open_lines(start, source)


def test_methods_that_are_awaited_can_be(start: Start) -> None:
    source = """
async def load(client):
    reply = await client.fetch_page()
    if reply == 404:
        return None
    return reply
"""
    assert not open_lines(start, source)
