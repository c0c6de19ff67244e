"""Makes the steps of a test plainer, one kind of change at a time, as long as they show the same.

What is tried, in this order: a step less, objects made as in the other tests, an argument of the
type that its parameter is meant for, an argument or an item less, a smaller number, a plain text.
Each kind of change is named, so that one that turns out to cost something can be left out and the
others made without it. As in delta debugging (Zeller, Hildebrandt 2002), what is asked
of the result is the caller's business.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from hybridgen.domain import Target
from hybridgen.explore.simplify.fitting import as_hinted, as_others, hints_of
from hybridgen.explore.simplify.smaller import (
    FRACTION,
    is_number,
    is_plain,
    smaller_fractions,
    smaller_numbers,
    smaller_texts,
)
from hybridgen.explore.simplify.versions import (
    Version,
    exchanged,
    is_movable,
    less,
    literals_in,
    numerals_in,
    without_step,
)

MOST_TRIES = 70
"""Versions that are run for one test at the most."""


TEXT_KINDS = ("whole", "kind", "less")


NUMBER_KINDS = {"small": 0, FRACTION: 0, "above-1": 1, "above-9": 9, "above-99": 99}
"""Kinds of changes of a literal; those of a number with what they stay above."""


@dataclass(frozen=True, slots=True)
class Change:
    """What was made plainer, by a name that stays the same from run to run, and what came of it."""

    name: str
    version: Version


Shows = Callable[[Version], bool]


class Plainer:
    """Makes one test plainer.

    Args:
        shows: runs a version; True if it still shows what it has to.
        targets: of the module, whose type hints are followed.
        words: texts that stay as they are, because the code under test knows them.
        is_row: it is a row of a table, so its steps and arguments keep their number.
        is_written: it was written by somebody, who chose its values.
        common: how the other tests make their objects, see :func:`constructions`.
    """

    def __init__(
        self,
        shows: Shows,
        targets: Sequence[Target],
        words: Collection[str],
        *,
        is_row: bool,
        is_written: bool,
        common: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._shows = shows
        self._hints = hints_of(targets)
        self._words = words
        self._is_row = is_row
        self._is_written = is_written
        self._common = common
        self._tried: set[tuple[str, ...]] = set()
        self._left = MOST_TRIES
        self._now: dict[str, object] = {}

    def changes(self, version: Version, but: Collection[str] = ()) -> list[Change]:
        """What can be made plainer, each change on top of the ones before.

        Args:
            but: names of changes to leave out.
        """
        made: list[Change] = []
        self._left = MOST_TRIES
        self._tried = {_key(version)}
        self._now = {}
        for name in self._names(version):
            if name in but:
                continue
            found = self._changed(version, name)
            if found is not version:
                version = found
                made.append(Change(name, version))
        return made

    def _names(self, version: Version) -> Iterator[str]:
        if not self._is_row:
            yield from (f"step {place}" for place in reversed(version.places[:-1]))
        if self._is_written:
            return
        yield "common"
        yield "types"
        if not self._is_row:
            yield "parts"
        for value in literals_in(version.candidate, is_movable):
            if not is_plain(value, self._words):
                kinds = TEXT_KINDS if isinstance(value, str) else ()
                yield from (f"{kind} {value!r}" for kind in (*kinds, *NUMBER_KINDS))

    def _changed(self, version: Version, name: str) -> Version:
        kind, _, rest = name.partition(" ")
        if kind == "step":
            return self._first(version, without_step(version, int(rest)))
        if kind == "common":
            return self._all(version, lambda v: as_others(v, self._common))
        if kind == "types":
            return self._all(version, lambda v: as_hinted(v, self._hints))
        if kind == "parts":
            return self._all(version, less)
        old = self._now.get(rest, ast.literal_eval(rest))
        if is_plain(old, self._words):
            return version  # by now
        found, self._now[rest] = self._smaller(version, kind, old)
        return found

    def _smaller(self, version: Version, kind: str, old: object) -> tuple[Version, object]:
        """Puts smaller and smaller values in the place of a literal, as far as that works."""
        is_numeral = (
            isinstance(old, str) and is_number(old) and old in numerals_in(version.candidate)
        )
        if is_numeral or not isinstance(old, str):
            if kind not in NUMBER_KINDS:
                return version, old
            is_fraction = kind == FRACTION
            above = NUMBER_KINDS[kind]
            values = smaller_fractions(old) if is_fraction else smaller_numbers(old, above)
        elif kind not in TEXT_KINDS:
            return version, old
        else:
            values = smaller_texts(old, kind, self._words)
        best: tuple[Version, object] = (version, old)
        is_kept: bool | None = None
        try:
            while True:
                new = next(values) if is_kept is None else values.send(is_kept)
                is_kept = self._try(found := exchanged(version, old, new))
                best = (found, new) if is_kept else best
        except StopIteration:
            return best

    def _first(self, version: Version, others: Iterator[Version]) -> Version:
        return next((other for other in others if self._try(other)), version)

    def _all(self, version: Version, others: Callable[[Version], Iterator[Version]]) -> Version:
        """One change after the other, until none of them works."""
        while (found := self._first(version, others(version))) is not version:
            version = found
        return version

    def _try(self, version: Version) -> bool:
        key = _key(version)
        if self._left <= 0 or key in self._tried:
            return False
        self._tried.add(key)
        self._left -= 1
        return self._shows(version)


def _key(version: Version) -> tuple[str, ...]:
    return tuple(step.code for step in version.candidate.steps)
