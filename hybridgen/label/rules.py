"""What a user, a project and an organisation say about labels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby

from hybridgen.domain import Evidence, Label
from hybridgen.errors import SettingsError
from hybridgen.label.facts import HEADERS
from hybridgen.label.patterns import Patterns


@dataclass(frozen=True, slots=True)
class Mark:
    """A path pattern with a label.

    Attributes:
        pattern: in gitignore syntax, relative to the project's root.
        label: what it asks for.
        place: where it stands, for people.
        needs_trust: True if it came with the project: then it loosens only what was trusted.
        prefixes: of paths relative to the project's root, for each folder that the pattern is
            relative to; ``core/`` for the folder above a root called core. The mark tightens what
            it matches from any of them, and loosens what it matches from all of them.
    """

    pattern: str
    label: Label
    place: str
    needs_trust: bool
    prefixes: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class Rules:
    """All that is said about labels outside of the files themselves.

    Attributes:
        marks: in the order in which they stand.
        headers: phrases in a file's first lines that make it confidential.
        loosest: no file is ever labelled looser.
        loosest_place: who says so, for people.
        outer: marks from settings of folders above the project's root; they only tighten.
    """

    marks: tuple[Mark, ...] = ()
    headers: tuple[str, ...] = HEADERS
    loosest: Label = Label.PUBLIC
    loosest_place: str = ""
    outer: tuple[Mark, ...] = ()

    def fingerprint(self) -> str:
        """A hash of the marks that came with the project."""
        own = [[mark.label.name, mark.pattern] for mark in self.marks if mark.needs_trust]
        return hash_of(own)


STRICT = Rules()
"""Nothing is marked, so all is confidential."""


@dataclass(frozen=True, slots=True)
class Permit:
    """A mark that allows a label below confidential.

    Attributes:
        pattern: the pattern, or the line in the file.
        needs_trust: True if it counts only where the user trusted it.
    """

    evidence: Evidence
    pattern: str
    needs_trust: bool


class MarkLists:
    """The marks, compiled: one list for each place and label.

    Raises:
        SettingsError: something in it is no pattern.
    """

    def __init__(self, marks: Sequence[Mark]) -> None:
        self._lists: list[tuple[Mark, Patterns]] = []
        for _, group in groupby(marks, _list_of):
            inside = list(group)
            self._lists.append((inside[0], _compiled(inside)))

    def permits(self, real: str, names: Sequence[str]) -> Iterator[Permit]:
        """The marks that would loosen the label of the file with the real path ``real``."""
        for mark, patterns in self._lists:
            if mark.label < Label.CONFIDENTIAL:
                found = [
                    patterns.loosening(prefix + real, [prefix + name for name in names])
                    for prefix in mark.prefixes
                ]
                pattern = found[0]
                if pattern is not None and None not in found:
                    yield Permit(_evidence(mark, pattern), pattern, mark.needs_trust)

    def tightening(self, names: Sequence[str]) -> Iterator[Evidence]:
        """The marks that forbid a looser label to a file to which ``names`` lead."""
        for mark, patterns in self._lists:
            if mark.label > Label.PUBLIC:
                seen = [prefix + name for prefix in mark.prefixes for name in names]
                pattern = patterns.tightening(seen)
                if pattern is not None:
                    yield _evidence(mark, pattern)


def check_marks(marks: Sequence[Mark]) -> None:
    """Make sure that all of them can be read.

    Raises:
        SettingsError: something in them is no pattern.
    """
    MarkLists(marks)


def hash_of(value: object) -> str:
    """A hash of something that JSON can say."""
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _list_of(mark: Mark) -> tuple[object, ...]:
    """What the marks of one list have in common."""
    return mark.place, mark.label, mark.needs_trust, mark.prefixes


def _evidence(mark: Mark, pattern: str) -> Evidence:
    name = mark.label.name.lower()
    return Evidence(mark.label, "mark", f"marked {name} by {pattern} in {mark.place}")


def _compiled(marks: Sequence[Mark]) -> Patterns:
    try:
        return Patterns([mark.pattern for mark in marks])
    except ValueError as error:
        name = marks[0].label.name.lower()
        raise SettingsError(
            f"{marks[0].place}: labels.{name}: {error}",
            "write paths relative to the project's root as in a .gitignore: /shop/pricing.py, "
            "/docs/, or /src/*.py",
        ) from error
