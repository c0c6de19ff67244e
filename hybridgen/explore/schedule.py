"""Which find to vary next, and how: what paid off is favoured, as in AFL's power schedules."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hybridgen.domain import Target
from hybridgen.explore.genomes.calls import Genome

MOST_ENTRIES = 600
PATIENCE = 10
"""Turns to a target before it counts that they were in vain."""

FAVOUR_OPEN = 0.8
"""How often a target with something open is preferred."""


@dataclass(slots=True)
class Entry:
    """A genome that reached something new.

    Attributes:
        size: characters of its arguments: short ones are easier to read and to vary.
        lines: those that it came to.
        picks: how often it was varied.
        finds: how often that led to something new.
    """

    target: Target
    genome: Genome
    size: int
    lines: frozenset[int] = frozenset()
    picks: int = 0
    finds: int = 0


class Attention:
    """Which target to turn to: one with much that is open, and little tried in vain so far."""

    def __init__(self, chooser: random.Random) -> None:
        self._chooser = chooser
        self._turns: Counter[str] = Counter()

    def choose(self, wanted: Mapping[str, int]) -> str:
        """The name of a target; "" if there is none.

        Args:
            wanted: how much is open, for each target with something.
        """
        if not wanted:
            return ""
        weights = [math.sqrt(n / (PATIENCE + self._turns[name])) for name, n in wanted.items()]
        name = self._chooser.choices(list(wanted), weights)[0]
        self._turns[name] += 1
        return name

    def found(self, name: str) -> None:
        """Notes that a turn to a target led to something new: more may come."""
        self._turns[name] //= 2


class Corpus:
    """The finds of one search."""

    def __init__(self, chooser: random.Random, attention: Attention) -> None:
        self._chooser = chooser
        self._attention = attention
        self._entries: list[Entry] = []

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, target: Target, genome: Genome, lines: frozenset[int] = frozenset()) -> None:
        """Adds a find; very many would only dilute it."""
        calls = (*([genome.build] if genome.build else ()), *genome.calls)
        size = sum(len(text) for call in calls for _, text in call.arguments)
        self._entries.append(Entry(target, genome, size, lines))
        if len(self._entries) > MOST_ENTRIES:
            self._entries.remove(max(self._entries, key=lambda entry: entry.picks - entry.finds))

    def pick(self, wanted: Mapping[str, int]) -> Entry:
        """An entry to vary: of a target with much that is open, young, short and fruitful.

        Args:
            wanted: how much is open, for each target with something.
        """
        entries = self._entries
        held = dict.fromkeys(entry.target.qualname for entry in entries)
        if self._chooser.random() < FAVOUR_OPEN:
            name = self._attention.choose({name: wanted[name] for name in held if name in wanted})
            entries = [e for e in entries if e.target.qualname == name] or entries
        weights = [
            (1 + 4 * entry.finds) / ((8 + entry.picks) * (40 + entry.size)) for entry in entries
        ]
        entry = self._chooser.choices(entries, weights)[0]
        entry.picks += 1
        return entry

    def entries(self) -> tuple[Entry, ...]:
        """All of them, in the order in which they came."""
        return tuple(self._entries)

    def of(self, qualname: str) -> list[Genome]:
        """Genomes for one target, to cross with."""
        return [e.genome for e in self._entries if e.target.qualname == qualname]


class Operators:
    """Chooses among ways to make a variant by how often each led to something new."""

    def __init__(self, names: Sequence[str], chooser: random.Random) -> None:
        self._names = tuple(names)
        self._chooser = chooser
        self._tries: Counter[str] = Counter()
        self._finds: Counter[str] = Counter()

    def choose(self) -> str:
        """The name of one; none is ever left out for good."""
        rates = [(1 + self._finds[name]) / (20 + self._tries[name]) for name in self._names]
        floor = 0.1 * sum(rates)
        return self._chooser.choices(self._names, [rate + floor for rate in rates])[0]

    def tell(self, name: str, *, is_find: bool) -> None:
        """Notes how a variant went."""
        self._tries[name] += 1
        self._finds[name] += is_find
