"""What is installed for an interpreter, read as text: each distribution and what belongs to it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final

from hybridgen.domain import Interpreter
from hybridgen.source.installed import site_folders

_NOT_PUBLISHED: Final = re.compile(r"proprietary|all rights reserved|confidential", re.IGNORECASE)
_REQUIREMENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OF_COMPILING: Final = "__pycache__"


@dataclass(frozen=True, slots=True)
class Distribution:
    """One installed distribution.

    Attributes:
        name: normalised, as ``pip`` compares names (PEP 503).
        entries: files and folders directly in the site folder that belong to it, or to it and
            others.
        requires: normalised names of what it says that it needs, extras left out.
        is_private: it came from no index, or says that it was never meant for one.
        info: its ``dist-info`` folder.
    """

    name: str
    entries: tuple[Path, ...]
    requires: tuple[str, ...]
    is_private: bool
    info: Path


def normalised(name: str) -> str:
    """A distribution's name as PEP 503 compares them."""
    return re.sub(r"[-_.]+", "-", name).lower()


@lru_cache(maxsize=8)
def distributions(interpreter: Interpreter) -> tuple[Distribution, ...]:
    """All that wheels have installed for ``interpreter``; what left no RECORD is not known."""
    return tuple(
        found
        for folder in site_folders(interpreter)
        for info in sorted(folder.glob("*.dist-info"))
        if (found := _read(info)) is not None
    )


def entries_of(known: Iterable[Distribution], among: Iterable[Distribution]) -> Iterator[Path]:
    """Files and folders of site folders that belong to nothing but ``among``.

    A folder counts only if each file in it is recorded by one of them, so that nothing else
    that was put into it, by another installer or by hand, goes with it.

    Args:
        known: all that is installed.
    """
    wanted = set(among)
    owners: dict[Path, list[Distribution]] = defaultdict(list)
    for distribution in known:
        for entry in distribution.entries:
            owners[entry].append(distribution)
    for entry, belongs in owners.items():
        if wanted.issuperset(belongs) and not entry.is_symlink() and entry.exists():
            if _has_only(entry, frozenset().union(*(_recorded(one.info) for one in belongs))):
                yield entry


def _read(info: Path) -> Distribution | None:
    try:
        text = (info / "METADATA").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    about = HeaderParser().parsestr(text)
    name = normalised(about.get("Name", ""))
    files = _files(info)
    if not name or not files:
        return None
    tops = dict.fromkeys(info.parent / PurePosixPath(file).parts[0] for file in files)
    requires = (
        _REQUIREMENT.match(line)
        for line in about.get_all("Requires-Dist", ())
        if "extra ==" not in line
    )
    return Distribution(
        name=name,
        entries=tuple(tops),
        requires=tuple(dict.fromkeys(normalised(one[0]) for one in requires if one)),
        is_private=_is_private(info, about.get_all("Classifier", ()), about.get("License", "")),
        info=info,
    )


def _is_private(info: Path, classifiers: Iterable[str], license_text: str) -> bool:
    if (info / "direct_url.json").exists():  # installed from a folder, a file or a repository
        return True
    for text in map(str.lower, classifiers):
        is_licence = text.startswith("license ::")
        if text.startswith("private ::") or (is_licence and _NOT_PUBLISHED.search(text)):
            return True
    # Free licences hold such words too, further down.
    return _NOT_PUBLISHED.search(license_text[:60]) is not None


@lru_cache(maxsize=1024)
def _files(info: Path) -> tuple[str, ...]:
    """The files in the site folder that a RECORD names."""
    try:
        lines = (info / "RECORD").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    paths = (line.rsplit(",", 2)[0].strip('"') for line in lines if line.count(",") >= 2)
    return tuple(
        path
        for path in paths
        if not path.startswith(("/", "../"))
        and PurePosixPath(path).parts[:1] not in ((), (_OF_COMPILING,))
    )


@lru_cache(maxsize=1024)
def _recorded(info: Path) -> frozenset[str]:
    """The same as absolute paths."""
    return frozenset(str(info.parent / file) for file in _files(info))


def _has_only(entry: Path, recorded: frozenset[str]) -> bool:
    if entry.is_file():
        return str(entry) in recorded
    for path in entry.rglob("*"):
        if path.is_symlink():
            return False
        is_recorded = path.is_dir() or path.parent.name == _OF_COMPILING or str(path) in recorded
        if not is_recorded:
            return False
    return True
