"""The broker's end of the courier's process: spawn it bare, send and receive frames, end it."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

from hybridgen.courier import frames

# -I keeps the current folder, PYTHONPATH and the user's site off sys.path. The folder that holds
# this very package is added only where it is not there anyway (a checkout that is not installed).
_BOOTSTRAP: Final = (
    "import sys; root = sys.argv[1]; root in sys.path or sys.path.insert(0, root); "
    "from hybridgen.courier.child import main; main()"
)
_OPTIONS: Final = ("-I", "-X", "utf8", "-W", "ignore", "-c", _BOOTSTRAP)
# Some builds of Python need it to start at all.
_KEPT_VARIABLES: Final = ("LD_LIBRARY_PATH",)
_ENDING_SECONDS: Final = 5.0


class CourierGoneError(Exception):
    """The courier's process ended, or what it says is not to be understood.

    Args:
        how: what it did.
        has_some: whether it may have got a part of what was to be sent.
    """

    def __init__(self, how: str, *, has_some: bool = False) -> None:
        super().__init__(how)
        self.has_some = has_some


class CourierProcess:
    """One courier process: nothing of the user's in its environment, no file of theirs open.

    Its stderr goes nowhere, since what a library prints there may quote what was sent.
    """

    def __init__(self) -> None:
        root = str(Path(__file__).resolve().parent.parent.parent)
        # The kernel tells of the end of the thread that made a process, not of its process.
        dies = threading.current_thread() is threading.main_thread()
        self._process = subprocess.Popen(
            [sys.executable, *_OPTIONS, root, str(os.getpid()), "dies" if dies else "stays"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            close_fds=True,
            start_new_session=True,
            cwd="/",
            env=_environment(),
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._out = self._process.stdin.fileno()
        self._in = self._process.stdout.fileno()
        os.set_blocking(self._out, False)
        self.pid = self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def send(self, frame: bytes, seconds: float) -> None:
        """Writes one frame.

        Raises:
            CourierGoneError: nobody reads, or the pipe stayed full for ``seconds``.
        """
        rest = memoryview(frame)
        end = time.monotonic() + seconds
        while rest:
            left = max(0.0, end - time.monotonic())
            if not select.select([], [self._out], [], left)[1]:
                raise CourierGoneError("takes no requests", has_some=len(rest) < len(frame))
            try:
                rest = rest[os.write(self._out, rest) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise CourierGoneError("ended", has_some=len(rest) < len(frame)) from error

    def receive(self) -> frames.Message:
        """Waits for the next frame.

        Raises:
            CourierGoneError: the process ended, or sent something that is no frame.
        """
        try:
            return frames.decode(self._read(frames.size_of(self._read(frames.HEAD_BYTES))))
        except frames.FrameError as error:
            raise CourierGoneError("sent something that is no answer") from error

    def _read(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            try:
                data = os.read(self._in, min(65536, size - len(parts)))
            except OSError as error:
                raise CourierGoneError("ended") from error
            if not data:
                raise CourierGoneError("ended")
            parts += data
        return bytes(parts)

    def kill(self) -> None:
        """Ends the process at once and reaps it; its pipes stay until ``close``."""
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_ENDING_SECONDS)

    def close(self) -> None:
        """Closes the pipes; nobody may be reading any more."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def _environment() -> dict[str, str]:
    """No keys, proxies, addresses or library switches of the user's shell, and no home."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {**kept, "PATH": os.defpath, "LANG": "C.UTF-8", "HOME": "/nonexistent"}
