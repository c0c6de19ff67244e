"""What the code under test compares while it runs: operands, from a worker of their own."""

from __future__ import annotations

import ast
import contextlib
import itertools
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybridgen.domain import Candidate, Module
from hybridgen.observe.answers import LARGEST_LINE, NonsenseError
from hybridgen.observe.effort import START, WATCHED_RUN
from hybridgen.observe.process import WorkerLost, WorkerProcess
from hybridgen.observe.runner import (
    IMPORT_TIMEOUT,
    Runner,
    Sandbox,
    Variation,
    load_request,
    start_worker,
)

EXTENSION_FILE = Path(__file__).with_name("worker_operands.py")
SLOWDOWN = 3
"""How much longer than usual a call may take in instrumented code."""

MOST_LOST = 4
"""After so many hangs or deaths nothing more is asked: each costs a new process."""

LONGEST_LITERAL = 2_000
MOST_OPERANDS = 500
_PLAIN = (str, bytes, bool, int, float, type(None), list, tuple, set, dict)


@dataclass(frozen=True, slots=True)
class Operands:
    """Two values that the code put together somewhere.

    Attributes:
        line: 1-based line in the module.
        kind: a comparison (``==``, ``len <``), ``key`` (a look-up: key, keys), the name of a
            method of texts, ``match``, ``search`` or ``fullmatch`` (text, (pattern, flags)),
            ``isinstance`` (value, names of types), or the name of a conversion (``int``).
        left: a value of built-in types; None is also what could not be said.
        right: the same.
    """

    line: int
    kind: str
    left: object
    right: object


class Watcher:
    """Runs candidates in instrumented code and tells the operands that it saw.

    State that calls leave behind is no reason to start anew here: what is told are hints for
    inputs, and each input is run again by the runner.

    Args:
        runner: the runner of the same module, opened.
        scratch: an existing folder of its own.
    """

    def __init__(self, module: Module, runner: Runner, sandbox: Sandbox, scratch: Path) -> None:
        self._module = module
        self._runner = runner
        self._sandbox = sandbox
        self._scratch = scratch
        self._numbers = itertools.count(1)
        self._worker: WorkerProcess | None = None
        self._lost = 0

    def operands(self, candidate: Candidate) -> tuple[Operands, ...]:
        """What was compared while ``candidate`` ran; nothing where that cannot be known."""
        if self._lost >= MOST_LOST:
            return ()
        try:
            request = {**self._runner.request(candidate), "op": "operands"}
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ()
        self._runner.effort.add(WATCHED_RUN)
        try:
            worker = self._worker or self._start()
            answer = worker.ask(request, SLOWDOWN * self._sandbox.call_timeout)
            return operands_in(answer)
        except (WorkerLost, NonsenseError):
            self._lost += 1
            self.close()
            return ()

    def close(self) -> None:
        """Ends the worker; a later question would start another."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _start(self) -> WorkerProcess:
        self._runner.effort.add(START)
        shutil.rmtree(self._scratch, ignore_errors=True)
        folder = self._scratch / f"watcher-{next(self._numbers)}"
        folder.mkdir(parents=True)
        worker = self._worker = start_worker(
            self._module, self._sandbox, folder, hash_seed=1, extra_read=(EXTENSION_FILE,)
        )
        file = str(self._module.path)
        load = load_request(self._module, self._runner.import_name, Variation())
        extend = {"op": "extend", "name": "worker_operands", "file": str(EXTENSION_FILE)}
        for request in (extend, {"op": "watch", "file": file}, load):
            answer = worker.ask(request, IMPORT_TIMEOUT)
            if answer.get("ok") is not True:
                raise WorkerLost("died", f"{request['op']} failed")
        return worker


def operands_in(answer: Mapping[str, Any]) -> tuple[Operands, ...]:
    """The operands in a worker's answer, as far as they are plain values.

    Raises:
        NonsenseError: the answer has another form than a worker gives it.
    """
    items = answer.get("operands")
    if not isinstance(items, list):
        raise NonsenseError("operands")
    found = []
    for item in items[:MOST_OPERANDS]:
        if not isinstance(item, list) or len(item) != 4:
            raise NonsenseError("operands")
        line, kind, *sides = item
        is_place = type(line) is int and 0 < line < LARGEST_LINE
        if not is_place or not isinstance(kind, str) or len(kind) > 40:
            raise NonsenseError("operands")
        found.append(Operands(line, kind, *(_value(side) for side in sides)))
    return tuple(found)


def _value(text: object) -> object:
    if text is None:
        return None
    if not isinstance(text, str):
        raise NonsenseError("operands")
    if len(text) > LONGEST_LITERAL:
        return None
    with contextlib.suppress(SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        value: object = ast.literal_eval(text)
        return value if isinstance(value, _PLAIN) else None
    return None
