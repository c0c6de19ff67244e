"""Runs candidates on changed versions of a module, and says which assertions would notice.

A nursery (see ``worker_mutants.py``) forks a fresh process for every version, inside the runner's
locks. What the original shows there, without tracing and in one process, is what a mutant is
compared with: an observation that is not the same there says nothing about mutants.
"""

from __future__ import annotations

import ast
import math
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybridgen.domain import (
    Candidate,
    Check,
    CheckKind,
    Module,
    Observation,
    StepResult,
)
from hybridgen.domain.mutants import Finding, findings
from hybridgen.lockdown import child_filter, probe
from hybridgen.observe.answers import NonsenseError, effect_in, steps_in, text_in
from hybridgen.observe.effort import FORK, MUTANT_RUN, START
from hybridgen.observe.process import WorkerLost, WorkerProcess
from hybridgen.observe.runner import (
    IMPORT_TIMEOUT,
    Runner,
    Sandbox,
    Variation,
    load_request,
    start_worker,
)

EXTENSION_FILE = Path(__file__).with_name("worker_mutants.py")
RUN_SECONDS = 0.5
"""Processor time that one candidate may take on a mutant; the original takes a millisecond."""

MOST_SECONDS = 8.0
"""Wall time for one mutant, after which what was not run stays unknown."""

MOST_RESTARTS = 5
CLOSE = 1e-6
"""Relative difference that ``pytest.approx`` takes for none."""

Results = tuple[StepResult, ...]
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Ran:
    """What candidates did on one version of a module.

    Attributes:
        is_loaded: False if that version cannot be imported.
        results: by the place of the candidate; None for one that hung, died, or did what no test
            may do; those for which there was no time are missing.
        changing: places of candidates that changed the module's state.
    """

    is_loaded: bool
    results: Mapping[int, Results | None]
    changing: frozenset[int] = frozenset()


class Nursery:
    """The process that forks one for each version of a module; started when first needed.

    Args:
        runner: an open runner of the same module, which knows how to ask.
        scratch: an existing folder of its own; removed on close.
    """

    def __init__(self, module: Module, runner: Runner, sandbox: Sandbox, scratch: Path) -> None:
        self._module = module
        self._runner = runner
        self._sandbox = sandbox
        self._scratch = scratch
        self._worker: WorkerProcess | None = None
        self._starts = 0
        level = None if sandbox.is_locked else probe()
        self._common = {
            "load": load_request(module, runner.import_name, Variation()),
            "filter": child_filter(unsafe_level=level),
            "run_seconds": RUN_SECONDS,
            "import_seconds": IMPORT_TIMEOUT / 4,
        }

    def run(
        self,
        source: str | None,
        candidates: Sequence[Candidate],
        *,
        alone: Collection[Candidate] = (),
        is_careful: bool = False,
        seconds: float = MOST_SECONDS,
    ) -> Ran | None:
        """Runs candidates on the module, with another source if one is given.

        Args:
            alone: those that change the module's state, and get a process of their own.
            is_careful: look after each candidate, not after the last one only, whether it
                changed the module's state.
            seconds: after which what was not run stays unknown; :data:`MOST_SECONDS` at most.

        Returns:
            None if that could not be found out.
        """
        requests = [
            {**self._runner.request(candidate), "alone": candidate in alone}
            for candidate in candidates
        ]
        request = {
            "op": "mutant",
            "source": source,
            "runs": requests,
            "is_careful": is_careful,
            "seconds": min(seconds, MOST_SECONDS),
            **self._common,
        }
        processes = 1 + sum(candidate in alone for candidate in candidates)
        self._runner.effort.add(FORK * processes + MUTANT_RUN * len(candidates))
        try:
            worker = self._started()
            if worker is None:
                return None
            answer = worker.ask(request, MOST_SECONDS + IMPORT_TIMEOUT)
        except WorkerLost:
            self._forget()
            return None
        try:
            return _ran(answer, candidates, requests)
        except NonsenseError:
            self._forget()
            return None

    def close(self) -> None:
        """Ends the process and everything that it started."""
        self._forget()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _started(self) -> WorkerProcess | None:
        if self._worker is None and self._starts < MOST_RESTARTS:
            self._starts += 1
            self._runner.effort.add(START)
            folder = self._scratch / f"nursery-{self._starts}"
            folder.mkdir()
            worker = start_worker(
                self._module,
                self._sandbox,
                folder,
                hash_seed=Variation().hash_seed,
                extra_read=(EXTENSION_FILE,),
                may_fork=True,
            )
            self._worker = worker
            extension = {"op": "extend", "name": "mutants", "file": str(EXTENSION_FILE)}
            for request in (extension, {"op": "prepare", **self._common}):
                if worker.ask(request, IMPORT_TIMEOUT).get("ok") is not True:
                    self._forget()
                    self._starts = MOST_RESTARTS  # it would be the same again
                    break
        return self._worker

    def _forget(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def _ran(
    answer: Mapping[str, Any], candidates: Sequence[Candidate], requests: Sequence[dict[str, Any]]
) -> Ran:
    if answer.get("ok") is not True:
        raise NonsenseError("mutant")
    if answer.get("loaded") is not True:
        return Ran(False, {})
    answers = answer.get("answers")
    if not isinstance(answers, dict):
        raise NonsenseError("answers")
    found: dict[int, Results | None] = {}
    changing: set[int] = set()
    for place, (candidate, request) in enumerate(zip(candidates, requests, strict=True)):
        if (item := answers.get(str(place), _MISSING)) is _MISSING:
            continue
        if not isinstance(item, dict) or text_in(item, "error") is not None or effect_in(item):
            found[place] = None
        else:
            found[place] = tuple(steps_in(item, len(candidate.steps), request["imports"]))
            if item.get("dirty") is not False:
                changing.add(place)
    return Ran(True, found, frozenset(changing))


# ---------------------------------------------------------------- what a test would notice


def noticed(observation: Observation, results: Results | None) -> frozenset[Finding]:
    """The assertions of an observation that fail where a candidate gave ``results``.

    Args:
        results: None for a run that hung, died, or whose module could not be imported.
    """
    found: set[Finding] = set()
    is_broken = results is None
    steps = observation.candidate.steps
    for index, (step, wanted) in enumerate(zip(steps, observation.results, strict=True)):
        got = wanted if results is None else results[index]
        if is_broken or _is_other_way(wanted, got):
            is_broken = True  # a test ends where something is raised that it does not expect
            found.update(findings(step, wanted))
        else:
            found.update(_differing(step.code.strip(), wanted, got))
    return frozenset(found)


def _is_other_way(wanted: StepResult, got: StepResult) -> bool:
    """True if a step ended in another way: returned or raised, or raised something else."""
    if wanted.status != got.status or (wanted.raised is None) != (got.raised is None):
        return True
    if wanted.raised is None or got.raised is None:
        return False
    one, other = wanted.raised, got.raised
    if (one.type_name, one.type_import) != (other.type_name, other.type_import):
        return True
    return bool(one.match) and one.match != other.match


def _differing(code: str, wanted: StepResult, got: StepResult) -> list[Finding]:
    found = [
        (code, f"{check.kind} {check.path} {check.expression}")
        for check in wanted.checks
        if not _holds(check, got.checks)
    ]
    changed = dict(got.changed)
    for name, checks in wanted.changed:
        found += [
            (code, f"{name} {check.kind} {check.path} {check.expression}")
            for check in checks
            if not _holds(check, changed.get(name, ()))
        ]
    if wanted.output and wanted.output != got.output:
        found.append((code, f"prints {wanted.output}"))
    if wanted.complaints and wanted.complaints != got.complaints:
        found.append((code, f"complains {wanted.complaints}"))
    found += [(code, f"warns {name}") for name in wanted.warnings if name not in got.warnings]
    messages, others = ([message for _, message in result.logs] for result in (wanted, got))
    if messages and messages != others:
        found.append((code, f"logs {messages}"))
    return found


def _holds(check: Check, others: Sequence[Check]) -> bool:
    """True if what was seen passes the assertion of a check."""
    if check in others:
        return True
    values = (CheckKind.EQUAL, CheckKind.IS, CheckKind.APPROX)
    if check.kind not in (CheckKind.EQUAL, CheckKind.APPROX):
        return False
    return any(
        _are_equal(check, other)
        for other in others
        if other.path == check.path and other.kind in values
    )


def _are_equal(check: Check, other: Check) -> bool:
    try:
        one, two = ast.literal_eval(check.expression), ast.literal_eval(other.expression)
        if check.kind is CheckKind.APPROX and isinstance(one, float) and isinstance(two, float):
            return math.isclose(one, two, rel_tol=CLOSE, abs_tol=1e-12)
        return bool(one == two)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
