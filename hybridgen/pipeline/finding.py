"""Finds candidates: search, then the model for what is open, then search with what it taught."""

from __future__ import annotations

import time

from hybridgen.backends import Backend
from hybridgen.domain import Observation, Target
from hybridgen.engine import EngineUnusableError
from hybridgen.errors import EngineError
from hybridgen.explore.archive import Archive
from hybridgen.explore.examples import docstring_candidates, mention_candidates
from hybridgen.explore.focus import Focus
from hybridgen.explore.search import Search
from hybridgen.observe.confirm import VARIATIONS
from hybridgen.pipeline.job import Budget, Job, Subject, Tally
from hybridgen.post import candidates
from hybridgen.prompt import build_prompt
from hybridgen.source import mentions, missing_fragments

SEARCH_SHARE = 0.3
"""How much of a budget the search may take before the model is asked."""

PREFILL_SHARE = 0.35
"""How much of a budget may go into reading prompts; the rest is for answers."""

SIMPLIFY_SHARE = 0.15
"""How much of what is left after the search may go into making its finds readable."""

BURST_PLATEAU = 200
"""Runs without anything new that end the search after each answer of the model."""

BURST_SECONDS = 6.0
"""What it may take at most."""

ASKING_TURNS = 3


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
        self._focus = Focus(subject.module, subject.targets, archive)
        self._search = Search(
            subject.module,
            subject.targets,
            subject.runner,
            archive,
            seed=job.settings.seed,
            watcher=subject.operands,
        )

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
        elsewhere = mentions(self._subject.module)
        found = mention_candidates(self._subject.module, self._subject.targets, elsewhere)
        search.take(found, self._budget.finish_at)
        watcher.stage("searching")
        share = self._budget.end if backend is None else self._budget.share(SEARCH_SHARE)
        search.run(lambda: min(share, self._until()), self._focus.names, on_turn=watcher.advance)
        if backend is not None:
            self._ask(backend)
            watcher.stage("searching")
            search.run(self._until, self._focus.names, on_turn=watcher.advance)
        watcher.stage("simplifying")
        search.simplify(time.monotonic() + max(1.0, self._budget.left * SIMPLIFY_SHARE))
        self._tally.dropped.update(search.report.dropped)

    def _until(self) -> float:
        """The usual end, earlier where confirming what was found will take longer."""
        runs = len(self._archive.candidates) * len(VARIATIONS)
        return self._budget.reserve(1.5 * runs * self._search.report.seconds_per_run)

    def _ask(self, backend: Backend) -> None:
        """Asks the model about each target once, the most open first; then again what is open."""
        for turn in range(ASKING_TURNS):
            queue = self._focus.ordered(only_open=turn > 0)
            for number, target in enumerate(queue):
                if not self._has_time_to_ask():
                    return
                self._job.watcher.stage(f"asking the model about {target.qualname}")
                self._job.watcher.advance(number, len(queue))
                try:
                    self._ask_about(target, turn, backend)
                except EngineError as error:
                    self._tally.notes.append(f"{target.qualname}: {error}")
                    if isinstance(error, EngineUnusableError) or self._tally.answers == 0:
                        return  # it will not work for the next target either

    def _has_time_to_ask(self) -> bool:
        end = self._budget.finish_at - 1
        if not self._focus.names():  # only more readable inputs are to be had
            end = min(end, self._budget.share(SEARCH_SHARE))
        is_reading_too_long = self._tally.prefill > PREFILL_SHARE * self._budget.seconds
        return time.monotonic() < end and not is_reading_too_long

    def _ask_about(self, target: Target, turn: int, backend: Backend) -> None:
        settings, subject, tally = self._job.settings, self._subject, self._tally
        finish_at = self._budget.finish_at
        prompt = build_prompt(
            subject.module,
            target,
            import_name=subject.import_name,
            missing=missing_fragments(subject.module, target, self._focus.missing_lines()),
            examples=(),
            count_tokens=lambda texts: backend.count_tokens(texts, deadline=finish_at),
        )
        tally.cut.update(prompt.cut)
        asked_at = time.monotonic()
        first_text_at: list[float] = []

        def on_text(text: str) -> None:
            if not first_text_at:
                first_text_at.append(time.monotonic())
            self._job.watcher.advance()

        completion = backend.complete(
            prompt,
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            seed=settings.seed + turn,
            deadline=finish_at,
            on_text=on_text,
        )
        tally.answers += 1
        tally.prefill += (first_text_at or [time.monotonic()])[0] - asked_at
        tally.tokens += completion.usage.prompt_tokens + completion.usage.completion_tokens
        self._search.take(candidates(completion, subject.module, target), finish_at)
        until = min(time.monotonic() + BURST_SECONDS, finish_at)
        self._search.run(lambda: until, self._focus.names, plateau=BURST_PLATEAU)
