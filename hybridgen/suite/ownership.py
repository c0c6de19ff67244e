"""What in a test file is hybridgen's own, and still as hybridgen wrote it.

Each test function or class, and each group of imports, that hybridgen writes stands below a
comment with a digest of its text::

    # hybridgen: 3f2a9c1d discount
    def test_discount(): ...

A digest that still fits means that nobody edited it, so it may be replaced. Anything else
belongs to a person and is never touched.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hybridgen.errors import SourceError
from hybridgen.suite import classes
from hybridgen.suite.imports import Import, parse_imports

_MARK = re.compile(r"# hybridgen: ([0-9a-f]{8}) (\S+)[ \t]*")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_MAIN = re.compile(r"if\b.*\b__name__\b")
IMPORTS = "imports"
BLANK_LINES = 2  # before a test, as formatters have it


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement at the top level of a file; lines count from 0, ``end`` is exclusive."""

    kind: str  # "docstring", "import", "function", "class", "main" or "other"
    start: int
    end: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Stripped:
    """A file without the unedited tests of hybridgen, and the imports that went with them."""

    text: str
    imports: tuple[Import, ...]
    names: tuple[str, ...]


def mark(text: str, target: str) -> str:
    """The comment line that stands above a text of hybridgen."""
    return f"# hybridgen: {_digest(text.splitlines())} {target}"


def _digest(lines: Sequence[str]) -> str:
    """Eight hexadecimal digits over lines without their ends."""
    text = "\n".join(line.rstrip("\r\n") for line in lines)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def lines_of(text: str) -> list[str]:
    """The lines of a file with their ends, as Python's tokenizer counts them."""
    return _LINE.findall(text)


def statements(text: str) -> list[Statement]:
    """The top-level statements of a file.

    Raises:
        SourceError: it is not valid Python.
    """
    import libcst
    from libcst.metadata import MetadataWrapper, PositionProvider

    try:
        compile(text, "<test file>", "exec", dont_inherit=True)
        wrapper = MetadataWrapper(libcst.parse_module(text), unsafe_skip_copy=True)
        positions = wrapper.resolve(PositionProvider)
    except (libcst.ParserSyntaxError, SyntaxError, ValueError, RecursionError) as error:
        raise SourceError(
            f"the existing test file cannot be read as Python: {error}",
            "repair it, or let hybridgen write to another file",
        ) from error
    found: list[Statement] = []
    for index, node in enumerate(wrapper.module.body):
        span = positions[node]
        start = span.start.line
        name = ""
        if isinstance(node, libcst.FunctionDef | libcst.ClassDef):
            name = node.name.value
            starts = [positions[decorator].start.line for decorator in node.decorators]
            start = min([start, *starts])
        found.append(Statement(_kind(node, index), start - 1, span.end.line, name))
    return found


def _kind(node: object, index: int) -> str:
    import libcst

    if isinstance(node, libcst.FunctionDef):
        return "function"
    if isinstance(node, libcst.If):
        is_main = _MAIN.match(f"if {libcst.Module([]).code_for_node(node.test)}")
        return "main" if is_main else "other"
    if isinstance(node, libcst.SimpleStatementLine):
        if all(isinstance(part, libcst.Import | libcst.ImportFrom) for part in node.body):
            return "import"
        first = node.body[0]
        if index == 0 and isinstance(first, libcst.Expr):
            text = libcst.SimpleString | libcst.ConcatenatedString
            return "docstring" if isinstance(first.value, text) else "other"
    return "other" if not isinstance(node, libcst.ClassDef) else "class"


def strip_own(text: str, is_unwanted: Callable[[str, str], bool]) -> Stripped:
    """Takes out unedited tests, and hybridgen's unedited imports.

    The imports are given back: those that are still needed have to be put in again.

    Args:
        text: a whole test file.
        is_unwanted: decides by target and name of each unedited test. An unedited class loses
            its unwanted tests only.

    Raises:
        SourceError: it is not valid Python.
    """
    lines = lines_of(text)
    body = statements(text)
    gone: set[int] = set()
    names: list[str] = []
    changed: dict[int, str] = {}
    for statement in body:
        found = _marked(lines, statement.start)
        if statement.kind not in ("function", "class") or found is None:
            continue
        digest, target = found
        own = lines[statement.start : statement.end]
        if digest != _digest(own):
            continue
        tests = classes.tests_in(own) if statement.kind == "class" else [statement.name]
        unwanted = [name for name in tests if is_unwanted(target, name)]
        names += unwanted
        if unwanted == tests:
            gone.update(range(statement.start - 1, statement.end))
            gone.update(_blanks_above(lines, statement.start - 1, BLANK_LINES))
        elif unwanted:
            kept_lines = classes.without_tests(own, unwanted)
            gone.update(range(statement.start, statement.end))
            above = lines[statement.start - 1]
            newline = above[len(above.rstrip("\r\n")) :]
            text_of_class = "".join(kept_lines)
            new_mark = f"{mark(text_of_class, target)}{newline}"
            changed[statement.start - 1] = new_mark + text_of_class
    imports: list[str] = []
    for index, statement in enumerate(body):
        if statement.kind == "import" and (end := _own_imports(lines, body, index)):
            imports += [line.strip("\r\n") for line in lines[statement.start : end]]
            gone.update(range(statement.start - 1, end))
            if index == 0 or body[index - 1].kind != "import":
                gone.update(_blanks_above(lines, statement.start - 1, 1))
    kept = "".join(
        changed.get(number, line) for number, line in enumerate(lines) if number not in gone
    )
    return Stripped(kept, parse_imports(["\n".join(imports)]), tuple(names))


def _marked(lines: Sequence[str], start: int) -> tuple[str, str] | None:
    """Digest and target in the comment above line ``start``."""
    found = _MARK.fullmatch(lines[start - 1].rstrip("\r\n")) if start else None
    return (found[1], found[2]) if found else None


def _own_imports(lines: Sequence[str], body: Sequence[Statement], index: int) -> int:
    """The end of the unedited group of imports that starts at ``body[index]``, else 0."""
    start = body[index].start
    found = _marked(lines, start)
    if found is None or found[1] != IMPORTS:
        return 0
    ends: list[int] = []
    for statement in body[index:]:
        if statement.kind != "import":
            break
        ends.append(statement.end)
    return next((end for end in reversed(ends) if _digest(lines[start:end]) == found[0]), 0)


def _blanks_above(lines: Sequence[str], start: int, most: int) -> list[int]:
    """The blank lines directly above a line, at most ``most``."""
    found: list[int] = []
    while len(found) < most and start - len(found) > 0:
        if lines[start - len(found) - 1].strip("\r\n"):
            break
        found.append(start - len(found) - 1)
    return found
