"""Which target a mutant belongs to, and which cases test that target itself.

A suite that is minimal over a whole module leaves a function without tests of its own as soon as
another one calls it. A reviewer reads, and later changes, one function at a time: so what is
wrong with a function should be noticed by a test of that function.
"""

from __future__ import annotations

from collections.abc import Sequence

from hybridgen.domain import Target, TargetKind
from hybridgen.domain.mutants import Mutant
from hybridgen.suite.cases import Case
from hybridgen.suite.subjects import subject_of

_MAKERS = (".__init__", ".__new__", ".__post_init__")


class Homes:
    """Knows for each mutant of a module the target whose code it changes, if there is one.

    Args:
        mutants: of the module, by their indices.
        targets: of the module.
    """

    def __init__(self, mutants: Sequence[Mutant], targets: Sequence[Target]) -> None:
        self._targets = targets
        self._is_class = {t.qualname for t in targets if t.kind is TargetKind.CLASS}
        self._homes = [home_of(mutant, targets) for mutant in mutants]

    def goals(self, case: Case) -> frozenset[int]:
        """What a case is worth: each mutant that it notices, and once more each of its own.

        The latter count as further numbers, behind those of the mutants.
        """
        subject = subject_of(case.observation, self._targets)
        count = len(self._homes)
        own = (count + i for i in case.kills if i < count and self._is_at_home(subject, i))
        return case.kills.union(own)

    def _is_at_home(self, subject: str, index: int) -> bool:
        home = self._homes[index]
        for maker in _MAKERS:
            home = home.removesuffix(maker)
        is_inside = home in self._is_class and subject.startswith(f"{home}.")
        return bool(home) and (subject == home or is_inside)


def home_of(mutant: Mutant, targets: Sequence[Target]) -> str:
    """The innermost target around a mutant, or "" for what belongs to none."""
    around = [t for t in targets if t.first_line <= mutant.line <= t.last_line]
    return min(around, key=lambda t: t.last_line - t.first_line).qualname if around else ""
