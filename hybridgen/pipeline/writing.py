"""From candidates to a written file: confirm, choose, render, verify, write."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridgen import suite
from hybridgen.domain import Arc, Module, MutationScore, Observation, TestFile
from hybridgen.domain.mutants import Kills
from hybridgen.errors import SourceError
from hybridgen.explore.archive import Archive
from hybridgen.observe.confirm import confirm
from hybridgen.observe.mutants import Nursery
from hybridgen.observe.verify import conftest_for
from hybridgen.pipeline.consulting import Consultant
from hybridgen.pipeline.doubting import Doubted, doubt, with_further
from hybridgen.pipeline.expecting import Expecting
from hybridgen.pipeline.job import (
    CONFIRM_WORK,
    MUTANTS_WORK,
    POLISH_WORK,
    Budget,
    Job,
    Subject,
    Tally,
)
from hybridgen.pipeline.mutation import Judged, Mutation
from hybridgen.pipeline.polishing import Polishing
from hybridgen.pipeline.wording import Wording
from hybridgen.report.untested import untested_note
from hybridgen.source import display_path, pytest_option

CONFIRM_SHARE = 0.6
"""How much of what is left after the search confirming may take; the rest is for real pytest."""

VERIFY_SHARE, VERIFY_RUNS = 0.25, (3.5, 15)
"""What is kept for real pytest: the time of so many runs, within a share of the budget; at the
least that of the runs that every file takes."""

LOST = frozenset({"timeout", "died", "output"})
"""Why a test is dropped that did not come back."""

LEAST_FOR_MUTANTS = 1.5
"""Seconds below which trying mutants is not begun: starting the process takes half of one."""

POLISH_SHARE = 0.3
"""How much of the clock's time for mutants is kept for making the chosen tests plainer."""

REHEARSAL_TIMEOUT = 20.0
RENDER_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written, or would have been.

    Attributes:
        arcs: what its tests execute.
        mutation: how many mutants they notice, or None if none was tried.
    """

    file: TestFile
    arcs: frozenset[Arc]
    mutation: MutationScore | None


class Writer:
    """Makes the test file of one module.

    Args:
        scratch: a folder of its own that need not exist yet.
    """

    def __init__(
        self, job: Job, subject: Subject, budget: Budget, tally: Tally, scratch: Path
    ) -> None:
        self._scratch = scratch
        self._job = job
        self._subject = subject
        self._budget = budget
        self._tally = tally
        self._consultant = Consultant(job, subject, tally)
        self._finds_module = True
        self._each = 0.0
        self.doubted = Doubted()

    def rehearse(self) -> None:
        """Runs pytest once, on a test of nothing: whether it finds the module, and how long it
        takes on this machine, which is kept of the budget for what has to be run at the least."""
        self._job.watcher.stage("trying pytest")
        subject, began = self._subject, time.monotonic()
        find = subject.verifier.finds_module
        self._finds_module = find(subject.path, timeout=REHEARSAL_TIMEOUT)
        self._each = time.monotonic() - began
        self._budget.keep(VERIFY_RUNS[0] * self._each)

    def confirm(self, archive: Archive, leads: Sequence[Observation]) -> tuple[Observation, ...]:
        """What is the same in every variation and may become a test."""
        subject = self._subject
        limit = self._budget.limit(subject.runner.effort, CONFIRM_WORK, self._budget.end)
        expecting = Expecting(self._consultant, limit)
        leads = (*leads, *expecting.ask(archive.observations, subject.targets))
        self._job.watcher.stage("confirming")
        left = self._budget.left
        least = VERIFY_RUNS[0] * self._each
        deadline = time.monotonic() + max(2.0, min(left * CONFIRM_SHARE, left - least))
        seen = {found.candidate: found for found in archive.observations}
        source = subject.module.source.text
        candidates = [suite.anchored(seen[item], source) for item in archive.candidates]
        observations, dropped = confirm(
            subject.runner,
            with_further(candidates, subject.module, subject.targets, archive.observations, leads),
            seed=self._job.settings.seed,
            deadline=deadline,
            work=CONFIRM_WORK * self._budget.seconds,
        )
        if time.monotonic() >= deadline:
            self._tally.late["confirming"] = None
        self._tally.dropped.update(item.reason for item in dropped)
        mode = self._job.settings.suspects
        self.doubted = doubt(observations, subject.module, subject.targets, mode)
        observations = self.doubted.observations
        if self.doubted.left_out:
            self._tally.dropped["suspect"] += self.doubted.left_out
        if subject.module.only is not None:
            asked = {target.qualname for target in subject.targets}
            observations = tuple(o for o in observations if o.candidate.target in asked)
        kept, reasons = suite.screened(observations, subject.module, subject.import_name)
        self._tally.dropped.update(reasons)
        return kept

    def write(self, observations: Sequence[Observation], covered: frozenset[Arc]) -> Written | None:
        """Chooses, renders and verifies until all that is left passes; then writes.

        Args:
            covered: arcs that need no test.

        Returns:
            The file with what it covers and notices, or None if no test is left.

        Raises:
            SourceError: plain pytest cannot import the module.
        """
        subject, settings = self._subject, self._job.settings
        if not observations:
            return None
        choice, kills = self._chosen(observations, covered)
        chosen = choice.observations
        if not chosen:
            return None
        render = functools.partial(
            suite.render,
            subject.module,
            subject.import_name,
            chosen,
            path=subject.path,
            previous=subject.previous,
            line_length=settings.line_length,
            suspects=self.doubted.promised,
            python_classes=pytest_option(subject.module.project.root, "python_classes"),
            python_functions=pytest_option(subject.module.project.root, "python_functions"),
        )
        file = render()
        if names := Wording(self._consultant, self._verifying_from()).names(file):
            file = render(names=names)
        self._job.watcher.stage("verifying with pytest")
        more = {} if self._finds_module else self._conftest()
        has_changed = False
        for _ in range(RENDER_ROUNDS):
            files = {**more, file.path: file.text}
            verified = subject.verifier.check(
                files, file.path, file.test_names, deadline=self._budget.end - 1.2 * self._each
            )
            if verified.import_error is not None:
                if has_changed:
                    raise _not_importable(subject.module, verified.import_error)
                more, has_changed = {} if more else self._conftest(), True
                continue
            if not verified.failed:
                self._save(file, more)
                self._tally.notes += suite.replaced_outside(chosen, subject.module)
                if note := untested_note(subject.targets, verified.arcs | covered):
                    self._tally.notes.append(note)
                return Written(file, verified.arcs, score(kills, choice.noticed))
            self._tally.dropped.update(verified.failed.values())
            reasons = set(verified.failed.values())
            if len(verified.failed) == len(file.test_names) and reasons <= LOST:
                raise _not_verified(subject.module, min(reasons), self._budget.seconds)
            file = suite.without(file, verified.failed, line_length=settings.line_length)
            if not file.test_names:
                break
        return None

    def _chosen(
        self, observations: Sequence[Observation], covered: frozenset[Arc]
    ) -> tuple[suite.Choice, Kills]:
        """Chooses by what mutants are noticed, if there is time, and makes tests plainer."""
        subject, job, budget = self._subject, self._job, self._budget
        deadline = self._verifying_from()
        # What is made plainer after the mutants has a part of the time that is left on the clock.
        cap = time.monotonic() + (1 - POLISH_SHARE) * (deadline - time.monotonic())
        limit = budget.limit(subject.runner.effort, MUTANTS_WORK, cap)
        if deadline - time.monotonic() < LEAST_FOR_MUTANTS:
            self._tally.late["the mutants"] = None
            return self._selected(Judged(tuple(observations), Kills()), covered), Kills()
        self._scratch.mkdir()
        nursery = Nursery(subject.module, subject.runner, job.sandbox, self._scratch)
        try:
            mutation = Mutation(self._consultant, nursery, limit)
            judged = mutation.judge(observations, covered - subject.runner.import_arcs)
            if mutation.is_cut:
                self._tally.late["the mutants"] = None
            choice = self._selected(judged, covered)
            job.watcher.stage("making tests plainer")
            limit = budget.limit(subject.runner.effort, POLISH_WORK, deadline)
            polishing = Polishing(subject, nursery, limit, seed=job.settings.seed)
            return polishing.polish(choice, judged.kills), judged.kills
        finally:
            nursery.close()

    def _verifying_from(self) -> float:
        """When running real pytest has to begin, by what one run of it takes."""
        least, usual = (number * self._each for number in VERIFY_RUNS)
        return self._budget.end - max(least, min(usual, VERIFY_SHARE * self._budget.seconds))

    def _selected(self, judged: Judged, covered: frozenset[Arc]) -> suite.Choice:
        return suite.select(
            judged.observations,
            covered=covered,
            targets=self._subject.targets,
            seed=self._job.settings.seed,
            kills=judged.kills,
        )

    def _conftest(self) -> dict[Path, str]:
        return conftest_for(self._subject.path.parent, self._subject.runner.import_name.root)

    def _save(self, file: TestFile, more: Mapping[Path, str]) -> None:
        for path in more:
            self._tally.notes.append(
                f"{display_path(path)} is needed too, so that plain pytest finds the project: "
                + ("it is not written" if self._job.is_dry_run else "written")
            )
        if self._job.is_dry_run:
            return
        root = self._subject.module.project.root
        suite.write(file, root=root)  # first: where it is refused, nothing else is written
        for path, text in more.items():
            suite.write(TestFile(path, text, None, (), file.label), root=root)


def score(kills: Kills, noticed: frozenset[int]) -> MutationScore | None:
    """How many of the mutants that were tried the chosen tests notice."""
    if not kills.mutants:
        return None
    left = [index for index in range(len(kills.mutants)) if index not in noticed]
    told = {index: kills.mutants[index].describe() for index in left}
    return MutationScore(
        killed=len(kills.mutants) - len(left),
        total=len(kills.mutants),
        survivors=tuple(text for index, text in told.items() if index not in kills.equivalent),
        equivalent=tuple(text for index, text in told.items() if index in kills.equivalent),
        untried=kills.untried,
    )


def _not_verified(module: Module, reason: str, seconds: float) -> SourceError:
    """No test came back: what to tell, also where the project has no tests of its own."""
    python, root = module.project.interpreter.path, module.project.root
    told = "did not end in time" if reason == "timeout" else f"ended without a result ({reason})"
    return SourceError(
        f"{module.display}: the tests could not be verified: pytest {told}",
        f"see whether this ends: cd {root} && {python} -m pytest --collect-only; if it does, "
        f"--budget {2 * seconds:.0f} gives more time",
    )


def _not_importable(module: Module, why: str) -> SourceError:
    python = module.project.interpreter.path
    return SourceError(
        f"{module.display}: plain pytest cannot use the tests: {' '.join(why.split())[-300:]}",
        'tell pytest where the sources are ([tool.pytest.ini_options] pythonpath = ["."]), '
        f"or install the project: {python} -m pip install -e {module.project.root}",
    )
