"""Edits the marks in a project's settings file; comments and all else in it stay as they are."""

from __future__ import annotations

import difflib
import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hybridgen.domain import Label
from hybridgen.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Array

_OWN: Final = "hybridgen.toml"
_SHARED: Final = "pyproject.toml"
_SPECIAL: Final = re.compile(r"([\\*?\[\]!#])")


@dataclass(frozen=True, slots=True)
class Edit:
    """A settings file before and after.

    Attributes:
        path: the file; it need not exist yet.
        tables: names of the tables around the marks, the outermost first.
    """

    path: Path
    tables: tuple[str, ...]
    before: str
    after: str

    def diff(self, shown: str) -> str:
        """What changes, as a unified diff; "" if nothing does."""
        lines = difflib.unified_diff(
            self.before.splitlines(keepends=True),
            self.after.splitlines(keepends=True),
            f"a/{shown}",
            f"b/{shown}",
        )
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def pattern_of(root: Path, path: str, folder: Path) -> str:
    """The pattern that means exactly ``path``, relative to the project's root.

    Args:
        root: the project's real root.
        path: as the user wrote it: a file, a folder, or a pattern with ``*``.
        folder: what it is relative to.

    Raises:
        UsageError: it leads out of the project, or to nothing.
    """
    place = folder / path
    is_there = os.path.lexists(place)
    if not is_there and "*" not in path:
        raise UsageError(
            f"{path} does not exist", "name a file, a folder, or a pattern in quotes: '/src/*.py'"
        )
    # The last step may be a link, which is marked itself; patterns start where they are written.
    fixed, rest = (place, "") if is_there else _split(folder, path)
    if is_there and place.name not in ("", ".."):
        real = place.parent.resolve() / place.name
    else:
        real = fixed.resolve()
    if not real.is_relative_to(root):
        raise UsageError(
            f"{path} is {real}, which is outside of the project {root}",
            "run it in the project that it belongs to",
        )
    name = real.relative_to(root).as_posix()
    if not name.isprintable():
        raise UsageError(f"{path} has characters that cannot be shown", "give it a plain name")
    base = "" if name == "." else "/" + _SPECIAL.sub(r"\\\1", name)
    if not is_there:
        return f"{base}/{rest}"
    if real.is_dir() and not real.is_symlink():
        return f"{base}/" if base else "/**"
    return re.sub(r"( +)$", lambda spaces: "\\ " * len(spaces[1]), base)


def read_marks(root: Path) -> Edit:
    """The settings file of the project at ``root``, unchanged so far.

    Raises:
        SettingsError: it cannot be read.
    """
    own, shared = root / _OWN, root / _SHARED
    if own.exists() or own.is_symlink():
        text = _read(own)
        return Edit(own, ("labels",), text, text)
    if shared.exists():
        text = _read(shared)
        tool = _parsed(text, shared).get("tool")
        if isinstance(tool, dict) and "hybridgen" in tool:
            return Edit(shared, ("tool", "hybridgen", "labels"), text, text)
    return Edit(own, ("labels",), "", "")


def mark(edit: Edit, label: Label, patterns: Sequence[str]) -> Edit:
    """Put ``patterns`` on the list of ``label``, and take them off the other lists.

    Raises:
        SettingsError: the file holds something else where the marks belong.
    """
    document = _parsed(edit.after, edit.path)
    for pattern in patterns:
        for other in Label:
            if other is not label:
                _remove(document, edit, other, {pattern, pattern.removeprefix("/")}, pattern)
        marks = _list(document, edit, label, is_wanted=True)
        assert marks is not None
        if pattern not in marks:
            marks.append(pattern)
    return _edited(edit, document)


def unmark(edit: Edit, wanted: Sequence[tuple[str, str]]) -> tuple[Edit, tuple[str, ...]]:
    """Take patterns off all lists.

    Args:
        wanted: for each path what the user wrote, and the pattern that means it.

    Returns:
        The edit, and of ``wanted`` what the user wrote of those that were on no list.

    Raises:
        SettingsError: the file holds something else where the marks belong.
    """
    document = _parsed(edit.after, edit.path)
    missing = []
    for written, pattern in wanted:
        same = {written, pattern, pattern.removeprefix("/")}
        found = [_remove(document, edit, label, same, None) for label in Label]
        if not any(found):
            missing.append(written)
    return _edited(edit, document), tuple(missing)


def save(edit: Edit) -> None:
    """Write the file in one step, with the mode that it had.

    Raises:
        SettingsError: it cannot be written, or is not what it was when it was read.
    """
    path = edit.path
    if path.is_symlink():
        raise SettingsError(
            f"{path} is a link", f"edit the file that it leads to: {path.resolve()}"
        )
    now = _read(path) if path.exists() else ""
    if now != edit.before:
        raise SettingsError(f"{path} was changed in the meantime", "run the command again")
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".hybridgen-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(edit.after.encode())
                file.flush()
                os.fchmod(descriptor, _mode(path))
                os.fsync(descriptor)
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written: {error.strerror}", "check its permissions"
        ) from error


def _mode(path: Path) -> int:
    """The mode of the file, or the one that a new file gets."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _split(folder: Path, path: str) -> tuple[Path, str]:
    """The folders before the first ``*``, and the rest of the pattern."""
    parts = Path(path).parts
    first = next(number for number, part in enumerate(parts) if "*" in part)
    rest = "/".join(parts[first:]) + ("/" if path.endswith("/") else "")
    if ".." in parts[first:]:
        raise UsageError(f"{path} has .. behind a *", "write the pattern without it")
    return folder.joinpath(*parts[:first]), rest


def _read(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise SettingsError(f"{path} is not a regular file", "put a TOML file there")
        return path.read_bytes().decode()  # as it is: line ends stay
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"{path} cannot be read: {why}", "correct that first") from error


def _parsed(text: str, path: Path) -> TOMLDocument:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(text)
    except (TOMLKitError, RecursionError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}", "correct that first") from error


def _table(document: TOMLDocument, edit: Edit, *, is_wanted: bool) -> dict[str, Any] | None:
    """The table with the marks; made if it is wanted and not there."""
    import tomlkit

    table: dict[str, Any] = document
    for name in edit.tables:
        if name not in table:
            if not is_wanted:
                return None
            if table is document and document.as_string().strip():
                document.add(tomlkit.nl())
            table[name] = tomlkit.table()
        inner = table[name]
        if not isinstance(inner, dict):
            raise _misplaced(edit, ".".join(edit.tables))
        table = inner
    return table


def _list(document: TOMLDocument, edit: Edit, label: Label, *, is_wanted: bool) -> Array | None:
    import tomlkit
    from tomlkit.items import Array, Table

    table, key = _table(document, edit, is_wanted=is_wanted), label.name.lower()
    if table is None or (key not in table and not is_wanted):
        return None
    if key not in table:
        is_new = not table
        table[key] = tomlkit.array()
        if is_new and isinstance(table, Table):
            table.add(tomlkit.nl())  # before the table that may follow
    marks = table[key]
    if not isinstance(marks, Array) or not all(isinstance(mark, str) for mark in marks):
        raise _misplaced(edit, ".".join((*edit.tables, key)))
    return marks


def _remove(
    document: TOMLDocument, edit: Edit, label: Label, same: Iterable[str], only: str | None
) -> bool:
    """Take patterns off one list, and the list away if nothing is left on it.

    Args:
        only: where it is given, an unanchored spelling goes only if it means the same.
    """
    marks = _list(document, edit, label, is_wanted=False)
    if marks is None:
        return False
    gone = [text for text in same if only is None or _is_same(text, only)]
    numbers = [number for number, mark in enumerate(marks) if str(mark) in gone]
    for number in reversed(numbers):
        del marks[number]
    if numbers and not marks:
        table = _table(document, edit, is_wanted=False)
        assert table is not None
        del table[label.name.lower()]
    return bool(numbers)


def _is_same(text: str, pattern: str) -> bool:
    """Whether a pattern without the leading slash means what ``pattern`` means."""
    return text == pattern or "/" in text.rstrip("/")


def _edited(edit: Edit, document: TOMLDocument) -> Edit:
    """The edit with the document's text, which has to say what the document holds.

    Raises:
        SettingsError: it does not: tomlkit puts some new tables where they do not belong.
    """
    text = document.as_string()
    if text.endswith("\n\n") and not edit.before.endswith("\n\n"):
        text = text[:-1]
    if tomllib.loads(text) != document.unwrap():
        table, name = ".".join(edit.tables), edit.path.name
        raise SettingsError(
            f"{edit.path} is written in a way that marks cannot be added to",
            f"add a table [{table}] to {name} yourself, then run the command again",
        )
    return Edit(edit.path, edit.tables, edit.before, text)


def _misplaced(edit: Edit, name: str) -> SettingsError:
    return SettingsError(
        f"{edit.path}: {name} is not what marks are kept in",
        'write a table of lists: [labels] with public = ["/docs/"]',
    )
