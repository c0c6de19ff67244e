"""Genomes that operands seen at run time suggest, most promising first."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from hybridgen.domain import Candidate, Target
from hybridgen.explore.genomes.calls import Genome
from hybridgen.explore.genomes.slots import exchanged, slots_of
from hybridgen.explore.operands.boundaries import SIDES, Boundary, boundaries_in, is_bounded
from hybridgen.explore.operands.distance import distance, moved, towards
from hybridgen.explore.operands.substitute import pairs_of, replacements
from hybridgen.explore.values.patterns import Patterns
from hybridgen.observe.operands import Operands

MOST_OPEN = 40
"""Genomes made from one place in the code that has a branch that nothing takes."""

MOST_WANTED = 16
"""And from other places, in runs of a target that has such places."""

MOST_OTHER = 8
"""And from other places: what they decide may be asked for later."""

MOST_BOUNDARY = 16
"""And from comparisons of numbers that no input stands at all sides of."""

MOST_ASKED = 12
"""Runs that are watched to find inputs at the sides of one comparison."""

MOST_PROBES = 12
"""Runs that are watched to learn how far a comparison is from coming out the other way."""

MOST_WAITING = 2_000


Site = tuple[int, str]


class SeesOperands(Protocol):
    """What runs a candidate and tells what was compared meanwhile."""

    def operands(self, candidate: Candidate) -> tuple[Operands, ...]:
        """What was compared."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A genome to try.

    Attributes:
        site: line and kind of the comparison that it is meant for.
    """

    target: Target
    genome: Genome
    site: Site


class Hints:
    """A queue of genomes to try because of operands.

    Args:
        watcher: runs candidates in instrumented code.
        seed: for texts that match patterns.
        write: gives the candidate that runs a genome.
    """

    def __init__(
        self,
        watcher: SeesOperands,
        chooser: random.Random,
        seed: int,
        write: Callable[[Genome, Target], Candidate | None] = lambda genome, target: None,
    ) -> None:
        self._watcher = watcher
        self._chooser = chooser
        self._patterns = Patterns(seed)
        # For lines with an open branch; for other lines, in runs of a target that has such; others.
        self._near: deque[Suggestion] = deque()
        self._wanted: deque[Suggestion] = deque()
        self._other: deque[Suggestion] = deque()
        self._known: set[str] = set()
        self._boundaries: set[Boundary] = set()
        self._asked: Counter[Site] = Counter()
        self._sites: set[tuple[int, str, str]] = set()
        self._write = write
        self._probed: Counter[Site] = Counter()

    def take(self, open_lines: Collection[int]) -> Suggestion | None:
        """The next suggestion: for a line with an open branch, while there are such.

        Args:
            open_lines: lines with a branch that nothing takes yet.
        """
        while self._near:
            found = self._near.popleft()
            if found.site[0] in open_lines:
                return found
            self._other.append(found)
        waiting = self._wanted or self._other
        return waiting.popleft() if waiting else None

    def look(
        self,
        target: Target,
        genome: Genome,
        candidate: Candidate,
        open_lines: Collection[int],
        *,
        is_queued: bool = True,
    ) -> tuple[Operands, ...]:
        """Watches a run of ``candidate``, made from ``genome``, and queues what it suggests.

        Args:
            open_lines: lines with a branch that nothing takes yet.
            is_queued: False to watch only.

        Returns:
            What was compared.
        """
        records = self._watcher.operands(candidate)
        if not is_queued:
            return records
        is_wanted = any(target.first_line <= line <= target.last_line for line in open_lines)
        rest = self._wanted if is_wanted else self._other
        sites: dict[Site, list[Operands]] = {}
        for record in records:
            sites.setdefault((record.line, record.kind), []).append(record)
        for site in sorted(sites, key=lambda site: site[0] not in open_lines):
            found = list(self._suggested(genome, sites[site]))
            most = MOST_OPEN if site[0] in open_lines else MOST_WANTED if is_wanted else MOST_OTHER
            most *= min(len(sites[site]), 3)
            if self._misses_side(site, sites[site]):
                most = max(most, MOST_BOUNDARY)
            if len(found) > most:
                found = self._chooser.sample(found, most)
            if site[0] in open_lines:
                found += self._steps(target, genome, site, sites[site])
            self._known.update(map(repr, found))
            waiting = self._near if site[0] in open_lines else rest
            waiting.extend(Suggestion(target, new, site) for new in found)
        for waiting in (self._near, self._wanted, self._other):
            while len(waiting) > MOST_WAITING:
                waiting.popleft()
        return records

    def stands_at_new_boundary(self, candidate: Candidate, site: Site) -> bool:
        """Whether a run of ``candidate`` is the first at, below or above what ``site`` asks for."""
        if self._asked[site] >= MOST_ASKED or self._has_all_sides(site):
            return False
        self._asked[site] += 1
        return self.note_boundaries(self._watcher.operands(candidate))

    def note_boundaries(self, records: Sequence[Operands]) -> bool:
        """Whether a run stood at a boundary at which none before stood; it counts from now on."""
        new = boundaries_in(records) - self._boundaries
        self._boundaries |= new
        return bool(new)

    def note_sites(self, records: Sequence[Operands]) -> bool:
        """Whether a run compared what none did before, or another type of it; it counts from now.

        Conditions that share a line are told apart by nothing else.
        """
        new = {(r.line, r.kind, type(r.left).__name__) for r in records} - self._sites
        self._sites |= new
        return bool(new)

    def _misses_side(self, site: Site, records: Sequence[Operands]) -> bool:
        return any(map(is_bounded, records)) and not self._has_all_sides(site)

    def _has_all_sides(self, site: Site) -> bool:
        return all((*site, side) in self._boundaries for side in SIDES)

    def _steps(
        self, target: Target, genome: Genome, site: Site, records: Sequence[Operands]
    ) -> list[Genome]:
        """Genomes nearer to an open boundary, after a look at what moving each argument does."""
        before = distance(records)
        found: list[Genome] = []
        for slot in slots_of(genome) if before is not None else ():
            other = moved(slot.value)
            tried = exchanged(genome, slot, other) if other is not None else None
            candidate = self._write(tried, target) if tried is not None else None
            if candidate is None or self._probed[site] >= MOST_PROBES:
                continue
            self._probed[site] += 1
            seen = self._watcher.operands(candidate)
            after = distance([r for r in seen if (r.line, r.kind) == site])
            for value in towards(slot.value, other, before, after):
                new = exchanged(genome, slot, value)
                if new is not None and repr(new) not in self._known:
                    found.append(new)
        return found

    def _suggested(self, genome: Genome, records: Sequence[Operands]) -> Iterator[Genome]:
        slots = tuple(slots_of(genome))
        here: set[str] = set()
        for record in records:
            for seen, instead in pairs_of(record, self._patterns):
                for slot in slots:
                    for value in replacements(slot.value, seen, instead):
                        new = exchanged(genome, slot, value)
                        key = repr(new)
                        if new is not None and key not in self._known and key not in here:
                            here.add(key)
                            yield new
