"""The ledger: every text that left this machine or was refused, in lines that hold each other.

``ledger.jsonl`` has one JSON object a line. Each names the hash of the line before it and, as
``hash``, the sha256 of its own canonical JSON without ``hash``; so a line that was changed, taken
out or put in between breaks the chain. It is appended to under a lock and synced to the disk
before anything is sent. What such a chain cannot show is that its *end* was cut, nor that all
of it was written anew by someone with this user's rights: see ``docs/audit.md``.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from hybridgen.errors import GateRefusal
from hybridgen.gate.refusals import refusal, refusing
from hybridgen.private import open_private, read_private, sync_folder, write_private

FILE_NAME: Final = "ledger.jsonl"
TEXTS: Final = "texts"
KINDS: Final = ("send", "refusal", "reply", "failure", "purge", "forget")
START: Final = "0" * 64
SHORTEST_HEAD: Final = 12
_SHA256: Final = re.compile("[0-9a-f]{64}")
_HEAD: Final = re.compile(f"[0-9a-f]{{{SHORTEST_HEAD},64}}")

# Another run holds the lock for one write; who waits longer waits for something broken.
_PATIENCE_SECONDS: Final = 10.0
_LONGEST_LINE: Final = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger.

    Attributes:
        number: counted from 1.
        time: UTC, ISO 8601.
        kind: one of ``KINDS``; ``purge`` says that the texts kept until then were removed,
            ``forget`` that copies of a project's files are no longer known.
        previous: hash of the line before it, zeros for the first.
        hash: of this line.
        details: what it says, by kind.
    """

    number: int
    time: str
    kind: str
    previous: str
    hash: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verification:
    """What a look over the whole ledger found.

    Attributes:
        entries: how many lines are right, from the first on.
        head: hash of the last of these, None without any.
        problem: what is wrong and where, or None.
    """

    entries: int
    head: str | None
    problem: str | None


class Ledger:
    """The ledger in ``folder``.

    Args:
        folder: a folder for it alone; made at the first use.
        keep_text: keep what was sent beside it, in ``texts/SHA256.json``.
    """

    def __init__(self, folder: Path, *, keep_text: bool = True) -> None:
        self._path = folder / FILE_NAME
        self._texts = folder / TEXTS
        self._keep_text = keep_text

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    @refusing()
    def append(self, kind: str, details: Mapping[str, Any], *, text: bytes | None = None) -> Entry:
        """Adds one entry, which is on the disk when this returns.

        Args:
            kind: one of ``KINDS``.
            details: JSON values; the names ``n``, ``time``, ``kind``, ``prev``, ``hash`` are ours.
            text: what is sent; kept only if this ledger keeps texts.

        Raises:
            GateRefusal: it cannot be written, somebody else holds it, or its end is broken.
        """
        assert kind in KINDS, kind
        with self._locked() as descriptor, self._kept(text):
            last = _last_entry(descriptor, self._path)
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            fields = {
                **details,
                "n": last.number + 1 if last else 1,
                "time": now,
                "kind": kind,
                "prev": last.hash if last else START,
            }
            line = canonical({**fields, "hash": _hash_of(fields)}) + b"\n"
            if last is None:
                sync_folder(self._path.parent)
            _append(descriptor, line, self._path)
        return _entry(line)

    @refusing()
    def head(self) -> str | None:
        """Hash of the last entry; None for an empty ledger.

        Raises:
            GateRefusal: it cannot be read, or its end is broken.
        """
        try:
            descriptor = open_private(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            last = _last_entry(descriptor, self._path)
        finally:
            os.close(descriptor)
        return last.hash if last else None

    def entries(self) -> Iterator[Entry]:
        """All entries, the oldest first.

        Raises:
            GateRefusal: it cannot be read, or has a line that is no entry.
        """
        for number, line in enumerate(self._lines(), start=1):
            try:
                yield _entry(line)
            except ValueError as error:
                raise _broken(self._path, f"line {number}: {error}") from error

    def find(self, number: int) -> Entry | None:
        """The entry with this number."""
        return next((entry for entry in self.entries() if entry.number == number), None)

    @refusing()
    def text(self, sha256: str) -> bytes | None:
        """What was sent with this hash; None if it is not kept, or is not what was sent.

        Raises:
            GateRefusal: it is there and cannot be read.
        """
        data = read_private(self._text_path(sha256))
        is_right = data is not None and hashlib.sha256(data).hexdigest() == sha256
        return data if is_right else None

    def has_text(self, sha256: str) -> bool:
        """Whether anything is kept for this hash."""
        return os.path.lexists(self._text_path(sha256))

    def verify(self, head: str | None = None) -> Verification:
        """Computes the whole chain again, and the hash of each text that is still kept.

        Args:
            head: a hash that was printed or written down earlier, or its first digits; the entry
                with it has to be there.

        Raises:
            GateRefusal: it cannot be read.
        """
        previous = START
        heads: list[str] = []
        for number, line in enumerate(self._lines(), start=1):
            problem = _fault(line, number, previous)
            if problem is not None:
                last = heads[-1] if heads else None
                return Verification(len(heads), last, f"line {number}: {problem}")
            entry = _entry(line)
            if self._is_text_changed(entry):
                last = heads[-1] if heads else None
                what = f"line {number}: the text that is kept for it is not the one that was sent"
                return Verification(len(heads), last, what)
            previous = entry.hash
            heads.append(previous)
        last = heads[-1] if heads else None
        if head is not None and not _is_among(head, heads):
            missing = f"no entry has the hash {head}: the end was cut, or all was written anew"
            return Verification(len(heads), last, missing)
        return Verification(len(heads), last, None)

    def _is_text_changed(self, entry: Entry) -> bool:
        """Whether there is a text for this entry that has another hash than it says."""
        sha256 = str(entry.details.get("sha256", ""))
        if entry.kind != "send" or not _SHA256.fullmatch(sha256):
            return False
        return os.path.lexists(self._text_path(sha256)) and self.text(sha256) is None

    def _text_path(self, sha256: str) -> Path:
        return self._texts / f"{sha256}.json"

    @contextmanager
    def _kept(self, text: bytes | None) -> Iterator[None]:
        """Keeps ``text`` if this ledger does so; takes it back if the entry is not written."""
        if text is None or not self._keep_text:
            yield
            return
        path = self._text_path(hashlib.sha256(text).hexdigest())
        is_known = os.path.lexists(path)
        write_private(path, text)
        try:
            yield
        except BaseException:
            if not is_known:
                path.unlink(missing_ok=True)
            raise

    def _lines(self) -> Iterator[bytes]:
        try:
            with refusing():
                descriptor = open_private(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return
        with os.fdopen(descriptor, "rb") as file:
            yield from file

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The file, opened and locked for this process and thread alone."""
        descriptor = open_private(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            _lock(descriptor, self._path)
            yield descriptor
        finally:
            os.close(descriptor)


def _is_among(head: str, heads: Iterable[str]) -> bool:
    """Whether a hash begins with ``head``, which must be long enough to mean one."""
    return is_head(head) and any(known.startswith(head.lower()) for known in heads)


def is_head(text: str) -> bool:
    """Whether ``text`` is a hash or enough of its first digits to mean one entry."""
    return _HEAD.fullmatch(text.lower()) is not None


def canonical(fields: Mapping[str, Any]) -> bytes:
    """The one way to write ``fields`` as JSON: sorted keys, no blanks, ASCII."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode("ascii")


def _hash_of(fields: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(fields)).hexdigest()


def _entry(line: bytes) -> Entry:
    """The line as an entry.

    Raises:
        ValueError: it is none.
    """
    try:
        fields = json.loads(line)
        own = {name: fields.pop(name) for name in ("n", "time", "kind", "prev", "hash")}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("it is no entry") from error
    texts = (own["time"], own["kind"], own["prev"], own["hash"])
    if type(own["n"]) is not int or not all(isinstance(text, str) for text in texts):
        raise ValueError("it is no entry")
    return Entry(own["n"], *texts, details=fields)


def _fault(line: bytes, number: int, previous: str) -> str | None:
    """What is wrong with this line, or None."""
    try:
        entry = _entry(line)
    except ValueError as error:
        return str(error)
    fields = json.loads(line)
    stored = fields.pop("hash")
    if line != canonical({**fields, "hash": stored}) + b"\n" or _hash_of(fields) != stored:
        return "it was changed after it was written"
    if entry.number != number or entry.previous != previous:
        return "it does not follow the line before it: one was taken out or put in"
    return None


def _last_entry(descriptor: int, path: Path) -> Entry | None:
    """The last line, which has to be whole and right."""
    try:
        size = os.fstat(descriptor).st_size
        if size == 0:
            return None
        block = min(size, 2**16)
        while True:
            tail = os.pread(descriptor, block, size - block)
            if b"\n" in tail[:-1] or block == size or block >= _LONGEST_LINE:
                break
            block = min(size, 2 * block)
    except OSError as error:
        raise refusal(path, error.strerror or str(error)) from error
    line = tail.splitlines(keepends=True)[-1]
    try:
        entry = _entry(line)
    except ValueError as error:
        raise _broken(path, f"its last line is broken: {error}") from error
    problem = _fault(line, entry.number, entry.previous)
    if problem is not None:
        raise _broken(path, f"its last line is broken: {problem}")
    return entry


def _append(descriptor: int, line: bytes, path: Path) -> None:
    """Writes the whole line and syncs it; what came of a failed try is taken back."""
    if len(line) > _LONGEST_LINE:  # nobody could read it again, nor write after it
        raise refusal(path, "an entry would be longer than any can be")
    size = os.fstat(descriptor).st_size
    try:
        written = 0
        while written < len(line):
            written += os.write(descriptor, line[written:])
        os.fsync(descriptor)
    except BaseException as error:  # of Ctrl-C too: what is not sent is not in the ledger
        os.ftruncate(descriptor, size)
        if isinstance(error, OSError):
            raise refusal(path, f"cannot be written: {error.strerror}") from error
        raise


def _lock(descriptor: int, path: Path) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > end:
                raise refusal(path, "another program holds it") from error
            time.sleep(0.02)
        except OSError as error:
            raise refusal(path, f"cannot be locked: {error.strerror}") from error
        else:
            return


def _broken(path: Path, what: str) -> GateRefusal:
    return GateRefusal(
        f"the ledger {path} cannot be trusted: {what}; without it nothing is sent",
        "see what is left of it: hybridgen audit verify; then keep it elsewhere and begin anew: "
        f"mv {path} {path}.broken",
    )
