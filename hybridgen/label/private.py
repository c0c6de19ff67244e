"""Files that only their user can read: opened without following links, never half-written."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from hybridgen.errors import PolicyRefusal


def private_folder(folder: Path) -> None:
    """Make ``folder`` if it is not there.

    Raises:
        PolicyRefusal: it cannot be made, or is not the user's alone.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check(folder, folder.lstat(), stat.S_ISDIR)
    except OSError as error:
        raise _refusal(folder, error.strerror or str(error)) from error


def private_file(path: Path) -> None:
    """Make an empty file at ``path`` if there is none, in a private folder.

    Raises:
        PolicyRefusal: it cannot be made, or is not the user's alone.
    """
    private_folder(path.parent)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise _refusal(path, error.strerror or str(error)) from error
    try:
        _check(path, os.fstat(descriptor), stat.S_ISREG)
    finally:
        os.close(descriptor)


def read_private(path: Path) -> str | None:
    """The text at ``path``; None if there is no such file.

    Raises:
        PolicyRefusal: it cannot be read, or is not the user's alone.
    """
    try:
        _check(path.parent, path.parent.lstat(), stat.S_ISDIR)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _refusal(path, error.strerror or str(error)) from error
    with os.fdopen(descriptor, "rb") as file:
        _check(path, os.fstat(descriptor), stat.S_ISREG)
        try:
            return file.read().decode("utf-8", "surrogatepass")
        except (OSError, UnicodeDecodeError) as error:
            raise _refusal(path, "it cannot be read as text") from error


def write_private(path: Path, text: str) -> None:
    """Put ``text`` at ``path`` in one step.

    Raises:
        PolicyRefusal: it cannot be written for the user alone.
    """
    private_folder(path.parent)
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode("utf-8", "surrogatepass"))
                file.flush()
                os.fsync(descriptor)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _refusal(path, error.strerror or str(error)) from error


def _check(path: Path, found: os.stat_result, is_kind: Callable[[int], bool]) -> None:
    if not is_kind(found.st_mode):
        raise _refusal(path, "it is of another kind than hybridgen makes, such as a link")
    if found.st_uid != os.geteuid():
        raise _refusal(path, "it belongs to somebody else")
    if found.st_mode & 0o077:
        raise _refusal(path, f"it is open to others (mode {stat.S_IMODE(found.st_mode):o})")
    if stat.S_ISREG(found.st_mode) and found.st_nlink != 1:
        raise _refusal(path, "it has a second name elsewhere")


def _refusal(path: Path, why: str) -> PolicyRefusal:
    return PolicyRefusal(
        f"{path} is not yours alone: {why}",
        f"look at it with: ls -ld {path}; then remove it, or: chmod go-rwx {path}",
    )
