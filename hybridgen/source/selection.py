"""Turns the paths of the command line into the files to test."""

from __future__ import annotations

import ast
import difflib
import keyword
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridgen.errors import SourceError, UsageError
from hybridgen.reading import MAX_BYTES, decode, parse
from hybridgen.source.walk import modules_below

_DEFINES = re.compile(rb"^[ \t\f]*(async|def|class)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Selection:
    """One file to test.

    Attributes:
        path: absolute, links not resolved.
        only: ``Class.method`` of ``file.py::Class.method``, or None for the whole file.
    """

    path: Path
    only: str | None


def select(arguments: Sequence[str]) -> tuple[Selection, ...]:
    """Find the files that ``arguments`` mean, sorted and each one once.

    An argument is a file, a folder (searched for modules, without tests, virtual environments,
    build output, and files that define nothing) or ``file.py::NAME``.

    Raises:
        UsageError: a path that does not exist or is not Python, or a NAME that cannot be one.
    """
    if not arguments:
        raise UsageError("no path to test was given", "try: hybridgen generate src/")
    chosen = [selection for argument in arguments for selection in _expand(argument)]
    return tuple(_merge(chosen))


def _expand(argument: str) -> Iterator[Selection]:
    path_text, separator, name = argument.partition("::")
    path = _absolute(path_text, argument)
    if not _exists(path):
        raise UsageError(f"{path_text} does not exist", _close_path(path))
    if path.is_dir():
        if separator:
            raise UsageError(
                f"{argument}: {path_text} is a folder, and only a file can have ::{name}",
                f"write {path_text.rstrip('/')}/module.py::{name or 'NAME'}",
            )
        yield from _folder(path, path_text)
    elif path.suffix != ".py":
        raise UsageError(
            f"{path_text} is not a Python source file", "name a .py file or a folder of them"
        )
    else:
        yield Selection(path, _checked_name(argument, path_text, name) if separator else None)


def _folder(folder: Path, shown: str) -> Iterator[Selection]:
    found = [path for path in modules_below(folder) if not _defines_nothing(path)]
    if not found:
        raise UsageError(
            f"{shown}: no Python module with a function or class in this folder (tests, hidden "
            "folders, virtual environments and build output are not searched)",
            "name a file: hybridgen generate path/to/module.py",
        )
    for path in found:
        yield Selection(path, None)


def _absolute(text: str, argument: str) -> Path:
    if not text or "\0" in text:
        raise UsageError(f"{argument!r} names no file", "write path/to/module.py::Class.method")
    path = Path(text)
    if ".." in path.parts:  # up from a linked folder is not where the text says
        path = path.resolve() if path.name == ".." else path.parent.resolve() / path.name
    return path.absolute()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long, a folder that may not be entered
        return False


def _checked_name(argument: str, path_text: str, name: str) -> str:
    normal = unicodedata.normalize("NFKC", name)
    parts = normal.split(".")
    if all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
        return normal
    dotted = normal.replace("::", ".").partition("(")[0].strip() or "Class.method"
    raise UsageError(
        f"{argument}: {name!r} is not the name of a function, class or method",
        f"write {path_text}::{dotted}",
    )


def _close_path(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    except OSError:
        names = []
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean {path.parent / close[0]}?" if close else "check the path and run again"


def _defines_nothing(path: Path) -> bool:
    """Whether a file found in a folder is sound and has no definition (an empty ``__init__.py``).

    Anything odd is kept, so that reading it says what is wrong with it.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            return False
        data = path.read_bytes()
        if _DEFINES.search(data):
            return False
        tree = parse(decode(data, path.name), path.name)
    except (OSError, SourceError):
        return False
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return not any(isinstance(node, kinds) for node in ast.walk(tree))


def _merge(chosen: Iterable[Selection]) -> Iterator[Selection]:
    """Drop what another selection of the same file already contains."""
    names: dict[Path, set[str]] = {}
    for selection in chosen:
        names.setdefault(selection.path, set()).add(selection.only or "")
    for path in sorted(names):
        for name in sorted(names[path]):
            parts = name.split(".")
            above = {".".join(parts[:count]) for count in range(1, len(parts))} | {""}
            if not name or not above & names[path]:
                yield Selection(path, name or None)
