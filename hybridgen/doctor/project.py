"""The Python that ``generate`` would use in a folder, started once in the runner's locks.

Nothing of the project is imported, and no file of it is read but what the interpreter itself reads
when it starts, inside the locks.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hybridgen.doctor.locks import Demand
from hybridgen.domain import Interpreter
from hybridgen.domain.health import Finding, State
from hybridgen.lockdown import LockLevel
from hybridgen.observe.process import WorkerLost
from hybridgen.observe.runner import Sandbox, start_locked
from hybridgen.source.interpreter import find_interpreter

_PATIENCE: Final = 20.0
_LONGEST_VERSION: Final = 40
_OLDEST: Final = (3, 9)
_ANOTHER: Final = "make a new environment (python3 -m venv .venv), or: --python /path/to/python"

# Answers one line, as the worker does. Its current folder is the empty scratch folder, so nothing
# of the project is taken for a module.
_QUESTION: Final = """
import importlib.util, json, sys
sys.stdin.readline()
pytest = None
if importlib.util.find_spec("pytest") is not None:
    try:
        from importlib.metadata import version
        pytest = version("pytest")
    except Exception:
        pytest = "of a version that is not known"
print(json.dumps({"version": list(sys.version_info[:3]), "pytest": pytest}), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Locks:
    """How the code of a project is to be run.

    Attributes:
        level: what the kernel locks here.
        demand: without what it is not run.
        memory_bytes: what it may use.
    """

    level: LockLevel
    demand: Demand
    memory_bytes: int


def check_python(
    root: Path | None, python: str | None, said_by: str, locks: Locks
) -> Iterator[Finding]:
    """Which Python runs the project's code, why, and that it starts.

    Args:
        root: the project's root, resolved; None where there is none.
        python: what the settings name, or None.
        said_by: where they name it, for people.

    Raises:
        UsageError: no Python can be used.
        PolicyRefusal: the locks would have to open too much.
    """
    if root is None:
        yield Finding("python", State.SKIPPED, "there is no project in the current folder")
        return
    found = find_interpreter(root, python)
    why = found.why if python is None else said_by
    chosen = f"{found.path} ({why})"
    facts = {"path": str(found.path), "why": why, "project": str(root)}
    if not locks.demand.is_met_by(locks.level):
        text = f"{chosen} was not started: the kernel does not lock it"
        yield Finding("python", State.SKIPPED, text, facts=facts)
        return
    try:
        version, pytest = _said(_asked(root, found, locks))
    except WorkerLost as lost:
        text = f"{chosen} does not start in the runner's locks: {lost.reason}"
        details = tuple(lost.detail.splitlines()[-1:])
        yield Finding("python", State.WRONG, text, _ANOTHER, details, facts)
        return
    shown = ".".join(map(str, version))
    if version < _OLDEST:
        text = f"{chosen} is Python {shown}; tests can be written for 3.9 and newer"
        yield Finding("python", State.WRONG, text, _ANOTHER, facts={**facts, "version": shown})
        return
    with_pytest = f"pytest {pytest}" if pytest else "without pytest, so hybridgen lends its own"
    yield Finding(
        "python",
        State.OK,
        f"Python {shown}, {with_pytest}: {chosen}",
        facts={**facts, "version": shown, "pytest": pytest or None},
    )


def _said(answer: Mapping[str, Any]) -> tuple[tuple[int, ...], str]:
    """Its version, and pytest's or "" without one; what answers may be anything.

    Raises:
        WorkerLost: that is no answer of a Python.
    """
    try:
        version = tuple(int(number) for number in answer["version"])
        return version, str(answer["pytest"] or "")[:_LONGEST_VERSION]
    except (KeyError, TypeError, ValueError):
        raise WorkerLost("died", "its answer is none of a Python") from None


def _asked(root: Path, interpreter: Interpreter, locks: Locks) -> dict[str, Any]:
    """Starts it by the call that starts a worker, and asks for its version and pytest's.

    Raises:
        WorkerLost: it does not start, dies or does not answer.
    """
    sandbox = Sandbox(locks.demand.is_required, _PATIENCE, locks.memory_bytes)
    ask = [str(interpreter.path), "-s", "-B", "-c", _QUESTION]
    with tempfile.TemporaryDirectory(prefix="hybridgen-doctor-") as folder:
        scratch = Path(folder).resolve()
        worker = start_locked(ask, sandbox, scratch, root=root, interpreter=interpreter)
        try:
            return worker.ask({}, _PATIENCE)
        finally:
            worker.close()
