"""Fingerprints of every file that this user's hybridgen has labelled, to know copies of them.

A file is known by its winnowed k-grams (``gate/winnow.py``), each hashed with a key that only this
user has (SipHash, see ``gate/keyed.py``): whoever gets hold of the index without it cannot ask it
whether it knows a text. What was known once stays known after the file was changed, moved or
removed; each version adds what is new in it.

What counts as a leak, for a receiver with some clearance:

- Fingerprints of files that are stricter than the clearance count.
- Not those that the *same file* had while the receiver may read it: its owner marked it, so what
  it says is no secret, whatever older versions were. When it gets stricter again, so do all its
  versions.
- Not those that another readable file had in an *earlier run* than the strict one: then the
  strict one is the copy. Seen first in the same run, nobody knows who copied, and that counts.

Where the index cannot be trusted (a lost key, files of somebody else) nothing is sent, but work on
this machine goes on: :meth:`FingerprintIndex.add` never raises, :meth:`FingerprintIndex.overlaps`
does.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hybridgen.domain import Label, SourceFile
from hybridgen.errors import GateRefusal
from hybridgen.gate.idioms import are_idioms
from hybridgen.gate.keyed import keyed
from hybridgen.gate.prints import Addition, PrintStore
from hybridgen.gate.winnow import are_shapes, fingerprints

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hybridgen.gate.prints import Known

# Different fingerprints of one strict file in one prompt that make it a refusal: a shared run of
# about 16 words, or three lines of code. ``gate/winnow.py`` says what was measured.
LEAST_SHARED: Final = 3
# As many of the second sequence do, which are longer: the same code under other names.
LEAST_SHAPES: Final = 2

# Of a longer file (about 9,000 lines of code, most likely it is data) only those with the least
# hashes are kept, which are drawn evenly from it: a copy of some length is still noticed, and
# neither the disk nor the memory fills with tables.
MOST_KEPT: Final = 20_000

# Files are written together: a transaction costs as much as a hundred files.
_PENDING_FILES: Final = 200


@dataclass(frozen=True, slots=True)
class Overlap:
    """Text of a strict file that is also in a prompt.

    Attributes:
        path: the strict file, with its project's folder if that is known.
        line: the line in it, as it was when it was read.
        label: how strict it is.
        is_there: whether the file is still where it was; None without a known folder.
        root: the folder of the strict file's project; "" if it is not known.
        prompt_line: the line of the text that was asked about.
        shared: how many different fingerprints both have.
    """

    path: str
    line: int
    label: Label
    is_there: bool | None
    root: str
    prompt_line: int
    shared: int


class FingerprintIndex:
    """The index in ``folder``; may be used by several threads.

    Args:
        folder: a folder for it alone; made at the first use.
        root: the project whose files are added; None if they belong to none.
    """

    def __init__(self, folder: Path, root: Path | None = None) -> None:
        self._store = PrintStore(folder)
        self._root = "" if root is None else str(root)
        self._pending: list[Addition] = []
        self._labels: dict[str, dict[str, Label]] | None = None
        self._problem: GateRefusal | None = None
        self._lock = threading.Lock()

    def add(self, source: SourceFile, text: str) -> None:
        """Takes in a file with its label; nothing to do if that is known already.

        Args:
            source: the file as it was labelled.
            text: its text, decoded from the bytes that were labelled.
        """
        with self._lock:
            if self._problem is not None:
                return
            try:
                if self._is_known(source):
                    return
                hashes, lines = _telling(text, is_file=True)
                self._pending.append(
                    Addition(source.path, source.sha256, source.label, hashes, lines)
                )
                self._note(source)
                if len(self._pending) >= _PENDING_FILES:
                    self._flush()
            except GateRefusal as error:
                self._problem = error
            except Exception as error:  # whatever it is, this text is not known now
                self._problem = GateRefusal(
                    f"{source.path} could not be added to the index of fingerprints "
                    f"({type(error).__name__}), so copies of it would not be noticed",
                    "stay on this machine: --backend local",
                )

    def knows(self, source: SourceFile) -> bool:
        """Whether :meth:`add` has nothing to do for this file, so that nobody need read it."""
        with self._lock:
            try:
                return self._is_known(source)
            except Exception:  # add meets it again, and remembers it
                return False

    def overlaps(self, text: str, clearance: Label) -> list[Overlap]:
        """Which files stricter than ``clearance`` the text shares too much with, the most first.

        Raises:
            GateRefusal: the index cannot be used, or a file could not be added to it.
        """
        with self._lock:
            if self._problem is not None:
                raise self._problem
            self._flush()
            hashes, lines = _telling(text, is_file=False)
            if not len(hashes):
                return []
            return self._leaks(self._store.known(), self._keyed(hashes), lines, clearance)

    def known_files(self, place: Path) -> tuple[Path, ...]:
        """The known files of a project in the folder ``place``, or the one that was there.

        Raises:
            GateRefusal: the index cannot be used.
        """
        with self._lock:
            known = (Path(root, path) for root, path in self._store.places() if root)
            return tuple(one for one in known if one == place or one.is_relative_to(place))

    def forget(self, files: Sequence[Path]) -> None:
        """Forgets these files, whatever project they were in.

        Raises:
            GateRefusal: the index cannot be used.
        """
        with self._lock:
            self._labels = None
            gone = set(files)
            self._store.forget([place for place in self._store.places() if Path(*place) in gone])

    def close(self) -> None:
        """Writes what is pending and closes the files; never raises."""
        with self._lock:
            try:
                if self._problem is None:
                    self._flush()
            except GateRefusal as error:
                self._problem = error
            self._store.close()

    def _is_known(self, source: SourceFile) -> bool:
        if self._labels is None:
            self._labels = self._store.labels(self._root)
        return self._labels.get(source.path, {}).get(source.sha256) == source.label

    def _note(self, source: SourceFile) -> None:
        """Remember in memory what the store will know; a stricter label takes all versions."""
        assert self._labels is not None
        versions = self._labels.setdefault(source.path, {})
        for sha256, label in versions.items():
            versions[sha256] = max(label, source.label)
        versions[source.sha256] = source.label

    def _flush(self) -> None:
        if self._pending:
            self._store.write(self._root, self._all_keyed(self._pending))
            self._pending.clear()

    def _all_keyed(self, additions: Sequence[Addition]) -> list[Addition]:
        """The additions with keyed hashes: all in one go, which is faster than file by file."""
        import numpy as np

        drawn = self._keyed(np.concatenate([one.hashes for one in additions]))
        ends = np.cumsum([len(one.hashes) for one in additions])
        found = []
        for one, prints in zip(additions, np.split(drawn, ends[:-1]), strict=True):
            kept, lines = _thinned(prints, one.lines)
            found.append(replace(one, hashes=kept, lines=lines))
        return found

    def _keyed(self, hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """The hashes as they are stored: a keyed hash of each; the last bit stays as it is."""
        import numpy as np

        drawn = keyed(hashes, self._store.key())
        return drawn & ~np.uint64(1) | are_shapes(hashes).astype(np.uint64)

    def _leaks(
        self,
        known: Known,
        prints: NDArray[np.uint64],
        lines: NDArray[np.int64],
        clearance: Label,
    ) -> list[Overlap]:
        hits = known.hits(prints)
        readable = [hit for hit in hits if known.files[hit.file].label <= clearance]
        marked = {(hit.index, known.files[hit.file].place) for hit in readable}
        first_run: dict[int, int] = {}
        for hit in readable:
            run = known.files[hit.file].run
            first_run[hit.index] = min(run, first_run.get(hit.index, run))
        shared: Counter[tuple[str, str]] = Counter()
        shapes: Counter[tuple[str, str]] = Counter()
        is_shape = are_shapes(prints)
        first: dict[tuple[str, str], Overlap] = {}
        counted = set()
        for hit in hits:
            file = known.files[hit.file]
            is_first_elsewhere = first_run.get(hit.index, file.run) < file.run
            if file.label <= clearance or (hit.index, file.place) in marked or is_first_elsewhere:
                continue
            if (hit.index, file.place) in counted:
                continue
            counted.add((hit.index, file.place))
            shared[file.place] += 1
            shapes[file.place] += bool(is_shape[hit.index])
            line = int(lines[hit.index])
            if file.place not in first or line < first[file.place].prompt_line:
                first[file.place] = _overlap(file.place, hit.line, file.label, line)
        return [
            replace(found, shared=count)
            for place, count in shared.most_common()
            if count - shapes[place] >= LEAST_SHARED or shapes[place] >= LEAST_SHAPES
            for found in (first[place],)
        ]


def _telling(text: str, *, is_file: bool) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The fingerprints of a text, and their lines, without those that are in everybody's code."""
    hashes, lines = fingerprints(text, is_file=is_file)
    is_telling = ~are_idioms(hashes)
    return hashes[is_telling], lines[is_telling]


def _thinned(
    prints: NDArray[np.uint64], lines: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """At most ``MOST_KEPT`` of the fingerprints: those with the least values."""
    import numpy as np

    if len(prints) <= MOST_KEPT:
        return prints, lines
    kept = np.argpartition(prints, MOST_KEPT)[:MOST_KEPT]
    return prints[kept], lines[kept]


def _overlap(place: tuple[str, str], line: int, label: Label, prompt_line: int) -> Overlap:
    root, path = place
    is_there = Path(root, path).is_file() if root else None
    shown = str(Path(root, path)) if root else path
    return Overlap(shown, line, label, is_there, root, prompt_line, 0)
