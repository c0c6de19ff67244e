"""Tests that belong together as one statement of the file: a function, or a class of tests.

The tests of a class stand in a class of their own, in the order of the source. What three or
more of them build in the same way becomes a fixture (``setUp`` in a ``TestCase``), unless the
arguments are what a test is about.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from hybridgen.suite.blocks import Block
from hybridgen.suite.bodies import indent
from hybridgen.suite.imports import Import
from hybridgen.suite.literals import Places, readable, spliced
from hybridgen.suite.shapes import construction
from hybridgen.suite.style import Layout, Style
from hybridgen.suite.unfolding import may_name_fixture
from hybridgen.suite.unittests import as_method

_FEWEST = 3  # tests that build the same, to be worth a fixture
_MOST_ARGUMENTS = 2  # with more of them, a reader wants to see them beside what is expected
PYTEST, UNITTEST = Import("pytest"), Import("unittest")


@dataclass(frozen=True, slots=True)
class Section:
    """One statement at the top level of a test file.

    Attributes:
        target: what it tests.
        text: the function or class, without the digest line.
        imports: what has to be imported at the top of the file.
        tests: the names of the tests in it, as pytest has them: ``TestCart::test_add``.
    """

    target: str
    text: str
    imports: tuple[Import, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Shared:
    """An object that several tests build in the same way."""

    name: str
    code: str

    @property
    def statement(self) -> str:
        return f"{self.name} = {self.code}"


def sections(
    blocks: Sequence[Block], style: Style, *, taken: Collection[str], only: str | None = None
) -> list[Section]:
    """Groups test functions by their owners, in the order of the first test of each.

    Args:
        blocks: the tests; those without an owner stay functions.
        style: how classes are made and called.
        taken: names that a class must not have.
        only: the one target that tests were asked for, or None.
    """
    groups: dict[str, list[Block]] = {}
    for index, block in enumerate(blocks):
        groups.setdefault(block.owner or f"{index} {block.name}", []).append(block)
    known = set(taken)
    found: list[Section] = []
    for owner, members in groups.items():
        if not members[0].owner:
            found += map(_flat, members)
            continue
        target = only if only is not None and only.startswith(f"{owner}.") else owner
        name = _class_name(target, style, known)
        known.add(name)
        if style.layout is Layout.UNITTEST:
            found.append(_test_case(name, target, members))
        else:
            found.append(_test_class(name, target, members))
    # Last, because what judges tests has to see their texts in one piece.
    return [dataclasses.replace(part, text=readable(part.text)) for part in found]


def renamed(part: Section, names: Mapping[str, str]) -> Section:
    """The section with other names for some of its tests.

    Args:
        names: of functions, by the names that pytest has for the tests.
    """
    text, tests = part.text, list(part.tests)
    for index, test in enumerate(part.tests):
        owner, mark, old = test.rpartition("::")
        if new := names.get(test):
            text = text.replace(f"def {old}(", f"def {new}(", 1)
            tests[index] = f"{owner}{mark}{new}"
    return dataclasses.replace(part, text=text, tests=tuple(tests))


def _flat(block: Block) -> Section:
    return Section(block.target, block.text, block.imports, (block.name,))


def _class_name(target: str, style: Style, taken: Collection[str]) -> str:
    camel = "".join(part[:1].upper() + part[1:] for part in re.split(r"[._]+", target) if part)
    names = (camel, f"{camel}Cases", *(f"{camel}Cases{number}" for number in range(2, 1000)))
    return next(n for n in map(style.class_name, names) if n not in taken)


def _test_class(name: str, target: str, members: Sequence[Block]) -> Section:
    """A class of pytest, with a fixture where that saves lines."""
    shared = _shared(members)
    parts: list[str] = []
    if shared is not None:
        parts.append(f"@pytest.fixture\ndef {shared.name}(self):\n    return {shared.code}")
    parts += [_method(_with_fixture(block, shared)) for block in members]
    more = () if shared is None else (PYTEST,)
    return _section(name, f"class {name}:", parts, target, members, more)


def _test_case(name: str, target: str, members: Sequence[Block]) -> Section:
    """A ``unittest.TestCase``."""
    shared = _shared(members)
    parts = [_as_method(block, shared) for block in members]
    if shared is not None and any(f"self.{shared.name}" in text for text in parts):
        parts.insert(0, f"def setUp(self):\n    self.{shared.name} = {shared.code}")
    head = f"class {name}(unittest.TestCase):"
    return _section(name, head, parts, target, members, (UNITTEST,))


def _as_method(block: Block, shared: _Shared | None) -> str:
    # setUp runs once for a table, and each of its rows needs an object of its own.
    is_table = block.text.startswith("@")
    text = block.text if is_table else _with_fixture(block, shared)
    method = as_method(text, () if shared is None else (shared.name,))
    assert method is not None, "a test that needs a fixture of pytest has no owner"
    return method


def _section(
    name: str,
    head: str,
    parts: Sequence[str],
    target: str,
    members: Sequence[Block],
    more: Sequence[Import],
) -> Section:
    text = "\n".join([head, indent("\n\n".join(parts))])
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    imports = dict.fromkeys([*(i for block in members for i in block.imports), *more])
    needed = tuple(item for item in imports if item.bound in used)
    return Section(target, text, needed, tuple(f"{name}::{block.name}" for block in members))


def _method(text: str) -> str:
    """A function with ``self`` as its first parameter."""
    lines = text.split("\n")
    function = _function(text)
    line = function.lineno - 1
    rest = ", " if function.args.args else ""
    lines[line] = lines[line].replace("(", f"(self{rest}", 1)
    return "\n".join(lines)


def _function(text: str) -> ast.FunctionDef:
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef), "a test is a function"
    return function


def _shared(members: Sequence[Block]) -> _Shared | None:
    """What most tests start with, if three or more do."""
    count = Counter(built for block in members if (built := _built(block)) is not None)
    if not count:
        return None
    best = max(count, key=lambda item: (count[item], -len(item.code), item.code))
    taken = {name for block in members for name in _parameters(block.text)}
    is_free = may_name_fixture(best.name) and best.name not in taken
    is_habit = count[best] >= _FEWEST and count[best] * 2 >= count.total()
    return best if is_habit and is_free else None


def _parameters(text: str) -> list[str]:
    return [argument.arg for argument in _function(text).args.args]


def _built(block: Block) -> _Shared | None:
    """The object that a test builds first, if its arguments are not what the test is about."""
    function = _function(block.text)
    first, *rest = function.body
    match first:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call) if rest:
            code = ast.get_source_segment(block.text, call) or ast.unparse(call)
        case _:
            return None
    used = {node.id for node in ast.walk(call) if isinstance(node, ast.Name)}
    if used & set(_parameters(block.text)) or name in used:
        return None
    is_class = isinstance(call.func, ast.Name) and call.func.id[:1].isupper()
    if not is_class or (call.args and construction(f"{name} = {code}") is None):
        return None
    if len(call.args) + len(call.keywords) > _MOST_ARGUMENTS:
        return None
    if any(_stores(statement, name) for statement in rest) or _is_about(call, rest):
        return None
    return _Shared(name, code)


def _stores(statement: ast.stmt, name: str) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)
        for node in ast.walk(statement)
    )


def _is_about(call: ast.Call, rest: Sequence[ast.stmt]) -> bool:
    """True if an argument of the constructor shows up in what is expected."""
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    told = {
        repr(node.value)
        for argument in arguments
        for node in ast.walk(argument)
        if isinstance(node, ast.Constant) and node.value not in (None, True, False, "", 0, 1)
    }
    expected = [node for statement in rest for node in _expected(statement)]
    shown = {
        repr(node.value)
        for part in expected
        for node in ast.walk(part)
        if isinstance(node, ast.Constant)
    }
    given = {
        repr(node.value)
        for statement in rest
        for node in ast.walk(statement)
        if isinstance(node, ast.Constant) and not any(node in ast.walk(part) for part in expected)
    }
    return bool((told & shown) - given)


def _expected(statement: ast.stmt) -> list[ast.expr]:
    return [
        side
        for node in ast.walk(statement)
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare)
        for side in node.test.comparators
    ]


def _with_fixture(block: Block, shared: _Shared | None) -> str:
    """A test that gets the shared object as an argument, if it starts by building it."""
    text = block.text
    if shared is None or _built(block) != shared:
        return text
    function = _function(text)
    places = Places(text)
    start, _ = places.span(function.body[0])
    end, _ = places.span(function.body[1])
    lines = spliced(text, [(start, end, "")]).split("\n")
    line = function.lineno - 1
    rest = ", " if function.args.args else ""
    lines[line] = lines[line].replace("(", f"({shared.name}{rest}", 1)
    return "\n".join(lines)
