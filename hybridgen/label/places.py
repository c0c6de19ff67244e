"""Where a path leads: every name of the file, and what its place says about it."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hybridgen.domain import Evidence
from hybridgen.label.evidence import confidential
from hybridgen.label.patterns import folded

MOST_LINKS = 40

NOT_OWN = frozenset(
    {
        *(".git", ".hg", ".svn", "__pycache__", "node_modules", "site-packages", ".tox", ".nox"),
        *(".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis"),
    }
)
"""Folders of tools and of other people's code: they are not listed, and all in them is
confidential."""

# Of the code points with the property Default_Ignorable_Code_Point those that count as printable:
# https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

_ENVIRONMENTS = ("pyvenv.cfg", "conda-meta")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file is.

    Attributes:
        name: its real path relative to the project's root, with slashes; outside, in full.
        names: every name inside the project that leads there from the path that was given.
        findings: what its place has against a loose label.
    """

    name: str
    names: tuple[str, ...]
    findings: tuple[Evidence, ...] = ()


def find_place(root: Path, path: Path) -> Place:
    """Follow ``path`` to its file.

    Args:
        root: the project's real root.
        path: absolute, or relative to ``root``.
    """
    given = root / path
    try:
        passed, real = _trail(given)
    except OSError as error:
        finding = confidential("place", f"its path cannot be followed: {error.strerror}")
        return Place(given.as_posix(), (), (finding,))
    if not real.is_relative_to(root) or real == root:
        return Place(real.as_posix(), (), (confidential("place", "outside of the project"),))
    name = real.relative_to(root).as_posix()
    inside = (Path(os.path.normpath(step)) for step in passed)
    names = [step.relative_to(root).as_posix() for step in inside if step.is_relative_to(root)]
    findings = (*_spelling(root, name), *_surroundings(root, name), *_kind(real))
    return Place(name, tuple(dict.fromkeys([name, *names])), findings)


def name_findings(name: str) -> Iterator[Evidence]:
    """What a relative path as text has against a loose label."""
    # Control characters, line ends, bytes that are no text; and marks that nobody sees.
    if not name.isprintable() or _UNSEEN.search(name):
        yield confidential("name", "its name has characters that cannot be shown")
    if not name.isascii() and sys.getfilesystemencoding() != "utf-8":
        detail = "its name cannot be compared with marks, since the locale is not UTF-8"
        yield confidential("name", detail)
    if name.lower().endswith(".ipynb"):
        yield confidential("notebook", "a notebook keeps what its cells printed")


def stat_findings(found: os.stat_result) -> Iterator[Evidence]:
    """What a file's kind has against a loose label."""
    if not stat.S_ISREG(found.st_mode):
        yield confidential("place", "not a regular file")
    elif found.st_nlink > 1:
        yield confidential("hard link", "the file has a second name somewhere (a hard link)")


def twin_finding(name: str, other: str) -> Evidence:
    """Two names of one folder that some file systems take for one."""
    return confidential("name", f"{name} and {other} differ by case or Unicode form only")


def is_environment(folder: Path) -> bool:
    """Whether a folder is a virtual environment, or nobody can tell."""
    try:
        return any((folder / name).exists() for name in _ENVIRONMENTS)
    except OSError:  # not readable, or too deep
        return True


def _trail(path: Path) -> tuple[list[Path], Path]:
    """Every path that a link on the way was part of, and the real path, as the kernel finds it."""
    pending = list(reversed(path.parts))
    real = Path(pending.pop())
    passed: list[Path] = []
    while pending:
        part = pending.pop()
        if part == "..":
            real = real.parent
            continue
        step = real / part
        if not step.is_symlink():
            real = step
            continue
        if len(passed) >= MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        passed.append(step.joinpath(*reversed(pending)))
        target = step.readlink()
        if target.is_absolute():
            real = Path(target.anchor)
            pending += reversed(target.parts[1:])
        else:
            pending += reversed(target.parts)
    return passed, real


def _spelling(root: Path, name: str) -> Iterator[Evidence]:
    """Findings about the name itself, compared with how its folders spell it."""
    yield from name_findings(name)
    folder = root
    for part in name.split("/"):
        try:
            listed = [entry.name for entry in folder.iterdir()]
        except OSError as error:
            reason = error.strerror
            yield confidential("place", f"{folder.name}/ cannot be listed: {reason}")
            return
        key = folded(part)
        same = [other for other in listed if folded(other) == key]
        if not same:
            yield confidential("name", f"{part} is not spelled so on the disk, or is not there")
        yield from (twin_finding(part, other) for other in same if other != part)
        folder /= part


def _surroundings(root: Path, name: str) -> Iterator[Evidence]:
    folder = root
    for part in name.split("/")[:-1]:
        folder /= part
        if part in NOT_OWN or is_environment(folder):
            yield confidential("folder", f"{part}/ is not the project's own code")


def _kind(real: Path) -> Iterator[Evidence]:
    try:
        yield from stat_findings(real.lstat())
    except OSError as error:
        yield confidential("place", f"cannot be looked at: {error.strerror}")
