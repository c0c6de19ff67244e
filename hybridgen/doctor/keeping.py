"""What hybridgen keeps: who can get at the files, and whether ledger and trust can be relied on.

Whatever tells something about code has to be its user's alone, as :mod:`hybridgen.private` says;
settings and models may be read by anybody, but be written by nobody else.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hybridgen.domain.health import Fact, Finding, State
from hybridgen.gate import Ledger
from hybridgen.label import TrustStore
from hybridgen.private import fault_of

_MOST_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class _Fault:
    path: Path
    why: str
    fix: str
    is_mode: bool


def check_files(
    kept: Mapping[str, Path], unwritten: Mapping[str, Sequence[Path]]
) -> Iterator[Finding]:
    """Whether others can get at what hybridgen keeps.

    Args:
        kept: by name for people, what has to be the user's alone: files, and folders with all in
            them. What does not exist is fine.
        unwritten: files and folders that others may read, but not write.
    """
    count = 0
    is_faulty = False
    for name, top in kept.items():
        looked = list(_all_in(top))
        faults = [fault for path in looked if (fault := _private_fault(path)) is not None]
        count += len(looked)
        if faults:
            is_faulty = True
            yield _finding(name, faults, f"chmod -R go-rwx {shlex.quote(str(top))}")
    for name, paths in unwritten.items():
        looked = [path for path in paths if os.path.lexists(path)]
        faults = [fault for path in looked if (fault := _written_fault(path)) is not None]
        count += len(looked)
        if faults:
            is_faulty = True
            names = " ".join(shlex.quote(str(fault.path)) for fault in faults)
            yield _finding(name, faults, f"chmod go-w {names}")
    if not is_faulty:
        text = f"all {count} files and folders that hybridgen keeps are yours alone"
        yield Finding("files", State.OK, text if count else "nothing is kept yet")


def check_ledger(ledger: Ledger) -> Iterator[Finding]:
    """Whether its chain is whole."""
    found = ledger.verify()
    facts = {"entries": found.entries, "head": found.head, "path": str(ledger.path)}
    if found.problem is not None:
        text = f"it does not hold: {found.problem}"
        fix = f"keep a copy, then look into it: hybridgen audit verify; {ledger.path}"
        yield Finding("ledger", State.WRONG, text, fix, facts=facts)
    elif found.head is None:
        text = "empty: nothing was sent, nothing was refused"
        yield Finding("ledger", State.OK, text, facts=facts)
    else:
        text = f"{found.entries} entries, the chain is whole, its head is {found.head[:16]}"
        yield Finding("ledger", State.OK, text, facts=facts)


def check_trust(store: TrustStore) -> Iterator[Finding]:
    """Whether all records of trust can be read; which projects they are for is not said."""
    count = len(store.roots())
    text = f"{count} projects, every record can be read" if count else "nothing is trusted"
    yield Finding("trust", State.OK, text, facts={"projects": count})


def _all_in(top: Path) -> Iterator[Path]:
    """The file, or the folder with all below it; no link is followed but at the top."""
    if not os.path.lexists(top):
        return
    yield top
    if top.is_dir() and not top.is_symlink():
        for folder, folders, files in os.walk(top, onerror=_raise):
            yield from (Path(folder) / name for name in (*folders, *files))


def _raise(error: OSError) -> None:
    raise error


def _private_fault(path: Path) -> _Fault | None:
    try:
        why = fault_of(path)
    except FileNotFoundError:  # another run has just replaced it
        return None
    return None if why is None else _explained(path, why, path.lstat(), "go-rwx")


def _written_fault(path: Path) -> _Fault | None:
    """Others could write it; who keeps settings elsewhere by a link is asked about the file."""
    try:
        found = path.stat()
    except (FileNotFoundError, PermissionError):  # who may not look may not write either
        return None
    if found.st_uid not in (0, os.geteuid()):
        return _explained(path, "it belongs to somebody else", found, "go-w")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        why = f"others may write it (mode {stat.S_IMODE(found.st_mode):o})"
        return _explained(path, why, found, "go-w")
    return None


def _explained(path: Path, why: str, found: os.stat_result, change: str) -> _Fault:
    name = shlex.quote(str(path))
    is_plain = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
    if not is_plain:
        return _Fault(path, why, f"see what it is: ls -l {name}; then: rm {name}", False)
    if found.st_uid != os.geteuid():
        fix = f"find out who put it there: ls -ld {name}; then: sudo chown {os.geteuid()} {name}"
        return _Fault(path, why, fix, False)
    if stat.S_ISREG(found.st_mode) and found.st_nlink != 1 and not found.st_mode & 0o077:
        fix = f"find its other name: find ~ -xdev -samefile {name}; then remove that one"
        return _Fault(path, why, fix, False)
    return _Fault(path, why, f"chmod {change} {name}", True)


def _finding(name: str, faults: Sequence[_Fault], fix_all: str) -> Finding:
    """One finding for one place; ``fix_all`` mends all modes in it."""
    first, *others = faults
    fix = fix_all if others and all(fault.is_mode for fault in faults) else first.fix
    details = [f"{fault.path}: {fault.why}" for fault in others[:_MOST_SHOWN]]
    if len(others) > _MOST_SHOWN:
        details.append(f"and {len(others) - _MOST_SHOWN} more")
    text = f"{name}: {first.path}: {first.why}"
    facts: dict[str, Fact] = {"path": str(first.path), "count": len(faults)}
    return Finding("files", State.WRONG, text, fix, tuple(details), facts)
