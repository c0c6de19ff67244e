"""Runs candidates of one module in locked worker processes and turns answers into observations."""

from __future__ import annotations

import ast
import itertools
import math
import re
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hybridgen.domain import (
    Arc,
    Candidate,
    ImportName,
    Interpreter,
    Module,
    Observation,
    Step,
    StepKind,
    StepResult,
    strictest,
)
from hybridgen.errors import RunnerError, SourceError
from hybridgen.lockdown import (
    Limits,
    bubblewrap,
    locked_command,
    probe,
    runner_environment,
    runner_profile,
)
from hybridgen.observe.answers import (
    LONGEST,
    NonsenseError,
    arcs_in,
    effect_in,
    missing_in,
    steps_in,
    text_in,
    wraps_in,
)
from hybridgen.observe.effort import RUN, START, Effort
from hybridgen.observe.process import (
    WORKER_FILE,
    WORLD_FILE,
    WorkerLost,
    WorkerProcess,
    worker_command,
)

IMPORT_TIMEOUT = 20.0
"""Seconds that importing the module under test may take."""

SLOW_SHARE = 0.3
"""How much of the time that a call may take makes a candidate slow."""


@dataclass(frozen=True, slots=True)
class Variation:
    """The circumstances of a run that must not change what a test observes.

    Attributes:
        hash_seed: PYTHONHASHSEED of the process.
        clock: seconds by which its wall clock is ahead.
        arguments: its command line, as ``sys.argv`` shows it.
        environment: variables that another machine has, or has otherwise.
        repeats: run again in the same process what changed it, as another test might have.
        most_dirty: how many runs may change the process before it is replaced; what is seen
            in one that was changed is no more than a hint.
    """

    hash_seed: int = 1
    clock: int = 0
    arguments: tuple[str, ...] = ("pytest", "-q")
    environment: tuple[tuple[str, str], ...] = ()
    repeats: bool = False
    most_dirty: int = 0


@dataclass(frozen=True, slots=True)
class Dropped:
    """A candidate that gave no observation, and why in one word."""

    candidate: Candidate
    reason: str


@dataclass(frozen=True, slots=True)
class Sandbox:
    """How workers are started.

    Attributes:
        is_locked: False only after ``--unsafe-no-sandbox``.
        call_timeout: seconds that one candidate may take.
        memory_bytes: address space of a worker.
    """

    is_locked: bool
    call_timeout: float
    memory_bytes: int


def start_worker(
    module: Module,
    sandbox: Sandbox,
    scratch: Path,
    *,
    hash_seed: int,
    extra_read: tuple[Path, ...],
    may_fork: bool = False,
) -> WorkerProcess:
    """Starts a worker for ``module`` in the folder ``scratch``, which it may write.

    Args:
        extra_read: further files and folders that it may read.
        may_fork: for a worker that imports nothing of the project itself.
    """
    project = module.project
    return start_locked(
        worker_command(project.interpreter.path),
        sandbox,
        scratch,
        root=project.root,
        interpreter=project.interpreter,
        hash_seed=hash_seed,
        extra_read=(WORKER_FILE, WORLD_FILE, *extra_read),
        may_fork=may_fork,
    )


def start_locked(
    command: Sequence[str],
    sandbox: Sandbox,
    scratch: Path,
    *,
    root: Path,
    interpreter: Interpreter,
    hash_seed: int = 1,
    extra_read: tuple[Path, ...] = (),
    may_fork: bool = False,
) -> WorkerProcess:
    """Starts any ``command`` of a project's Python: every runner is started here.

    Args:
        root: of the project, which it may read.
        interpreter: what ``command`` begins with.
    """
    environment = runner_environment(interpreter, scratch, hash_seed=hash_seed)
    profile = runner_profile(
        project=root,
        interpreter=interpreter,
        scratch=scratch,
        extra_read=extra_read,
        limits=Limits(memory_bytes=sandbox.memory_bytes),
        may_fork=may_fork,
    )
    # Without a sandbox, what locks the kernel has are taken all the same.
    unsafe_level = None if sandbox.is_locked else probe()
    box = bubblewrap() if sandbox.is_locked and probe().boxed else None
    return WorkerProcess(
        locked_command(profile, command, unsafe_level=unsafe_level, box=box), environment, scratch
    )


def load_request(module: Module, name: ImportName, variation: Variation) -> dict[str, Any]:
    """What a worker is asked in order to import ``module`` by ``name``."""
    runtime = module.project.interpreter.runtime
    return {
        "op": "load",
        "name": name.name,
        "paths": [str(name.root)],
        "packages": None if runtime is None else [str(path) for path in runtime.packages],
        "file": str(module.path),
        "project": str(module.project.root),
        "clock": variation.clock,
        "arguments": list(variation.arguments),
        "environment": dict(variation.environment),
    }


class Runner:
    """The workers of one module: one live process for each variation in use.

    Args:
        module: the module under test.
        sandbox: locks and limits.
        scratch: an existing folder of its own; emptied on close.

    Attributes:
        effort: the work done on the module, also by others that ask this runner how.
        slow: candidates that took long, or did not come back in time.
    """

    def __init__(self, module: Module, sandbox: Sandbox, scratch: Path) -> None:
        self.effort = Effort()
        self._module = module
        self._sandbox = sandbox
        self._scratch = scratch
        self._numbers = itertools.count(1)
        self._workers: dict[Variation, tuple[WorkerProcess, Path]] = {}
        self._dirty: Counter[Variation] = Counter()
        self._import_name: ImportName | None = None
        self.import_arcs: frozenset[Arc] = frozenset()
        self.python_version = ""
        self.restarts = 0
        self.slow: set[Candidate] = set()

    @property
    def import_name(self) -> ImportName:
        """The verified import name; :meth:`open` has to come first."""
        assert self._import_name is not None, "open() comes first"
        return self._import_name

    @property
    def names(self) -> frozenset[str]:
        """All names at the top level of the module."""
        return self._module.names

    def open(self) -> ImportName:
        """Finds the import name under which Python gives exactly this file.

        Raises:
            SourceError: no name does: it fails, hangs, exits, or another copy is found.
        """
        failures = []
        for name in self._module.import_names:
            try:
                answer = self._load(name, Variation())
            except WorkerLost as lost:
                failures.append(_lost_text(name, lost))
                if lost.reason == "timeout":  # most likely it would hang by its other names too
                    break
                continue
            try:
                if answer.get("ok") is True:
                    self.import_arcs = arcs_in(answer)
                    self.python_version = text_in(answer, "version") or "?"
                    self._import_name = name
                    return name
                self._forget(Variation())
                failures.append(self._failure_text(name, answer))
            except NonsenseError:
                self._forget(Variation())
                failures.append((f"importing {name.name} broke the worker", None))
        hint = next((hint for _, hint in failures if hint), None)
        told: dict[str, str] = {}  # the same failure by several names is said once
        for name, (text, _) in zip(self._module.import_names, failures, strict=False):
            told.setdefault(text.replace(name.name, "", 1), text)
        texts = list(told.values())
        raise SourceError(f"{self._module.display}: {'; '.join(texts)}", hint)

    def run(
        self, candidate: Candidate, variation: Variation = Variation()
    ) -> Observation | Dropped:
        """Executes one candidate; a worker that hangs, dies or was changed is replaced."""
        try:
            request = self.request(candidate)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return Dropped(candidate, "syntax")
        self.effort.add(RUN)
        asked = math.inf
        try:
            worker = self._worker(variation)
            asked = time.monotonic()
            answer = worker.ask(request, self._sandbox.call_timeout)
            if variation.repeats and answer.get("dirty") is True:
                answer = {**worker.ask(request, self._sandbox.call_timeout), "dirty": True}
        except WorkerLost as lost:
            self._forget(variation)
            return Dropped(candidate, lost.reason)
        finally:
            if time.monotonic() - asked > SLOW_SHARE * self._sandbox.call_timeout:
                self.slow.add(candidate)
        try:
            return self._observation(candidate, request, answer, variation)
        except NonsenseError:  # something in there took the worker over
            self._forget(variation)
            return Dropped(candidate, "died")

    def _observation(
        self,
        candidate: Candidate,
        request: Mapping[str, Any],
        answer: Mapping[str, Any],
        variation: Variation,
    ) -> Observation | Dropped:
        if answer.get("dirty") is not False:
            self._dirty[variation] += 1
            if self._dirty[variation] > variation.most_dirty:
                self._forget(variation)
        if text_in(answer, "error") is not None:
            return Dropped(candidate, "import")
        results = tuple(steps_in(answer, len(candidate.steps), request["imports"]))
        if (effect := effect_in(answer)) is not None:
            return Dropped(candidate, effect)
        module = self._module
        label = strictest((candidate.label, module.label, module.project.label))
        wrapped, results = _wrapped(candidate, results, wraps_in(answer), module.names)
        # Leaving by an exception is no branch of the code, so it earns no test a place.
        arcs = arcs_in(answer) - arcs_in(answer, "thrown")
        return Observation(wrapped, results, arcs, label)

    def close(self) -> None:
        """Ends every worker and empties the scratch folder."""
        for variation in tuple(self._workers):
            self._forget(variation)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def request(self, candidate: Candidate) -> dict[str, Any]:
        """What a worker is asked in order to run ``candidate``.

        Raises:
            SyntaxError: a step does not parse.
        """
        # A candidate's own import wins: `import datetime` where the module has the class.
        names = sorted(used_names(candidate) & self._module.names - _bound(candidate.imports))
        imports = [f"from {self.import_name.name} import {name}" for name in names]
        return {
            "op": "run",
            "imports": [*candidate.imports, *imports],
            "fixtures": list(candidate.fixtures),
            "steps": [
                {"code": s.code, "probe": s.kind is StepKind.PROBE, "opinion": s.opinion}
                for s in candidate.steps
            ],
        }

    def _worker(self, variation: Variation) -> WorkerProcess:
        if variation not in self._workers:
            self.restarts += 1
            self.effort.add(START)
            answer = self._load(self.import_name, variation)
            if answer.get("ok") is not True:
                self._forget(variation)
                raise WorkerLost("died", "the module could not be imported again")
        return self._workers[variation][0]

    def _load(self, name: ImportName, variation: Variation) -> dict[str, Any]:
        folder = self._scratch / f"worker-{next(self._numbers)}"
        folder.mkdir()
        worker = start_worker(
            self._module, self._sandbox, folder, hash_seed=variation.hash_seed, extra_read=()
        )
        self._workers[variation] = (worker, folder)
        return worker.ask(load_request(self._module, name, variation), IMPORT_TIMEOUT)

    def _forget(self, variation: Variation) -> None:
        del self._dirty[variation]
        entry = self._workers.pop(variation, None)
        if entry is not None:
            entry[0].close()
            shutil.rmtree(entry[1], ignore_errors=True)

    def _failure_text(self, name: ImportName, answer: Mapping[str, Any]) -> tuple[str, str | None]:
        interpreter = self._module.project.interpreter
        error, missing = text_in(answer, "error"), missing_in(answer)
        if error is None:
            return (
                f"importing {name.name} gives another file, {text_in(answer, 'found')}",
                f"uninstall the other copy, or install this one: "
                f"{interpreter.path} -m pip install -e {self._module.project.root}",
            )
        hint = None
        if missing == name.name.split(".")[0]:
            hint = (
                f"make the project importable: {interpreter.path} -m pip install -e "
                f"{self._module.project.root}"
            )
        elif missing:
            hint = (
                f"install what the project needs: {interpreter.path} -m pip install "
                f"{missing}   (interpreter from {interpreter.why}; "
                "choose another with --python)"
            )
        line = answer.get("line")
        place = f" (line {line} of {text_in(answer, 'where')})" if type(line) is int else ""
        return f"importing {name.name} failed: {error[:LONGEST]}{place}", hint


def _lost_text(name: ImportName, lost: WorkerLost) -> tuple[str, str | None]:
    if lost.reason == "timeout":
        return (
            f"importing {name.name} did not end within {IMPORT_TIMEOUT:.0f} s",
            'move what runs at import time into a function or under `if __name__ == "__main__":`',
        )
    if lost.reason == "died" and "hybridgen lock:" in lost.detail:
        raise RunnerError(f"the sandbox could not start: {lost.detail}")
    return f"importing {name.name} ended the process ({lost.detail or lost.reason})", None


def used_names(candidate: Candidate) -> frozenset[str]:
    """Names that the steps read and do not bind themselves before.

    Raises:
        SyntaxError: a step does not parse.
    """
    used: set[str] = set()
    for step in candidate.steps:
        mode = "eval" if step.kind is StepKind.PROBE else "exec"
        for node in ast.walk(ast.parse(step.code, mode=mode)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                used.add(node.id)
    return frozenset(used)


def _bound(imports: Sequence[str]) -> frozenset[str]:
    """The names that import statements bind."""
    return frozenset(
        (alias.asname or alias.name).split(".")[0]
        for line in imports
        for node in ast.walk(ast.parse(line))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    )


def _wrapped(
    candidate: Candidate,
    results: tuple[StepResult, ...],
    wraps: Sequence[str],
    known: Set[str],
) -> tuple[Candidate, tuple[StepResult, ...]]:
    """Both with what the worker put around coroutines and iterators.

    ``async for`` needs a coroutine of its own, which becomes a step before the probe. It hides
    none of the ``known`` names of the module.
    """
    if not any(wraps):
        return candidate, results
    steps: list[Step] = []
    shown: list[StepResult] = []
    used = {*known, *(name for s in candidate.steps for name in re.findall(r"\w+", s.code))}
    for step, result, wrap in zip(candidate.steps, results, wraps, strict=True):
        code = step.code
        if wrap == "collect":
            numbered = (f"collect_{number}" for number in itertools.count(2))
            name = next(n for n in itertools.chain(["collect"], numbered) if n not in used)
            used.add(name)
            body = f"return [item async for item in {code}]"
            steps.append(Step(StepKind.SETUP, f"async def {name}():\n    {body}"))
            shown.append(StepResult("ok"))
            code, wrap = f"{name}()", "asyncio.run"
        steps.append(replace(step, code=f"{wrap}({code})") if wrap else step)
        shown.append(result)
    imports = dict.fromkeys(candidate.imports)
    if {"asyncio.run", "collect"} & set(wraps):
        imports["import asyncio"] = None
    return replace(candidate, steps=tuple(steps), imports=tuple(imports)), tuple(shown)
