"""Instrumented code does what the original does."""

from __future__ import annotations

import ast
import builtins
from pathlib import Path
from typing import Any

import pytest

from hybridgen.observe import worker_operands
from hybridgen.observe.worker_operands import NAME, Instrument, Recorder

PROGRAM = '''
from __future__ import annotations
import re

class Base:
    """Doc."""
    limit: int = 3

    def get(self, key, default=None):
        return (key, default)

class Child(Base):
    def get(self, key, default=None):
        return super().get(key, default=default)

def chain(log):
    def note(n):
        log.append(n)
        return n
    return note(1) < note(2) < note(0) < note(9)

def shadowed(len, int):
    return len("abc") == 3, int("7")

async def later(x: dict[str, int]):
    local: dict[str, int] = {"a": 1}
    return [v for k, v in local.items() if k == "a" and x[k] in (1, 2)]

def texts(t):
    first, *rest = t.split(",", maxsplit=1)
    return first.strip().replace("a", "b"), rest, t[1:3], t[-1], re.sub("b+", "-", t, count=1)

def nested(n):
    """Doc of nested."""
    f = lambda m: m == n or m > 3
    return [f(i) for i in range(5)], f"{n == 2!r:>6}"

def missing(d):
    try:
        return d["x"]
    except KeyError as error:
        return error.args
'''

CALLS = (
    "Child().get('k')",
    "(chain(log := []), log)",
    "shadowed(lambda t: 3, lambda t: t * 2)",
    "texts('abba,b,c')",
    "nested(2)",
    "missing({})",
    "nested.__doc__",
    "Base.__doc__",
)


@pytest.fixture
def recorder() -> Any:
    made = Recorder()
    setattr(builtins, NAME, made)
    yield made
    delattr(builtins, NAME)


def run(tree: ast.Module, call: str) -> Any:
    names: dict[str, Any] = {"__name__": "program"}
    exec(compile(tree, "<program>", "exec"), names)
    return eval(call, names)


@pytest.mark.parametrize("call", CALLS)
def test_results_are_those_of_the_original(call: str, recorder: Recorder) -> None:
    assert run(Instrument().visit(ast.parse(PROGRAM)), call) == run(ast.parse(PROGRAM), call)


def test_something_was_recorded_for_each_function(recorder: Recorder) -> None:
    for call in CALLS[:6]:
        recorder.reset()
        run(Instrument().visit(ast.parse(PROGRAM)), call)
        assert recorder.records or call in CALLS[:1], call


def test_lines_of_statements_stay_what_they_are() -> None:
    before = [n.lineno for n in ast.walk(ast.parse(PROGRAM)) if isinstance(n, ast.stmt)]
    tree = Instrument().visit(ast.parse(PROGRAM))
    assert [n.lineno for n in ast.walk(tree) if isinstance(n, ast.stmt)] == before


def test_code_outside_of_functions_is_left_alone() -> None:
    text = "x = 1 == 2\nclass A:\n    y = 'a'.startswith('b')\n    z: dict[str, int]\n"
    assert ast.dump(Instrument().visit(ast.parse(text))) == ast.dump(ast.parse(text))


def test_the_extension_needs_the_standard_library_only() -> None:
    source = ast.parse(Path(worker_operands.__file__).read_text())
    imported = {a.name for n in ast.walk(source) if isinstance(n, ast.Import) for a in n.names}
    allowed = {"ast", "builtins", "importlib.machinery", "itertools", "os", "re", "sys", "types"}
    assert imported <= allowed
