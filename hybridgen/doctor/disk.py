"""Room on the disks: where models, state, cache and temporary files lie."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from hybridgen.domain.health import Fact, Finding, State
from hybridgen.modelstore.progress import readable_bytes

_TOO_LITTLE: Final = 100 * 10**6
"""A run writes files of up to 64 MiB into its scratch folder."""

_LITTLE: Final = 1_000 * 10**6


def check_disk(
    folders: Mapping[str, Path], wanted: Mapping[str, int], complete: Collection[str] = ()
) -> Iterator[Finding]:
    """One finding for each file system, and one for each folder that cannot be written.

    Args:
        folders: by what lies there, for people; a folder need not exist.
        wanted: bytes that are still to come, by the same names.
        complete: names of folders that need not be written any more.
    """
    disks: dict[int, list[str]] = {}
    for what, folder in folders.items():
        place = _nearest(folder)
        if what not in complete and not os.access(place, os.W_OK | os.X_OK):
            yield Finding(
                "disk",
                State.WRONG,
                f"{place} cannot be written ({what})",
                f"if it is yours: chmod u+wx {place}; see why not: ls -ld {place}",
            )
        disks.setdefault(place.stat().st_dev, []).append(what)
    for names in disks.values():
        need = sum(wanted.get(name, 0) for name in names)
        yield _room(names, _nearest(folders[names[0]]), need)


def _room(names: list[str], place: Path, need: int) -> Finding:
    free = shutil.disk_usage(place).free
    listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    text = f"{readable_bytes(free)} free for {listed} ({place})"
    facts: dict[str, Fact] = {"free_bytes": free, "for": listed, "path": str(place)}
    if free < _TOO_LITTLE:
        state = State.WRONG
    elif free < max(_LITTLE, need):
        state = State.WARNING
    else:
        return Finding("disk", State.OK, text, facts=facts)
    details = (f"the model for this machine has {readable_bytes(need)}",) if need > free else ()
    fix = f"make room: du -xh -d 1 {place}; hybridgen purge; hybridgen models rm NAME"
    return Finding("disk", state, text, fix, details, facts)


def _nearest(folder: Path) -> Path:
    """The folder, or the first above it that exists."""
    return next(place for place in (folder, *folder.parents) if place.is_dir())
