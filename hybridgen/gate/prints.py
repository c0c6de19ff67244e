"""The files of the fingerprint index: a key of the user's, and a database of keyed hashes."""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hybridgen.domain import Label
from hybridgen.errors import UnfitFile
from hybridgen.gate.keyed import KEY_BYTES
from hybridgen.gate.refusals import refusal
from hybridgen.private import open_database, read_private, write_private

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILE_NAME: Final = "fingerprints.db"
KEY_NAME: Final = "fingerprints.key"

# Another run holds the lock for one transaction; who waits longer waits for something broken.
_PATIENCE_SECONDS: Final = 10.0
# ``facts`` has the number of the last run, and a hash by which a key is known to be the right one.
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS prints (root BLOB NOT NULL, path BLOB NOT NULL,"
    " label INTEGER NOT NULL, run INTEGER NOT NULL, hashes BLOB NOT NULL, lines BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS prints_by_path ON prints (root, path)",
    "CREATE TABLE IF NOT EXISTS seen (root BLOB NOT NULL, path BLOB NOT NULL,"
    " sha256 TEXT NOT NULL, label INTEGER NOT NULL,"
    " PRIMARY KEY (root, path, sha256)) WITHOUT ROWID",
)


@dataclass(frozen=True, slots=True)
class Addition:
    """A version of a file that is to be known: its keyed hashes, and the line of each."""

    path: str
    sha256: str
    label: Label
    hashes: NDArray[np.uint64]
    lines: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What was new in one version of a file.

    Attributes:
        place: the project's folder, and the path in it.
        label: how strict it is.
        run: number of the run that saw it first.
    """

    place: tuple[str, str]
    label: Label
    run: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A known hash: ``index`` in what was asked, ``file`` in ``Known.files``, line in it."""

    index: int
    file: int
    line: int


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known: hashes in ascending order, with the number and the line of their file."""

    files: tuple[KnownFile, ...]
    hashes: NDArray[np.uint64]
    owners: NDArray[np.uint32]
    lines: NDArray[np.uint32]

    def hits(self, hashes: NDArray[np.uint64]) -> list[Hit]:
        """Where ``hashes`` are known from."""
        import numpy as np

        starts = np.searchsorted(self.hashes, hashes, "left")
        ends = np.searchsorted(self.hashes, hashes, "right")
        return [
            Hit(int(index), int(self.owners[place]), int(self.lines[place]))
            for index in np.flatnonzero(ends > starts)
            for place in range(int(starts[index]), int(ends[index]))
        ]


class PrintStore:
    """Key and database in ``folder``, both the user's alone, made at the first use.

    Its methods raise GateRefusal if something is wrong with one of them.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._key_path = folder / KEY_NAME
        self._connection: sqlite3.Connection | None = None
        self._key: bytes | None = None
        self._run: int | None = None
        self._known: tuple[tuple[int, int], Known] | None = None

    def key(self) -> bytes:
        """The key of this user, drawn at the first use."""
        if self._key is None:
            with self._transaction() as connection:
                self._key = self._checked_key(connection)
        return self._key

    def labels(self, root: str) -> dict[str, dict[str, Label]]:
        """The label of each version, by path and then sha256, of a project's files."""
        query = "SELECT path, sha256, label FROM seen WHERE root = ?"
        with self._transaction() as connection:
            rows = connection.execute(query, (os.fsencode(root),)).fetchall()
        labels: dict[str, dict[str, Label]] = {}
        for path, sha256, label in rows:
            labels.setdefault(os.fsdecode(path), {})[sha256] = Label(label)
        return labels

    def write(self, root: str, additions: Sequence[Addition]) -> None:
        """Adds versions of a project's files, in the order in which they were seen."""
        with self._transaction() as connection:
            if self._run is None:
                self._run = _next_run(connection)
            for addition in additions:
                _add(connection, os.fsencode(root), addition, self._run)

    def places(self) -> list[tuple[str, str]]:
        """Every file that is known: its project's folder, and its path in it."""
        with self._transaction() as connection:
            rows = connection.execute("SELECT DISTINCT root, path FROM seen").fetchall()
        return [(os.fsdecode(root), os.fsdecode(path)) for root, path in rows]

    def forget(self, places: Sequence[tuple[str, str]]) -> None:
        """Forgets all versions of files."""
        rows = [(os.fsencode(root), os.fsencode(path)) for root, path in places]
        with self._transaction() as connection:
            for table in ("prints", "seen"):
                query = f"DELETE FROM {table} WHERE root = ? AND path = ?"  # noqa: S608
                connection.executemany(query, rows)

    def known(self) -> Known:
        """All that is known, read again only if somebody wrote."""
        with self._transaction() as connection:
            version = int(connection.execute("PRAGMA data_version").fetchone()[0])
            state = (version, connection.total_changes)
            if self._known is None or self._known[0] != state:
                self._known = (state, _read(connection))
            return self._known[1]

    def close(self) -> None:
        """Closes the database; the next use opens it again."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._known = None, None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """The database, locked for us until the end."""
        try:
            if self._connection is None:
                self._connection = open_database(
                    self._path, _TABLES, patience=_PATIENCE_SECONDS, check_same_thread=False
                )
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
        except UnfitFile as error:
            raise refusal(error.path, error.why) from error
        except (sqlite3.Error, ValueError, TypeError) as error:
            self.close()
            raise refusal(self._path, f"it cannot be used ({error})") from error

    def _checked_key(self, connection: sqlite3.Connection) -> bytes:
        """The key; both are new or neither, or all that was known would be forgotten."""
        row = connection.execute("SELECT value FROM facts WHERE name = 'key'").fetchone()
        key = read_private(self._key_path)
        if row is None and key is not None:
            lost = f"the fingerprints are lost (a new index needs a new key: rm {self._key_path})"
            raise refusal(self._path, lost)
        if row is not None and key is None:
            raise refusal(self._key_path, "the key of the fingerprints is lost")
        if row is None or key is None:
            key = secrets.token_bytes(KEY_BYTES)
            connection.execute("INSERT INTO facts VALUES ('key', ?)", (_check_of(key),))
            write_private(self._key_path, key)
        elif len(key) != KEY_BYTES or row[0] != _check_of(key):
            raise refusal(self._key_path, "it is not the key that the fingerprints were made with")
        return key


def _check_of(key: bytes) -> bytes:
    """By which a key is known to be the right one."""
    return hashlib.blake2b(b"which key is it?", key=key[:64], digest_size=16).digest()


def _next_run(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT value FROM facts WHERE name = 'run'").fetchone()
    run = int(row[0]) + 1 if row else 1
    connection.execute("INSERT OR REPLACE INTO facts VALUES ('run', ?)", (run,))
    return run


def _add(connection: sqlite3.Connection, root: bytes, addition: Addition, run: int) -> None:
    """Adds what is new in a version; a stricter label takes the older versions along."""
    import numpy as np

    path, label = os.fsencode(addition.path), int(addition.label)
    place = (root, path)
    query = "SELECT label, hashes FROM prints WHERE root = ? AND path = ?"
    rows = connection.execute(query, place).fetchall()
    if any(found < label for found, _ in rows):
        for table in ("prints", "seen"):
            tighten = f"UPDATE {table} SET label = ? WHERE root = ? AND path = ? AND label < ?"  # noqa: S608
            connection.execute(tighten, (label, *place, label))
    older = [np.frombuffer(hashes, "<u8") for found, hashes in rows if found <= label]
    is_new = np.ones(len(addition.hashes), np.bool_)
    if older:
        is_new = ~np.isin(addition.hashes, np.concatenate(older))
    if is_new.any():
        hashes = addition.hashes[is_new].astype("<u8").tobytes()
        lines = addition.lines[is_new].astype("<u4").tobytes()
        row = (*place, label, run, hashes, lines)
        connection.execute("INSERT INTO prints VALUES (?, ?, ?, ?, ?, ?)", row)
    version = (*place, addition.sha256, label)
    connection.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)", version)


def _read(connection: sqlite3.Connection) -> Known:
    """Everything in the database, sorted by hash."""
    import numpy as np

    rows = connection.execute("SELECT root, path, label, run, hashes, lines FROM prints").fetchall()
    files = tuple(
        KnownFile((os.fsdecode(root), os.fsdecode(path)), Label(label), run)
        for root, path, label, run, _, _ in rows
    )
    hashes = np.frombuffer(b"".join(row[4] for row in rows), "<u8").astype(np.uint64)
    lines = np.frombuffer(b"".join(row[5] for row in rows), "<u4").astype(np.uint32)
    owners = np.repeat(np.arange(len(rows), dtype=np.uint32), [len(row[4]) // 8 for row in rows])
    if not len(hashes) == len(lines) == len(owners):
        raise ValueError("it has hashes without a line")
    order = np.argsort(hashes, kind="stable")
    return Known(files, hashes[order], owners[order], lines[order])
