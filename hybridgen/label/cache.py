"""Remembers what files said, so that listing a large project again is quick.

The cache holds hashes of files, what their first lines say about confidentiality, and what tests
import; labels are always decided anew. Whatever is wrong with it costs the cache only.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from hybridgen import __version__
from hybridgen.errors import UnfitFile
from hybridgen.label.facts import Facts
from hybridgen.label.listing import Entry
from hybridgen.private import open_database

FILE_NAME: Final = "labels.db"

SETTLED_NS: Final = 2_000_000_000
"""A file that changed just now may change again within one tick of its file system's clock."""

_PATIENCE_SECONDS: Final = 2.0
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS facts (root TEXT NOT NULL, path TEXT NOT NULL, "
    "rules TEXT NOT NULL, stamp TEXT NOT NULL, facts TEXT NOT NULL, PRIMARY KEY (root, path))"
)


class FactCache:
    """What files said, in one SQLite file that nobody but its user can read.

    Args:
        folder: a folder for the database alone; made at the first use.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME

    def load(self, root: Path, rules: str) -> dict[str, tuple[str, Facts]]:
        """Stamp and facts of the files of a project, by path."""
        query = "SELECT path, stamp, facts FROM facts WHERE root = ? AND rules = ?"
        try:
            with closing(self._opened()) as connection:
                rows = connection.execute(query, (str(root), __version__ + rules)).fetchall()
            return {path: (stamp, Facts.from_json(text)) for path, stamp, text in rows}
        except (UnfitFile, sqlite3.Error, ValueError, TypeError, KeyError, RecursionError):
            return {}

    def keep(
        self,
        root: Path,
        rules: str,
        new: Mapping[str, tuple[Entry, Facts]],
        gone: Iterable[str],
    ) -> None:
        """Remember ``new``, but for files that changed a moment ago, and forget ``gone``."""
        now = time.time_ns()
        rows = [
            (str(root), path, __version__ + rules, entry.stamp, facts.to_json())
            for path, (entry, facts) in new.items()
            if entry.changed_ns < now - SETTLED_NS and facts.sha256 and path.isprintable()
        ]
        lost = [(str(root), path) for path in gone]
        if not rows and not lost:
            return
        try:
            with closing(self._opened()) as connection, connection:
                connection.executemany("DELETE FROM facts WHERE root = ? AND path = ?", lost)
                connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?, ?)", rows)
        except (UnfitFile, sqlite3.Error, UnicodeError):
            return  # listed again from the files next time

    def _opened(self) -> sqlite3.Connection:
        return open_database(self._path, (_TABLE,), patience=_PATIENCE_SECONDS)
