"""Descriptors, decorators and abstract classes are used in small classes, in a real worker."""

from __future__ import annotations

import ast
import random
import time
from collections.abc import Callable

import pytest

from hybridgen.domain import Candidate, Module, Observation, StepKind
from hybridgen.explore.archive import Archive
from hybridgen.explore.genomes.calls import CallMaker
from hybridgen.explore.genomes.catalogue import Catalogue
from hybridgen.explore.genomes.roles import Role, uses_of
from hybridgen.explore.search import Search
from hybridgen.observe.measure import measure
from hybridgen.suite.screening import screened

Start = Callable[..., tuple[Search, Archive, Module]]

DESCRIPTORS = '''
class kept:
    """A value that is computed once for each object."""

    def __init__(self, func):
        self.func = func

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        if self.name not in vars(instance):
            vars(instance)[self.name] = self.func(instance)
        return vars(instance)[self.name]


class Bounded:
    def __init__(self, low: int = 0, high: int = 100) -> None:
        self.low = low
        self.high = high

    def __set_name__(self, owner, name):
        self.key = "_" + name

    def __get__(self, instance, owner=None):
        return self if instance is None else getattr(instance, self.key, self.low)

    def __set__(self, instance, value: int) -> None:
        if value > self.high:
            raise ValueError(f"{self.key} is above {self.high}")
        setattr(instance, self.key, value)

    def __delete__(self, instance) -> None:
        setattr(instance, self.key, self.low)


class named:
    def __init__(self, name):
        self.name = name

    def __call__(self, method):
        self.method = method
        return self

    def __get__(self, instance, owner):
        return f"{self.name} {self.method(instance)}"
'''

DECORATORS = '''
import functools
import inspect


def memoized(method):
    """Keep what a method gave, on its object."""

    @functools.wraps(method)
    def wrapper(self, *args):
        memo = self.__dict__.setdefault("_memo", {})
        if args not in memo:
            memo[args] = method(self, *args)
        return memo[args]

    return wrapper


def retried(times: int = 2):
    if times < 1:
        raise ValueError("must be positive")

    def decorate(func):
        if inspect.iscoroutinefunction(func):

            @functools.wraps(func)
            async def again(*args):
                return await func(*args)

            return again

        @functools.wraps(func)
        def wrapper(*args):
            for left in reversed(range(times)):
                try:
                    return func(*args)
                except ValueError:
                    if not left:
                        raise

        return wrapper

    return decorate
'''

CLASSES = """
from abc import ABC, abstractmethod

_KNOWN = {}


def register(cls):
    if cls.__name__ in _KNOWN:
        raise ValueError(f"{cls.__name__} is known")
    _KNOWN[cls.__name__] = cls
    return cls


def find(name):
    if name not in _KNOWN:
        raise LookupError(name)
    return _KNOWN[name].__name__


def shown(*names):
    def decorate(cls):
        def __repr__(self):
            return ", ".join(f"{name}={getattr(self, name, None)!r}" for name in names)

        cls.__repr__ = __repr__
        return cls

    return decorate


class Exporter(ABC):
    def __init__(self, header: bool = True):
        self.header = header

    @property
    @abstractmethod
    def name(self) -> str: ...

    @abstractmethod
    def cell(self, value: object) -> str: ...

    def row(self, values: list[int]) -> str:
        if self.header:
            return self.name
        return ",".join(self.cell(value) for value in values)


class Plugin:
    def __init_subclass__(cls, key=None):
        cls.key = key or cls.__name__.lower()

    def describe(self):
        return f"plugin {self.key}"


def export(exporter: Exporter, rows: list[list[int]]) -> str:
    return "|".join(exporter.row(row) for row in rows)
"""


def made(module: Module, qualname: str, count: int = 40) -> list[Candidate]:
    """Candidates for one target."""
    maker = CallMaker(module, random.Random(1))
    target = maker.target(qualname)
    found = (maker.candidate(maker.genome(target), target) for _ in range(count))
    return [candidate for candidate in found if candidate is not None]


def text_of(candidate: Candidate) -> str:
    return "\n".join(step.code for step in candidate.steps)


def reached(start: Start, text: str, runs: int) -> tuple[float, Module, list[Observation]]:
    """Line and branch coverage in percent after so many runs, and what was found."""
    search, archive, module = start(text)
    deadline = time.monotonic() + 60
    search.run(lambda: 0.0 if search.report.runs > runs else deadline, plateau=400)
    score = measure(module.path, archive.arcs).coverage.pooled
    return score, module, [observation for observation, _ in archive.finds]


@pytest.mark.parametrize(
    ("text", "runs", "least"),
    [(DESCRIPTORS, 500, 95), (DECORATORS, 700, 95), (CLASSES, 700, 85)],
    ids=["descriptors", "decorators", "classes"],
)
def test_a_search_reaches_what_only_a_class_of_its_own_shows(
    start: Start, text: str, runs: int, least: int
) -> None:
    score, module, found = reached(start, text, runs)

    assert score > least
    kept, _ = screened(found, module, "sample")
    assert any("class Sample" in text_of(observation.candidate) for observation in kept)


@pytest.mark.parametrize(
    ("text", "qualname", "uses"),
    [
        (DESCRIPTORS, "kept", {(Role.PROPERTY, False)}),
        (DESCRIPTORS, "Bounded", {(Role.FIELD, True)}),
        (DESCRIPTORS, "named", {(Role.PROPERTY, True)}),
        (DECORATORS, "memoized", {(Role.METHOD, False), (Role.FUNCTION, False)}),
        (DECORATORS, "retried", {(Role.METHOD, True), (Role.FUNCTION, True)}),
        (CLASSES, "register", {(Role.CLASS, False)}),
        (CLASSES, "shown", {(Role.CLASS, True)}),
        (CLASSES, "Exporter", {(Role.BASE, True)}),
        (CLASSES, "Plugin", {(Role.BASE, True)}),
        (CLASSES, "find", set()),
        ("def apply(func, items):\n    return [func(i) for i in items]\n", "apply", set()),
        ("def first(func):\n    return func()\n", "first", set()),
        ("class Cart:\n    def add(self, x):\n        return x\n", "Cart", set()),
    ],
)
def test_what_a_definition_is_for_is_read_from_its_source(
    read: Callable[[str], Module], text: str, qualname: str, uses: set[tuple[Role, bool]]
) -> None:
    catalogue = Catalogue(read(text))

    found = uses_of(catalogue.own[qualname], catalogue, lambda _, p: p.name in ("func", "method"))

    assert set(found) == uses


def test_a_descriptor_is_read_set_and_deleted_on_an_object(read: Callable[[str], Module]) -> None:
    texts = list(map(text_of, made(read(DESCRIPTORS), "Bounded.__set__")))

    assert all("\n    value = Bounded(" in text for text in texts)
    assert any("\nsample.value = " in text for text in texts)
    assert any("\ndel sample.value" in text for text in texts)
    assert any(text.endswith("\nsample.value") for text in texts)


def test_a_decorated_method_is_called_twice_with_the_same_arguments(
    read: Callable[[str], Module],
) -> None:
    found = made(read(DECORATORS), "memoized")
    calls = [
        [step.code for step in candidate.steps if step.code.startswith("sample.method(")]
        for candidate in found
    ]

    assert any(len(codes) > len(set(codes)) for codes in calls)
    assert any(candidate.steps[-1].code == "sample.calls" for candidate in found)


def test_methods_are_plain_async_and_failing_where_the_decorator_speaks_of_it(
    read: Callable[[str], Module],
) -> None:
    retried = "\n".join(map(text_of, made(read(DECORATORS), "retried")))
    memoized = "\n".join(map(text_of, made(read(DECORATORS), "memoized")))

    assert "    async def method(" in retried
    assert "raise ValueError('failed')" in retried
    assert "async def" not in memoized


def test_a_value_that_is_set_is_one_that_the_descriptor_asks_for(
    read: Callable[[str], Module],
) -> None:
    codes = [s.code for c in made(read(DESCRIPTORS), "Bounded.__set__") for s in c.steps]
    values = [code.partition(" = ")[2] for code in codes if code.startswith("sample.value = ")]

    numbers = [value for value in values if value.lstrip("-").isdigit()]
    assert len(numbers) > len(values) / 2


def test_an_abstract_parameter_gets_an_object_of_a_class_in_the_test(
    read: Callable[[str], Module],
) -> None:
    found = [text_of(c) for c in made(read(CLASSES), "export") if "Exporter(" in text_of(c)]

    assert found
    for text in found:
        assert "(Exporter):\n" in text
        assert "def cell(self, value):" in text


def test_names_of_samples_hide_nothing_of_the_module(read: Callable[[str], Module]) -> None:
    module = read(DESCRIPTORS + "\n\nclass Sample:\n    pass\n\n\ndef sample():\n    return 1\n")

    for candidate in made(module, "Bounded.__get__"):
        tree = ast.parse(text_of(candidate))
        stored = {n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef)} | {
            n.id for n in tree.body if isinstance(n, ast.Name)
        }
        assert not stored & module.names


@pytest.mark.parametrize(
    "text", [DESCRIPTORS, DECORATORS, CLASSES], ids=["descriptors", "decorators", "classes"]
)
def test_the_same_seed_makes_the_same_samples_and_all_parse(
    read: Callable[[str], Module], text: str
) -> None:
    module = read(text)

    def make() -> list[str]:
        maker = CallMaker(module, random.Random(3))
        codes: list[str] = []
        for target in (*module.targets, *module.targets):
            genome = maker.genome(target)
            for _ in range(4):
                candidate = maker.candidate(genome, target)
                codes += [step.code for step in candidate.steps] if candidate else []
                for step in candidate.steps if candidate else ():
                    ast.parse(step.code, mode="eval" if step.kind is StepKind.PROBE else "exec")
                genome = maker.vary(genome)
        return codes

    assert make() == make()
