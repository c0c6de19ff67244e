"""Runs candidates of a search in the worker, and counts what that costs."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from hybridgen.domain import Arc, Candidate, Observation
from hybridgen.observe.effort import RUN, START
from hybridgen.observe.runner import Dropped, Runner, Variation

MOST_RESTARTS = 12
"""New processes after which the search looks first in one that was changed by earlier calls."""

MOST_TIMEOUTS = 3
"""After so many hangs or deaths a target is left alone: each costs a new process."""

MOST_PATHS = 40
"""Ways through the code of one target that are worth a note."""

CLEAN = Variation()
HASTY = Variation(most_dirty=40)


@dataclass
class SearchReport:
    """What a search did.

    Attributes:
        clean: how many of its runs were in a clean process.
        seconds: what these took.
        starts: processes that were started for them.
    """

    runs: int = 0
    clean: int = 0
    seconds: float = 0.0
    starts: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def seconds_per_run(self) -> float:
        """Mean time of a clean run: high where calls change the module's state."""
        return self.seconds / self.clean if self.clean else 0.0

    @property
    def work_per_run(self) -> float:
        """The same as work, which no clock measures."""
        return RUN + START * self.starts / self.clean if self.clean else RUN


class Execution:
    """Runs candidates.

    Where most calls change the process (they fill a cache, say), a new process for each would
    leave time for few. Then ``is_slow`` is true, and :meth:`glance` runs in one that was changed.

    Args:
        reached: line transitions that were seen before.

    Attributes:
        reached: line transitions that any run in a clean process went through.
    """

    def __init__(self, runner: Runner, reached: Iterable[Arc]) -> None:
        self._runner = runner
        self._trouble: Counter[str] = Counter()
        self._restarts = 0
        self._paths: defaultdict[str, set[frozenset[Arc]]] = defaultdict(set)
        self._is_new_path = False
        self.reached: set[Arc] = set(reached)
        self.report = SearchReport()

    @property
    def is_slow(self) -> bool:
        """Whether clean processes are too dear to try every candidate in one."""
        return self._restarts > MOST_RESTARTS

    def is_usable(self, target: str) -> bool:
        """Whether calls of a target mostly come back."""
        return self._trouble[target] < MOST_TIMEOUTS

    def run(self, candidate: Candidate) -> Observation | None:
        """What a candidate does in a clean process; None if that cannot be known."""
        result = self._run(candidate, CLEAN)
        if result is not None:
            self.reached |= result.arcs
        return result

    def glance(self, candidate: Candidate) -> Observation | None:
        """What a candidate does, for a first look; what it shows has to be seen again."""
        return self._run(candidate, HASTY) if self.is_slow else self.run(candidate)

    def forgive(self) -> None:
        """Lets every target hang a few times more: what comes now is not what hung."""
        self._trouble.clear()

    def took_new_path(self) -> bool:
        """Whether the last run went through code as none of its target did before.

        A few such inputs are worth varying though they reach no new code (as hit counts tell
        fuzzers): they are the ground that other finds grow on.
        """
        return self._is_new_path

    def _run(self, candidate: Candidate, variation: Variation) -> Observation | None:
        self._is_new_path = False
        started, restarts = time.monotonic(), self._runner.restarts
        result = self._runner.run(candidate, variation)
        restarts = self._runner.restarts - restarts
        self._restarts += restarts
        self.report.runs += 1
        if variation == CLEAN:
            self.report.clean += 1
            self.report.seconds += time.monotonic() - started
            self.report.starts += restarts
        if isinstance(result, Dropped):
            self.report.dropped[result.reason] += 1
            if result.reason in ("timeout", "died", "output"):
                self._trouble[candidate.target] += 1
            return None
        paths = self._paths[candidate.target]
        self._is_new_path = len(paths) < MOST_PATHS and result.arcs not in paths
        if self._is_new_path:
            paths.add(result.arcs)
        return result
