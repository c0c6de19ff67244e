"""The work on one module, from its path to its outcome."""

from __future__ import annotations

import ast
import contextlib
import errno
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from hybridgen import suite
from hybridgen.domain import Arc, Coverage, Label, Outcome, Route, SourceFile
from hybridgen.errors import (
    HybridgenError,
    PolicyRefusal,
    RunnerError,
    SettingsError,
    SourceError,
    UsageError,
)
from hybridgen.explore.archive import Archive
from hybridgen.explore.focus import Focus
from hybridgen.label import unlabelled
from hybridgen.lockdown import probe
from hybridgen.observe.measure import measure
from hybridgen.observe.operands import Watcher as OperandWatcher
from hybridgen.observe.runner import Runner
from hybridgen.observe.verify import Verifier
from hybridgen.pipeline.cleared_copy import cleared_copy
from hybridgen.pipeline.finding import Finder
from hybridgen.pipeline.job import Budget, Job, Subject, Tally
from hybridgen.pipeline.packages import packages_for
from hybridgen.pipeline.stages import StageClock
from hybridgen.pipeline.stricter import StricterImports
from hybridgen.pipeline.writing import Writer
from hybridgen.route import CLEARANCE, plan_route, steps
from hybridgen.source import (
    Selection,
    chosen_targets,
    display_path,
    find_project,
    pytest_option,
    read_module,
    tests_of,
)

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
NOTHING_COVERED = Coverage(0.0, 0.0, 0.0)
EXISTING_SHARE = 0.15
"""How much of a budget a run of the existing tests may take."""


class Unit:
    """The work on one module.

    Args:
        scratch: an empty folder of its own.
        started: when its budget began, on the clock of ``time.monotonic``.
    """

    def __init__(self, job: Job, selection: Selection, scratch: Path, started: float) -> None:
        self._stages = StageClock(job.watcher)
        self._job = replace(job, watcher=self._stages)
        self._selection = selection
        self._scratch = scratch
        self._budget = Budget(started, job.settings.seconds)
        self._tally = Tally()
        self._stale: set[str] = set()  # tests of ours that the code has outgrown
        display = display_path(selection.path)
        unread = unlabelled("", display)
        self._outcome = Outcome(
            path=display,
            label=unread.label,
            why=unread.why,
            route=Route("none", "no model was asked"),
            model=None,
            interpreter="none",
            locks=probe().name,
        )

    def outcome(self) -> Outcome:
        """Does the work; whatever goes wrong on purpose becomes part of the outcome."""
        try:
            self._work()
        except (UsageError, SettingsError):
            raise  # it would be the same for every module
        except HybridgenError as error:
            code = error.exit_code if isinstance(error, PolicyRefusal) else 1
            self._note(error=str(error), exit_code=code)
        except (OSError, sqlite3.Error) as error:
            if isinstance(error, OSError) and error.errno not in _NO_ROOM:
                raise
            why = f"scratch files cannot be written in {tempfile.gettempdir()}: {error}"
            hint = "make room there, or name another folder in TMPDIR"
            self._note(error=str(RunnerError(why, hint)), exit_code=1)
        if self._tally.cut:
            cut = ", ".join(sorted(self._tally.cut))
            self._tally.notes.append(f"left out of prompts to keep them short: {cut[:300]}")
        if self._tally.late:
            late, seconds = ", ".join(self._tally.late), self._budget.seconds
            self._tally.notes.append(
                f"time ran out during {late}, so another run may give another file: "
                f"--budget {2 * seconds:.0f} gives more time"
            )
        self._tally.notes += self._detours()
        self._tally.notes += self._job.policy.remarks()
        self._stages.stop()
        self._note(
            stages=dict(self._stages.seconds),
            tests_dropped=dict(sorted(self._tally.dropped.items())),
            tokens=self._tally.tokens,
            questions=dict(self._tally.questions),
            seconds=time.monotonic() - self._budget.started,
            notes=tuple(self._tally.notes),
        )
        return self._outcome

    def _detours(self) -> Iterator[str]:
        """Says where answers came from another backend than the route, and why."""
        others = [
            f"{count} from {name}"
            for name, count in self._tally.answered_by.items()
            if name in CLEARANCE and name != self._outcome.route.backend
        ]
        if others:
            yield "; ".join([f"answers: {', '.join(others)}", *self._job.policy.failures()])

    def _note(self, **changes: Any) -> None:
        self._outcome = replace(self._outcome, **changes)

    def _work(self) -> None:
        settings, watcher = self._job.settings, self._job.watcher
        watcher.stage("reading")
        project = find_project(self._selection.path, python=settings.python, tests=settings.tests)
        labeller = self._job.policy.labeller(project.root)
        self._job.policy.prepare(labeller)
        module = read_module(self._selection, project, labeller)
        self._note(label=module.label, why=module.source.why)
        self._choose_backend(module.label, module.source.sources)
        targets = tuple(t for t in chosen_targets(module) if module.only or not t.is_private)
        workers, watched, verifying = (
            self._scratch / name for name in ("workers", "operands", "pytest")
        )
        for folder in (workers, watched, verifying):
            folder.mkdir()
        runner = Runner(module, self._job.sandbox, workers)
        operands = OperandWatcher(module, runner, self._job.sandbox, watched)
        try:
            watcher.stage("importing")
            self._note(interpreter=f"{project.interpreter.path} ({project.interpreter.why})")
            import_name = runner.open().name
            patterns = pytest_option(project.root, "python_files")
            path = collectable(suite.test_path(module, project), patterns)
            previous, kept = _previous(path, module.only)
            self._test(
                Subject(
                    module=module,
                    import_name=import_name,
                    targets=targets,
                    runner=runner,
                    operands=operands,
                    verifier=Verifier(module, import_name, self._job.sandbox, verifying),
                    path=path
                    if previous is not None or not path.exists()
                    else suite.sibling_path(path),
                    previous=previous,
                    kept=kept,
                    labeller=labeller,
                )
            )
        finally:
            operands.close()
            runner.close()

    def _choose_backend(self, label: Label, files: Sequence[SourceFile] = ()) -> None:
        """Notes the route; where nobody is there who may read the label, nobody is asked."""
        policy, backend = self._job.policy, self._job.settings.backend
        try:
            self._note(route=plan_route(label, backend, policy.remotes, self._outcome.path))
        except PolicyRefusal:
            policy.refused(files, backend)
            raise
        if self._job.backend is None:
            return
        names = [name for name in steps(label, backend, policy.remotes) if name in policy.models]
        if not names:
            self._job = replace(self._job, backend=None)
            return
        self._note(model=policy.models[names[0]])

    def _test(self, subject: Subject) -> None:
        self._job.watcher.stage("running the existing tests")
        existing = tests_of(subject.module, subject.module.project)
        all_arcs, kept_arcs = self._existing(subject, existing)
        at_import = subject.runner.import_arcs
        before = measure(subject.module.path, at_import | all_arcs)
        self._note(
            coverage_before=before.coverage if existing else NOTHING_COVERED,
            coverage_after=before.coverage,
        )
        is_covered = not Focus(subject.module, subject.targets, at_import | all_arcs).open()
        if existing and is_covered and not self._stale:
            return
        covered = at_import | kept_arcs
        writer = Writer(self._job, subject, self._budget, self._tally, self._scratch / "mutants")
        writer.rehearse()
        with self._place_to_find(subject, covered) as (finding, archive):
            finder = Finder(self._job, finding, self._budget, self._tally, archive)
            finder.find()
        confirmed = writer.confirm(archive, finder.leads)
        self._note(suspects=writer.doubted.suspects)
        written = writer.write(confirmed, covered)
        if written is None:
            self._note(exit_code=1)
            return
        file, arcs = written.file, written.arcs
        display = display_path(file.path)
        self._note(
            test_file=display,
            tests_kept=len(file.test_names),
            coverage_after=measure(subject.module.path, covered | arcs).coverage,
            mutation=written.mutation,
            diff=suite.diff(file, display) if self._job.is_dry_run else None,
        )

    @contextlib.contextmanager
    def _place_to_find(
        self, subject: Subject, covered: frozenset[Arc]
    ) -> Iterator[tuple[Subject, Archive]]:
        """Where candidates are found, and what is covered there.

        What runs show goes into prompts. So where prompts may leave this machine, that is a copy
        of what they may know of; existing tests and what they cover are not told there. Where the
        code does not run in it, all that runs show is confidential.
        """
        if self._outcome.route.backend == "local" or self._job.backend is None:
            yield subject, Archive(covered)
            return
        with contextlib.ExitStack() as stack:
            try:
                cleared = self._in_cleared_copy(subject, stack)
            except HybridgenError as error:
                why = error.message.replace(f"{self._scratch / 'open'}/", "")
                self._stay_closed(why, subject)
                yield subject, Archive(covered)
                return
            yield cleared, Archive(cleared.runner.import_arcs)
            subject.runner.effort.add(cleared.runner.effort.seconds)

    def _closed_packages(self, subject: Subject) -> tuple[str, ...]:
        """What the module needs of what is installed and was not named as fit for its prompts."""
        module = subject.module
        imports = StricterImports(subject.labeller)
        names = frozenset().union(*(imports.outside(file) for file in module.source.sources))
        packages = packages_for(module.project.interpreter, self._job.settings)
        return packages.closed(names, module.label)

    def _stay_closed(self, why: str, subject: Subject) -> None:
        """What becomes of prompts where the code does not run in a cleared copy."""
        label = subject.module.label.name.lower()
        said = f"the code does not run with {label} files alone ({why})"
        if self._job.settings.context == "drop":
            self._tally.notes.append(f"{said}, so prompts tell nothing of what runs show")
            return
        needed = "mark and trust what it needs"
        if packages := self._closed_packages(subject):
            names = ", ".join(f'"{name}"' for name in packages)
            needed += (
                " (installed packages that may be read as well: "
                f"labels.packages_{label} = [{names}] in your own settings)"
            )
        self._tally.notes.append(
            f"{said}: {needed}, or set context = 'drop' to send prompts without what runs show"
        )
        policy, backend = self._job.policy, self._job.settings.backend
        if backend == "auto":  # where a remote one is asked for by name, this is refused later
            self._choose_backend(Label.CONFIDENTIAL)
            stays = "its prompts stay on this machine, since runs may show what is stricter"
            self._note(route=replace(self._outcome.route, why=stays))
            if "local" not in policy.models:
                self._note(model=None)

    def _in_cleared_copy(self, subject: Subject, stack: contextlib.ExitStack) -> Subject:
        """The subject in a copy of what is no stricter than its module.

        Raises:
            HybridgenError: there can be no such copy, or the code does not run in it.
        """
        folders = [self._scratch / name for name in ("open-workers", "open-operands")]
        for folder in folders:
            folder.mkdir()
        packages = packages_for(subject.module.project.interpreter, self._job.settings)
        place = self._scratch / "open"
        copy = cleared_copy(subject.module, subject.labeller, place, packages)
        sandbox = self._job.sandbox
        runner = Runner(copy.module, sandbox, folders[0])
        stack.callback(runner.close)
        import_name = runner.open().name
        operands = OperandWatcher(copy.module, runner, sandbox, folders[1])
        stack.callback(operands.close)
        return replace(
            subject,
            module=copy.module,
            import_name=import_name,
            runner=runner,
            operands=operands,
            labeller=copy.labels,
        )

    def _existing(
        self, subject: Subject, files: Sequence[Path]
    ) -> tuple[frozenset[Arc], frozenset[Arc]]:
        """Arcs of all existing tests, and of those that a new run does not replace."""
        timeout = max(5.0, self._budget.seconds * EXISTING_SHARE)
        run = subject.verifier.existing(files, timeout=timeout)
        own = names_of_tests(subject.previous) - names_of_tests(subject.kept)
        failing = {name for name, passed in run.outcomes.items() if not passed}
        self._stale = failing & own
        if theirs := sorted(failing - own):
            self._tally.notes.append(
                f"existing tests fail in the sandbox: {', '.join(theirs)[:200]}"
            )
        if files and not run.outcomes:
            self._tally.notes.append(
                "the existing tests could not be run in the sandbox, so they count as nothing: "
                + " ".join("; ".join(run.errors).split())[-200:]
            )
        if subject.kept == subject.previous or subject.kept is None:
            return run.arcs, run.arcs
        again = subject.verifier.existing(
            files, timeout=timeout, changed={subject.path: subject.kept}
        )
        return run.arcs, again.arcs


def collectable(path: Path, patterns: Sequence[str]) -> Path:
    """``path`` under a name that pytest collects, where ``python_files`` asks for another."""
    globs = [pattern for pattern in patterns if pattern.count("*") == 1 and "/" not in pattern]
    if not globs or any(fnmatch(path.name, pattern) for pattern in patterns):
        return path
    return path.with_name(globs[0].replace("*", path.stem.removeprefix("test_")))


def names_of_tests(text: str | None) -> set[str]:
    """The functions of a test file as pytest names them: ``test_a``, ``TestCart::test_add``."""
    found: set[str] = set()
    for node in ast.parse(text).body if text else ():
        inner, start = [node], ""
        if isinstance(node, ast.ClassDef):
            inner, start = node.body, f"{node.name}::"
        found |= {f"{start}{item.name}" for item in inner if isinstance(item, ast.FunctionDef)}
    return found


def _previous(path: Path, only: str | None) -> tuple[str | None, str | None]:
    """The test file as it is, and without the tests of ours that this run replaces.

    A file that is no valid Python gives (None, None): it is left alone.
    """
    previous = suite.read(path)
    if previous is None:
        return None, None
    try:
        return previous, suite.without_own(previous, only)
    except SourceError:
        return None, None
