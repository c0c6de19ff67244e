"""How a project writes its tests: functions, classes, or ``unittest.TestCase``."""

from __future__ import annotations

import ast
import dataclasses
import io
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path

from hybridgen.errors import SourceError
from hybridgen.suite.placement import read

_MOST_FILES = 40  # of the project's tests, enough to see a habit
_FEWEST_QUOTES = 5  # texts without a quote in them, to see which quote is preferred


class Layout(StrEnum):
    """How tests are grouped."""

    FUNCTIONS = "functions"  # test functions only
    MIXED = "mixed"  # functions for functions, a class for the tests of a class
    CLASSES = "classes"  # a class for the tests of anything
    UNITTEST = "unittest"  # unittest.TestCase


@dataclass(frozen=True, slots=True)
class Style:
    """How tests are written.

    Attributes:
        quote: the preferred quote, ``'`` or ``"``.
        suffix: True for ``CartTest``, False for ``TestCart``.
    """

    layout: Layout = Layout.MIXED
    quote: str = '"'
    suffix: bool = False

    def class_name(self, name: str) -> str:
        """The name of the class that tests ``name``."""
        return f"{name}Test" if self.suffix else f"Test{name}"

    def collected(self, python_classes: Sequence[str], python_functions: Sequence[str]) -> Style:
        """The style, changed as far as the project's pytest would not collect such tests.

        Args:
            python_classes: the option of pytest, () for its default.
            python_functions: likewise.
        """
        if not _matches("test_x", python_functions or ("test",)):
            # Of a TestCase, pytest takes the tests that unittest would take.
            return dataclasses.replace(self, layout=Layout.UNITTEST)
        if self.layout in (Layout.FUNCTIONS, Layout.UNITTEST):
            return self
        for style in (self, dataclasses.replace(self, suffix=not self.suffix)):
            if _matches(style.class_name("X"), python_classes or ("Test",)):
                return style
        return dataclasses.replace(self, layout=Layout.FUNCTIONS)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    """As pytest does it: each pattern is the start of a name, or a glob."""
    return any(name.startswith(pattern) or fnmatchcase(name, pattern) for pattern in patterns)


def style_of(own: str, others: Iterable[Path]) -> Style:
    """The style of a test file, else that of the project's other tests.

    Args:
        own: the text of the test file without hybridgen's tests, "" for a new one.
        others: the project's existing test files.
    """
    if (style := _style([own])) is not None:
        return style
    return _style(_texts(others)) or Style()


def _texts(paths: Iterable[Path]) -> Iterator[str]:
    for path in sorted(paths)[:_MOST_FILES]:
        try:
            yield read(path) or ""
        except SourceError:
            continue


def _style(texts: Iterable[str]) -> Style | None:
    """The prevailing style of some files, or None where there are no tests of a person."""
    layouts: Counter[Layout] = Counter()
    quotes: Counter[str] = Counter()
    suffixes: Counter[bool] = Counter()
    for text in texts:
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        own = _by_hybridgen(text)
        layouts.update(_layouts(tree, own))
        names = (n.name for n in tree.body if isinstance(n, ast.ClassDef) and n.lineno not in own)
        suffixes.update(name.endswith("Test") for name in names if "Test" in name)
        if not own:
            quotes.update(_quotes(text))
    if not layouts:
        return None
    layout = max(layouts, key=lambda item: (layouts[item], item))
    if layout is Layout.CLASSES and layouts[Layout.FUNCTIONS]:
        layout = Layout.MIXED
    is_single = quotes["'"] > max(quotes['"'], _FEWEST_QUOTES)
    return Style(layout, "'" if is_single else '"', suffixes[True] > suffixes[False])


def _by_hybridgen(text: str) -> frozenset[int]:
    """Lines of definitions that stand below a mark of hybridgen."""
    lines = text.splitlines()
    marked = {number for number, line in enumerate(lines, 1) if line.startswith("# hybridgen: ")}
    own: set[int] = set()
    for number in marked:
        for after in range(number, len(lines)):
            own.add(after + 1)
            if lines[after].startswith(("def ", "class ")):
                break
    return frozenset(own)


def _layouts(tree: ast.Module, own: frozenset[int]) -> Iterator[Layout]:
    """One vote for each test that a person wrote."""
    for node in tree.body:
        if getattr(node, "lineno", 0) in own:
            continue
        if _is_test(node):
            yield Layout.FUNCTIONS
        elif isinstance(node, ast.ClassDef):
            bases = " ".join(ast.unparse(base) for base in node.bases)
            layout = Layout.UNITTEST if "TestCase" in bases else Layout.CLASSES
            yield from (layout for inner in node.body if _is_test(inner))


def _is_test(node: ast.stmt) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    return node.name.startswith("test")


def _quotes(text: str) -> Iterator[str]:
    """The quote of each text that could have had either."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            body = token.string.lstrip("rbfuRBFU")
            if token.type == tokenize.STRING and not body.startswith(('"""', "'''")):
                if not {'"', "'"} & set(body[1:-1]):
                    yield body[0]
    except (tokenize.TokenError, SyntaxError):
        return
