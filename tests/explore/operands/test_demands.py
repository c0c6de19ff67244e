"""Branches that the source of their condition leads to, by a search that sees no operands."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable

import pytest

from hybridgen.domain import Module
from hybridgen.explore.archive import Archive
from hybridgen.explore.genomes.calls import CallMaker
from hybridgen.explore.operands.demands import Demands
from hybridgen.explore.search import Search
from hybridgen.observe.measure import measure

Start = Callable[..., tuple[Search, Archive, Module]]
MOST_RUNS = 260

TYPES = """
    def area(width: float, height: float) -> float:
        if not isinstance(width, (int, float)):
            raise TypeError("width")
        if not isinstance(height, (int, float)):
            raise TypeError("height")
        return width * height
    """
STATE = """
    class Door:
        def __init__(self):
            self._is_open = False
            self._is_locked = False

        def unlatch(self):
            self._is_open = True

        def bolt(self):
            self._is_locked = True

        def enter(self):
            if not self._is_open:
                raise RuntimeError("closed")
            if self._is_locked:
                return "through the window"
            return "in"
    """
FILLED = """
    class Shelf:
        def __init__(self):
            self._books = {}

        def add(self, title: str, author: str):
            self._books[title] = author

        def author(self, title: str):
            if title in self._books:
                return self._books[title]
            raise LookupError(title)
    """
CALLERS = """
    def _joined(parts, sep, ending):
        if ending is not None and sep == "::":
            return sep.join(parts) + ending
        return sep.join(parts)


    def label(name: str, mark=", ", last=None):
        return _joined([name, name], mark, last)
    """
IMPORTED = """
    import enum
    from collections.abc import Mapping
    from pathlib import PurePath


    class Color(enum.Enum):
        RED = 1
        BLUE = 2


    def describe(thing):
        if isinstance(thing, PurePath):
            return thing.name
        if isinstance(thing, Mapping):
            return sorted(thing)
        if isinstance(thing, Color):
            return thing.name if thing is Color.RED else "other"
        if thing is Color.BLUE:
            return "never"
        if thing != thing:
            return "not a number"
        return repr(thing)
    """
INSIDE = """
    def maker(sep: str):
        def inner(value):
            if isinstance(value, bytes):
                return value.decode() + sep
            return str(value) + sep

        return inner
    """


def asked(module: Module, condition: str) -> list[str]:
    """The code of all that is made for a condition of a module to hold."""
    chooser = random.Random(0)
    maker = CallMaker(module, chooser)
    demands = Demands(module, [t for t in module.targets if not t.is_private], maker, chooser)
    lines = module.source.text.splitlines()
    line = next(at for at, code in enumerate(lines, 1) if condition in code)
    branches = frozenset({(line, line + 1)})
    demands.look(branches, [])
    found = []
    while (demand := demands.take(branches)) is not None:
        candidate = maker.candidate(demand[1], demand[0])
        assert candidate is not None
        found.append("\n".join(step.code for step in candidate.steps))
    return found


@pytest.mark.parametrize(
    ("text", "condition", "pattern"),
    [
        (TYPES, "not isinstance(height", r"area\(.+, (height=)?(None|'a')\)"),
        (STATE, "if self._is_locked", r"\.bolt\(\)\n.*\.enter\(\)$"),
        (FILLED, "if title in", r"\.add\(('.*'), .*\)\n.*\.author\((title=)?\1\)$"),
        (CALLERS, "if ending is not None", r"label\(.*last='a', mark='::'\)"),
        (IMPORTED, "PurePath)", r"describe\(tmp_path.*\)"),
        (IMPORTED, "Mapping)", r"describe\(\{.*\}\)"),
        (IMPORTED, "thing is Color.BLUE", r"describe\(Color\.BLUE\)"),
    ],
)
def test_a_condition_asks_for_calls_that_meet_it(
    read: Callable[[str], Module], text: str, condition: str, pattern: str
) -> None:
    assert any(re.search(pattern, code) for code in asked(read(text), condition))


def test_nothing_is_asked_of_a_branch_that_was_taken_meanwhile(
    read: Callable[[str], Module],
) -> None:
    module = read(TYPES)
    chooser = random.Random(0)
    demands = Demands(module, module.targets, CallMaker(module, chooser), chooser)
    demands.look(frozenset({(3, 4)}), [])
    assert demands.take(frozenset({(5, 6)})) is None


@pytest.mark.parametrize(
    ("text", "line"), [(IMPORTED, '"not a number"'), (INSIDE, "value.decode()")]
)
def test_a_search_that_sees_no_operands_meets_conditions_by_their_source(
    start: Start, text: str, line: str
) -> None:
    search, archive, module = start(text)
    deadline = time.monotonic() + 60
    search.run(lambda: deadline if search.report.runs < MOST_RUNS else 0.0)
    lines = module.source.text.splitlines()
    number = next(at for at, code in enumerate(lines, 1) if line in code)
    assert number not in measure(module.path, archive.arcs).missing_lines
