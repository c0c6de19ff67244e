"""The search with operands, on code that asks for texts of a certain form, in real workers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybridgen.domain import Module
from hybridgen.explore.archive import Archive
from hybridgen.explore.search import Search
from hybridgen.observe.measure import measure
from hybridgen.observe.operands import Watcher
from hybridgen.observe.runner import Runner, Sandbox

Searched = tuple[Archive, Module, Search]


@pytest.fixture
def search(
    read: Callable[[str], Module], tmp_path: Path
) -> Iterator[Callable[[str, int, bool], Searched]]:
    """``search(text, runs)``: a search that ends after so many runs, or when all is reached."""
    opened: list[Runner | Watcher] = []

    def search(text: str, runs: int, is_watched: bool = True) -> Searched:
        module = read(text)
        folder = tmp_path / f"scratch{len(opened)}"
        folder.mkdir()
        sandbox = Sandbox(True, 2.0, 2 * 2**30)
        runner = Runner(module, sandbox, folder)
        runner.open()
        watcher = Watcher(module, runner, sandbox, tmp_path / f"watcher{len(opened)}")
        opened.extend((watcher, runner))
        archive = Archive(runner.import_arcs)
        found = Search(
            module,
            module.targets,
            runner,
            archive,
            seed=0,
            watcher=watcher if is_watched else None,
        )

        def until() -> float:
            return math.inf if found.report.runs < runs and found.focus.open() else 0

        found.run(until, plateau=runs)
        return archive, module, found

    yield search
    for one in opened:
        one.close()


PARSER = """
import re

ENTRY = re.compile(r"(\\w+)(?: \\((\\w+)\\))?: (.*)")
LEVELS = {"low": 1, "high": 2}

def read(text):
    found = []
    for line in text.splitlines():
        if line.startswith("[[") and line.endswith("]]"):
            found.append(line[2:-2])
        elif line.startswith("  ") and found:
            entry = ENTRY.fullmatch(line.strip())
            if entry is None:
                raise ValueError("no entry")
            if entry[2] == "level":
                found.append(LEVELS.get(entry[3], 0))
            else:
                found.append(entry[1])
    return found
"""


def test_a_parser_is_reached_line_by_line_by_short_texts(
    search: Callable[..., Searched],
) -> None:
    archive, module, found = search(PARSER, 4000)
    before = archive.arcs
    found.simplify(math.inf)
    reached = frozenset().union(*(o.arcs for o in archive.observations))
    assert measure(module.path, before).coverage.line == 100
    assert measure(module.path, reached).coverage.branch == 100
    assert max(len(c.steps[-1].code) for c in archive.candidates) < 90


def test_operands_are_what_makes_the_difference(search: Callable[..., Searched]) -> None:
    text = """
    def check(code: str) -> str:
        parts = code.lower().split("/")
        if len(parts) != 3:
            return "parts"
        kind, year, name = parts
        if kind + "x" == "invoicex":
            if year.isdigit() and int(year) == 1984:
                return "old" if name == "o" + "rwell" else "other"
        return "unknown"
    """
    archive, module, _ = search(text, 6000)
    assert measure(module.path, archive.arcs).coverage.pooled == 100
    without, module, _ = search(text, 6000, False)
    assert measure(module.path, without.arcs).coverage.pooled < 100


def test_the_same_seed_finds_the_same_with_operands(search: Callable[..., Searched]) -> None:
    one, _, _ = search(PARSER, 300)
    other, _, _ = search(PARSER, 300)
    assert one.candidates == other.candidates


def test_inputs_at_all_sides_of_a_limit_are_kept(search: Callable[..., Searched]) -> None:
    text = """
    def is_adult(age: int) -> bool:
        if age < -1000 and age > 1000:
            return False  # cannot be, so that the search goes on
        return age >= 18
    """
    archive, _, _ = search(text, 300)
    calls = {candidate.steps[-1].code for candidate in archive.candidates}
    assert {"is_adult(17)", "is_adult(18)", "is_adult(19)"} <= calls
