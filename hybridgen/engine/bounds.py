"""A bound on what foreign code in this process may use up: processor time and new memory."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

_SECONDS = 2.0
_AGAIN = 0.5
_MEMORY_BYTES = 256 << 20


class TooMuchError(BaseException):
    """The time is up; no Exception, so that no ``except`` of whatever runs can swallow it."""


@contextlib.contextmanager
def bounded(seconds: float = _SECONDS, memory_bytes: int = _MEMORY_BYTES) -> Iterator[None]:
    """Ends what runs inside with TooMuchError, or MemoryError, when it uses up more.

    On the main thread of a Linux process that does nothing else meanwhile; elsewhere the broker's
    patience is the only bound.

    Args:
        seconds: processor time, so that a busy or suspended machine refuses nothing.
        memory_bytes: how much more than now.
    """
    if sys.platform != "linux":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bound = _private_bytes() + memory_bytes
    if soft != resource.RLIM_INFINITY:
        bound = min(bound, soft)
    before = signal.signal(signal.SIGPROF, _end)
    # Again and again: an extension in C, or a "finally", may lose the first.
    signal.setitimer(signal.ITIMER_PROF, seconds, _AGAIN)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _end(number: int, frame: object) -> NoReturn:
    raise TooMuchError


def _private_bytes() -> int:
    """What counts against ``RLIMIT_DATA``: private mappings that can be written."""
    status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
    line = next(line for line in status.splitlines() if line.startswith("VmData:"))
    return int(line.split()[1]) * 1024
