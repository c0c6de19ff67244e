"""Where a line of a fragment stands in the project, for people and for the ledger."""

from __future__ import annotations

from pathlib import Path

from hybridgen.domain import Fragment
from hybridgen.errors import SourceError
from hybridgen.reading import decode, read_once


def place_of(part: Fragment, line: int, folder: str) -> str:
    """``path:line`` for a line of ``part``, counted from 1; without a number where none is sure.

    A fragment may be an outline, or hold words of hybridgen's own: so the line is looked for in
    the file, first where it should be, then as the only one that says the same.

    Args:
        folder: the project's, "" if it is not known.
    """
    path, _, digits = part.origin.rpartition(":")
    first = int(digits) if path and digits.isascii() and digits.isdigit() else None
    expected = None if first is None else first + line - 1
    lines = _lines(part, folder)
    if lines is None:
        return part.origin if expected is None else f"{path}:{expected}"
    wanted = _as_outlined(part.text.split("\n")[line - 1])
    found = [number for number, text in enumerate(lines, 1) if _as_outlined(text) == wanted]
    if expected is not None and expected in found:
        return f"{path}:{expected}"
    if len(found) == 1:
        return f"{part.origin if first is None else path}:{found[0]}"
    return part.origin


def _lines(part: Fragment, folder: str) -> list[str] | None:
    """The lines of the first file behind ``part``, None if they cannot be read."""
    if not folder or not part.sources:
        return None
    path, root = part.sources[0].path, Path(folder).resolve()
    try:
        _, data = read_once(root / path, root, path)
        return decode(data, path).split("\n")
    except SourceError:
        return None


def _as_outlined(line: str) -> str:
    """A line as an outline has it too: with Python's own quotes, and without a comment."""
    return line.partition("  #")[0].strip().replace('"', "'")
