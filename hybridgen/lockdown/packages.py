"""Which installed files are ours: hybridgen, and the packages that it says it needs.

What reaches a network may read nothing else of what is installed: a company's own packages lie
beside everybody's, and a project may lie in the very prefix of our Python.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from importlib.metadata import Distribution

PACKAGE: Final = Path(__file__).resolve().parent.parent
"""The folder of hybridgen itself."""

_SIDE_FOLDERS: Final = (".dist-info", ".libs")
"""Folders that belong to one distribution alone: its description, its shared libraries."""


@dataclass(frozen=True, slots=True)
class Packages:
    """Where packages lie.

    Attributes:
        read: their folders and single files.
        listed: the folders that they were installed into, in which imports look for names.
    """

    read: tuple[Path, ...]
    listed: tuple[Path, ...]


def own_packages(*names: str) -> Packages:
    """Our own package, and of what it needs the distributions of these names with their needs.

    Of a folder that several distributions share (``google``) only what is ours counts. A
    distribution that does not list its files cannot be read.

    Args:
        names: of distributions.
    """
    read = [PACKAGE]
    listed = []
    for distribution in _needed(names):
        base = Path(str(distribution.locate_file(""))).resolve()
        found = [base / part for part in _parts(distribution)]
        read += [path for path in found if path.exists()]
        listed += [base] if found else []
    return Packages(tuple(dict.fromkeys(read)), tuple(dict.fromkeys(listed)))


class _ReadableOnly:
    """A finder of modules that takes what may not be read for not installed.

    Libraries try whether others are there, and are ready for ImportError only.
    """

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What Python's own finder finds, if it may be read."""
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.has_location and spec.origin is not None:
            try:
                with Path(spec.origin).open("rb"):
                    return spec
            except PermissionError:
                raise ModuleNotFoundError(f"{name} may not be read here", name=name) from None
        return spec


def hide_other_packages() -> None:
    """From now on an import of what this process may not read is one of what is not there."""
    sys.meta_path.insert(0, _ReadableOnly())


def _needed(names: tuple[str, ...]) -> Iterator[Distribution]:
    """The distributions of these names, and what they need, as their metadata tells."""
    # Every command imports this module, and only one that sends asks what there is.
    from importlib import metadata

    from packaging.requirements import InvalidRequirement, Requirement

    waiting: list[tuple[str, tuple[str, ...]]] = [(name, ()) for name in names]
    seen: set[tuple[str, tuple[str, ...]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # an extra that nobody installed
            continue
        yield distribution
        for text in distribution.requires or ():
            try:
                wanted = Requirement(text)
            except InvalidRequirement:
                continue
            places = [{"extra": extra} for extra in extras] or [{"extra": ""}]
            if wanted.marker is None or any(map(wanted.marker.evaluate, places)):
                waiting.append((wanted.name, tuple(sorted(wanted.extras))))


def _parts(distribution: Distribution) -> set[str]:
    """The folders and files of a distribution, relative to where it was installed.

    From its RECORD, a CSV file; ``Distribution.files`` takes ten times as long for the same.
    """
    import csv

    rows = csv.reader((distribution.read_text("RECORD") or "").splitlines())
    files = [row[0] for row in rows if row and ".." not in row[0].split("/")]
    ends = "/__init__.py"
    packages = {file.removesuffix(ends) for file in files if file.endswith(ends)}
    return {_highest(file, packages) for file in files}


def _highest(file: str, packages: set[str]) -> str:
    """The package that ``file`` lies in, the outermost; the file itself if it lies in none."""
    at = file.find("/")
    while at > 0:
        folder = file[:at]
        if folder in packages or folder.endswith(_SIDE_FOLDERS):
            return folder
        at = file.find("/", at + 1)
    return file
