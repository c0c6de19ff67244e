"""Puts tests into a file by insertions only: what was there stays, byte for byte."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from hybridgen.errors import SourceError
from hybridgen.suite import ownership
from hybridgen.suite.formatting import format_source, sort_imports
from hybridgen.suite.imports import Import
from hybridgen.suite.ownership import Statement, lines_of, statements
from hybridgen.suite.sections import Section

_SEPARATOR = "# hybridgen: next"


def header(import_name: str) -> str:
    """The docstring of a new test file."""
    return f'''"""Tests for {import_name}.

hybridgen wrote what stands below each "# hybridgen:" line, from what the code did when
it ran. The next run replaces it, unless it was edited: then it is yours and is kept.
"""
'''


def import_lines(imports: Iterable[Import], package: str, line_length: int) -> str:
    """Sorted import statements below their digest line, or "" for none."""
    needed = "\n".join(item.statement for item in sorted(set(imports)))
    if not needed:
        return ""
    text = format_source(sort_imports(f"{needed}\n", package, line_length), line_length).strip()
    return f"{ownership.mark(text, ownership.IMPORTS)}\n{text}\n"


def formatted(blocks: Sequence[Section], line_length: int, quote: str = '"') -> list[str]:
    """Each test function or class as the formatter writes it, below its digest line."""
    if not blocks:
        return []
    joined = "\n\n\n".join(f"{_SEPARATOR}\n{block.text}" for block in blocks)
    text = format_source(f"{joined}\n", line_length, quote)
    parts = f"\n{text}".split(f"\n{_SEPARATOR}\n")[1:]
    if len(parts) != len(blocks):  # a text of several lines holds the separator
        parts = [format_source(f"{block.text}\n", line_length, quote) for block in blocks]
    texts = [part.strip("\n") for part in parts]
    return [
        f"{ownership.mark(text, block.target)}\n{text}\n"
        for block, text in zip(blocks, texts, strict=True)
    ]


def insert(base: str, imports: str, tests: Sequence[str]) -> str:
    """``base`` with imports after its imports, and tests at its end.

    Tests go before a closing ``if __name__ == "__main__":``.

    Raises:
        SourceError: ``base`` is not valid Python, or would not be afterwards.
    """
    newline = _newline(base)
    lines = lines_of(base)
    body = statements(base)
    spots: dict[int, str] = {}
    if imports:
        line, text = _place_imports(lines, body, imports)
        spots[line] = text
    if tests:
        line = len(lines)
        if body and body[-1].kind == "main":
            line = body[-2].end if len(body) > 1 else _above(lines, body[-1].start)
        blank = "\n" * ownership.BLANK_LINES
        text = "".join(f"{blank}{test}" for test in tests)
        if not "".join(lines[:line]).strip():  # blank lines that are there already will do
            text = text[min(ownership.BLANK_LINES, line) :]
        if line < len(lines) and lines[line].strip():
            text += blank
        spots[line] = spots.get(line, "") + text
    return _checked(_spliced(lines, spots, newline))


def _place_imports(
    lines: Sequence[str], body: Sequence[Statement], imports: str
) -> tuple[int, str]:
    """The line before which imports go, and their text with the blank lines around it."""
    last: int | None = None
    for index, statement in enumerate(body):
        if statement.kind in ("function", "class", "main"):
            break
        if statement.kind == "import":
            last = index
    if last is not None:
        line, following = body[last].end, body[last + 1 :]
    elif body and body[0].kind == "docstring":
        line, following = body[0].end, body[1:]
    elif body:
        line, following = _above(lines, body[0].start), body
    else:
        line, following = len(lines), body
    text = imports if last is not None or line == 0 else f"\n{imports}"
    if line < len(lines) and lines[line].strip():
        is_definition = bool(following) and following[0].kind in ("function", "class")
        text += "\n\n" if is_definition else "\n"
    return line, text


def _above(lines: Sequence[str], start: int) -> int:
    """Above the comments that belong to the statement at ``start``, below those of the file."""
    line = start
    while line > 0 and lines[line - 1].lstrip().startswith("#"):
        line -= 1
    if line == 0 and start > 0:
        return start  # a comment that starts the file is a licence, a shebang: it stays first
    while line > 0 and not lines[line - 1].strip("\r\n"):
        line -= 1
    return line


def _spliced(lines: Sequence[str], spots: dict[int, str], newline: str) -> str:
    """The lines with texts put in before the lines named."""
    parts: list[str] = []
    for number in range(len(lines) + 1):
        if number in spots:
            if parts and not parts[-1].endswith(("\n", "\r")):
                parts.append(newline)
            parts.append(spots[number].replace("\n", newline))
        if number < len(lines):
            parts.append(lines[number])
    return "".join(parts)


def _newline(text: str) -> str:
    """The line end of the first line; "\\n" where there is none."""
    first = lines_of(text)[:1]
    if first and first[0].endswith("\r\n"):
        return "\r\n"
    return "\r" if first and first[0].endswith("\r") else "\n"


def _checked(text: str) -> str:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise SourceError(
            f"tests do not fit into the existing test file: {error}",
            "let hybridgen write to another file",
        ) from error
    return text


def used_names(text: str) -> frozenset[str]:
    """The names that the code of a file uses, wherever they come from."""
    return frozenset(n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name))
