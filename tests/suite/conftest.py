"""A small package under test, and an evaluator that turns candidates into observations.

The evaluator is a stand-in for the observe room, in this process and without a sandbox: only for
the harmless sample below.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import math
import re
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest

from hybridgen.domain import (
    Candidate,
    Check,
    CheckKind,
    Fragment,
    ImportName,
    Interpreter,
    Label,
    Module,
    Observation,
    Parameter,
    ParameterKind,
    Project,
    Raised,
    Step,
    StepKind,
    StepResult,
    Target,
    TargetKind,
)

PRICING = '''\
"""Prices of a small shop."""

import datetime as dt
import math
import warnings
from decimal import Decimal


class PriceError(ValueError):
    """A price that cannot be."""


def parse_price(text, currency="EUR"):
    """Reads a price."""
    if not text:
        raise PriceError("empty price")
    text = text.strip().replace(",", ".")
    if currency == "JPY":
        return int(text)
    return round(float(text), 2)


def is_discount_day(day):
    """Tuesdays, and the 29th of February."""
    if day.month == 2 and day.day == 29:
        return True
    return day.weekday() == 1


def is_sku(text):
    """True for three letters and digits."""
    if len(text) != 6:
        return False
    return text[:3].isalpha() and text[3:].isdigit()


def discount(price, percent):
    """Takes percent off."""
    if not 0 <= percent <= 100:
        raise ValueError(f"percent must be between 0 and 100, not {percent}")
    return price * (100 - percent) / 100


def find(names, prefix):
    """The first name with a prefix, or None."""
    for name in names:
        if name.startswith(prefix):
            return name
    return None


def greet(name):
    """Says hello."""
    print(f"Welcome, {name}!")


def old_price(price):
    """Deprecated."""
    warnings.warn("use discount", DeprecationWarning, stacklevel=2)
    return price


def drop_cheap(prices, limit):
    """Removes prices below a limit from the list."""
    for price in list(prices):
        if price < limit:
            prices.remove(price)


def vat(amount):
    """Exact."""
    return Decimal(amount) * Decimal("0.19")


def ratio(a, b):
    """a / b, or not a number."""
    if b == 0:
        return math.nan
    return a / b


def due(day):
    """Thirty days later."""
    return day + dt.timedelta(days=30)


async def fetch(sku):
    """Looks a price up."""
    if sku == "none":
        raise KeyError(sku)
    return len(sku)


def test_connection(host):
    """Not a test, whatever it is called."""
    return host == "localhost"


class Cart:
    """What a customer buys."""

    def __init__(self, owner="guest"):
        self.owner = owner
        self.items = []

    def add(self, name, price, *, count=1):
        """Adds an item."""
        if count < 1:
            raise ValueError("count must be positive")
        self.items.extend([(name, price)] * count)
        return self

    def remove(self, name):
        """Removes an item."""
        for item in self.items:
            if item[0] == name:
                self.items.remove(item)
                return
        raise KeyError(name)

    def total(self):
        """Sum of all prices."""
        return sum(price for _, price in self.items)

    def __len__(self):
        return len(self.items)
'''

DELIBERATE = (ValueError, KeyError, TypeError)
MakeModule = Callable[..., Module]
Observe = Callable[..., Observation]


def build_module(root: Path, source: str, name: str, only: str | None = None) -> Module:
    """Reads a module as the source room would, as far as this room looks at it."""
    path = root.joinpath(*name.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    if "." in name:
        (path.parent / "__init__.py").touch()
    tree = ast.parse(source)
    imports = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    names = {a.asname or a.name for node in imports for a in node.names}
    names |= {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    names |= {n.name for n in tree.body if isinstance(n, ast.AsyncFunctionDef)}
    assigned = [n for node in tree.body if isinstance(node, ast.Assign) for n in node.targets]
    names |= {n.id for n in assigned if isinstance(n, ast.Name)}
    interpreter = Interpreter(Path(sys.executable), "tests", ())
    return Module(
        path=path,
        display=path.name,
        project=Project(root, interpreter, root / "tests", ()),
        source=Fragment(source, Label.CONFIDENTIAL, path.name, "tests"),
        import_names=(ImportName(name, root, "tests"),),
        docstring=None,
        targets=tuple(_targets(tree, source)),
        imports=tuple(ast.unparse(node) for node in imports),
        constants=(),
        names=frozenset(names),
        only=only,
    )


def _targets(tree: ast.Module, source: str) -> Iterator[Target]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            inner = [n for n in node.body if isinstance(n, ast.FunctionDef)]
            first = next((n for n in inner if n.name == "__init__"), None)
            yield _target(node.name, node, first, TargetKind.CLASS, source)
            for method in inner:
                name = f"{node.name}.{method.name}"
                yield _target(name, method, method, TargetKind.METHOD, source)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield _target(node.name, node, node, TargetKind.FUNCTION, source)


def _target(
    name: str,
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
    signature: ast.FunctionDef | ast.AsyncFunctionDef | None,
    kind: TargetKind,
    source: str,
) -> Target:
    arguments = signature.args if signature is not None else ast.parse("lambda: 0").body[0]
    found: list[Parameter] = []
    if isinstance(arguments, ast.arguments):
        found += [Parameter(a.arg, ParameterKind.POSITIONAL) for a in arguments.args]
        if arguments.vararg:
            found.append(Parameter(arguments.vararg.arg, ParameterKind.VAR_POSITIONAL))
        found += [Parameter(a.arg, ParameterKind.KEYWORD) for a in arguments.kwonlyargs]
    return Target(
        qualname=name,
        kind=kind,
        is_async=isinstance(node, ast.AsyncFunctionDef),
        parameters=tuple(p for p in found if p.name != "self"),
        returns=None,
        docstring=None,
        decorators=(),
        binding="instance" if kind is TargetKind.METHOD else "",
        bases=(),
        first_line=node.lineno,
        last_line=node.end_lineno or node.lineno,
        source=ast.get_source_segment(source, node) or "",
        calls=(),
        raises=(),
        label=Label.CONFIDENTIAL,
    )


@dataclass
class Evaluator:
    """Runs candidates against one module, in this process."""

    module: Module
    code: ModuleType

    def __call__(
        self,
        target: str,
        *steps: str,
        imports: Sequence[str] = (),
        fixtures: Sequence[str] = (),
        origin: str = "types",
        name_hint: str = "",
        tmp_path: Path | None = None,
    ) -> Observation:
        """Observes steps; ``"= f(x)"`` is a probe, anything else is set-up."""
        namespace: dict[str, Any] = dict(vars(self.code))
        namespace["tmp_path"] = tmp_path
        for line in imports:
            exec(line, namespace)
        parsed = [
            Step(StepKind.PROBE, s[1:].strip()) if s.startswith("=") else Step(StepKind.SETUP, s)
            for s in map(textwrap.dedent, steps)
        ]
        arcs: set[tuple[int, int]] = set()
        results: list[StepResult] = []
        for step in parsed:
            results.append(self._step(step, namespace, arcs))
            if results[-1].status == "raised":
                break
        candidate = Candidate(
            target=target,
            steps=tuple(parsed[: len(results)]),
            label=Label.CONFIDENTIAL,
            origin=origin,
            imports=tuple(imports),
            fixtures=tuple(fixtures),
            name_hint=name_hint,
        )
        return Observation(candidate, tuple(results), frozenset(arcs), Label.CONFIDENTIAL)

    def _step(
        self, step: Step, namespace: dict[str, Any], arcs: set[tuple[int, int]]
    ) -> StepResult:
        before = {k: repr(v) for k, v in namespace.items() if isinstance(v, list | dict)}
        printed = io.StringIO()
        value: object = None
        is_probe = step.kind is StepKind.PROBE
        code = compile(step.code, "<step>", "eval" if is_probe else "exec")
        with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(printed):
            warnings.simplefilter("always")
            try:
                with traced(self.module.path, arcs):
                    value = eval(code, namespace)
            except Exception as error:
                return StepResult("raised", raised=self._raised(error))
        changed = [
            (name, tuple(checks_of(namespace[name], "")))
            for name, text in before.items()
            if repr(namespace[name]) != text
        ]
        return StepResult(
            "ok",
            checks=tuple(checks_of(value, "")) if is_probe else (),
            output=printed.getvalue(),
            warnings=tuple(sorted({w.category.__name__ for w in caught})),
            changed=tuple(changed),
        )

    def _raised(self, error: Exception) -> Raised:
        kind = type(error)
        is_builtin = kind.__module__ == "builtins"
        where = "" if is_builtin else f"from {kind.__module__} import {kind.__name__}"
        match = re.escape(str(error)).replace("\\ ", " ")
        return Raised(kind.__name__, where, match, isinstance(error, DELIBERATE), True)


@contextlib.contextmanager
def traced(path: Path, arcs: set[tuple[int, int]]) -> Iterator[None]:
    """Collects the line transitions in one file."""
    last: dict[int, int] = {}

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_filename != str(path):
            return None
        first = frame.f_code.co_firstlineno
        if event == "line":
            arcs.add((last.get(id(frame), -first), frame.f_lineno))
            last[id(frame)] = frame.f_lineno
        elif event == "return":
            arcs.add((last.pop(id(frame), -first), -first))
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(previous)


def checks_of(value: object, path: str) -> Iterator[Check]:
    """Assertions for the kinds of values that the sample gives."""
    if value is None or isinstance(value, bool):
        yield Check(CheckKind.IS, path, repr(value))
    elif isinstance(value, float) and math.isnan(value):
        yield Check(CheckKind.NAN, path, "")
    elif isinstance(value, float):
        kind = CheckKind.EQUAL if value == int(value) else CheckKind.APPROX
        yield Check(kind, path, repr(value))
    elif isinstance(value, int | str | list | tuple | dict | set):
        yield Check(CheckKind.EQUAL, path, repr(value))
    elif type(value).__module__ == "datetime":
        yield Check(CheckKind.EQUAL, path, repr(value), ("import datetime",))
    elif type(value).__module__ == "decimal":
        yield Check(CheckKind.EQUAL, path, repr(value), ("from decimal import Decimal",))
    else:
        yield Check(CheckKind.TYPE, path, repr(type(value).__name__))
        for name, item in vars(value).items():
            yield from checks_of(item, f"{path}.{name}")


def load(module: Module) -> ModuleType:
    """Imports the file of a module, under the name that its tests will use."""
    spec = importlib.util.spec_from_file_location(module.import_names[0].name, module.path)
    assert spec is not None and spec.loader is not None
    code = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(code)
    return code


@pytest.fixture
def make_module(tmp_path: Path) -> MakeModule:
    """Writes a module below ``tmp_path`` and reads it."""

    def make(source: str, name: str = "shop.pricing", only: str | None = None) -> Module:
        return build_module(tmp_path, source, name, only)

    return make


@pytest.fixture
def make_observe() -> Callable[[Module], Evaluator]:
    """An evaluator for any module."""
    return lambda module: Evaluator(module, load(module))


@pytest.fixture
def pricing(make_module: MakeModule) -> Module:
    """The module ``shop.pricing``."""
    return make_module(PRICING)


@pytest.fixture
def observe(pricing: Module, make_observe: Callable[[Module], Evaluator]) -> Evaluator:
    """Observes candidates for ``shop.pricing``."""
    return make_observe(pricing)


@pytest.fixture
def limited_to() -> Callable[[Module, str], Module]:
    """The same module with only one target asked for."""
    return lambda module, name: replace(module, only=name)
