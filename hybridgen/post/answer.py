"""Sorts the statements of an answer into scenarios: one for each test or case of a test.

A scenario is a plain list of statements: fixtures, ``setUp`` and the helpers that it uses are in
front, parametrized values are filled in.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

from hybridgen.post.expand import Row, bound, call_with, parameter_rows, tables
from hybridgen.post.salvage import CUT_OFF
from hybridgen.post.syntax import FunctionNode, assign, bound_names, dotted
from hybridgen.post.vocabulary import Vocabulary

_SET_UP = ("setUpClass", "setup_class", "setUp", "setup_method", "setup", "asyncSetUp")
_MOST_SCENARIOS = 80


@dataclass(slots=True)
class Scenario:
    """A test as statements.

    Attributes:
        name: the name its author gave it, or "" for statements outside of functions.
        arguments: parameters that nothing fills in (``tmp_path``, mocks).
    """

    name: str
    body: list[ast.stmt]
    arguments: set[str] = field(default_factory=set)


def scenarios(body: Sequence[ast.stmt], vocabulary: Vocabulary) -> list[Scenario]:
    """The scenarios of an answer, statements outside of tests last."""
    reader = _Reader(vocabulary)
    reader.read(body)
    return reader.finish()[:_MOST_SCENARIOS]


def _decorator_names(node: FunctionNode) -> set[str]:
    names = set()
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        names.add((dotted(called) or [""])[-1])
    return names


def _is_test(node: FunctionNode) -> bool:
    return node.name.lower().startswith("test") or "parametrize" in _decorator_names(node)


def _is_check(node: FunctionNode) -> bool:
    """True for ``def main(): print(f(1))`` and ``def check(): assert ...``."""
    arguments = node.args
    return not (arguments.args or arguments.vararg or arguments.kwonlyargs) and any(
        isinstance(item, ast.Assert)
        or (
            isinstance(item, ast.Call)
            and isinstance(item.func, ast.Name)
            and item.func.id == "print"
        )
        for item in ast.walk(node)
    )


def _is_test_class(node: ast.ClassDef) -> bool:
    return any(isinstance(item, FunctionNode) and _is_test(item) for item in node.body) or any(
        (dotted(base) or [""])[-1].endswith("TestCase") for base in node.bases
    )


class _Reader:
    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._fixtures: dict[str, FunctionNode] = {}
        self._shared: list[ast.stmt] = []  # helpers and values outside of tests
        self._loose: list[ast.stmt] = []
        self._tests: list[tuple[FunctionNode, list[ast.stmt]]] = []

    def read(self, body: Sequence[ast.stmt]) -> None:
        for node in body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                continue
            if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
                self.read(node.body)
            elif isinstance(node, FunctionNode):
                self._read_function(node)
            elif isinstance(node, ast.ClassDef):
                if node.name not in self._vocabulary.own:
                    self._read_class(node)
            else:
                self._loose.append(node)
                if isinstance(node, ast.Assign | ast.AnnAssign):
                    self._shared.append(node)

    def _read_function(self, node: FunctionNode) -> None:
        if node.name in self._vocabulary.own:
            return  # a copy of the code under test, or a stub of it
        if "fixture" in _decorator_names(node):
            self._fixtures[node.name] = node
        elif _is_test(node) or _is_check(node):
            self._add(node, [])
        else:
            self._shared.append(node)

    def _read_class(self, node: ast.ClassDef) -> None:
        if not _is_test_class(node):
            self._shared.append(node)
            return
        methods = [item for item in node.body if isinstance(item, FunctionNode)]
        setup: list[ast.stmt] = [
            item for item in node.body if isinstance(item, ast.Assign | ast.AnnAssign)
        ]
        for name in _SET_UP:
            for method in methods:
                if method.name == name and "fixture" not in _decorator_names(method):
                    setup.extend(method.body)
        for method in methods:
            if "fixture" in _decorator_names(method):
                self._fixtures[method.name] = method
                if any("autouse" in ast.unparse(item) for item in method.decorator_list):
                    setup.extend(self._without_yield(method))
            elif _is_test(method):
                self._add(method, setup)
        self.read([item for item in node.body if isinstance(item, ast.ClassDef)])

    def _add(self, node: FunctionNode, setup: list[ast.stmt]) -> None:
        """Notes a test and the tests that a confused model put inside of it."""
        inner = [item for item in node.body if isinstance(item, FunctionNode) and _is_test(item)]
        rest = [item for item in node.body if item not in inner]
        for item in inner:
            before = [part for part in rest if part.lineno < item.lineno]
            self._add(item, [*setup, *before])
        outer = copy.copy(node)
        outer.body = rest
        self._tests.append((outer, setup))

    def finish(self) -> list[Scenario]:
        known = tables(self._shared)
        result: list[Scenario] = []
        for node, setup in self._tests:
            for row in parameter_rows(node, known):
                result.append(self._scenario(node, setup, row))
        result.append(Scenario("", self._with_shared(copy.deepcopy(self._loose))))
        return result

    def _scenario(self, node: FunctionNode, setup: list[ast.stmt], row: Row) -> Scenario:
        arguments = [*node.args.posonlyargs, *node.args.args]
        defaults = node.args.defaults
        for argument, value in zip(
            arguments[len(arguments) - len(defaults) :], defaults, strict=True
        ):
            row.setdefault(argument.arg, value)
        body = bound(node.body, row)
        if row and not any(map(_does_something, node.body)):
            body = call_with(self._vocabulary.target, row)
        body = [*copy.deepcopy(setup), *body]
        open_arguments = {item.arg for item in arguments} - row.keys() - {"self", "cls"}
        names = sorted(open_arguments | _loaded(body) & self._fixtures.keys())
        fixtures: list[ast.stmt] = []
        seen: set[str] = set()
        for name in names:
            fixtures.extend(self._fixture(name, seen))
        name = "" if node.name == CUT_OFF else node.name
        return Scenario(name, self._with_shared([*fixtures, *body]), open_arguments)

    def _fixture(self, name: str, seen: set[str]) -> list[ast.stmt]:
        """The statements of a fixture, its value bound to its name; each fixture once."""
        node = self._fixtures.get(name)
        if node is None or name in seen:
            return []
        seen.add(name)
        body: list[ast.stmt] = []
        for argument in node.args.args:
            body.extend(self._fixture(argument.arg, seen))
        return [*body, *self._without_yield(node)]

    def _without_yield(self, node: FunctionNode) -> list[ast.stmt]:
        body: list[ast.stmt] = []
        for statement in copy.deepcopy(node.body):
            value: ast.expr | None = None
            if isinstance(statement, ast.Return):
                value = statement.value
            elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Yield):
                value = statement.value.value
            else:
                body.append(statement)
                continue
            is_itself = isinstance(value, ast.Name) and value.id == node.name
            return body if value is None or is_itself else [*body, assign(node.name, value)]
        return body

    def _with_shared(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """``body`` after the helpers that it uses, and those that they use."""
        own = set().union(*map(bound_names, body)) if body else set()
        needed = _loaded(body)
        chosen: list[ast.stmt] = []
        for statement in reversed(self._shared):
            names = bound_names(statement)
            if names & needed - own:
                needed |= _loaded([statement])
                chosen.insert(0, copy.deepcopy(statement))
        return [*chosen, *body]


def _does_something(statement: ast.stmt) -> bool:
    return not isinstance(statement, ast.Pass) and not (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _loaded(body: Sequence[ast.stmt]) -> set[str]:
    """Names that ``body`` reads anywhere, and those it takes from ``self``."""
    found = set()
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found.add(node.id)
    return found
