"""What asking a model costs, when there is no time for it, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from hybridgen.domain import Completion, Label, Prompt, Target
from hybridgen.engine import EngineUnusableError
from hybridgen.errors import EngineError, RemoteError
from hybridgen.explore.search import Search
from hybridgen.observe.effort import Limit
from hybridgen.pipeline.job import FIND_WORK, SEARCH_WORK, Budget, Job, Subject, Tally
from hybridgen.post import candidates, values

BURST_PLATEAU: Final = 200
"""Runs without anything new that end the search after each answer of the model."""

BURST_WORK: Final = 4.0
"""The work that it may take at most."""


class Answers:
    """What all questions about one module have in common.

    Attributes:
        job: of the run.
        subject: the module.
        budget: its time.
        tally: what is counted.
        search: what takes candidates.
    """

    def __init__(
        self, job: Job, subject: Subject, budget: Budget, tally: Tally, search: Search
    ) -> None:
        self.job = job
        self.subject = subject
        self.budget = budget
        self.tally = tally
        self.search = search

    @property
    def is_blind(self) -> bool:
        """Whether prompts, and their order, must tell nothing of what was seen in runs."""
        module = self.subject.module
        return self.job.settings.context == "drop" and module.project.label > module.label

    @property
    def label(self) -> Label:
        """Of prompts about this module, at the least."""
        module = self.subject.module
        return module.label if self.is_blind else max(module.label, module.project.label)

    def as_seen(self, prompt: Prompt) -> Prompt:
        """The prompt, as confidential as what the runs that led to it could read.

        That goes for the whole request: what it asks about was chosen by what runs showed, even
        where they showed that nothing is missing.
        """
        module = self.subject.module
        seen = module.project.label
        if self.is_blind or seen <= module.label:
            return prompt
        why = "chosen by what runs showed, which may read the whole project"
        request = (replace(p, label=max(p.label, seen), why=why) for p in prompt.request)
        return replace(prompt, request=tuple(request))

    def is_hopeless(self, target: Target, error: EngineError | RemoteError) -> bool:
        """Notes that there is no answer; whether there will be none for others either."""
        self.tally.notes.append(f"{target.qualname}: {error}")
        is_final = isinstance(error, RemoteError) and error.is_final
        is_unusable = isinstance(error, EngineUnusableError) or is_final
        return is_unusable or self.tally.answers == 0

    def has_time(self) -> bool:
        """Whether there is time for another question; notes it where the clock says no."""
        limit = self.limit()
        if not limit.is_over():
            return True
        if limit.is_cut:
            self.tally.late["asking the model"] = None
        return False

    def limit(self) -> Limit:
        """Where the next question would be too late."""
        is_open = bool(self.search.focus.names())  # else only more readable inputs are to be had
        cap = self.budget.finish_at - 1 - self.usual
        work = FIND_WORK if is_open else SEARCH_WORK
        limit = self.budget.limit(self.subject.runner.effort, work, cap)
        limit.seconds -= self.usual  # an answer that would be cut off is not worth its beginning
        return limit

    @property
    def usual(self) -> float:
        """Seconds that an answer usually takes; of several at once, its share."""
        return self.tally.asking / max(1, self.tally.answers)

    def take(
        self,
        completions: Sequence[Completion],
        target: Target,
        seconds: float,
        parameter: str | None = None,
    ) -> None:
        """Tries what answers to one prompt suggest, and searches on from there.

        Args:
            completions: the answers; to a question as a whole, they count as one.
            target: what was asked about.
            seconds: what they cost on the clock.
            parameter: of which the answers are values; None where they are code.
        """
        tally, subject, finish_at = self.tally, self.subject, self.budget.finish_at
        tally.answers += 1
        tally.answered_by[completions[0].backend] += 1
        effort = subject.runner.effort
        tally.asking += seconds
        work = FIND_WORK * self.budget.seconds
        effort.add(min(seconds, max(0.0, work - effort.seconds)))
        for completion in completions:
            tally.tokens += completion.usage.prompt_tokens + completion.usage.completion_tokens
            if parameter is None:
                self.search.take(candidates(completion, subject.module, target), finish_at)
            else:
                self.search.suggest(target, parameter, values(completion), finish_at)
        burst = Limit(effort, min(effort.seconds + BURST_WORK, work), finish_at)
        self.search.run(burst.until, plateau=BURST_PLATEAU)
