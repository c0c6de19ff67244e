"""One worker process: started inside the locks, asked in JSON lines, killed when it is late."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WORKER_FILE = Path(__file__).with_name("worker.py")
WORLD_FILE = WORKER_FILE.with_name("worker_world.py")
LARGEST_ANSWER = 16 * 2**20
LARGEST_SCRATCH = 2**30
"""Bytes by which the free space may shrink while a worker runs: the kernel bounds each of its
files, not their sum. Others may have written them; then a worker is replaced for nothing."""
LOOK_SECONDS = 0.25


def worker_command(interpreter: Path) -> list[str]:
    """How a Python starts the worker.

    Not with ``-I``, which would ignore PYTHONHASHSEED; what it protects from is kept out in other
    ways: the environment is ours alone, ``-s`` leaves out the user's packages, and the entry that
    ``-c`` adds to the path is removed before anything is imported.
    """
    start = "import sys; sys.path.pop(0); f = sys.argv[1]; exec(compile(open(f).read(), f, 'exec'))"
    return [str(interpreter), "-s", "-B", "-c", start, str(WORKER_FILE), str(WORLD_FILE)]


class WorkerLost(Exception):
    """The worker hung, died or said too much; ``reason`` is one of a few fixed words."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class WorkerProcess:
    """A running worker.

    Args:
        command: the whole argument list, locks included.
        environment: its whole environment.
        folder: its working folder, inside its scratch.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> None:
        # Kept open and read through this descriptor only: by its name, a worker could have put a
        # link or a pipe in its place.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
            close_fds=True,
        )
        self._folder = folder
        free = _free(folder)
        self._least = free - min(LARGEST_SCRATCH, free // 2)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests = self._process.stdin
        self._answers = self._process.stdout.fileno()
        os.set_blocking(self._answers, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._answers, selectors.EVENT_READ)

    def ask(self, request: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """Sends one request and waits for its answer.

        Raises:
            WorkerLost: with reason ``"timeout"``, ``"died"`` or ``"output"``; the process is
                gone then.
        """
        deadline = time.monotonic() + timeout
        if self._selector.select(0):  # an end, or words that nobody asked for
            raise self._lost("died")
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()
        except (BrokenPipeError, OSError):
            raise self._lost("died") from None
        buffer = bytearray()
        while not buffer.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._lost("timeout")
            is_ready = self._selector.select(min(left, LOOK_SECONDS))
            if _free(self._folder) < self._least:
                raise self._lost("output")
            if not is_ready:
                continue
            with contextlib.suppress(BlockingIOError):
                piece = os.read(self._answers, 1 << 16)
                if not piece:
                    raise self._lost("died")
                buffer += piece
            if len(buffer) > LARGEST_ANSWER:
                raise self._lost("output")
        try:
            answer = json.loads(buffer)
        except (ValueError, RecursionError):
            raise self._lost("died", "its answer was not JSON") from None
        if not isinstance(answer, dict):
            raise self._lost("died", "its answer was not an object")
        return answer

    def _lost(self, reason: str, detail: str = "") -> WorkerLost:
        self._kill()
        if reason == "died" and not detail:
            detail = self._last_words() or f"exit status {self._process.returncode}"
        self.close()
        return WorkerLost(reason, detail)

    def _last_words(self) -> str:
        size = os.fstat(self._errors.fileno()).st_size
        text = os.pread(self._errors.fileno(), 300, max(0, size - 300))
        return text.decode(errors="replace").strip()

    def _kill(self) -> None:
        if self._process.returncode is None:  # until it is waited for, its number is its own
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def close(self) -> None:
        """Kills the process and everything in its session; safe to call twice."""
        assert self._process.stdout is not None
        if self._process.stdout.closed:
            return
        self._kill()
        with contextlib.suppress(OSError):
            self._requests.close()
        self._selector.close()
        self._process.stdout.close()
        self._errors.close()


def _free(folder: Path) -> int:
    """Bytes that may still be written where ``folder`` lies."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
