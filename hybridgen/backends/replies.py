"""Replies of a model, kept in one SQLite file that nobody but its user can read.

Replies quote confidential code, so the file is the user's alone; what was asked is there as a hash
only. Rows are JSON, never pickle.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from hybridgen.domain import Label
from hybridgen.errors import UnfitFile
from hybridgen.private import open_database

FILE_NAME: Final = "replies.db"
MOST_BYTES: Final = 200 * 2**20

# Another run holds the lock for milliseconds; who waits longer waits for something broken.
_PATIENCE_SECONDS: Final = 2.0
_DROPPED_AT_ONCE: Final = 10  # a tenth of the rows

# Both tables have row numbers, which grow: the smallest is the oldest.
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS replies"
    " (key BLOB PRIMARY KEY, label INTEGER NOT NULL, reply TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS counts (key BLOB PRIMARY KEY, tokens INTEGER NOT NULL)",
)

_Result = TypeVar("_Result")


class _UnfitError(Exception):
    """What the database holds is not to be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said.

    Attributes:
        text: without the start that we wrote.
        seconds: what it took.
    """

    text: str
    backend: str
    model: str
    is_cut_off: bool
    seconds: float = 0.0


class ReplyStore:
    """Replies and token counts by key; whatever is wrong with the file costs the cache only.

    Args:
        folder: a folder for the database alone; made at the first use.
        most_bytes: where the database grows beyond, its oldest rows go.

    Attributes:
        problem: why nothing is kept any more, for people, or None.
    """

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._path = folder / FILE_NAME
        self._most_bytes = most_bytes
        self._connection: sqlite3.Connection | None = None
        self.problem: str | None = None

    def find(self, key: bytes, label: Label) -> Reply | None:
        """The reply kept under ``key``, which must have ``label``."""

        def action(connection: sqlite3.Connection) -> Reply | None:
            query = "SELECT label, reply FROM replies WHERE key = ?"
            row = connection.execute(query, (key,)).fetchone()
            return None if row is None else _reply(row, label)

        return self._attempt(action, None)

    def keep(self, key: bytes, label: Label, reply: Reply) -> None:
        """Keeps ``reply`` under ``key``."""

        def action(connection: sqlite3.Connection) -> None:
            row = (key, int(label), json.dumps(asdict(reply)))
            connection.execute("INSERT OR REPLACE INTO replies VALUES (?, ?, ?)", row)
            self._make_room(connection)

        self._attempt(action, None)

    def counts(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """The token counts kept under those of ``keys`` that are known."""

        def action(connection: sqlite3.Connection) -> dict[bytes, int]:
            query = "SELECT tokens FROM counts WHERE key = ?"
            rows = ((key, connection.execute(query, (key,)).fetchone()) for key in keys)
            return {key: _count(row[0]) for key, row in rows if row is not None}

        return self._attempt(action, {})

    def keep_counts(self, counts: Mapping[bytes, int]) -> None:
        """Keeps the token counts."""

        def action(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR REPLACE INTO counts VALUES (?, ?)", counts.items())
            self._make_room(connection)

        self._attempt(action, None)

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _attempt(
        self, action: Callable[[sqlite3.Connection], _Result], otherwise: _Result
    ) -> _Result:
        """What ``action`` gives, in a transaction; after the first trouble always ``otherwise``."""
        if self.problem is not None:
            return otherwise
        try:
            if self._connection is None:
                self._connection = open_database(self._path, _TABLES, patience=_PATIENCE_SECONDS)
            with self._connection:
                return action(self._connection)
        except (UnfitFile, _UnfitError, sqlite3.Error) as error:
            unfit = error if isinstance(error, UnfitFile) else UnfitFile(self._path, str(error))
            self.problem = unfit.message
            self.close()
            return otherwise

    def _make_room(self, connection: sqlite3.Connection) -> None:
        """Drops the oldest rows until what is in use is small enough; free pages are used again."""
        while _used_bytes(connection) > self._most_bytes:
            dropped = 0
            for table in ("replies", "counts"):
                oldest = f"SELECT rowid FROM {table} ORDER BY rowid LIMIT"  # noqa: S608
                share = f"(SELECT (count(*) + 9) / {_DROPPED_AT_ONCE} FROM {table})"  # noqa: S608
                statement = f"DELETE FROM {table} WHERE rowid IN ({oldest} {share})"  # noqa: S608
                dropped += connection.execute(statement).rowcount
            if not dropped:
                return


def _used_bytes(connection: sqlite3.Connection) -> int:
    size, pages, free = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_size", "page_count", "freelist_count")
    )
    return size * (pages - free)


def _reply(row: tuple[Any, ...], label: Label) -> Reply:
    """The row as a reply.

    Raises:
        _UnfitError: it is none, or has another label.
    """
    try:
        values = json.loads(row[1])
        reply = Reply(**values)
    except (TypeError, ValueError, RecursionError) as error:
        raise _UnfitError("it holds something that is no reply") from error
    texts = (reply.text, reply.backend, reply.model)
    is_right = all(isinstance(text, str) for text in texts) and isinstance(reply.is_cut_off, bool)
    if not is_right or type(reply.seconds) is not float or row[0] != label:
        raise _UnfitError("it holds something that is no reply")
    return reply


def _count(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise _UnfitError("it holds something that is no count")
    return value
