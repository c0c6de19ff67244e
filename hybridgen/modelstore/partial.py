"""The part of a model that has arrived: always a prefix of the whole, whatever its source.

All sources give the same bytes (the manifest pins their hash), so the length of this one file
says all that a later run has to know, and either source can go on where the other stopped. Only
the hub's ETag is noted beside it, before the first byte, to see a file that changed meanwhile.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from hybridgen.errors import DownloadError


class PartialFile:
    """An unfinished download, appended to without a buffer; a context manager.

    Args:
        path: where it is or will be (``NAME.part``).
        total: number of bytes of the whole.
    """

    def __init__(self, path: Path, total: int) -> None:
        self.path = path
        self.total = total

    def __enter__(self) -> Self:
        self._stream = self.path.open("ab", buffering=0)
        if self.size > self.total:
            self.restart()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stream.close()

    @property
    def size(self) -> int:
        """The number of bytes that have arrived."""
        return os.fstat(self._stream.fileno()).st_size

    @property
    def is_complete(self) -> bool:
        """True if every byte has arrived; says nothing about their hash."""
        return self.size == self.total

    @property
    def etag(self) -> str | None:
        """The hub's ETag of the file that the bytes came from, if one was noted."""
        return self._etag_file.read_text(encoding="utf-8") if self._etag_file.exists() else None

    def note_etag(self, etag: str | None) -> None:
        """Remember the ETag for later runs; None forgets it."""
        if etag is None:
            self._etag_file.unlink(missing_ok=True)
        else:
            self._etag_file.write_text(etag, encoding="utf-8")

    @property
    def _etag_file(self) -> Path:
        return self.path.with_name(self.path.name + ".etag")

    def append(self, chunk: bytes) -> None:
        """Add bytes at the end.

        Raises:
            DownloadError: more came than there can be, or the disk took no more.
        """
        if self.size + len(chunk) > self.total:
            self.restart()
            raise DownloadError(
                f"{self.path.name}: the source sent more than the {self.total:,} bytes it should"
            )
        try:
            view = memoryview(chunk)
            while view:  # an unbuffered write may take only a part
                view = view[self._stream.write(view) :]
        except OSError as error:
            raise DownloadError(
                f"{self.path}: cannot be written: {error.strerror}",
                "Make room and run the same command again; what has arrived is kept.",
            ) from error

    def restart(self) -> None:
        """Forget all bytes."""
        self._stream.truncate(0)

    def finish(self, destination: Path, sha256: str) -> None:
        """Check the hash and move the file into place in one step.

        A wrong file is removed, so that the next pull starts clean; ``destination`` stays as
        it was.

        Raises:
            DownloadError: the hash is wrong; the message has both.
        """
        found = file_sha256(self.path)
        self.note_etag(None)
        if found != sha256:
            self.path.unlink()
            raise DownloadError(
                f"{destination.name}: what was fetched is not the model: sha256 {found}, "
                f"expected {sha256}; it was removed",
                "Run the same command again, or with another `--source`.",
            )
        os.fsync(self._stream.fileno())
        self.path.replace(destination)


def file_sha256(path: Path) -> str:
    """The sha256 of a file, lower-case hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
