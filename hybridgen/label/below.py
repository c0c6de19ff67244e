"""Settings files in folders below a project's root: they tighten what lies below them.

A project may hold others, each with settings of its own. What those have against loose labels
counts for whoever reads their files, also from the root above. They loosen nothing there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridgen.domain import Evidence
from hybridgen.label.rules import Mark, MarkLists


@dataclass(frozen=True, slots=True)
class Said:
    """What the settings file of one folder has against loose labels.

    Attributes:
        marks: relative to the folder.
        headers: phrases in a file's first lines.
    """

    marks: tuple[Mark, ...] = ()
    headers: tuple[str, ...] = ()


# Where a path goes on below the folder, the marks of the folder, and its phrases.
_Said = tuple[int, MarkLists, tuple[str, ...]]

ReadSettings = Callable[[Path], Said]
"""Reads the settings file of a folder; without one it says nothing. It never raises."""


def nothing_said(folder: Path) -> Said:
    """Where no settings are read."""
    return Said()


class SettingsBelow:
    """The settings files that speak for files of a project, each read once.

    Args:
        root: the project's real root; its own settings are not read here.
        read: reads those of a folder.
    """

    def __init__(self, root: Path, read: ReadSettings) -> None:
        self._root = root
        self._read = read
        # For each folder what counts for the files in it, the outermost first.
        self._found: dict[str, tuple[_Said, ...]] = {"": ()}

    def evidence(self, names: Sequence[str]) -> Iterator[Evidence]:
        """What they say about a file to which ``names`` lead, relative to the root."""
        for name in names:
            for start, marks, _ in self._said_about(name):
                yield from marks.tightening([name[start:]])

    def headers(self, names: Sequence[str]) -> tuple[str, ...]:
        """The phrases that they add for a file to which ``names`` lead."""
        found = [headers for name in names for _, _, headers in self._said_about(name)]
        return tuple(dict.fromkeys(phrase for headers in found for phrase in headers))

    def _said_about(self, name: str) -> tuple[_Said, ...]:
        parent = name.rpartition("/")[0]
        if parent not in self._found:
            found: tuple[_Said, ...] = ()
            for folder in _folders(name):
                if folder not in self._found:
                    said = self._read(self._root / folder)
                    if said != Said():
                        found = (*found, (len(folder) + 1, MarkLists(said.marks), said.headers))
                    self._found[folder] = found
                found = self._found[folder]
        return self._found[parent]


def _folders(name: str) -> Iterator[str]:
    """The folders that ``name`` is in, the outermost first."""
    at = name.find("/")
    while at > 0:
        yield name[:at]
        at = name.find("/", at + 1)
