"""Which targets still have code that nothing reaches."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from hybridgen.domain import Arc, Module, Target, TargetKind
from hybridgen.explore.archive import Archive
from hybridgen.explore.syntax import tree_of
from hybridgen.observe.measure import Measured, measure


class Focus:
    """Open lines and branches of a module's targets.

    Asking coverage.py costs tens of milliseconds, so its answer is kept until there are new arcs.

    Args:
        reached: arcs, or an archive that goes on collecting them.
    """

    def __init__(
        self, module: Module, targets: Sequence[Target], reached: Archive | Collection[Arc]
    ) -> None:
        self._module = module
        self._targets = targets
        self._reached = reached
        self._measured: Measured | None = None
        self._measured_arcs = -1
        self._headers = _headers(module.source.text)
        known = {target.qualname: target for target in module.targets}
        self._parts = {target.qualname: _parts_of(target, known) for target in targets}
        self._lines = {name: _lines_of(parts) for name, parts in self._parts.items()}

    def missing_lines(self) -> frozenset[int]:
        """Lines that nothing reaches, and those with a branch that nothing takes."""
        measured = self._now()
        # The end of a missing branch tells more than its start, but may lie outside (an exit).
        ends = {last if last > 0 else first for first, last in measured.missing_branches}
        return measured.missing_lines | frozenset(ends)

    def branches(self) -> frozenset[Arc]:
        """Branches of the targets that nothing takes, as line transitions."""
        own = frozenset[int]().union(*self._lines.values())
        return frozenset(arc for arc in self._now().missing_branches if arc[0] in own)

    def branch_lines(self) -> frozenset[int]:
        """Lines of conditions with an outcome that never came, all lines of long ones."""
        starts = {first for first, _ in self._now().missing_branches}
        return frozenset(line for start in starts for line in self._headers.get(start, (start,)))

    def open(self) -> tuple[Target, ...]:
        """Targets with something missing in them or in private code that only they lead to."""
        return tuple(target for target in self._targets if self._count(target))

    def names(self) -> frozenset[str]:
        """Their names."""
        return frozenset(target.qualname for target in self.open())

    def counts(self) -> dict[str, int]:
        """How many lines and branches are missing, for each target with any."""
        counted = ((target.qualname, self._count(target)) for target in self._targets)
        return {name: count for name, count in counted if count}

    def ordered(self, *, only_open: bool) -> list[Target]:
        """Targets to ask about, those with most missing first; in source order where equal.

        Where nothing is missing, classes are left out: what they hold is shown by their methods.
        """
        asked = [t for t in self._targets if not self._is_asked_by_methods(t)]
        counted = [(self._count(target), target) for target in asked]
        counted.sort(key=lambda pair: -pair[0])
        return [
            target
            for count, target in counted
            if count or not (only_open or target.kind is TargetKind.CLASS)
        ]

    def _is_asked_by_methods(self, target: Target) -> bool:
        """True for a class whose methods are targets themselves."""
        return target.kind is TargetKind.CLASS and any(
            other.parent == target.qualname for other in self._targets
        )

    def parts(self, target: Target) -> tuple[Target, ...]:
        """A target, and the private code that only it leads to."""
        return self._parts[target.qualname]

    def _count(self, target: Target) -> int:
        measured = self._now()
        inside = self._lines.get(target.qualname, frozenset())
        lines = len(measured.missing_lines & inside)
        return lines + sum(first in inside for first, _ in measured.missing_branches)

    def _now(self) -> Measured:
        reached = self._reached.arcs if isinstance(self._reached, Archive) else self._reached
        if self._measured is None or len(reached) != self._measured_arcs:
            text = self._module.source.text
            self._measured = _measured(self._module.path, text, frozenset(reached))
            self._measured_arcs = len(reached)
        return self._measured


@lru_cache(maxsize=2)
def _measured(path: Path, text: str, arcs: frozenset[Arc]) -> Measured:
    """What coverage.py says; the pipeline and the search ask for the same at the same time."""
    return measure(path, arcs)


def _parts_of(target: Target, known: Mapping[str, Target]) -> tuple[Target, ...]:
    """A target and the private definitions that it calls, and those call."""
    found: dict[str, Target] = {target.qualname: target}
    waiting = list(target.calls)
    while waiting:
        called = known.get(waiting.pop())
        if called is not None and called.is_private and called.qualname not in found:
            found[called.qualname] = called
            inner = (t for t in known.values() if t.parent == called.qualname)
            waiting += [*called.calls, *(name for method in inner for name in method.calls)]
    return tuple(found.values())


def _lines_of(parts: Sequence[Target]) -> frozenset[int]:
    return frozenset(n for part in parts for n in range(part.first_line, part.last_line + 1))


def _headers(source: str) -> dict[int, range]:
    """First line of each statement that decides something -> the lines of its condition."""
    found = {}
    for node in ast.walk(tree_of(source)):
        if isinstance(node, ast.If | ast.While | ast.For | ast.Match):
            last = node.body[0].lineno if not isinstance(node, ast.Match) else node.lineno + 1
            found[node.lineno] = range(node.lineno, max(last, node.lineno + 1))
    return found
