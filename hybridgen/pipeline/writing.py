"""From candidates to a written file: confirm, choose, render, verify, write."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from hybridgen import suite
from hybridgen.domain import Arc, Module, Observation, TestFile
from hybridgen.errors import SourceError
from hybridgen.explore.archive import Archive
from hybridgen.observe.confirm import confirm
from hybridgen.observe.verify import conftest_for
from hybridgen.pipeline.job import Budget, Job, Subject, Tally
from hybridgen.source import display_path

CONFIRM_SHARE = 0.6
"""How much of what is left after the search confirming may take; the rest is for real pytest."""

RENDER_ROUNDS = 5
SHOWN_CONTRADICTIONS = 5


class Writer:
    """Makes the test file of one module."""

    def __init__(self, job: Job, subject: Subject, budget: Budget, tally: Tally) -> None:
        self._job = job
        self._subject = subject
        self._budget = budget
        self._tally = tally

    def confirm(self, archive: Archive) -> tuple[Observation, ...]:
        """What is the same in every variation and may become a test."""
        self._job.watcher.stage("confirming")
        subject = self._subject
        observations, dropped = confirm(
            subject.runner,
            archive.candidates,
            seed=self._job.settings.seed,
            deadline=time.monotonic() + max(2.0, self._budget.left * CONFIRM_SHARE),
        )
        self._tally.dropped.update(item.reason for item in dropped)
        for observation in observations:
            self._note_contradiction(observation)
        if subject.module.only is not None:
            asked = {target.qualname for target in subject.targets}
            observations = tuple(o for o in observations if o.candidate.target in asked)
        kept, reasons = suite.screened(observations, subject.module, subject.import_name)
        self._tally.dropped.update(reasons)
        return kept

    def _note_contradiction(self, observation: Observation) -> None:
        """Says where a docstring's example and the code disagree: nobody else will see it."""
        # With set-up before it, the example may have been meant in another state.
        if observation.candidate.origin != "docstring" or len(observation.candidate.steps) > 1:
            return
        for step, result in zip(observation.candidate.steps, observation.results, strict=True):
            if result.opinion_holds is False and len(self._tally.notes) < SHOWN_CONTRADICTIONS:
                wanted = (step.opinion or "").replace("_ == ", "")
                self._tally.notes.append(
                    f"{observation.candidate.target}: the docstring says that {step.code} "
                    f"gives {wanted}, and the code disagrees"
                )

    def write(
        self, observations: Sequence[Observation], covered: frozenset[Arc]
    ) -> tuple[TestFile, frozenset[Arc]] | None:
        """Chooses, renders and verifies until all that is left passes; then writes.

        Args:
            covered: arcs that need no test.

        Returns:
            The file and the arcs that its tests execute, or None if no test is left.

        Raises:
            SourceError: plain pytest cannot import the module.
        """
        subject, settings = self._subject, self._job.settings
        chosen = suite.choose(
            observations, covered=covered, targets=subject.targets, seed=settings.seed
        )
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
        )
        more: dict[Path, str] = {}
        for _ in range(RENDER_ROUNDS):
            files = {**more, file.path: file.text}
            verified = subject.verifier.check(
                files, file.path, file.test_names, deadline=self._budget.end - 3
            )
            if verified.import_error is not None:
                more = {} if more else self._conftest()
                if not more:
                    raise _not_importable(subject.module, verified.import_error)
                continue
            if not verified.failed:
                self._save(file, more)
                return file, verified.arcs
            self._tally.dropped.update(verified.failed.values())
            file = suite.without(file, verified.failed, line_length=settings.line_length)
            if not file.test_names:
                break
        return None

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
