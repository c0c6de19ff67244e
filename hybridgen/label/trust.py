"""What a user has trusted: for each project, the files that its own marks may loosen.

A mark that came with a project may have been written by anybody. It counts for a file only where
the user said so for that very file: the record holds the file's path, the label that it got, and
a hash of the marks by which it got it. A file that is not in the record, or whose marks are
others now, is not trusted; what its body says does not matter.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from hybridgen.domain import Label
from hybridgen.errors import PolicyRefusal
from hybridgen.private import read_private, write_private

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class TrustedFile:
    """A file that a user trusted.

    Attributes:
        path: its real path, relative to the project's root.
        label: what it was labelled when it was trusted; trust never makes it looser.
        marks: hash of the marks that loosened it.
    """

    path: str
    label: Label
    marks: str


@dataclass(frozen=True, slots=True)
class Trusted:
    """What a user trusts in one project.

    Attributes:
        root: the project's real root.
        marks: hash of all marks of the project, as they were then.
        files: by path.
    """

    root: str
    marks: str
    files: Mapping[str, TrustedFile]


class TrustStore:
    """The records, one JSON file for each project, readable by the user alone.

    Args:
        folder: the store's own; made at the first use.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, root: Path) -> Trusted | None:
        """What is trusted in the project at ``root``; None if nothing ever was.

        Raises:
            PolicyRefusal: the record is damaged, or others could have written it.
        """
        path = self._path(root)
        data = read_private(path)
        if data is None:
            return None
        trusted = _parsed(data, path)
        if trusted.root != str(root):
            raise _damaged(path, "it is about another project")
        return trusted

    def trust(self, root: Path, files: Iterable[TrustedFile], marks: str) -> None:
        """Record ``files``, in the place of what was trusted in the project before.

        Args:
            root: the project's real root.
            files: what the user was shown and confirmed.
            marks: hash of all marks of the project (:meth:`Rules.fingerprint`).

        Raises:
            PolicyRefusal: the record cannot be written for the user alone.
        """
        record = {
            "version": _VERSION,
            "root": str(root),
            "marks": marks,
            "files": {
                file.path: {"label": file.label.name.lower(), "marks": file.marks}
                for file in sorted(files, key=lambda file: file.path)
            },
        }
        write_private(self._path(root), f"{json.dumps(record, indent=1)}\n".encode("ascii"))

    def revoke(self, root: Path) -> bool:
        """Forget the project; False if nothing was trusted there."""
        path = self._path(root)
        if not path.is_symlink() and not path.exists():
            return False
        path.unlink()
        return True

    def roots(self) -> tuple[Path, ...]:
        """The projects in which something is trusted, sorted.

        Raises:
            PolicyRefusal: as :meth:`of`.
        """
        found = []
        for path in sorted(self._folder.glob("*.json")):
            data = read_private(path)
            if data is not None:
                found.append(Path(_parsed(data, path).root))
        return tuple(sorted(found))

    def _path(self, root: Path) -> Path:
        name = sha256(os.fsencode(root)).hexdigest()
        return self._folder / f"{name}.json"


def _parsed(data: bytes, path: Path) -> Trusted:
    try:
        record: Any = json.loads(data)
        if record["version"] != _VERSION:
            raise _damaged(path, "another release of hybridgen wrote it")
        files = {
            name: TrustedFile(name, Label[str(entry["label"]).upper()], str(entry["marks"]))
            for name, entry in record["files"].items()
        }
        return Trusted(str(record["root"]), str(record["marks"]), files)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(path, f"it is no record of trust ({type(error).__name__})") from error


def _damaged(path: Path, why: str) -> PolicyRefusal:
    return PolicyRefusal(
        f"{path}: {why}, so what you trusted is not known",
        f"remove it and say it again: rm {path} && hybridgen trust",
    )
