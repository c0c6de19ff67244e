"""The broker's end of the engine's process: spawn, send, receive, kill, say how it died."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from hybridgen.engine import wire
from hybridgen.lockdown import engine_command

# -I keeps the current folder, PYTHONPATH and the user's site off sys.path. The folder that holds
# this very package is added only where it is not there anyway (a checkout that is not installed).
_BOOTSTRAP = (
    "import sys; root = sys.argv[1]; root in sys.path or sys.path.insert(0, root); "
    "from hybridgen.engine.child import main; main()"
)
_KEPT_VARIABLES = (
    "LD_LIBRARY_PATH",
    # Which graphics cards may be used.
    *("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"),
    "GGML_VK_VISIBLE_DEVICES",
)


class ProcessGoneError(Exception):
    """The engine's process ended; the message says how."""


class ProcessStuckError(Exception):
    """The engine's process does not take what it is sent."""


class EngineProcess:
    """One engine process.

    Args:
        log: file that its stdout and stderr are appended to; made 0600.
        model: the file that it may read besides its Python, where it is locked from outside.

    Raises:
        SandboxUnavailable: it is to be locked from outside, and cannot.
    """

    def __init__(self, log: Path, model: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        root = str(Path(__file__).resolve().parent.parent.parent)
        program = [sys.executable, "-I", "-X", "utf8", "-c", _BOOTSTRAP, root]
        try:
            self._process = subprocess.Popen(
                engine_command(model, program),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                bufsize=0,
                cwd="/",
                env=child_environment(),
            )
        finally:
            os.close(output)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests = self._process.stdin.fileno()
        self._replies = self._process.stdout.fileno()
        os.set_blocking(self._requests, False)
        self._buffer = b""
        self.pid = self._process.pid

    def send(self, line: bytes, timeout: float) -> None:
        """Writes one line.

        Raises:
            ProcessGoneError: nobody reads any more.
            ProcessStuckError: the pipe stayed full for ``timeout`` seconds.
        """
        rest = memoryview(line)
        end = time.monotonic() + timeout
        while rest:
            left = max(0.0, end - time.monotonic())
            if not select.select([], [self._requests], [], left)[1]:
                raise ProcessStuckError
            try:
                rest = rest[os.write(self._requests, rest) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as error:
                raise ProcessGoneError(self.ending()) from error

    def receive(self, timeout: float) -> wire.Message | None:
        """The next message, or None if none came within ``timeout`` seconds.

        Raises:
            ProcessGoneError: the process ended.
        """
        end = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            left = max(0.0, end - time.monotonic())
            if not select.select([self._replies], [], [], left)[0]:
                return None
            data = os.read(self._replies, 65536)
            if not data:
                raise ProcessGoneError(self.ending())
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return wire.decode(line)

    def kill(self) -> None:
        """Ends the process at once and reaps it; harmless if it has ended."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def ending(self) -> str:
        """How the process ended, for people."""
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "closed its pipe without ending"
        if code == -signal.SIGKILL:
            return "was killed, most likely because memory ran out"
        if code == -signal.SIGILL:
            return "stopped at an instruction that this CPU does not have"
        if code < 0:
            return f"crashed with {signal.Signals(-code).name}"
        return f"ended by itself with status {code}"


def child_environment() -> dict[str, str]:
    """A scrubbed environment: no keys, proxies or library switches of the user's shell."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {
        **kept,
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        # Otherwise ggml starts a debugger when it aborts.
        "GGML_NO_BACKTRACE": "1",
    }
