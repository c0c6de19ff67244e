"""Finds candidates: search, then the model for what is open, then search with what it taught."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hybridgen.backends import Backend
from hybridgen.backends.beginning import begin
from hybridgen.domain import Observation
from hybridgen.explore.archive import Archive
from hybridgen.explore.examples import docstring_candidates, mention_candidates
from hybridgen.explore.search import PLATEAU, Search
from hybridgen.observe.confirm import VARIATIONS
from hybridgen.observe.effort import Limit
from hybridgen.pipeline.answers import Answers
from hybridgen.pipeline.consulting import Consultant
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
from hybridgen.pipeline.questioning import Questioning
from hybridgen.source import mentions

SIMPLIFY_SHARE = 0.15
"""How much of what is left after the search may go into making its finds readable."""

LEAST_SIMPLIFY_WORK = 0.03
"""The share of the budget that this gets even where confirming is slow."""

PATIENCE: Final[Mapping[str, float]] = MappingProxyType(
    {"quick": 0.5, "normal": 1.0, "thorough": 4.0}
)
"""How long the search goes on without a find, by the effort, as a part of what is usual."""

LOAD_AFTER: Final = 2.0
"""Seconds of search after which the model begins to load: small modules are done by then."""


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
        self._load_at = time.monotonic() + LOAD_AFTER

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
        patience = PATIENCE[self._job.settings.effort]
        self._search.run(
            lambda: min(cap, self._until(work)),
            plateau=int(patience * PLATEAU),
            on_turn=self._turn,
        )
        if time.monotonic() >= min(cap, self._budget.finish_at) and self._focus.names():
            self._tally.late["the search"] = None

    def _turn(self) -> None:
        """Shows that it goes on; lets the model load meanwhile where there will be questions."""
        self._job.watcher.advance()
        if time.monotonic() < self._load_at:
            return
        self._load_at = math.inf
        module = self._subject.module
        if self._job.backend is not None and self._focus.names():
            consultant = Consultant(self._job, self._subject, self._tally)
            begin(self._job.backend, consultant.label, module.source.text)

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
        """Asks about what is open; where prompts must tell nothing of runs, about everything."""
        consultant = Consultant(self._job, self._subject, self._tally)
        if consultant.is_blind or self._focus.names():
            answers = Answers(consultant, self._budget, self._search)
            Questioning(answers, self._archive, backend).ask()
