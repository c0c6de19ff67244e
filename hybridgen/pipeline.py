"""Composes the rooms: settings and paths in, one :class:`Outcome` for each module out.

The engine starts first and loads while sources are read. Inside a module: read, label, route, find
its import name, see what existing tests cover, search without the model while it loads, ask the
model for what is still open, confirm, choose, render, verify with real pytest, write. An error in
one module is its outcome; the others go on.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from hybridgen import suite
from hybridgen.backends import Backend
from hybridgen.domain import (
    Arc,
    Coverage,
    Label,
    Module,
    Observation,
    Outcome,
    Route,
    Target,
    TestFile,
)
from hybridgen.engine import EngineUnusableError
from hybridgen.errors import (
    EngineError,
    HybridgenError,
    PolicyRefusal,
    SandboxUnavailable,
    SettingsError,
    SourceError,
    UsageError,
)
from hybridgen.explore.archive import Archive
from hybridgen.explore.examples import docstring_candidates
from hybridgen.explore.focus import Focus
from hybridgen.explore.search import Search
from hybridgen.label import label_text
from hybridgen.lockdown import probe
from hybridgen.observe.confirm import VARIATIONS, confirm
from hybridgen.observe.measure import measure
from hybridgen.observe.runner import Runner, Sandbox
from hybridgen.observe.verify import Verified, Verifier, conftest_for
from hybridgen.post import candidates
from hybridgen.prompt import build_prompt
from hybridgen.route import choose_route
from hybridgen.settings import Settings
from hybridgen.source import (
    Selection,
    chosen_targets,
    display_path,
    find_project,
    missing_fragments,
    read_module,
    select,
    tests_of,
)

FINISH_SHARE, FINISH_SECONDS = 0.3, 25.0
"""What is kept of a budget for confirming, rendering and real pytest: a share, at most so long."""

CONFIRM_SHARE = 0.6
"""How much of what is left after the search confirming may take; the rest is for real pytest."""

LEAST_SEARCH_SHARE = 0.25
"""What the search gets of a budget even where confirming is slow."""

SEARCH_SHARE = 0.3
"""How much of a budget the search may take before the model is asked."""

BURST_SECONDS = 1.5
"""Search after each answer of the model, with what it taught."""

PREFILL_SHARE = 0.35
"""How much of a budget may go into reading prompts; the rest is for answers."""

SIMPLIFY_SHARE = 0.15
"""How much of what is left after the search may go into making its finds readable."""

ASKING_TURNS = 3
RENDER_ROUNDS = 5
SHOWN_CONTRADICTIONS = 5
NOTHING_COVERED = Coverage(0.0, 0.0, 0.0)


class Watcher(Protocol):
    """Told what is going on; see ``cli/progress.py``."""

    def module(self, path: str) -> None:
        """Work on another module begins."""

    def stage(self, text: str) -> None:
        """The module enters another stage."""

    def advance(self, done: int | None = None, total: int | None = None) -> None:
        """The stage goes on."""


def generate(
    paths: Sequence[str],
    settings: Settings,
    make_backend: Callable[[], Backend] | None,
    model: str | None,
    watcher: Watcher,
    *,
    is_dry_run: bool,
) -> tuple[Outcome, ...]:
    """Writes tests for every module that ``paths`` name.

    Args:
        make_backend: starts what prompts go to; None searches without a model.
        model: the model's name, for people.
        is_dry_run: make the difference, write nothing.

    Raises:
        UsageError: a path that cannot be right, or nothing to test.
        SandboxUnavailable: the kernel cannot lock the runner.
    """
    started = time.monotonic()
    selections = select(paths)
    if not selections:
        raise UsageError(f"no Python module to test in {', '.join(paths)}", "name a .py file")
    sandbox = _sandbox(settings)
    choose_route(Label.CONFIDENTIAL, settings.backend)  # before anything is started or read
    outcomes = []
    with contextlib.ExitStack() as stack:
        scratch = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="hybridgen-", ignore_cleanup_errors=True)
            )
        )
        backend = make_backend() if make_backend is not None else None
        if backend is not None:
            stack.callback(backend.close)
        job = _Job(settings, sandbox, backend, model, watcher, is_dry_run)
        for number, selection in enumerate(selections):
            folder = scratch.resolve() / str(number)
            folder.mkdir()
            watcher.module(display_path(selection.path))
            outcomes.append(_Unit(job, selection, folder, started).outcome())
            started = time.monotonic()
    return tuple(outcomes)


def _sandbox(settings: Settings) -> Sandbox:
    is_locked = settings.sandbox == "required"
    if is_locked:
        level = probe()
        if not level.is_full:
            raise SandboxUnavailable(
                f"this system cannot lock the process that runs your code: {level.why}",
                "read docs/sandbox.md; --unsafe-no-sandbox runs it without protection",
            )
    return Sandbox(is_locked, settings.call_timeout, settings.memory_limit_mb * 2**20)


@dataclass(frozen=True, slots=True)
class _Job:
    """What is the same for all modules of a run."""

    settings: Settings
    sandbox: Sandbox
    backend: Backend | None
    model: str | None
    watcher: Watcher
    is_dry_run: bool


@dataclass
class _Tally:
    """What is counted on the way to an outcome."""

    tokens: int = 0
    answers: int = 0
    prefill: float = 0.0
    cut: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Subject:
    """A module that could be imported, and what belongs to the work on it.

    Attributes:
        path: where its tests go.
        previous: what is there now, or None.
        kept: ``previous`` without the tests of ours that a new run replaces.
    """

    module: Module
    import_name: str
    targets: tuple[Target, ...]
    runner: Runner
    verifier: Verifier
    path: Path
    previous: str | None
    kept: str | None


class _Unit:
    """The work on one module."""

    def __init__(self, job: _Job, selection: Selection, scratch: Path, started: float) -> None:
        budget = job.settings.budget
        self._job = job
        self._selection = selection
        self._scratch = scratch
        self._started = started
        self._end = started + budget
        self._finish_at = self._end - min(FINISH_SECONDS, budget * FINISH_SHARE)
        self._tally = _Tally()
        self._display = display_path(selection.path)
        unread = label_text("", self._display)
        self._outcome = Outcome(
            path=self._display,
            label=unread.label,
            why=unread.why,
            route=Route("none", "no model was asked"),
            model=None,
            interpreter="none",
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
        if self._tally.cut:
            cut = ", ".join(sorted(self._tally.cut))
            self._tally.notes.append(f"left out of prompts to keep them short: {cut[:300]}")
        self._note(
            tests_dropped=dict(sorted(self._tally.dropped.items())),
            tokens=self._tally.tokens,
            seconds=time.monotonic() - self._started,
            notes=tuple(self._tally.notes),
        )
        return self._outcome

    def _note(self, **changes: Any) -> None:
        self._outcome = replace(self._outcome, **changes)

    def _work(self) -> None:
        settings, watcher = self._job.settings, self._job.watcher
        watcher.stage("reading")
        project = find_project(self._selection.path, python=settings.python, tests=settings.tests)
        module = read_module(self._selection, project)
        self._note(label=module.label, why=module.source.why)
        self._note(route=choose_route(module.label, settings.backend))
        if self._job.backend is not None:
            self._note(model=self._job.model)
        targets = tuple(t for t in chosen_targets(module) if module.only or not t.is_private)
        workers, verifying = self._scratch / "workers", self._scratch / "pytest"
        workers.mkdir()
        verifying.mkdir()
        runner = Runner(module, self._job.sandbox, workers)
        try:
            watcher.stage("importing")
            self._note(interpreter=f"{project.interpreter.path} ({project.interpreter.why})")
            import_name = runner.open().name
            path = suite.test_path(module, project)
            previous, kept = _previous(path, module.only)
            self._test(
                _Subject(
                    module=module,
                    import_name=import_name,
                    targets=targets,
                    runner=runner,
                    verifier=Verifier(module, import_name, self._job.sandbox, verifying),
                    path=path
                    if previous is not None or not path.exists()
                    else suite.sibling_path(path),
                    previous=previous,
                    kept=kept,
                )
            )
        finally:
            runner.close()

    def _test(self, subject: _Subject) -> None:
        self._job.watcher.stage("running the existing tests")
        existing = tests_of(subject.module, subject.module.project)
        all_arcs, kept_arcs = self._existing(subject, existing)
        at_import = subject.runner.import_arcs
        before = measure(subject.module.path, at_import | all_arcs)
        self._note(coverage_before=before.coverage if existing else NOTHING_COVERED)
        self._note(coverage_after=before.coverage)
        covered = at_import | kept_arcs
        archive = Archive(covered)
        if existing and not Focus(subject.module, subject.targets, at_import | all_arcs).open():
            return
        self._explore(subject, archive)
        written = self._write(subject, self._confirm(subject, archive), covered)
        if written is None:
            self._note(exit_code=1)
            return
        file, verified = written
        after = measure(subject.module.path, covered | verified.arcs)
        display = display_path(file.path)
        self._note(
            test_file=display,
            tests_kept=len(file.test_names),
            coverage_after=after.coverage,
            diff=suite.diff(file, display) if self._job.is_dry_run else None,
        )

    def _existing(
        self, subject: _Subject, files: Sequence[Path]
    ) -> tuple[frozenset[Arc], frozenset[Arc]]:
        """Arcs of all existing tests, and of those that a new run does not replace."""
        timeout = max(5.0, self._job.settings.budget * 0.15)
        run = subject.verifier.existing(files, timeout=timeout)
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

    # ------------------------------------------------------------ finding candidates

    def _explore(self, subject: _Subject, archive: Archive) -> None:
        settings, watcher = self._job.settings, self._job.watcher
        module, targets = subject.module, subject.targets
        search = Search(module, targets, subject.runner, archive, seed=settings.seed)
        focus = Focus(module, targets, archive)
        watcher.stage("trying examples")
        for target in targets:
            search.take(docstring_candidates(module, target), self._finish_at)
        watcher.stage("searching")

        def until() -> float:
            """The usual end, earlier where confirming what was found will take longer."""
            cost = search.report.seconds_per_run * len(archive.candidates) * len(VARIATIONS)
            self._finish_at = max(
                self._started + settings.budget * LEAST_SEARCH_SHARE,
                min(self._finish_at, self._end - FINISH_SHARE * settings.budget / 2 - cost * 1.5),
            )
            return self._finish_at

        share = self._started + settings.budget * SEARCH_SHARE
        if self._job.backend is None:
            share = self._end
        search.run(lambda: min(share, until()), focus.names, on_turn=watcher.advance)
        if self._job.backend is not None:
            self._ask(subject, search, focus, self._job.backend)
            watcher.stage("searching")
            search.run(until, focus.names, on_turn=watcher.advance)
        watcher.stage("simplifying")
        left = self._end - time.monotonic()
        search.simplify(time.monotonic() + max(1.0, left * SIMPLIFY_SHARE))
        self._tally.dropped.update(search.report.dropped)

    def _ask(self, subject: _Subject, search: Search, focus: Focus, backend: Backend) -> None:
        """Asks the model about each target once, the most open first; then again what is open."""
        for turn in range(ASKING_TURNS):
            queue = focus.ordered(only_open=turn > 0)
            for number, target in enumerate(queue):
                end = self._finish_at - 1
                if not focus.names():  # only better readable inputs are to be had
                    end = min(end, self._started + self._job.settings.budget * SEARCH_SHARE)
                if time.monotonic() > end:
                    return
                self._job.watcher.stage(f"asking the model about {target.qualname}")
                self._job.watcher.advance(number, len(queue))
                if self._tally.prefill > PREFILL_SHARE * self._job.settings.budget:
                    return
                try:
                    self._ask_about(target, turn, subject, search, focus, backend)
                except EngineError as error:
                    self._tally.notes.append(f"{target.qualname}: {error}")
                    if isinstance(error, EngineUnusableError) or self._tally.answers == 0:
                        return  # it will not work for the next target either

    def _ask_about(
        self,
        target: Target,
        turn: int,
        subject: _Subject,
        search: Search,
        focus: Focus,
        backend: Backend,
    ) -> None:
        settings, watcher = self._job.settings, self._job.watcher
        prompt = build_prompt(
            subject.module,
            target,
            import_name=subject.import_name,
            missing=missing_fragments(subject.module, target, focus.missing_lines()),
            examples=(),
            count_tokens=lambda texts: backend.count_tokens(texts, deadline=self._finish_at),
        )
        self._tally.cut.update(prompt.cut)
        asked_at = time.monotonic()
        first_text_at: list[float] = []

        def on_text(text: str) -> None:
            if not first_text_at:
                first_text_at.append(time.monotonic())
            watcher.advance()

        completion = backend.complete(
            prompt,
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            seed=settings.seed + turn,
            deadline=self._finish_at,
            on_text=on_text,
        )
        self._tally.answers += 1
        self._tally.prefill += (first_text_at or [time.monotonic()])[0] - asked_at
        self._tally.tokens += completion.usage.prompt_tokens + completion.usage.completion_tokens
        search.take(candidates(completion, subject.module, target), self._finish_at)
        until = min(time.monotonic() + BURST_SECONDS, self._finish_at)
        search.run(lambda: until, focus.names, plateau=200)

    # ------------------------------------------------------------ from candidates to a file

    def _confirm(self, subject: _Subject, archive: Archive) -> tuple[Observation, ...]:
        self._job.watcher.stage("confirming")
        now = time.monotonic()
        observations, dropped = confirm(
            subject.runner,
            archive.candidates,
            seed=self._job.settings.seed,
            deadline=now + max(2.0, (self._end - now) * CONFIRM_SHARE),
        )
        self._tally.dropped.update(item.reason for item in dropped)
        for observation in observations:
            self._note_contradiction(observation)
        kept, reasons = suite.screened(observations, subject.module, subject.import_name)
        self._tally.dropped.update(reasons)
        return kept

    def _note_contradiction(self, observation: Observation) -> None:
        """Says where a docstring's example and the code disagree: nobody else will see it."""
        if observation.candidate.origin != "docstring":
            return
        for step, result in zip(observation.candidate.steps, observation.results, strict=True):
            if result.opinion_holds is False and len(self._tally.notes) < SHOWN_CONTRADICTIONS:
                wanted = (step.opinion or "").replace("_ == ", "")
                self._tally.notes.append(
                    f"{observation.candidate.target}: the docstring says that {step.code} "
                    f"gives {wanted}, and the code disagrees"
                )

    def _write(
        self, subject: _Subject, observations: Sequence[Observation], covered: frozenset[Arc]
    ) -> tuple[TestFile, Verified] | None:
        """Chooses, renders and verifies until all that is left passes; then writes."""
        module, settings = subject.module, self._job.settings
        chosen = suite.choose(
            observations, covered=covered, targets=subject.targets, seed=settings.seed
        )
        if not chosen:
            return None
        self._job.watcher.stage("verifying with pytest")
        file = suite.render(
            module,
            subject.import_name,
            chosen,
            path=subject.path,
            previous=subject.previous,
            line_length=settings.line_length,
        )
        more: dict[Path, str] = {}
        for _ in range(RENDER_ROUNDS):
            verified = subject.verifier.check(
                {**more, file.path: file.text}, file.path, file.test_names, deadline=self._end - 3
            )
            if verified.import_error is not None and not more:
                more = conftest_for(subject.path.parent, subject.runner.import_name.root)
                if more:
                    continue
            if verified.import_error is not None:
                raise _not_importable(module, verified.import_error)
            if not verified.failed:
                self._save(file, more, module)
                return file, verified
            self._tally.dropped.update(verified.failed.values())
            file = suite.without(file, verified.failed, line_length=settings.line_length)
            if not file.test_names:
                return None
        return None

    def _save(self, file: TestFile, more: Mapping[Path, str], module: Module) -> None:
        if self._job.is_dry_run:
            return
        for path, text in more.items():
            extra = TestFile(path, text, None, (), file.label)
            suite.write(extra, root=module.project.root)
            self._tally.notes.append(
                f"wrote {display_path(path)} too, so that plain pytest finds the project"
            )
        suite.write(file, root=module.project.root)


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


def _not_importable(module: Module, why: str) -> SourceError:
    python = module.project.interpreter.path
    return SourceError(
        f"{module.display}: plain pytest cannot use the tests: {' '.join(why.split())[-300:]}",
        f"make the project importable: {python} -m pip install -e {module.project.root}",
    )
