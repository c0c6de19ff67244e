"""Variants of genomes: calls and values as the call maker has them, texts by their structure."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence

from hybridgen.domain import Target
from hybridgen.explore.genomes.calls import CallMaker, Genome
from hybridgen.explore.genomes.slots import Slot, call_at, exchanged, slots_of
from hybridgen.explore.schedule import Corpus, Entry, Operators
from hybridgen.explore.values.texts import Texts, phrases_of, structure_of, texts_in
from hybridgen.observe.operands import Operands

CALLS, TEXTS = "calls", "texts"
COMPOSED_SHARE = 0.4
"""How often a fresh text for a parameter that is taken apart is composed of lines and words."""

LOOKS = frozenset(
    {
        *("startswith", "endswith", "find", "index", "count", "split", "rsplit", "partition"),
        *("rpartition", "splitlines", "strip", "lstrip", "rstrip", "replace", "removeprefix"),
        *("removesuffix", "rfind", "rindex", "match", "search", "fullmatch"),
    }
)
"""Kinds of operands that show that a text is taken apart."""

Place = tuple[str, int, str]


class Variants:
    """Makes fresh genomes and varies old ones.

    Args:
        targets: all of the module by name, those that are not called directly as well.
        docstring: the module's.
    """

    def __init__(
        self,
        maker: CallMaker,
        targets: Mapping[str, Target],
        docstring: str | None,
        chooser: random.Random,
    ) -> None:
        self._maker = maker
        self._targets = targets
        self._docstring = docstring
        self._chooser = chooser
        self._texts: dict[str, Texts | None] = {}
        self._taken_apart: dict[str, set[Place]] = {}
        self.operators = Operators((CALLS, TEXTS), chooser)

    def fresh(self, target: Target) -> Genome:
        """A new genome; texts that the target takes apart are composed now and then."""
        genome = self._maker.genome(target)
        slots = self._structured(genome)
        if slots and self._chooser.random() < COMPOSED_SHARE:
            slot = self._chooser.choice(slots)
            texts = self._of(call_at(genome, slot).target)
            if texts is not None:
                return exchanged(genome, slot, texts.compose()) or genome
        return genome

    def vary(self, entry: Entry, corpus: Corpus) -> tuple[Genome, str]:
        """A genome near an entry's, and the name of the operator that made it."""
        slots = self._structured(entry.genome)
        name = self.operators.choose() if slots else CALLS
        if name == TEXTS:
            slot = self._chooser.choice(slots)
            texts = self._of(call_at(entry.genome, slot).target)
            if texts is not None:
                other = self._other(entry, corpus, slot)
                changed = texts.change(str(slot.value), other)
                return exchanged(entry.genome, slot, changed) or entry.genome, TEXTS
        genome = entry.genome
        for _ in range(self._chooser.choice((1, 1, 2, 3))):
            genome = self._maker.vary(genome)
        return genome, CALLS

    def learn(self, genome: Genome, records: Iterable[Operands]) -> None:
        """Learns from what was compared: words of the code, and which arguments are taken apart."""
        slots = [slot for slot in slots_of(genome) if isinstance(slot.value, str)]
        for record in records:
            if record.kind in LOOKS and isinstance(record.left, str):
                for slot in slots:
                    if _is_part(record.left, str(slot.value)):
                        place = _place(genome, slot)
                        self._taken_apart.setdefault(place[0], set()).add(place)
            for slot in slots:
                texts = self._of(call_at(genome, slot).target)
                for word in _words_of(record) if texts is not None else ():
                    assert texts is not None
                    texts.learn(word)

    def _structured(self, genome: Genome) -> list[Slot]:
        """The texts of a genome that are taken apart, as far as that is known."""
        found = []
        for slot in slots_of(genome):
            target = call_at(genome, slot).target
            if isinstance(slot.value, str) and slot.place is None and self._of(target) is not None:
                known = self._taken_apart.get(target)
                if known is None or _place(genome, slot) in known:
                    found.append(slot)
        return found

    def _of(self, qualname: str) -> Texts | None:
        """The texts for a target, None where it takes none apart."""
        if qualname not in self._texts:
            target = self._maker.target(qualname)
            structure = structure_of(target, self._targets)
            words = (
                *texts_in(self._maker.pool(qualname)),
                *phrases_of(target.docstring),
                *(line for line in phrases_of(self._docstring)),
            )
            self._texts[qualname] = Texts(structure, words, self._chooser) if structure else None
        return self._texts[qualname]

    def _other(self, entry: Entry, corpus: Corpus, slot: Slot) -> str:
        """The same argument of another find for the same target."""
        genomes: Sequence[Genome] = corpus.of(entry.target.qualname) or [entry.genome]
        genome = self._chooser.choice(genomes)
        found = [
            other.value
            for other in slots_of(genome)
            if other.argument == slot.argument and isinstance(other.value, str)
        ]
        return str(found[0]) if found else str(slot.value)


def _place(genome: Genome, slot: Slot) -> Place:
    call = call_at(genome, slot)
    return call.target, slot.argument, call.arguments[slot.argument][0]


def _is_part(seen: str, value: str) -> bool:
    """Whether a text that code looked into came from an argument."""
    return seen == value or (len(seen) > 2 and seen in value)


def _words_of(record: Operands) -> list[str]:
    sides = [record.left, record.right] if record.kind in ("in", "not in") else [record.right]
    found: list[str] = []
    for side in sides:
        if isinstance(side, str):
            found.append(side)
        elif isinstance(side, list | tuple | set) and record.kind not in ("match", "search"):
            found += sorted(item for item in side if isinstance(item, str))
    return [word for word in found if 0 < len(word) <= 40]
