"""Files that are their user's alone: no link followed, nobody else let in, never half-written.

What hybridgen keeps about code lies in files of mode 0600, in folders of mode 0700 that it made
for them. What is found there in another state is not repaired, since somebody else may have
written or read it meanwhile: it is refused.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hybridgen.errors import UnfitFile

if TYPE_CHECKING:
    import sqlite3


def private_folder(folder: Path) -> None:
    """Make ``folder`` if it is not there.

    Raises:
        UnfitFile: it cannot be made, or is not the user's alone.
    """
    try:
        _make(folder)
        _check(folder, folder.lstat(), stat.S_ISDIR)
    except OSError as error:
        raise _unfit(folder, error) from error


def open_private(path: Path, flags: int) -> int:
    """A descriptor of ``path``; with ``O_CREAT`` in ``flags`` file and folder are made.

    Raises:
        FileNotFoundError: there is none, and none was to be made.
        UnfitFile: it cannot be opened, or is not the user's alone.
    """
    is_made = bool(flags & os.O_CREAT)
    try:
        if is_made:
            private_folder(path.parent)
        else:
            _check(path.parent, path.parent.lstat(), stat.S_ISDIR)
        # Without O_NONBLOCK a named pipe in its place would be waited for.
        extra = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(path, flags | extra, 0o600)
    except (FileNotFoundError, NotADirectoryError) as error:
        if is_made:
            raise _unfit(path, error) from error
        raise FileNotFoundError(error.errno, error.strerror, str(path)) from error
    except OSError as error:
        raise _unfit(path, error) from error
    try:
        _check(path, os.fstat(descriptor), stat.S_ISREG)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_private(path: Path) -> bytes | None:
    """The bytes at ``path``; None if there is no such file.

    Raises:
        UnfitFile: it cannot be read, or is not the user's alone.
    """
    try:
        descriptor = open_private(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        try:
            return file.read()
        except OSError as error:
            raise _unfit(path, error) from error


def write_private(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` in one step that survives a power cut.

    Raises:
        UnfitFile: it cannot be written for the user alone; what was there is still there.
    """
    private_folder(path.parent)
    try:
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
    except OSError as error:
        raise _unfit(path, error) from error
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make sure that what was just made in ``folder`` is still there after a power cut.

    Raises:
        UnfitFile: the disk does not say so.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unfit(folder, error) from error


def open_database(
    path: Path, tables: Iterable[str], *, patience: float, check_same_thread: bool = True
) -> sqlite3.Connection:
    """A connection to the SQLite database at ``path``, made if it is not there.

    SQLite gives its journal the mode of the database
    (https://www.sqlite.org/src/file/src/os_unix.c, see ``findCreateFileMode``).

    Args:
        path: in a folder for the database alone.
        tables: statements that make what is missing.
        patience: seconds to wait while another process holds it.
        check_same_thread: False where the caller keeps threads apart.

    Raises:
        UnfitFile: file or folder cannot be made, or is not the user's alone.
        sqlite3.Error: it is no database, or somebody else holds it.
    """
    import sqlite3

    # Made by us and not by SQLite, which follows links and would take the mode from the umask.
    os.close(open_private(path, os.O_RDWR | os.O_CREAT))
    connection = sqlite3.connect(path, timeout=patience, check_same_thread=check_same_thread)
    try:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")  # no text in /tmp
        for statement in tables:
            connection.execute(statement)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def fault_of(path: Path) -> str | None:
    """Why the file or folder at ``path`` is not its user's alone, a clause; None if it is.

    Raises:
        OSError: it cannot be looked at.
    """
    try:
        _check(path, path.lstat(), lambda mode: stat.S_ISREG(mode) or stat.S_ISDIR(mode))
    except UnfitFile as fault:
        return fault.why
    return None


def _make(folder: Path) -> None:
    """Makes the folder and what is missing above it, all for the user alone.

    Whoever may write above it could move it away, and all would begin anew without a word.
    """
    if not folder.parent.exists():
        _make(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def _check(path: Path, found: os.stat_result, is_kind: Callable[[int], bool]) -> None:
    if not is_kind(found.st_mode):
        raise UnfitFile(path, "it is of another kind than hybridgen makes, such as a link")
    if found.st_uid != os.geteuid():
        raise UnfitFile(path, "it belongs to somebody else")
    if found.st_mode & 0o077:
        raise UnfitFile(path, f"it is open to others (mode {stat.S_IMODE(found.st_mode):o})")
    if stat.S_ISREG(found.st_mode) and found.st_nlink != 1:
        raise UnfitFile(path, "it has a second name elsewhere")


def _unfit(path: Path, error: OSError) -> UnfitFile:
    return UnfitFile(path, error.strerror or str(error))
