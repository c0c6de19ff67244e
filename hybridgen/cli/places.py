"""Where hybridgen keeps things about code, all under the user's own folders.

Models are kept elsewhere (``modelstore/``), and settings are the user's own files.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs


@dataclass(frozen=True, slots=True)
class Place:
    """Something that is kept.

    Attributes:
        what: what it is, for people.
        path: a file or a folder; it need not exist.
    """

    what: str
    path: Path


def reply_folder() -> Path:
    """The folder of the cached replies; the cache makes it."""
    return Path(platformdirs.user_cache_dir("hybridgen")) / "replies"


def engine_log() -> Path:
    """The engine's log where the settings name no other."""
    return state_folder() / "engine.log"


def crash_log() -> Path:
    """The report of the last crash."""
    return state_folder() / "crash.log"


def kept_places() -> tuple[Place, ...]:
    """All that may be kept about code and can go without a loss of safety.

    What was sent when (the ledger), what is trusted, and the fingerprints by which copies of
    confidential files are known, are kept until the user removes their folders.
    """
    return (
        Place("replies of the model", reply_folder()),
        Place("log of the engine", engine_log()),
        Place("report of the last crash", crash_log()),
        Place("labels of files, for listings", state_folder() / "labels"),
        Place("texts that were sent", sent_texts_folder()),
    )


def write_crash_log(text: str) -> Path:
    """Write the last crash, for nobody but the user.

    Raises:
        OSError: it cannot be written.
    """
    path = crash_log()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # an older one may have had a wider mode, or be a link
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    return path


def fingerprint_folder() -> Path:
    """The folder of the fingerprints by which copies of files are known."""
    return state_folder() / "fingerprints"


def ledger_folder() -> Path:
    """The folder of the ledger."""
    return state_folder() / "ledger"


def sent_texts_folder() -> Path:
    """The folder of the texts that were sent, as far as they are kept."""
    return ledger_folder() / "texts"


def state_folder() -> Path:
    """The folder of what is kept from run to run: logs, trust, the ledger."""
    return Path(platformdirs.user_state_dir("hybridgen"))
