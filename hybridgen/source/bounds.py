"""Folders that the sandbox must never be allowed to read as a whole."""

from __future__ import annotations

from pathlib import Path

# Readable inside every sandbox anyway, even where a service account has its home below them.
_SYSTEM = (Path("/usr"), Path("/usr/local"))


def is_too_wide(folder: Path) -> bool:
    """Whether ``folder`` is the root of the file system, the home folder or above it.

    A project's root and an interpreter's prefixes are readable for the code under test, so such a
    folder would hand it keys and every other project.
    """
    resolved = folder.resolve()
    if resolved in _SYSTEM:
        return False
    if resolved == Path(resolved.anchor):
        return True
    try:
        home = Path.home().resolve()
    except RuntimeError:  # no HOME and no entry in the password database
        return False
    return home == resolved or resolved in home.parents
