"""The files of a project, listed with what their places say, faster than one by one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hybridgen.domain import Evidence
from hybridgen.label.patterns import folded
from hybridgen.label.places import (
    NOT_OWN,
    Place,
    is_environment,
    name_findings,
    stat_findings,
    twin_finding,
)

# A folder, what names in it begin with, and what the names of the folders above have against them.
_Folder = tuple[Path, str, tuple[Evidence, ...]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One file.

    Attributes:
        stamp: changes whenever its content may have changed.
        changed_ns: when that was last, by the clock of the file system.
    """

    place: Place
    stamp: str
    changed_ns: int


def list_files(root: Path) -> Iterator[Entry]:
    """The project's files: those of a folder by name, then those of the folders in it.

    Left out are links, which are listed as what they lead to if that is in the project, and
    folders of tools and environments, in which everything is confidential. A folder that cannot
    be listed has no files here, and its files are confidential when they are asked for.
    """
    pending: list[_Folder] = [(root, "", ())]
    while pending:  # not by recursion: a project may be as deep as it likes
        inner: list[_Folder] = []
        yield from _files_in(pending.pop(), inner)
        pending += reversed(inner)


def _files_in(folder: _Folder, inner: list[_Folder]) -> Iterator[Entry]:
    """The files in one folder; the folders in it are added to ``inner``."""
    path, prefix, inherited = folder
    try:
        with os.scandir(path) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError:
        return
    twins = _twins([entry.name for entry in entries])
    for entry in entries:
        if entry.is_symlink():
            continue
        name = prefix + entry.name
        findings = (*inherited, *(twin_finding(entry.name, o) for o in twins.get(entry.name, ())))
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in NOT_OWN and not is_environment(path / entry.name):
                inner.append((path / entry.name, f"{name}/", findings))
            continue
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        place = Place(name, (name,), (*name_findings(name), *findings, *stat_findings(found)))
        stamp = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"
        yield Entry(place, f"{stamp} {found.st_dev}", max(found.st_mtime_ns, found.st_ctime_ns))


def _twins(names: list[str]) -> dict[str, list[str]]:
    """For each name of a folder the others that some file systems take for it."""
    keys: dict[str, list[str]] = {}
    for name in names:
        keys.setdefault(folded(name), []).append(name)
    return {
        name: [other for other in same if other != name]
        for same in keys.values()
        if len(same) > 1
        for name in same
    }
