"""A record of labels, so that a build fails when a file's label got looser.

The labels are those that the repository's own marks ask for, whether or not this user trusts
them: a build machine trusts nothing, and the question there is what the next one who says
``hybridgen trust`` would let out. Marks of the user and of the organisation are left aside, so
that the record says the same on every machine. Only what is looser than confidential is recorded;
a file that is not in the record is expected to be confidential.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hybridgen.domain import Label
from hybridgen.errors import UsageError
from hybridgen.label import Labeller, Rules, TrustedFile
from hybridgen.settings import USUAL_HEADERS

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Looser:
    """A file whose label got looser than recorded."""

    path: str
    was: Label
    now: Label


def labels_as_marked(labeller: Labeller, headers: Sequence[str]) -> dict[str, Label]:
    """What is looser than confidential if the project's own marks, and only they, were trusted.

    Args:
        headers: the project's own words that make a file confidential, besides the usual ones.

    Returns:
        by path, sorted.
    """
    own = tuple(mark for mark in labeller.rules.marks if mark.needs_trust)
    rules = Rules(own, tuple(dict.fromkeys((*USUAL_HEADERS, *headers))))
    portable = Labeller(labeller.root, rules, cache=labeller.cache, below=labeller.below)
    return {file.path: file.label for file in sorted(portable.trustable(), key=_path)}


def _path(file: TrustedFile) -> str:
    return file.path


def looser_files(now: Mapping[str, Label], recorded: Mapping[str, Label]) -> tuple[Looser, ...]:
    """The files that are looser now than recorded, or than confidential where nothing is."""
    return tuple(
        Looser(path, was, label)
        for path, label in now.items()
        if label < (was := recorded.get(path, Label.CONFIDENTIAL))
    )


def write_baseline(path: Path, labels: Mapping[str, Label]) -> None:
    """Write the record; the file is replaced as a whole or not at all.

    Raises:
        UsageError: it cannot be written there.
    """
    loose = {name: label for name, label in labels.items() if label < Label.CONFIDENTIAL}
    document = {
        "hybridgen_labels": _VERSION,
        "labels": {name: label.name.lower() for name, label in sorted(loose.items())},
    }
    text = json.dumps(document, indent=2) + "\n"
    if path.is_file() and not path.is_symlink():
        _refuse_other_files(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # It belongs to the repository, so its mode is what the user's files have.
        with temporary.open("x", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", "name a file in a folder of yours"
        ) from error


def _refuse_other_files(path: Path) -> None:
    """Only a record is replaced by a record."""
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        is_record = "hybridgen_labels" in document
    except (OSError, ValueError, TypeError, RecursionError):
        is_record = False
    if not is_record:
        raise UsageError(
            f"{path} is there and is no record of labels, so it is not replaced",
            "name another file: hybridgen explain --record labels.json",
        )


def read_baseline(path: Path) -> dict[str, Label]:
    """The recorded labels.

    Raises:
        UsageError: the file is not there or is no record of labels.
    """
    hint = f"record it: hybridgen explain . --record {path}"
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        if document["hybridgen_labels"] != _VERSION:
            raise UsageError(f"{path} was written by another release of hybridgen", hint)
        return {str(name): Label[str(label).upper()] for name, label in document["labels"].items()}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{path} is no record of labels", hint) from error
