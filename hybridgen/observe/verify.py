"""Runs a rendered test file under real pytest, inside the locks, before it is written.

The file is put into a *mirror* of the project: a scratch folder with a link to every entry of the
project's root, in which only the folders that lead to the test file are real. So pytest finds the
project's configuration, ``conftest.py`` files and packages exactly where it will find them later,
and nothing of the project is touched.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import math
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybridgen.domain import Arc, Module
from hybridgen.observe.answers import NonsenseError, arcs_in, errors_in, outcomes_in, text_in
from hybridgen.observe.process import WorkerLost
from hybridgen.observe.runner import Sandbox, start_worker

LEFT_OUT = frozenset({".git", ".hg", ".pytest_cache", "__pycache__", ".mypy_cache", ".tox"})
PYTEST_NEEDS = (
    "pytest",
    "_pytest",
    "py",
    "pluggy",
    "iniconfig",
    "packaging",
    "pygments",
    "exceptiongroup",
    "tomli",
    "typing_extensions",
)
AT_ONCE = 2
RUN_TIMEOUT = 60.0
SHORTEST_TIMEOUT = 15.0
"""Seconds that one run of pytest may take: a third of what is left of the budget, within these
bounds, so that there is time to find out which test does not come back."""

PATIENCE = 3.0
"""How many times as long as the slowest run until now a run may take in any case: on a machine that
is busy everything is slow, and nothing hangs."""

SLOW_TOGETHER = 2
"""Of how many parts one is dropped where each comes back, and all together do not in time."""

AS_WRITTEN = (0, 0)
SHUFFLED = ((1, 86_400 * 399 + 3_661), (2, 0))
"""Ways to run tests: the number of an order, and seconds by which the clock is ahead."""

CONFTEST = '''\
"""Lets plain pytest import the project from its source tree. Written by hybridgen."""

import sys
from pathlib import Path

sys.path.insert(0, {place})
'''


@dataclass(frozen=True, slots=True)
class PytestRun:
    """One run of pytest.

    Attributes:
        outcomes: name of a test (``test_add``, ``TestCart::test_add``) -> True if all its cases
            passed.
        errors: what went wrong, for people.
        arcs: line transitions in the module under test.
        found: the file that the module was imported from, or None.
        version: pytest's version.
        lost: why there is nothing: ``"timeout"``, ``"died"`` or ``"output"``; else None.
    """

    outcomes: Mapping[str, bool]
    errors: tuple[str, ...] = ()
    arcs: frozenset[Arc] = frozenset()
    found: str | None = None
    version: str = ""
    lost: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What real pytest says about the tests that hybridgen rendered.

    Attributes:
        failed: name of a test -> ``"alone"``, ``"together"`` or ``"shuffled"``; where it did not
            come back, ``"timeout"``, ``"died"`` or ``"output"``.
        import_error: why the file could not even be imported, or None.
    """

    failed: Mapping[str, str]
    arcs: frozenset[Arc]
    version: str
    import_error: str | None = None


@dataclass(frozen=True, slots=True)
class _File:
    """What is checked: new files, the one with the tests, and when to stop."""

    files: Mapping[Path, str]
    path: Path
    deadline: float


class Verifier:
    """Runs pytest for one module in a mirror of its project.

    Args:
        import_name: the verified import name of the module.
        scratch: an existing folder of its own.
    """

    def __init__(self, module: Module, import_name: str, sandbox: Sandbox, scratch: Path) -> None:
        self._module = module
        self._import_name = import_name
        self._sandbox = sandbox
        self._scratch = scratch
        self._numbers = itertools.count(1)
        self._pytest_folder, self._pytest_sources = _stage_pytest(scratch / "pytest")
        self._slowest = 0.0

    def existing(
        self, files: Sequence[Path], *, timeout: float, changed: Mapping[Path, str] | None = None
    ) -> PytestRun:
        """Runs tests that are there already, for the coverage that they give.

        Args:
            changed: another content for some of them.
        """
        if not files:
            return PytestRun({})
        run = self._run(files, changed or {}, None, order=0, clock=0, timeout=timeout)
        if run.outcomes:
            return run
        # Tests that pass with `python -m pytest` only, which puts the root on the path.
        again = self._run(
            files, changed or {}, None, order=0, clock=0, timeout=timeout, with_root=True
        )
        return again if again.outcomes else run

    def finds_module(self, path: Path, *, timeout: float) -> bool:
        """Whether plain pytest imports the module from a test file at ``path``.

        True also where pytest did not end, which says nothing about this.
        """
        text = f"import {self._import_name} as module\n\n\ndef test_it():\n    assert module\n"
        began = time.monotonic()
        run = self._run((path,), {path: text}, None, order=0, clock=0, timeout=timeout)
        self._slowest = max(self._slowest, time.monotonic() - began)
        return run.lost is not None or run.found == str(self._module.path.resolve())

    def check(
        self, files: Mapping[Path, str], test_path: Path, names: Sequence[str], *, deadline: float
    ) -> Verified:
        """Runs ``names`` of ``test_path`` together, shuffled twice, and each alone.

        Args:
            files: new content of every file that would be written, the test file among them.
            names: of tests, as pytest has them after the file: ``TestCart::test_add``.
            deadline: ``time.monotonic()`` after which the runs alone stop; a test that was not
                run alone is kept, since it passed in three orders.
        """
        job = _File(files, test_path, deadline)
        together = self._ask(job, names, AS_WRITTEN)
        if together.lost is not None:
            return Verified(self._hanging(job, names, AS_WRITTEN, together), frozenset(), "")
        if not together.outcomes:
            text = "; ".join(together.errors) or "pytest found no tests"
            return Verified({}, frozenset(), together.version, text)
        if together.found != str(self._module.path.resolve()):
            text = f"under pytest, {self._import_name} is {together.found or 'not imported'}"
            return Verified({}, frozenset(), together.version, text)
        failed: dict[str, str] = {}
        _note(failed, together, names, "together")
        if failed:
            return Verified(failed, together.arcs, together.version)  # the rest will be run again
        with ThreadPoolExecutor(AT_ONCE) as pool:
            runs = list(pool.map(lambda way: self._ask(job, names, way), SHUFFLED))
        for way, run in zip(SHUFFLED, runs, strict=True):
            if run.lost is None:
                _note(failed, run, names, "shuffled")
            elif not failed:  # else what is left will be run again
                failed |= self._hanging(job, names, way, run)
        if failed:
            return Verified(failed, together.arcs, together.version)
        for name, passed in self._alone(job, names):
            if not passed:
                failed.setdefault(name, "alone")
        return Verified(failed, together.arcs, together.version)

    def _alone(self, job: _File, names: Sequence[str]) -> Iterable[tuple[str, bool]]:
        def one(name: str) -> tuple[str, bool]:
            if time.monotonic() > job.deadline:
                return name, True
            return name, self._ask(job, [name], AS_WRITTEN).outcomes.get(name, False)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(one, names))

    def _hanging(
        self, job: _File, names: Sequence[str], way: tuple[int, int], lost: PytestRun
    ) -> dict[str, str]:
        """Which tests do not come back, and why, found by halves; never nothing.

        What there was no time to ask about counts as well: it may be what hangs.
        """
        reason = lost.lost or "timeout"
        found = dict.fromkeys(names, reason)
        groups = [names]
        until = max(job.deadline, time.monotonic() + self._timeout(job))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while groups and time.monotonic() < until:
                parts = [half for group in groups if len(group) > 1 for half in _halves(group)]
                runs = pool.map(lambda part: self._ask(job, part, way, until), parts)
                groups = []
                for part, run in zip(parts, runs, strict=True):
                    if run.lost is not None:
                        groups.append(part)
                        found |= dict.fromkeys(part, run.lost)
                    else:
                        found = {name: why for name, why in found.items() if name not in part}
        # Where all come back by halves, they are too slow for one run: fewer may not be.
        return found or dict.fromkeys(names[-max(1, len(names) // SLOW_TOGETHER) :], reason)

    def _timeout(self, job: _File) -> float:
        left = job.deadline - time.monotonic()
        return min(RUN_TIMEOUT, max(SHORTEST_TIMEOUT, PATIENCE * self._slowest, left / 3))

    def _ask(
        self,
        job: _File,
        names: Sequence[str],
        way: tuple[int, int],
        until: float = math.inf,
    ) -> PytestRun:
        """One run of tests that we wrote.

        Args:
            way: the number of an order, and seconds by which the clock is ahead.
            until: a time after which it is not begun.
        """
        began = time.monotonic()
        if began > until:
            return PytestRun({}, lost="timeout")
        order, clock = way
        timeout = self._timeout(job)
        run = self._run((job.path,), job.files, names, order=order, clock=clock, timeout=timeout)
        if run.lost is None:
            self._slowest = max(self._slowest, time.monotonic() - began)
        return run

    def _run(
        self,
        targets: Sequence[Path],
        files: Mapping[Path, str],
        names: Sequence[str] | None,
        *,
        order: int,
        clock: int,
        timeout: float,
        with_root: bool = False,
    ) -> PytestRun:
        folder = self._scratch / f"verify-{next(self._numbers)}"
        mirror = folder / "mirror"
        mirror.mkdir(parents=True)
        root = self._module.project.root
        _mirror(root, mirror, {path.relative_to(root): text for path, text in files.items()})
        request = {
            "op": "pytest",
            "folder": str(mirror),
            "file": str(self._module.path),
            "name": self._import_name,
            "order": order,
            "clock": clock,
            "select": None if names is None else list(names),
            "paths": [str(mirror)] if with_root else [],
            "more_paths": [str(self._pytest_folder)],
            "arguments": [
                *("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly"),
                *("-o", "addopts=", "--basetemp", str(folder / "basetemp")),
                *("--rootdir", str(mirror), "--confcutdir", str(mirror)),
                *(str(path.relative_to(root)) for path in targets),
            ],
        }
        try:
            worker = start_worker(
                self._module,
                self._sandbox,
                folder,
                hash_seed=7 + order,
                extra_read=(self._pytest_folder, *self._pytest_sources),
            )
            try:
                return _pytest_run(worker.ask(request, timeout))
            finally:
                worker.close()
        except WorkerLost as lost:
            return PytestRun({}, (f"pytest {lost}",), lost=lost.reason)
        except NonsenseError as error:
            return PytestRun({}, (f"pytest was taken over by what it ran: {error} is nonsense",))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def conftest_for(folder: Path, root: Path) -> dict[Path, str]:
    """A ``conftest.py`` by which plain pytest finds the project's sources.

    In the tests folder, or above it where there is one already, up to the folder that holds the
    sources too; nothing where all of them have one.
    """
    folders = (folder, *folder.parents)
    top = next(number for number, parent in enumerate(folders) if root.is_relative_to(parent))
    for number, place in enumerate(folders[: top + 1]):
        path = place / "conftest.py"
        if not path.exists():
            # As JSON: a folder may be called anything, and what is written is code.
            below = "".join(
                f" / {json.dumps(part)}" for part in root.relative_to(folders[top]).parts
            )
            found = f"Path(__file__).resolve().parents[{top - number}]{below}"
            return {path: CONFTEST.format(place=f"str({found})")}
    return {}


def _pytest_run(answer: Mapping[str, Any]) -> PytestRun:
    if answer.get("ok") is not True:
        return PytestRun({}, (text_in(answer, "error") or "pytest failed",))
    outcomes: dict[str, bool] = {}
    for node, outcome in outcomes_in(answer).items():
        name = node.partition("::")[2].partition("[")[0]
        outcomes[name] = outcomes.get(name, True) and outcome == "passed"
    return PytestRun(
        outcomes,
        errors_in(answer),
        arcs_in(answer),
        text_in(answer, "found"),
        text_in(answer, "version") or "?",
    )


def _halves(names: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    middle = len(names) // 2
    return names[:middle], names[middle:]


def _note(failed: dict[str, str], run: PytestRun, names: Sequence[str], reason: str) -> None:
    for name in names:
        if not run.outcomes.get(name, False):
            failed.setdefault(name, reason)


def _mirror(source: Path, mirror: Path, files: Mapping[Path, str]) -> None:
    """Links every entry of ``source`` into ``mirror``; ``files`` are real, with their new text."""
    inner: dict[str, dict[Path, str]] = {}
    for path, text in files.items():
        if len(path.parts) == 1:
            (mirror / path).write_text(text, encoding="utf-8", newline="")
        else:
            inner.setdefault(path.parts[0], {})[Path(*path.parts[1:])] = text
    if source.is_dir():
        for entry in source.iterdir():
            if entry.name in inner or entry.name in LEFT_OUT or Path(entry.name) in files:
                continue
            # Not Path.resolve(), which fails where a link of the project leads to itself.
            (mirror / entry.name).symlink_to(os.path.realpath(entry))
    for name, below in inner.items():
        (mirror / name).mkdir()
        _mirror(source / name, mirror / name, below)


def _stage_pytest(folder: Path) -> tuple[Path, tuple[Path, ...]]:
    """A folder with nothing but our pytest in it, for projects that have none.

    It comes last on the worker's path, so the project's own pytest wins where there is one, and
    nothing else of our environment can be imported by the code under test.
    """
    folder.mkdir()
    sources = []
    for name in PYTEST_NEEDS:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue
        # A package may be compiled for our Python; its sources, which others need, lie beside.
        inside = spec.submodule_search_locations
        source = Path(inside[0]) if inside else Path(spec.origin)
        (folder / source.name).symlink_to(source)
        sources.append(source)
    return folder, tuple(sources)
