"""From candidates to a written file: confirm, choose, render, verify, write."""

from __future__ import annotations

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
from hybridgen.pipeline.doubting import Doubted, doubt, with_further
from hybridgen.pipeline.job import CONFIRM_WORK, MUTANTS_WORK, Budget, Job, Subject, Tally
from hybridgen.pipeline.mutation import Judged, Mutation
from hybridgen.source import display_path, pytest_option

CONFIRM_SHARE = 0.6
"""How much of what is left after the search confirming may take; the rest is for real pytest."""

VERIFY_SHARE, VERIFY_RUNS = 0.25, (3.5, 15)
"""What is kept for real pytest: the time of so many runs, within a share of the budget; at the
least that of the runs that every file takes."""

LEAST_FOR_MUTANTS = 1.5
"""Seconds below which trying mutants is not begun: starting the process takes half of one."""

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
        self.doubted = Doubted()

    def confirm(self, archive: Archive, leads: Sequence[Observation]) -> tuple[Observation, ...]:
        """What is the same in every variation and may become a test."""
        self._job.watcher.stage("confirming")
        subject = self._subject
        deadline = time.monotonic() + max(2.0, self._budget.left * CONFIRM_SHARE)
        observations, dropped = confirm(
            subject.runner,
            with_further(
                archive.candidates, subject.module, subject.targets, archive.observations, leads
            ),
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
        self._job.watcher.stage("trying pytest")
        began = time.monotonic()
        finds_module = subject.verifier.finds_module(subject.path, timeout=REHEARSAL_TIMEOUT)
        each = time.monotonic() - began
        judged = self._judged(observations, covered, each)
        choice = suite.select(
            judged.observations,
            covered=covered,
            targets=subject.targets,
            seed=settings.seed,
            kills=judged.kills,
        )
        chosen = choice.observations
        if not chosen:
            return None
        self._job.watcher.stage("verifying with pytest")
        file = suite.render(
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
        more = {} if finds_module else self._conftest()
        has_changed = False
        for _ in range(RENDER_ROUNDS):
            files = {**more, file.path: file.text}
            verified = subject.verifier.check(
                files, file.path, file.test_names, deadline=self._budget.end - 1.2 * each
            )
            if verified.import_error is not None:
                if has_changed:
                    raise _not_importable(subject.module, verified.import_error)
                more, has_changed = {} if more else self._conftest(), True
                continue
            if not verified.failed:
                self._save(file, more)
                self._tally.notes += suite.replaced_outside(chosen, subject.module)
                return Written(file, verified.arcs, score(judged.kills, choice.noticed))
            self._tally.dropped.update(verified.failed.values())
            file = suite.without(file, verified.failed, line_length=settings.line_length)
            if not file.test_names:
                break
        return None

    def _judged(
        self, observations: Sequence[Observation], covered: frozenset[Arc], each: float
    ) -> Judged:
        """Tries mutants, if there is time.

        Args:
            each: seconds that one run of pytest takes.
        """
        subject, job, budget = self._subject, self._job, self._budget
        least, usual = (number * each for number in VERIFY_RUNS)
        deadline = budget.end - max(least, min(usual, VERIFY_SHARE * budget.seconds))
        limit = budget.limit(subject.runner.effort, MUTANTS_WORK, deadline)
        if deadline - time.monotonic() < LEAST_FOR_MUTANTS:
            self._tally.late["the mutants"] = None
            return Judged(tuple(observations), Kills())
        self._scratch.mkdir()
        nursery = Nursery(subject.module, subject.runner, job.sandbox, self._scratch)
        try:
            mutation = Mutation(job, subject, nursery, limit)
            judged = mutation.judge(observations, covered - subject.runner.import_arcs)
            if mutation.is_cut:
                self._tally.late["the mutants"] = None
            return judged
        finally:
            nursery.close()

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
    )


def _not_importable(module: Module, why: str) -> SourceError:
    if why.startswith(("pytest timeout", "pytest died")):
        return SourceError(
            f"{module.display}: the tests could not be verified: {why}",
            "run the project's own pytest: what hangs or dies there does so here as well",
        )
    python = module.project.interpreter.path
    return SourceError(
        f"{module.display}: plain pytest cannot use the tests: {' '.join(why.split())[-300:]}",
        'tell pytest where the sources are ([tool.pytest.ini_options] pythonpath = ["."]), '
        f"or install the project: {python} -m pip install -e {module.project.root}",
    )
