"""Finds candidates: search, then the model for what is open, then search with what it taught."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from hybridgen.backends import Backend
from hybridgen.backends.batching import ahead, at_once
from hybridgen.domain import Completion, Fragment, Observation, Prompt, Target
from hybridgen.engine import EngineUnusableError
from hybridgen.errors import EngineError, RemoteError
from hybridgen.explore.archive import Archive
from hybridgen.explore.examples import docstring_candidates, mention_candidates
from hybridgen.explore.search import Search
from hybridgen.observe.confirm import VARIATIONS
from hybridgen.observe.effort import Limit
from hybridgen.pipeline.job import (
    CONFIRM_WORK,
    FIND_WORK,
    LEAST_SEARCH_SHARE,
    SEARCH_ALONE_WORK,
    SEARCH_CAP,
    SEARCH_WORK,
    SIMPLIFY_WORK,
    Budget,
    Job,
    Subject,
    Tally,
)
from hybridgen.post import candidates
from hybridgen.prompt import build_prompt
from hybridgen.source import mentions, missing_fragments

SIMPLIFY_SHARE = 0.15
"""How much of what is left after the search may go into making its finds readable."""

LEAST_SIMPLIFY_WORK = 0.03
"""The share of the budget that this gets even where confirming is slow."""

BURST_PLATEAU = 200
"""Runs without anything new that end the search after each answer of the model."""

BURST_WORK = 4.0
"""The work that it may take at most."""

ASKING_TURNS = 3

BATCH_SECONDS = 50.0
"""What prompts that are asked at once may take, if the server takes one after the other: no answer
is waited for longer than a minute."""


class Finder:
    """Fills an archive with candidates for one module."""

    def __init__(
        self, job: Job, subject: Subject, budget: Budget, tally: Tally, archive: Archive
    ) -> None:
        self._job = job
        self._subject = subject
        self._budget = budget
        self._tally = tally
        self._archive = archive
        self._search = Search(
            subject.module,
            subject.targets,
            subject.runner,
            archive,
            seed=job.settings.seed,
            watcher=subject.operands,
        )
        self._focus = self._search.focus

    @property
    def leads(self) -> tuple[Observation, ...]:
        """What was seen besides, that can become no test but may point at a bug."""
        return self._search.leads.observations

    def find(self) -> None:
        """Examples, search, model, search; until nothing new comes or time is up."""
        watcher, search, backend = self._job.watcher, self._search, self._job.backend
        watcher.stage("trying examples")
        for target in self._subject.targets:
            found = docstring_candidates(self._subject.module, target)
            search.take(found, self._budget.finish_at)
        elsewhere = mentions(self._subject.module, self._subject.labeller)
        found = mention_candidates(self._subject.module, self._subject.targets, elsewhere)
        search.take(found, self._budget.finish_at)
        watcher.stage("searching")
        if backend is None:
            self._run(SEARCH_ALONE_WORK, self._budget.end)
        else:
            self._run(SEARCH_WORK, self._budget.share(SEARCH_CAP))
            self._ask(backend)
            watcher.stage("searching")
            self._run(FIND_WORK, self._budget.end)
        watcher.stage("simplifying")
        cap = time.monotonic() + max(1.0, self._budget.left * SIMPLIFY_SHARE)
        limit = self._limit(SIMPLIFY_WORK, cap)
        spent = self._subject.runner.effort.seconds
        least = spent + LEAST_SIMPLIFY_WORK * self._budget.seconds
        limit.seconds = max(least, min(limit.seconds, self._before_confirming()))
        search.simplify(cap, limit.is_over)
        self._tally.dropped.update(search.report.dropped)

    def _limit(self, work: float, cap: float) -> Limit:
        return self._budget.limit(self._subject.runner.effort, work, cap)

    def _run(self, work: float, cap: float) -> None:
        """Searches until a share of the budget is done as work, or the clock says so."""
        self._search.run(lambda: min(cap, self._until(work)), on_turn=self._job.watcher.advance)
        if time.monotonic() >= min(cap, self._budget.finish_at) and self._focus.names():
            self._tally.late["the search"] = None

    def _until(self, work: float) -> float:
        """The usual end, earlier where confirming what was found will take longer."""
        end = self._budget.reserve(self._runs_to_confirm() * self._search.report.seconds_per_run)
        least = LEAST_SEARCH_SHARE * self._budget.seconds
        limit = self._limit(work, end)
        limit.seconds = max(least, min(limit.seconds, self._before_confirming()))
        return limit.until()

    def _runs_to_confirm(self) -> float:
        return 1.5 * len(self._archive.candidates) * len(VARIATIONS)

    def _before_confirming(self) -> float:
        """The work after which there is no more than confirming takes of its share."""
        price = self._runs_to_confirm() * self._search.report.work_per_run
        return CONFIRM_WORK * self._budget.seconds - price

    def _ask(self, backend: Backend) -> None:
        """Asks the model about each target once, the most open first; then again what is open."""
        for turn in range(1 if self._is_blind else ASKING_TURNS):
            queue = self._queue(turn)
            number = 0
            while number < len(queue):
                if not self._has_time_to_ask():
                    return
                self._job.watcher.stage(f"asking the model about {queue[number].qualname}")
                self._job.watcher.advance(number, len(queue))
                asked = self._ask_next(queue[number:], turn, backend)
                if not asked:
                    return
                number += asked

    def _ask_next(self, queue: Sequence[Target], turn: int, backend: Backend) -> int:
        """Asks about the first ones of ``queue``, as many as are asked at once.

        Their prompts tell what is known before the first of them is answered, and their answers
        are taken in the order of the queue: what comes of it does not depend on who answers first.

        Returns:
            How many it asked about; 0 if it will not work for the next one either.
        """
        try:
            batch = self._prompts(queue, backend)
        except (EngineError, RemoteError) as error:
            return 0 if self._is_hopeless(queue[0], error) else 1
        if len(batch) == 1:
            return self._answered(queue, batch, turn, backend)
        first, settings = queue[0].qualname, self._job.settings
        self._job.watcher.stage(f"asking the model about {first} and {len(batch) - 1} more")
        with ahead(
            backend,
            batch,
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            seed=settings.seed + turn,
            deadline=self._budget.finish_at,
        ):
            return self._answered(queue, batch, turn, backend)

    def _answered(
        self, queue: Sequence[Target], batch: Sequence[Prompt], turn: int, backend: Backend
    ) -> int:
        """Takes the answers to ``batch``; returns what :meth:`_ask_next` does."""
        settings = self._job.settings
        is_hopeless, is_in_turn, longest = False, False, 0.0
        for target, prompt in zip(queue, batch, strict=False):
            if is_in_turn and not self._has_time_to_ask():
                return 0
            try:
                completion = backend.complete(
                    prompt,
                    max_tokens=settings.max_tokens,
                    temperature=settings.temperature,
                    seed=settings.seed + turn,
                    deadline=self._budget.finish_at,
                    on_text=lambda text: self._job.watcher.advance(),
                )
            except (EngineError, RemoteError) as error:
                is_hopeless = is_hopeless or self._is_hopeless(target, error)
                continue
            seconds = completion.usage.seconds
            is_in_turn = completion.backend == "local"
            if not is_in_turn:  # of those in flight at once the longest counts
                seconds, longest = max(0.0, seconds - longest), max(longest, seconds)
            self._take(completion, target, seconds)
        return 0 if is_hopeless else len(batch)

    def _is_hopeless(self, target: Target, error: EngineError | RemoteError) -> bool:
        """Notes that there is no answer; whether there will be none for others either."""
        self._tally.notes.append(f"{target.qualname}: {error}")
        is_final = isinstance(error, RemoteError) and error.is_final
        is_unusable = isinstance(error, EngineUnusableError) or is_final
        return is_unusable or self._tally.answers == 0

    @property
    def _is_blind(self) -> bool:
        """Whether prompts, and their order, must tell nothing of what was seen in runs."""
        module = self._subject.module
        return self._job.settings.context == "drop" and module.project.label > module.label

    def _queue(self, turn: int) -> Sequence[Target]:
        if self._is_blind:
            return self._subject.targets
        return self._focus.ordered(only_open=turn > 0)

    def _missing(self, target: Target) -> tuple[Fragment, ...]:
        """What nothing has reached yet."""
        if self._is_blind:
            return ()
        return missing_fragments(self._subject.module, target, self._focus.missing_lines())

    def _as_seen(self, prompt: Prompt) -> Prompt:
        """The prompt, as confidential as what the runs that led to it could read.

        That goes for the whole request: what it asks about was chosen by what runs showed, even
        where they showed that nothing is missing.
        """
        module = self._subject.module
        seen = module.project.label
        if self._is_blind or seen <= module.label:
            return prompt
        why = "chosen by what runs showed, which may read the whole project"
        request = (replace(p, label=max(p.label, seen), why=why) for p in prompt.request)
        return replace(prompt, request=tuple(request))

    def _has_time_to_ask(self) -> bool:
        limit = self._asking_limit()
        if not limit.is_over():
            return True
        if limit.is_cut:
            self._tally.late["asking the model"] = None
        return False

    def _asking_limit(self) -> Limit:
        """Where the next question would be too late."""
        is_open = bool(self._focus.names())  # else only more readable inputs are to be had
        cap = self._budget.finish_at - 1 - self._usual
        limit = self._limit(FIND_WORK if is_open else SEARCH_WORK, cap)
        limit.seconds -= self._usual  # an answer that would be cut off is not worth its beginning
        return limit

    @property
    def _usual(self) -> float:
        """Seconds that an answer usually takes; of several at once, its share."""
        return self._tally.asking / max(1, self._tally.answers)

    def _affordable(self, most: int) -> int:
        """How many of ``most`` prompts there is time for, even if they are answered in turn.

        The first one goes alone: it shows whether there are answers, and how fast they come.
        """
        if most == 1 or self._tally.answers == 0:
            return 1
        limit, usual = self._asking_limit(), self._usual
        work = limit.seconds - limit.effort.seconds
        clock = (limit.deadline - time.monotonic()) / 2  # a stand-in may need the other half
        room = min(work + usual, clock + usual, BATCH_SECONDS)
        return max(1, min(most, int(room / usual))) if usual else most

    def _prompts(self, queue: Sequence[Target], backend: Backend) -> list[Prompt]:
        """Those that are asked next: as many as the backend takes at once, if there is time."""
        prompts = [self._prompt(queue[0], backend)]
        size = self._affordable(at_once(backend, prompts[0].label))
        prompts += (self._prompt(target, backend) for target in queue[1:size])
        for prompt in prompts:
            self._tally.cut.update(prompt.cut)
        return prompts

    def _prompt(self, target: Target, backend: Backend) -> Prompt:
        subject, finish_at = self._subject, self._budget.finish_at
        prompt = build_prompt(
            subject.module,
            target,
            import_name=subject.import_name,
            missing=self._missing(target),
            examples=(),
            count_tokens=lambda texts: backend.count_tokens(texts, deadline=finish_at),
        )
        return self._as_seen(prompt)

    def _take(self, completion: Completion, target: Target, seconds: float) -> None:
        """Tries what an answer suggests, and searches on from there.

        Args:
            seconds: what it cost on the clock.
        """
        tally, subject, finish_at = self._tally, self._subject, self._budget.finish_at
        tally.answers += 1
        tally.answered_by[completion.backend] += 1
        effort = subject.runner.effort
        tally.asking += seconds
        work = FIND_WORK * self._budget.seconds
        effort.add(min(seconds, max(0.0, work - effort.seconds)))
        tally.tokens += completion.usage.prompt_tokens + completion.usage.completion_tokens
        self._search.take(candidates(completion, subject.module, target), finish_at)
        burst = Limit(effort, min(effort.seconds + BURST_WORK, work), finish_at)
        self._search.run(burst.until, plateau=BURST_PLATEAU)
