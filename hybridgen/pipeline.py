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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from hybridgen import suite
from hybridgen.backends import Backend
from hybridgen.domain import (
    Arc,
    Candidate,
    Coverage,
    Fragment,
    Label,
    Module,
    Observation,
    Outcome,
    Route,
    Target,
    TestFile,
)
from hybridgen.errors import EngineError, HybridgenError, PolicyRefusal, SandboxUnavailable
from hybridgen.explore.archive import Archive
from hybridgen.explore.examples import docstring_candidates
from hybridgen.explore.search import Search
from hybridgen.label import label_text
from hybridgen.lockdown import probe
from hybridgen.observe.confirm import confirm
from hybridgen.observe.measure import Measured, measure
from hybridgen.observe.runner import Runner, Sandbox
from hybridgen.observe.verify import Verified, Verifier
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

SEARCH_SHARE = 0.3
"""How much of a budget the search may take before the model is asked."""

BURST_SECONDS = 1.5
"""Search after each answer of the model, with what it taught."""

CASES_PER_TARGET = 6
RENDER_ROUNDS = 5

CONFTEST = '''\
"""Written by hybridgen: lets plain pytest import the project from its source tree."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[{parents}]{below}))
'''


class Watcher(Protocol):
    """Told what is going on; see ``cli/progress.py``."""

    def module(self, path: str) -> None:
        """Work on another module begins."""

    def stage(self, text: str) -> None:
        """The module enters another stage."""

    def advance(self, done: int | None = None, total: int | None = None) -> None:
        """The stage goes on."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    Attributes:
        paths: files, folders, ``file.py::NAME``.
        is_dry_run: make the difference, write nothing.
    """

    paths: tuple[str, ...]
    is_dry_run: bool = False


def generate(
    request: Request,
    settings: Settings,
    backend: Backend | None,
    model: str | None,
    watcher: Watcher,
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
) -> tuple[Outcome, ...]:
    """Writes tests for every module that ``request`` names.

    Args:
        backend: where prompts go, not started yet; None searches without a model.
        model: the model's name, for people.

    Raises:
        UsageError: a path that cannot be right.
        SandboxUnavailable: the kernel cannot lock the runner.
    """
    started = time.monotonic()
    selections = select(request.paths)
    sandbox = _sandbox(settings)
    outcomes = []
    with contextlib.ExitStack() as stack:
        if backend is not None:
            stack.callback(backend.close)
            backend.start()
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hybridgen-")))
        for number, selection in enumerate(selections):
            folder = scratch.resolve() / str(number)
            folder.mkdir()
            watcher.module(display_path(selection.path))
            unit = _Unit(selection, settings, backend, model, sandbox, folder, watcher, started)
            outcome = unit.outcome(request)
            outcomes.append(outcome)
            on_outcome(outcome)
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


@dataclass
class _Tally:
    """What is counted on the way to an outcome."""

    tokens: int = 0
    answers: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


class _Unit:
    """The work on one module."""

    def __init__(
        self,
        selection: Selection,
        settings: Settings,
        backend: Backend | None,
        model: str | None,
        sandbox: Sandbox,
        scratch: Path,
        watcher: Watcher,
        started: float,
    ) -> None:
        self._selection = selection
        self._settings = settings
        self._backend = backend
        self._model = model
        self._sandbox = sandbox
        self._scratch = scratch
        self._watcher = watcher
        self._started = started
        self._end = started + settings.budget
        self._finish_at = self._end - min(FINISH_SECONDS, settings.budget * FINISH_SHARE)
        self._tally = _Tally()
        self._display = display_path(selection.path)

    def outcome(self, request: Request) -> Outcome:
        """Does the work; whatever goes wrong on purpose becomes part of the outcome."""
        blank = Outcome(
            path=self._display,
            label=Label.CONFIDENTIAL,
            why="could not be read, so confidential",
            route=Route("none", "nothing was sent anywhere"),
            model=None,
            interpreter="",
        )
        try:
            result = self._work(blank, request)
        except HybridgenError as error:
            code = error.exit_code if isinstance(error, PolicyRefusal) else 1
            label = label_text("", self._display)
            blank = replace(blank, label=label.label, why=label.why)
            result = replace(blank, error=str(error), exit_code=code)
        return replace(
            result,
            tests_dropped=dict(sorted(self._tally.dropped.items())),
            tokens=self._tally.tokens,
            seconds=time.monotonic() - self._started,
            notes=tuple(self._tally.notes),
        )

    def _work(self, blank: Outcome, request: Request) -> Outcome:
        settings = self._settings
        self._watcher.stage("reading")
        project = find_project(self._selection.path, python=settings.python, tests=settings.tests)
        module = read_module(self._selection, project)
        route = choose_route(module.label, settings.backend)
        targets = tuple(t for t in chosen_targets(module) if module.only or not t.is_private)
        folder = self._scratch / "workers"
        folder.mkdir()
        runner = Runner(module, self._sandbox, folder)
        try:
            self._watcher.stage("importing")
            import_name = runner.open().name
            base = replace(
                blank,
                label=module.label,
                why=module.source.why,
                route=route,
                model=self._model if self._backend is not None else None,
                interpreter=f"{project.interpreter.path} (Python {runner.python_version}, "
                f"{project.interpreter.why})",
            )
            return self._test(module, import_name, targets, runner, base, request)
        finally:
            runner.close()

    def _test(
        self,
        module: Module,
        import_name: str,
        targets: Sequence[Target],
        runner: Runner,
        base: Outcome,
        request: Request,
    ) -> Outcome:
        path = suite.test_path(module, module.project)
        previous = suite.read_previous(path, module.project)
        own = suite.owned_tests(previous)
        folder = self._scratch / "pytest"
        folder.mkdir()
        verifier = Verifier(module, import_name, self._sandbox, folder)
        self._watcher.stage("running the existing tests")
        existing = tests_of(module, module.project)
        before_arcs, kept_arcs = self._existing(verifier, existing, own)
        before = measure(module.path, runner.import_arcs | before_arcs)
        base = replace(base, coverage_before=before.coverage if existing else ZERO)
        if existing and not open_targets(targets, before):
            return replace(base, coverage_after=before.coverage)
        archive = Archive(runner.import_arcs | kept_arcs)
        self._explore(module, import_name, targets, runner, archive)
        observations = self._confirm(runner, archive)
        covered = runner.import_arcs | kept_arcs
        file, verified = self._write(
            module, import_name, targets, observations, covered, path, previous, verifier, request
        )
        if file is None:
            return replace(base, exit_code=1, coverage_after=before.coverage)
        after = measure(module.path, covered | verified.arcs)
        return replace(
            base,
            test_file=display_path(file.path),
            tests_kept=len(file.test_names),
            coverage_after=after.coverage,
            diff=suite.diff(file, display_path(file.path)) if request.is_dry_run else None,
        )

    def _existing(
        self, verifier: Verifier, files: Sequence[Path], own: frozenset[str]
    ) -> tuple[frozenset[Arc], frozenset[Arc]]:
        """Arcs of all existing tests, and of those that hybridgen will not replace."""
        timeout = max(5.0, self._settings.budget * 0.15)
        everything = verifier.existing(files, timeout=timeout)
        if files and not everything.outcomes:
            self._tally.notes.append(
                "the existing tests could not be run in the sandbox: "
                + " ".join("; ".join(everything.errors).split())[-200:]
            )
        if not own:
            return everything.arcs, everything.arcs
        kept = verifier.existing(files, timeout=timeout, without=own)
        return everything.arcs, kept.arcs

    # ------------------------------------------------------------ finding candidates

    def _explore(
        self,
        module: Module,
        import_name: str,
        targets: Sequence[Target],
        runner: Runner,
        archive: Archive,
    ) -> None:
        settings = self._settings
        callable_targets = [t for t in targets if not t.is_private or module.only]
        search = Search(module, callable_targets, runner, archive, seed=settings.seed)
        focus = _Focus(module, targets, archive)
        self._watcher.stage("trying examples")
        for target in targets:
            search.take(docstring_candidates(module, target), self._finish_at)
        self._watcher.stage("searching")
        share = self._started + settings.budget * SEARCH_SHARE
        until = share if self._backend is not None else self._finish_at
        search.run(min(until, self._finish_at), focus.names, on_turn=self._watcher.advance)
        if self._backend is not None:
            self._ask(module, import_name, targets, search, focus, self._backend)
            search.run(self._finish_at, focus.names, on_turn=self._watcher.advance)
        self._tally.dropped.update(search.report.dropped)

    def _ask(
        self,
        module: Module,
        import_name: str,
        targets: Sequence[Target],
        search: Search,
        focus: _Focus,
        backend: Backend,
    ) -> None:
        """Asks the model about each target once, most open ones first, then again what is open."""
        for turn in range(3):
            queue = focus.ordered() if turn else focus.ordered(everything=True)
            for number, target in enumerate(queue):
                if time.monotonic() > self._finish_at - 1:
                    return
                self._watcher.stage(f"asking the model about {target.qualname}")
                self._watcher.advance(number, len(queue))
                missing = missing_fragments(module, target, focus.missing_lines())
                try:
                    found = self._answer(module, import_name, target, missing, backend, turn)
                except EngineError as error:
                    self._tally.notes.append(f"{target.qualname}: {error.message}")
                    if self._tally.answers == 0 or error.is_final:
                        return
                    continue
                search.take(found, self._finish_at)
                until = min(time.monotonic() + BURST_SECONDS, self._finish_at)
                search.run(until, focus.names, plateau=200)
            if not focus.ordered():
                return

    def _answer(
        self,
        module: Module,
        import_name: str,
        target: Target,
        missing: Sequence[Fragment],
        backend: Backend,
        turn: int,
    ) -> tuple[Candidate, ...]:
        settings = self._settings
        backend.wait_ready(self._finish_at)
        prompt = build_prompt(
            module,
            target,
            import_name=import_name,
            missing=missing,
            examples=(),
            count_tokens=backend.count_tokens,
        )
        completion = backend.complete(
            prompt,
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            seed=settings.seed + turn,
            deadline=self._finish_at,
            on_text=lambda text: self._watcher.advance(),
        )
        self._tally.answers += 1
        self._tally.tokens += completion.usage.prompt_tokens + completion.usage.completion_tokens
        return candidates(completion, module, target)

    # ------------------------------------------------------------ from candidates to a file

    def _confirm(self, runner: Runner, archive: Archive) -> tuple[Observation, ...]:
        self._watcher.stage("confirming")
        found = archive.candidates
        left = self._end - time.monotonic()
        observations, dropped = confirm(
            runner, found, seed=self._settings.seed, deadline=time.monotonic() + left * 0.4
        )
        self._tally.dropped.update(item.reason for item in dropped)
        wrong = [o for o in observations if o.candidate.origin == "docstring" and disagrees(o)]
        for observation in wrong[:5]:
            code = observation.candidate.steps[-1].code
            self._tally.notes.append(
                f"{observation.candidate.target}: its docstring says something else about {code}"
            )
        return observations

    def _write(
        self,
        module: Module,
        import_name: str,
        targets: Sequence[Target],
        observations: Sequence[Observation],
        covered: frozenset[Arc],
        path: Path,
        previous: str | None,
        verifier: Verifier,
        request: Request,
    ) -> tuple[TestFile | None, Verified]:
        """Chooses, renders and verifies until everything rendered passes; then writes."""
        nothing = Verified({}, frozenset(), "")
        pool = list(observations)
        extra: dict[Path, str] = {}
        for _ in range(RENDER_ROUNDS):
            chosen = suite.choose(
                pool,
                covered=covered,
                targets=targets,
                seed=self._settings.seed,
                cases_per_target=CASES_PER_TARGET,
            )
            if not chosen:
                return None, nothing
            self._watcher.stage("verifying with pytest")
            file = suite.render(
                module,
                import_name,
                chosen,
                path=path,
                previous=previous,
                line_length=self._settings.line_length,
            )
            verified = verifier.check(
                {path: file.text, **extra}, path, file.test_names, deadline=self._end - 4
            )
            if verified.import_error is not None and not extra:
                extra = self._conftest(module, runner_root(module, import_name))
                if extra:
                    continue
            if verified.import_error is not None:
                raise HybridgenError(
                    f"{self._display}: plain pytest cannot use the tests: {verified.import_error}",
                    "make the project importable for pytest, for example with "
                    f"{module.project.interpreter.path} -m pip install -e {module.project.root}",
                )
            if not verified.failed:
                if not request.is_dry_run:
                    self._save(file, extra)
                return file, verified
            self._tally.dropped.update(verified.failed.values())
            pool = suite.without(pool, chosen, file, verified.failed)
        return None, nothing
