"""How many threads compute: chosen once by trying, and again while others use the cores.

llama.cpp's threads wait for each other after every operation, so one that gets no core holds up
all of them. What is best then depends on what else runs, which only trying can tell.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Callable
from typing import Final

_TRIALS: Final = 4
"""Steps that one number of threads gets when it is tried."""

_SLOWER: Final = 1.35
"""How much longer than usual steps have to take before another number is tried."""

_FASTER: Final = 0.9
"""How much of the time another number may take to be chosen."""

_PATIENCE, _MOST_PATIENCE = 32, 512
"""Steps between two trials: at first, and when trials have not helped for long."""


class Pace:
    """Chooses between all threads and one fewer.

    Args:
        most: threads that the machine has cores for.
        set_threads: tells llama.cpp.

    Attributes:
        threads: how many compute now.
    """

    def __init__(self, most: int, set_threads: Callable[[int], None]) -> None:
        self._choices = (most, most - 1) if most > 1 else (most,)
        self._set = set_threads
        self.threads = most
        self._usual: dict[int, float] = {}  # by rows of a step, the best median seen
        self._recent: deque[float] = deque(maxlen=_TRIALS)
        self._rows = 0
        self._wait = self._patience = _PATIENCE
        self._trial: tuple[int, float] | None = None  # what to go back to, and what it took

    def calibrate(self, step: Callable[[], float]) -> None:
        """Tries every choice in turns, so that whatever else runs meets all of them.

        Args:
            step: computes one token and gives the seconds that it took.
        """
        if len(self._choices) == 1:
            return
        taken: dict[int, list[float]] = {threads: [] for threads in self._choices}
        for _ in range(_TRIALS):
            for threads in self._choices:
                self._use(threads)
                taken[threads].append(step())
        medians = {threads: statistics.median(taken[threads]) for threads in self._choices}
        best = min(self._choices, key=lambda threads: medians[threads])
        self._use(best)
        self._usual[1] = medians[best]

    def note(self, seconds: float, rows: int) -> None:
        """Tells what a step took; may change the number of threads for the next.

        Args:
            seconds: of the step.
            rows: tokens that it computed; steps with as many are compared.
        """
        if len(self._choices) == 1:
            return
        if rows != self._rows:
            self._go_back()
            self._rows = rows
            self._recent.clear()
        self._recent.append(seconds)
        self._wait -= 1
        if len(self._recent) < _TRIALS:
            return
        median = statistics.median(self._recent)
        if self._trial is not None:
            self._judge(median)
        elif self._wait <= 0 and self._is_worth_trying(median):
            self._trial = (self.threads, median)
            self._use(next(threads for threads in self._choices if threads != self.threads))
            self._recent.clear()
        else:
            self._usual[rows] = min(median, self._usual.get(rows, median))

    def _is_worth_trying(self, median: float) -> bool:
        """An idle machine wants all threads, so with fewer of them that is tried now and then."""
        is_slow = median > _SLOWER * self._usual.get(self._rows, median)
        return is_slow or self.threads < self._choices[0]

    def _judge(self, median: float) -> None:
        assert self._trial is not None
        if median < _FASTER * self._trial[1]:
            self._trial = None
            self._patience = _PATIENCE
        else:
            self._go_back()
            self._patience = min(2 * self._patience, _MOST_PATIENCE)
        self._recent.clear()
        self._wait = self._patience

    def _go_back(self) -> None:
        if self._trial is not None:
            self._use(self._trial[0])
            self._trial = None

    def _use(self, threads: int) -> None:
        self.threads = threads
        self._set(threads)
