"""Finds where a project itself uses what a module defines: documents, other modules, tests.

What people wrote down as an example shows how code is meant to be called, and texts of a form that
no search would guess. Only the files' text is read here; nothing is run.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from hybridgen.domain import Fragment, Module, TargetKind
from hybridgen.errors import SourceError
from hybridgen.label import Labeller, fragment_of
from hybridgen.reading import decode, parse, read_once
from hybridgen.source.walk import is_skipped

MOST_FILES = 400
MOST_BYTES = 400_000
"""Larger files are data or generated."""

MOST_FRAGMENTS = 120
MOST_OF_FILE = 30
LONGEST = 4_000
DOCUMENTS = (".md", ".rst", ".txt")

_OWN = "# hybridgen: "
_FENCE = re.compile(
    r"^(?P<indent>[ \t]*)(?:```|~~~)[ ]*(?:python|py|pycon|python3)?[^\n`]*\n"
    r"(?P<body>.*?)^[ \t]*(?:```|~~~)",
    re.DOTALL | re.MULTILINE,
)
_BLOCK = re.compile(
    r"(?:^(?:[ ]{2,}|\t|>>> |\.\.\. ).*\n?(?:[ \t]*\n(?=[ ]{2,}|\t))*)+", re.MULTILINE
)


def mentions(module: Module, labeller: Labeller | None = None) -> tuple[Fragment, ...]:
    """Pieces of code in the project's files, besides the module's own, that name its definitions.

    Code blocks of documents come first, then calls in tests, then calls in other modules. Hidden
    folders, virtual environments and build output are left out, so are large files, and what
    cannot be read says nothing.

    Args:
        labeller: of the project; without one everything is confidential.
    """
    labeller = labeller or Labeller(module.project.root)
    names = {
        target.name
        for target in module.targets
        if target.kind is not TargetKind.METHOD and not target.is_private
    }
    if not names:
        return ()
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(sorted(map(re.escape, names)))})\(")
    found: list[Fragment] = []
    for path in sorted(_files(module), key=_rank):
        data, text = _content(path, module.project.root)
        if not pattern.search(text):
            continue
        pieces = _code_calls(text, names) if path.suffix == ".py" else _blocks(text)
        shown = path.relative_to(module.project.root).as_posix()
        chosen = [p for p in dict.fromkeys(pieces) if len(p) <= LONGEST and pattern.search(p)]
        if chosen:
            file = labeller.file(path, data)
            found += (fragment_of(piece, shown, file) for piece in chosen[:MOST_OF_FILE])
        if len(found) >= MOST_FRAGMENTS:
            break
    return tuple(found[:MOST_FRAGMENTS])


def _rank(path: Path) -> tuple[int, str]:
    is_test = path.name.startswith("test_") or "test" in path.parent.name
    kind = 0 if path.suffix in DOCUMENTS else 1 if is_test else 2
    return kind, path.as_posix()


def _files(module: Module) -> Iterator[Path]:
    count = 0
    for current, folders, names in os.walk(module.project.root):
        here = Path(current)
        kept = (name for name in folders if not is_skipped(here / name, skip_tests=False))
        folders[:] = sorted(kept)
        for name in sorted(names):
            path = here / name
            if path.suffix not in (*DOCUMENTS, ".py") or name.startswith(".") or path.is_symlink():
                continue
            count += 1
            if count > MOST_FILES:
                return
            if path.resolve() != module.path.resolve():
                yield path


def _content(path: Path, root: Path) -> tuple[bytes, str]:
    """The file's bytes and its text; nothing if it is too large or cannot be read."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return b"", ""
        _, data = read_once(path, root.resolve(), path.name)
        return data, decode(data, path.name)
    except (OSError, SourceError):
        return b"", ""


def _blocks(text: str) -> Iterator[str]:
    """Code blocks of Markdown and reStructuredText."""
    for match in _FENCE.finditer(text):
        yield _dedented(match["body"])
    for match in _BLOCK.finditer(_FENCE.sub("", text)):
        yield _dedented(match.group())


def _dedented(text: str) -> str:
    lines = text.expandtabs(4).split("\n")
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[indent:].rstrip() for line in lines).strip("\n")


def _code_calls(text: str, names: set[str]) -> Iterator[str]:
    """Calls with literal arguments, one by one."""
    try:
        tree = parse(text, "")
    except SourceError:
        return
    lines = text.split("\n")
    for statement in tree.body:
        if _is_own(statement, lines):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and _called(node) in names and _is_literal(node):
                function = ast.Name(_called(node), ast.Load())
                yield ast.unparse(ast.Call(function, node.args, node.keywords))


def _is_own(statement: ast.stmt, lines: Sequence[str]) -> bool:
    """Whether hybridgen wrote it: to learn from that, each run would differ from the one before."""
    decorators = getattr(statement, "decorator_list", [])
    first: int = min([statement.lineno, *(item.lineno for item in decorators)])
    return first > 1 and lines[first - 2].startswith(_OWN)


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _is_literal(node: ast.Call) -> bool:
    values = [*node.args, *(keyword.value for keyword in node.keywords)]
    for value in values:
        try:
            ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return False
    return bool(values) and all(keyword.arg for keyword in node.keywords)
