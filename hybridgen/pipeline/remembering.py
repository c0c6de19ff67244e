"""Takes the files of a project into the index of fingerprints, so that copies of them are known.

This is done wherever files are labelled: by ``generate`` with whatever backend, by ``trust`` and by
``explain``. So code that is moved into a public file later is known, even if nothing could be sent
when it was last seen.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from hashlib import sha256

from hybridgen.domain import Label, SourceFile
from hybridgen.errors import HybridgenError
from hybridgen.gate import FingerprintIndex, is_derived
from hybridgen.label import Labeller
from hybridgen.reading import decode, read_once

_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)  # one of them begins like UTF-16
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")


def remember(index: FingerprintIndex, labeller: Labeller, files: Iterable[SourceFile]) -> None:
    """Adds those of ``files`` that ``index`` does not know as they are now.

    What a build or a report made of listed files is left out: it would make copies of its sources.

    Args:
        files: as the labeller listed them.
    """
    found = list(files)
    listed = {known.path: known.sha256 for known in found}
    for known in found:
        is_strict = known.label is Label.CONFIDENTIAL
        if is_strict and is_derived(known.path, known.sha256, listed):
            continue
        if not index.knows(known):
            _take_in(index, labeller, known)


def _take_in(index: FingerprintIndex, labeller: Labeller, known: SourceFile) -> None:
    """Adds a file with its label; what holds no text has nothing that could be copied."""
    path = labeller.root / known.path
    try:
        _, data = read_once(path, labeller.root, known.path)
    except HybridgenError:
        return
    text = _text(data, known.path)
    if text is None:
        return
    # A file is stricter than it was when it was listed, or it is what was listed.
    digest = sha256(data).hexdigest()
    source = known if known.sha256 == digest else labeller.file(path, data)
    index.add(source, text)


def _text(data: bytes, name: str) -> str | None:
    """What the bytes say, in whatever encoding; None for a binary file."""
    if data.startswith(_UTF_32):
        return data.decode("utf-32", "replace")
    if data.startswith(_UTF_16):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        data = data.replace(b"\0", b"")  # UTF-16 without a mark, or a stray byte in a text
        return None if _CONTROL.search(data) else data.decode("latin-1")
    try:
        return decode(data, name)
    except HybridgenError:  # words of ASCII are found in it nevertheless
        return data.decode("latin-1")
