"""Files of the user alone: made with mode 0600 in folders of mode 0700, no link followed."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from hybridgen.errors import GateRefusal


def open_private(path: Path, flags: int) -> int:
    """A descriptor of ``path``; with ``O_CREAT`` in ``flags`` file and folder are made.

    Raises:
        FileNotFoundError: there is none, and none was to be made.
        GateRefusal: it cannot be opened, or is not the user's alone.
    """
    try:
        if flags & os.O_CREAT:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check(path.parent, path.parent.lstat(), stat.S_ISDIR)
        extra = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(path, flags | extra, 0o600)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise refusal(path, error.strerror or str(error)) from error
    try:
        _check(path, os.fstat(descriptor), stat.S_ISREG)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_private(path: Path) -> bytes:
    """The bytes at ``path``.

    Raises:
        FileNotFoundError: there is none.
        GateRefusal: it cannot be read, or is not the user's alone.
    """
    with os.fdopen(open_private(path, os.O_RDONLY), "rb") as file:
        try:
            return file.read()
        except OSError as error:
            raise refusal(path, error.strerror or str(error)) from error


def write_private(path: Path, data: bytes) -> None:
    """Puts ``data`` at ``path`` in one step that survives a power cut.

    Raises:
        GateRefusal: it cannot be written for the user alone.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check(path.parent, path.parent.lstat(), stat.S_ISDIR)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise refusal(path, error.strerror or str(error)) from error


def sync_folder(folder: Path) -> None:
    """Makes sure that what was just made in ``folder`` is still there after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refusal(path: Path, why: str) -> GateRefusal:
    """The error for a file of ours that cannot be used."""
    return GateRefusal(
        f"{path}: {why}; without it nothing is sent",
        f"look at it: ls -ld {path}; or stay on this machine: --backend local",
    )


def _check(path: Path, found: os.stat_result, is_kind: Callable[[int], bool]) -> None:
    if not is_kind(found.st_mode):
        raise refusal(path, "it is of another kind than hybridgen makes, such as a link")
    if found.st_uid != os.geteuid():
        raise refusal(path, "it belongs to somebody else")
    if found.st_mode & 0o077:
        raise refusal(path, f"it is open to others (mode {stat.S_IMODE(found.st_mode):o})")
    if stat.S_ISREG(found.st_mode) and found.st_nlink != 1:
        raise refusal(path, "it has a second name elsewhere")
