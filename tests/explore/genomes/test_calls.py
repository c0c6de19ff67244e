"""Genomes for typed and class-heavy code, in a real worker where it matters."""

from __future__ import annotations

import ast
import random
import time
from collections.abc import Callable

import pytest

from hybridgen.domain import Candidate, Module, StepKind
from hybridgen.explore.archive import Archive
from hybridgen.explore.genomes.arguments import Arguments
from hybridgen.explore.genomes.calls import CallMaker
from hybridgen.explore.genomes.catalogue import Catalogue
from hybridgen.explore.genomes.sequences import Sequences
from hybridgen.explore.search import Search
from hybridgen.observe.measure import measure

Start = Callable[..., tuple[Search, Archive, Module]]

TYPED = """
from __future__ import annotations

import io
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Literal, NamedTuple, NewType, Protocol, TextIO, TypedDict, TypeVar

UserId = NewType("UserId", int)
Pair = tuple[int, str]


class Kind(Enum):
    A = "a"
    B = "b"


class Row(TypedDict):
    name: str
    amount: int


class Point(NamedTuple):
    x: int
    y: int = 0


class Priced(Protocol):
    def price(self) -> int: ...


class Closing(Protocol):
    def close(self, now: bool) -> int: ...


class Shape(ABC):
    @abstractmethod
    def area(self) -> float: ...


@dataclass
class Square(Shape):
    side: float

    def area(self) -> float:
        return self.side**2


@dataclass
class Item:
    kind: Kind
    cents: int

    @classmethod
    def parse(cls, text: str) -> Item:
        return cls(Kind.A, int(text))

    def price(self) -> int:
        return self.cents


T = TypeVar("T", bound=Item)


def user(uid: UserId, pair: Pair): ...
def row(row: Row, how: Literal["short", "long"]): ...
def apply(f: Callable[[int, int], bool], point: Point): ...
def total(thing: Priced): ...
def closed(thing: Closing): ...
def shape(shape: Shape, kind: type[Shape]): ...
def lines(stream: TextIO, pattern: re.Pattern[str]): ...
def same(item: T): ...
"""


def texts(module: Module, name: str, count: int = 60) -> list[str]:
    """The last step of fresh candidates for a function."""
    maker = CallMaker(module, random.Random(1))
    target = maker.target(name)
    made = (maker.candidate(maker.genome(target), target) for _ in range(count))
    return [candidate.steps[-1].code for candidate in made if candidate is not None]


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("user", ["user(7, ", "(3, "]),
        ("row", ["{'name': ", "'short')", "'long')"]),
        ("apply", ["lambda x, y: x == y", "Point("]),
        ("total", ["Item(Kind."]),
        ("closed", ["types.SimpleNamespace(close=lambda now: "]),
        ("shape", ["Square(", ", Square)"]),
        ("lines", ["io.StringIO(", "re.compile("]),
        ("same", ["Item(Kind.A, ", "Item.parse('"]),
    ],
)
def test_typed_parameters_get_values_of_their_types(
    read: Callable[[str], Module], name: str, forms: list[str]
) -> None:
    found = texts(read(TYPED), name, count=120)
    for form in forms:
        assert any(form in text for text in found), form


def test_same_seed_makes_the_same_genomes(read: Callable[[str], Module]) -> None:
    module = read(TYPED)
    assert texts(module, "apply") == texts(module, "apply")


def test_every_candidate_parses(read: Callable[[str], Module]) -> None:
    module = read(TYPED)
    for target in module.targets:
        maker = CallMaker(module, random.Random(3))
        for _ in range(20):
            genome = maker.vary(maker.genome(maker.target(target.qualname)))
            candidate = maker.candidate(genome, target)
            for step in candidate.steps if candidate is not None else ():
                mode = "eval" if step.kind is StepKind.PROBE else "exec"
                assert ast.parse(step.code, mode=mode)


def reached(start: Start, code: str, seconds: float = 20) -> tuple[float, list[Candidate]]:
    """Coverage after a search, and what it kept."""
    search, archive, module = start(code)
    deadline = time.monotonic() + seconds

    def until() -> float:
        return 0.0 if search.report.runs > 1500 else deadline

    search.run(until, plateau=700)
    return measure(module.path, archive.arcs).coverage.pooled, list(archive.candidates)


RESULTS = """
def repeat(times):
    if times < 1:
        raise ValueError("times")

    def later(first):
        def together(*args):
            return [(first, *args) for _ in range(times)]

        return together

    return later
"""


STACK = """
class Stack:
    def __init__(self, items):
        self.items = list(items)

    def pop(self):
        return self.items.pop()

    def __eq__(self, other):
        return self.items == other.items
"""


@pytest.mark.parametrize(("numbers", "is_used"), [(0, True), (5, False)])
def test_what_a_method_mostly_gives_decides_whether_it_is_asked(
    read: Callable[[str], Module], numbers: int, is_used: bool
) -> None:
    chooser = random.Random(1)
    catalogue = Catalogue(read(STACK))
    sequences = Sequences(catalogue, Arguments(catalogue, chooser), chooser)
    sequences.returned("Stack.pop", "Stack")
    for _ in range(numbers):
        sequences.returned_plainly("Stack.pop")
    target = catalogue.target("Stack.pop")
    varied = [sequences.vary(sequences.genome(target)) for _ in range(100)]
    assert any(call.on for genome in varied for call in genome.calls) is is_used


def test_what_a_function_returns_is_called(start: Start) -> None:
    coverage, found = reached(start, RESULTS)
    assert coverage == 100
    chains = [[step.code for step in candidate.steps] for candidate in found]
    assert any(chain[0].startswith("function = repeat(") and len(chain) > 2 for chain in chains)


STORE = """
class Store:
    def __init__(self, measure=None, room=3):
        self._measure = measure
        self._entries = {}
        self._room = room

    @property
    def room(self):
        return self._room

    @room.setter
    def room(self, value):
        if value < len(self._entries):
            raise ValueError("too small")
        self._room = value

    def __setitem__(self, key, value):
        size = self._measure(value) if self._measure else 1
        if size > self._room:
            raise ValueError("too large")
        if key in self._entries:
            self._entries.pop(key)
        elif len(self._entries) >= self._room:
            raise KeyError("full")
        self._entries[key] = value

    def get(self, key):
        if key not in self._entries:
            return None
        return self._entries[key]

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        return kind is ValueError
"""


def test_sequences_reach_the_state_behind_an_object(start: Start) -> None:
    coverage, found = reached(start, STORE)
    assert coverage == 100
    codes = [step.code for candidate in found for step in candidate.steps]
    assert any(".room = " in code for code in codes)
    assert any(code.startswith("with store as entered:") for code in codes)


PRIVATE = """
class _Ring:
    def __init__(self, items):
        self._items = list(items)

    def turn(self, steps=1):
        if not self._items:
            return None
        steps %= len(self._items)
        return self._items[steps]

    def __or__(self, other):
        if type(other) is not _Ring:
            return NotImplemented
        if len(other._items) > len(self._items):
            return _Ring(other._items + self._items)
        return _Ring(self._items + other._items)


def ring(items):
    return _Ring(items)
"""


def test_objects_of_a_private_class_come_from_the_function_that_gives_them(start: Start) -> None:
    _, found = reached(start, PRIVATE)

    assert any("| ring(" in step.code for candidate in found for step in candidate.steps)
