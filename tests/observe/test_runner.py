"""Candidates in a real locked worker: what comes back, and what a bad one costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hybridgen.domain import Candidate, CheckKind, ImportName, Module, Observation
from hybridgen.errors import SourceError
from hybridgen.observe.runner import Dropped, Runner, Sandbox

OpenRunner = Callable[..., Runner]
MakeCandidate = Callable[..., Candidate]


def observed(result: Observation | Dropped) -> Observation:
    assert isinstance(result, Observation), result
    return result


def checks(runner: Runner, candidate: Candidate) -> list[tuple[str, str, str]]:
    result = observed(runner.run(candidate)).results[-1]
    return [(check.kind.value, check.path, check.expression) for check in result.checks]


VALUES = """
import datetime, decimal, enum, math, uuid
from collections import Counter, OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field
from pathlib import Path

class Color(enum.Enum):
    RED = 1

class Level(enum.IntEnum):
    LOW = 3

class Flags(enum.Flag):
    A = 1
    B = 2

Pair = namedtuple("Pair", "left right")

@dataclass
class Point:
    x: int
    y: float = 0.5

class Celsius(float):
    pass

class Name(str):
    pass

class Plain:
    def __init__(self):
        self.total = 3
        self.label = "a"
        self._secret = "s"
        self.stamp = object()

class Liar:
    def __eq__(self, other):
        return True

def loop():
    items = [1]
    items.append(items)
    return items

def generate():
    yield 1
    yield 2

async def later():
    return 7

async def raises_later():
    raise ValueError("later")

def raises_in_the_middle():
    yield 1
    raise ValueError("middle")

def f(x=None):
    return x
"""


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("f(None)", ("is", "", "None")),
        ("f(True)", ("is", "", "True")),
        ("f(3)", ("equal", "", "3")),
        ("f('it')", ("equal", "", "'it'")),
        ("f(2.0)", ("equal", "", "2.0")),
        ("f(0.1)", ("approx", "", "0.1")),
        ("f(math.nan)", ("nan", "", "")),
        ("f(math.inf)", ("equal", "", "float('inf')")),
        ("f([0.1, 1])", ("approx", "", "[0.1, 1]")),
        ("f({'a': 0.5})", ("approx", "", "{'a': 0.5}")),
        ("f({3, 1, 2})", ("equal", "", "{1, 2, 3}")),
        ("f(set())", ("equal", "", "set()")),
        ("f(frozenset({1}))", ("equal", "", "frozenset({1})")),
        ("f(())", ("equal", "", "()")),
        ("f((1,))", ("equal", "", "(1,)")),
        ("f(bytearray(b'a'))", ("equal", "", "bytearray(b'a')")),
        ("f(range(3))", ("equal", "", "range(0, 3)")),
        ("f(Color.RED)", ("equal", "", "Color.RED")),
        ("f(Level.LOW)", ("equal", "", "Level.LOW")),
        ("f([Color.RED])", ("equal", "", "[Color.RED]")),
        ("f(Point(1, 2.0))", ("equal", "", "Point(x=1, y=2.0)")),
        ("f(Pair(1, 'b'))", ("equal", "", "Pair(left=1, right='b')")),
        ("f(decimal.Decimal('1.50'))", ("equal", "", "Decimal('1.50')")),
        ("f(datetime.date(2024, 2, 29))", ("equal", "", "datetime.date(2024, 2, 29)")),
        ("f(Counter('aab'))", ("equal", "", "Counter({'a': 2, 'b': 1})")),
        ("f(OrderedDict(a=1))", ("equal", "", "OrderedDict([('a', 1)])")),
        ("f(Point)", ("equal", "", "Point")),
        ("f(ValueError)", ("equal", "", "ValueError")),
        ("generate()", ("equal", "", "[1, 2]")),
        ("later()", ("equal", "", "7")),
    ],
)
def test_value_becomes_an_expression_of_equal_value_and_type(
    open_runner: OpenRunner, candidate: MakeCandidate, code: str, expected: tuple[str, str, str]
) -> None:
    assert checks(open_runner(VALUES), candidate("?" + code)) == [expected]


def test_iterator_and_coroutine_are_wrapped_in_the_candidate_itself(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    runner = open_runner(VALUES)
    assert (
        observed(runner.run(candidate("?generate()"))).candidate.steps[0].code == "list(generate())"
    )
    again = observed(runner.run(candidate("?later()"))).candidate
    assert again.steps[0].code == "asyncio.run(later())"
    assert again.imports == ("import asyncio",)


def test_wrapper_stays_where_awaiting_or_iterating_raises(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    runner = open_runner(VALUES)
    for code, wrapped in (
        ("raises_later()", "asyncio.run(raises_later())"),
        ("raises_in_the_middle()", "list(raises_in_the_middle())"),
    ):
        result = observed(runner.run(candidate("?" + code)))
        assert result.results[0].raised is not None
        assert result.candidate.steps[0].code == wrapped


def test_subclass_of_a_builtin_is_told_from_the_builtin(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    runner = open_runner(VALUES)
    assert checks(runner, candidate("?f(Name('a'))")) == [
        ("type", "", "'Name'"),
        ("equal", "", "'a'"),
    ]
    assert checks(runner, candidate("?f(Celsius(1.5))")) == [
        ("type", "", "'Celsius'"),
        ("approx", "", "1.5"),
    ]
    assert checks(runner, candidate("?f(defaultdict(list, a=[1]))")) == [
        ("type", "", "'defaultdict'"),
        ("equal", "", "{'a': [1]}"),
    ]


def test_object_without_equality_falls_back_to_public_attributes(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    found = checks(open_runner(VALUES), candidate("?f(Plain())"))
    assert ("type", "", "'Plain'") in found
    assert ("equal", ".total", "3") in found
    assert ("equal", ".label", "'a'") in found
    assert not [item for item in found if "secret" in item[1] or "0x" in item[2]]


def test_object_that_equals_everything_is_not_believed(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    assert checks(open_runner(VALUES), candidate("?f(Liar())")) == [("type", "", "'Liar'")]


def test_recursive_value_is_asserted_by_its_parts(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    found = checks(open_runner(VALUES), candidate("?loop()"))
    assert ("length", "", "2") in found
    assert ("equal", "[0]", "1") in found


def test_huge_text_is_asserted_by_length_and_start(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    found = checks(open_runner(VALUES), candidate("?f('ab' * 50_000)"))
    assert found == [("length", "", "100000"), ("equal", "[:60]", repr("ab" * 30))]


def test_nested_fractions_are_asserted_leaf_by_leaf(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    found = checks(open_runner(VALUES), candidate("?f({'a': [0.1, 2], 'b': 'x'})"))
    assert ("approx", "['a']", "[0.1, 2]") in found
    assert ("equal", "['b']", "'x'") in found


BEHAVIOUR = """
import sys, time, warnings

class Refused(Exception):
    pass

seen = []

def f(x):
    if x == "refuse":
        raise Refused("no (really)")
    if x == "crash":
        return None.missing
    if x == "exit":
        sys.exit(3)
    if x == "hang":
        while True:
            pass
    if x == "die":
        import os
        os._exit(9)
    if x == "print":
        print("hello")
    if x == "warn":
        warnings.warn("old", DeprecationWarning)
    if x == "remember":
        seen.append(x)
    if isinstance(x, list):
        x.append(4)
    return len(seen)

def key(x):
    return {"a": 1}[x]
"""


def test_exception_of_the_project_is_deliberate_and_its_message_is_matched(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    raised = observed(open_runner(BEHAVIOUR).run(candidate("?f('refuse')"))).results[0].raised
    assert raised is not None
    assert (raised.type_name, raised.type_import) == ("Refused", "from sample import Refused")
    assert raised.match == r"no \(really\)"
    assert raised.is_deliberate
    assert raised.is_inside


def test_accidents_are_told_from_contracts(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    runner = open_runner(BEHAVIOUR)

    def deliberate(code: str) -> bool:
        raised = observed(runner.run(candidate(code))).results[0].raised
        assert raised is not None
        return raised.is_deliberate and raised.is_inside

    assert not deliberate("?f('crash')")
    assert not deliberate("?f()")
    assert deliberate("?key('b')")
    assert deliberate("?f('exit')")


@pytest.mark.parametrize(("argument", "reason"), [("hang", "timeout"), ("die", "died")])
def test_candidate_that_hangs_or_dies_costs_only_itself(
    open_runner: OpenRunner, candidate: MakeCandidate, argument: str, reason: str
) -> None:
    runner = open_runner(BEHAVIOUR)
    lost = runner.run(candidate(f"?f({argument!r})"))
    assert isinstance(lost, Dropped)
    assert lost.reason == reason
    assert checks(runner, candidate("?f(1)")) == [("equal", "", "0")]


def test_worker_is_kept_where_methods_call_super_and_functions_hold_others(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    text = """
        import functools, logging
        log = logging.getLogger("shop")

        def twice(function):
            @functools.wraps(function)
            def inner(*args, limits={"most": [[9]]}):
                return 2 * function(*args)
            return inner

        class Base:
            def size(self):
                return 1

        class Box(Base):
            def size(self):
                return super().size() + 1

            class Inner(Base):
                @staticmethod
                def of(): pass
                @twice
                @twice
                @twice
                def size(self):
                    return super().size()

        @twice
        @twice
        @twice
        def f():
            log.debug("x")
            return 1
    """
    runner = open_runner(text)
    for call in ("f()", "Box().size()", "Box.Inner().size()", "f()"):
        checks(runner, candidate(f"?{call}"))
    assert runner.restarts == 0


def test_worker_is_replaced_when_a_call_changed_module_state(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    runner = open_runner(BEHAVIOUR)
    for _ in range(2):
        assert checks(runner, candidate("?f('remember')")) == [("equal", "", "1")]


def test_output_warnings_and_changed_arguments_are_seen(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    runner = open_runner(BEHAVIOUR)
    assert observed(runner.run(candidate("?f('print')"))).results[0].output == "hello\n"
    assert observed(runner.run(candidate("?f('warn')"))).results[0].warnings == (
        "DeprecationWarning",
    )
    changed = observed(runner.run(candidate("items = [1]", "?f(items)"))).results[1].changed
    assert [(name, item[0].expression) for name, item in changed] == [("items", "[1, 4]")]


def test_opinion_is_kept_beside_the_value_and_never_replaces_it(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    runner = open_runner(BEHAVIOUR)
    wrong = observed(runner.run(candidate("?f(1)", opinion="_ == 5"))).results[0]
    right = observed(runner.run(candidate("?f(1)", opinion="_ == 0"))).results[0]
    raising = observed(runner.run(candidate("?f('refuse')", opinion="raises Refused"))).results[0]
    assert (wrong.opinion_holds, right.opinion_holds, raising.opinion_holds) == (False, True, True)
    assert wrong.checks == right.checks
    assert wrong.checks[0].expression == "0"


def test_only_what_depends_on_a_failing_statement_is_skipped(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    steps = ("a = f(1)", "b = missing_name", "?f(b)", "?f(a)")
    results = observed(open_runner(BEHAVIOUR).run(candidate(*steps))).results
    assert [result.status for result in results] == ["ok", "raised", "skipped", "ok"]


def test_kinds_of_checks_are_those_of_the_domain(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    result = observed(open_runner(BEHAVIOUR).run(candidate("?f(1)"))).results[0]
    assert result.checks[0].kind is CheckKind.EQUAL


def failure(
    read: Callable[..., Module], sandbox: Sandbox, tmp_path: Path, text: str, **more: str
) -> str:
    scratch = tmp_path / "scratch-of-failure"
    scratch.mkdir()
    runner = Runner(read(text, **more), sandbox, scratch)
    try:
        with pytest.raises(SourceError) as caught:
            runner.open()
    finally:
        runner.close()
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nowhere_to_be_found\ndef f(): pass\n", "-m pip install nowhere_to_be_found"),
        ("raise RuntimeError('at import')\ndef f(): pass\n", "RuntimeError: at import (line 1"),
        ("import sys\nsys.exit(2)\ndef f(): pass\n", "SystemExit: 2"),
        ("import os\nos._exit(2)\ndef f(): pass\n", "ended the process (exit status 2)"),
    ],
)
def test_module_that_cannot_be_imported_gives_one_clear_error(
    read: Callable[..., Module], sandbox: Sandbox, tmp_path: Path, text: str, said: str
) -> None:
    assert said in failure(read, sandbox, tmp_path, text)


def test_failure_of_every_name_is_told_once(
    read: Callable[..., Module], sandbox: Sandbox, tmp_path: Path
) -> None:
    text = "import nowhere_to_be_found\ndef f(): pass\n"
    told = failure(read, sandbox, tmp_path, text, name="src/shop/cart.py")
    assert told.count("nowhere_to_be_found'") == 1


def test_package_that_is_nowhere_leads_to_installing_the_project(
    read: Callable[..., Module], sandbox: Sandbox, tmp_path: Path
) -> None:
    module = read("def f(): pass\n", name="code/cart.py")
    elsewhere = ImportName("shop.cart", module.project.root, "package-dir in pyproject.toml")
    scratch = tmp_path / "scratch-of-failure"
    scratch.mkdir()
    runner = Runner(replace(module, import_names=(elsewhere,)), sandbox, scratch)
    with pytest.raises(SourceError, match=f"pip install -e {module.project.root}"):
        runner.open()
    runner.close()


def test_import_that_hangs_is_cut_off(
    read: Callable[..., Module], sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hybridgen.observe.runner.IMPORT_TIMEOUT", 1.0)
    text = "while True:\n    pass\ndef f(): pass\n"
    assert "did not end within 1 s" in failure(read, sandbox, tmp_path, text)


def test_exit_by_an_exception_is_no_branch(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    runner = open_runner("def f(x):\n    y = 1 / x\n    return y\n\n\ndef g(x):\n    return f(x)\n")
    broken = observed(runner.run(candidate("?g(0)"))).arcs
    fine = observed(runner.run(candidate("?g(1)"))).arcs
    assert broken == {(-1, 2), (-6, 7)}
    assert fine == {(-1, 2), (2, 3), (3, -1), (-6, 7), (7, -6)}


RAISING = '''
import json
from dataclasses import dataclass

class LexerError(Exception):
    def __init__(self, text, **more):
        super().__init__(text % more)

@dataclass
class Item:
    price: int

    def __post_init__(self):
        if self.price < 0:
            raise ValueError("negative")

    def __add__(self, other):
        raise ValueError("no sum")

def total(items):
    return sum(item.price for item in items)

def lex(text):
    if not text:
        raise LexerError("%(missing)s")
    if text == "known":
        raise LexerError("known")
    raise make(text)

def make(text):
    return ValueError(text)

def number(text, kind="any"):
    if kind == "other":
        raise TypeError("kind")
    return int(text)

def field(text):
    if text == "*":
        raise LexerError("no star")
    return int(text)

def entry(text):
    """Reads a number; raises ValueError for anything else."""
    if text == "*":
        raise LexerError("no star")
    return int(text)

def either(text):
    if text == "*":
        raise ValueError("no star")
    return json.loads(text)
'''


@pytest.mark.parametrize(
    ("code", "is_kept"),
    [
        ("total([Item(-1)])", False),
        ("list(map(total, [[Item(-1)]]))", False),
        ("x = total([Item(-1)])", False),
        ("Item(-1).price", True),
        ("Item(1) + Item(-1)", False),
        ("Item(1) + Item(1)", True),
        ("x = Item(1)\nx += Item(-1)", True),
        ("sum([1], start=Item(2))", True),
        ("str(Item(-1))", True),
        ("lex('')", False),
        ("lex('known')", True),
        ("lex('a')", True),
        ("number('a')", True),
        ("field('a')", False),
        ("field('*')", True),
        ("entry('a')", True),
        ("either('{')", True),
    ],
)
def test_an_exception_is_worth_a_test_if_what_was_called_meant_to_raise_it(
    open_runner: OpenRunner, candidate: MakeCandidate, code: str, is_kept: bool
) -> None:
    is_statement = "=" in code.partition("(")[0] or "\n" in code
    run = open_runner(RAISING).run(candidate(code if is_statement else f"?{code}"))
    raised = observed(run).results[0].raised
    assert raised is not None
    assert (raised.is_deliberate and raised.is_inside) is is_kept


def test_the_coroutine_of_a_test_hides_no_function_of_the_module(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    text = "async def ticks():\n    yield 1\n\ndef collect():\n    return 2\n"
    found = observed(open_runner(text).run(candidate("?ticks()"))).candidate
    assert found.steps[-1].code == "asyncio.run(collect_2())"


COMPLAINING = """
import argparse, os, sys

def warn(text):
    print(text, file=sys.stderr)

def usage():
    print("usage: count FILE", file=sys.stderr)
    sys.exit(2)

def where():
    print(os.getcwd(), file=sys.stderr)

def parse(arguments):
    argparse.ArgumentParser(prog="count").parse_args(arguments)
"""


@pytest.mark.parametrize(
    ("code", "complaints"),
    [
        ("warn('late')", "late\n"),
        ("usage()", "usage: count FILE\n"),
        ("where()", ""),
        ("parse(['--all'])", ""),
    ],
)
def test_what_is_printed_to_stderr_is_seen_unless_it_differs_elsewhere(
    open_runner: OpenRunner, candidate: MakeCandidate, code: str, complaints: str
) -> None:
    result = observed(open_runner(COMPLAINING).run(candidate(f"?{code}"))).results[0]
    assert (result.output, result.complaints) == ("", complaints)
