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
"""Seconds that one run of pytest may take: what is left of the budget, within these bounds."""

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
    """

    outcomes: Mapping[str, bool]
    errors: tuple[str, ...] = ()
    arcs: frozenset[Arc] = frozenset()
    found: str | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """What real pytest says about the tests that hybridgen rendered.

    Attributes:
        failed: name of a test -> ``"alone"``, ``"together"`` or ``"shuffled"``.
        import_error: why the file could not even be imported, or None.
    """

    failed: Mapping[str, str]
    arcs: frozenset[Arc]
    version: str
    import_error: str | None = None


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
        """Whether plain pytest imports the module from a test file at ``path``."""
        text = f"import {self._import_name} as module\n\n\ndef test_it():\n    assert module\n"
        run = self._run((path,), {path: text}, None, order=0, clock=0, timeout=timeout)
        return run.found == str(self._module.path.resolve())

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
        failed: dict[str, str] = {}
        timeout = min(RUN_TIMEOUT, max(SHORTEST_TIMEOUT, deadline - time.monotonic()))
        together = self._run((test_path,), files, names, order=0, clock=0, timeout=timeout)
        if not together.outcomes:
            text = "; ".join(together.errors) or "pytest found no tests"
            return Verified({}, frozenset(), together.version, text)
        if together.found != str(self._module.path.resolve()):
            text = f"under pytest, {self._import_name} is {together.found or 'not imported'}"
            return Verified({}, frozenset(), together.version, text)
        _note(failed, together, names, "together")
        if failed:
            return Verified(failed, together.arcs, together.version)  # the rest will be run again

        def shuffled(circumstances: tuple[int, int]) -> PytestRun:
            order, clock = circumstances
            return self._run((test_path,), files, names, order=order, clock=clock, timeout=timeout)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            for run in pool.map(shuffled, ((1, 86_400 * 399 + 3_661), (2, 0))):
                _note(failed, run, names, "shuffled")
        for name, passed in self._alone(files, test_path, names, deadline):
            if not passed:
                failed.setdefault(name, "alone")
        return Verified(failed, together.arcs, together.version)

    def _alone(
        self, files: Mapping[Path, str], test_path: Path, names: Sequence[str], deadline: float
    ) -> Iterable[tuple[str, bool]]:
        def one(name: str) -> tuple[str, bool]:
            if time.monotonic() > deadline:
                return name, True
            run = self._run((test_path,), files, [name], order=0, clock=0, timeout=RUN_TIMEOUT)
            return name, run.outcomes.get(name, False)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(one, names))

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
            return PytestRun({}, (f"pytest {lost}",))
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
