"""What asking a model costs, when there is no time for it, and what becomes of its answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from hybridgen.domain import Completion, Target
from hybridgen.explore.search import Search
from hybridgen.observe.effort import Limit
from hybridgen.pipeline.consulting import Consultant
from hybridgen.pipeline.job import ASK_LEAST, ASK_WORK, FIND_WORK, Budget
from hybridgen.post import candidates, values

BURST_PLATEAU: Final = 200
"""Runs without anything new that end the search after each answer of the model."""

BURST_WORK, BARREN_BURST_WORK = 4.0, 1.0
"""The work that it may take at most, and where the answer itself showed nothing new: the next
question is worth more then, and the search goes on with these seeds when all were asked."""


class Answers:
    """What all questions about what the search left open have in common.

    Attributes:
        consultant: asks, and keeps the books.
        budget: the time of the module.
        search: what takes candidates.
        deadline: when the model is asked no longer: when confirming has to begin, but the model
            has its share in any case.
    """

    def __init__(self, consultant: Consultant, budget: Budget, search: Search) -> None:
        self.consultant = consultant
        self.budget = budget
        self.search = search
        self.deadline = max(budget.finish_at, time.monotonic() + ASK_LEAST * budget.seconds)

    def has_time(self) -> bool:
        """Whether there is time for another question; notes it where the clock says no."""
        limit = self.limit()
        if not limit.is_over():
            return True
        if limit.is_cut:
            self.consultant.tally.late["asking the model"] = None
        return False

    def limit(self) -> Limit:
        """Where the next question would be too late."""
        usual = self.consultant.usual
        cap = self.deadline - 1 - usual
        limit = self.budget.limit(self.consultant.subject.runner.effort, ASK_WORK, cap)
        limit.seconds -= usual  # an answer that would be cut off is not worth its beginning
        return limit

    def take(
        self,
        completions: Sequence[Completion],
        target: Target,
        seconds: float,
        parameter: str | None = None,
        read: Callable[[Completion], Sequence[str]] = values,
    ) -> int:
        """Tries what answers to one prompt suggest, and searches on from there.

        Args:
            completions: the answers; to a question as a whole, they count as one.
            target: what was asked about.
            seconds: what they cost on the clock.
            parameter: of which the answers are values; None where they are code.
            read: finds the values in an answer.

        Returns:
            How many of the suggestions showed something new.
        """
        found = 0
        subject, deadline = self.consultant.subject, self.deadline
        effort = subject.runner.effort
        work = FIND_WORK * self.budget.seconds
        effort.add(min(seconds, max(0.0, work - effort.seconds)))
        for completion in completions:
            if parameter is None:
                found += self.search.take(candidates(completion, subject.module, target), deadline)
            else:
                found += self.search.suggest(target, parameter, read(completion), deadline)
        most = BURST_WORK if found else BARREN_BURST_WORK
        burst = Limit(effort, min(effort.seconds + most, work), deadline)
        self.search.run(burst.until, plateau=BURST_PLATEAU)
        return found
