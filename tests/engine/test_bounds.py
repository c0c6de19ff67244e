"""Foreign code in the engine's process: how long it may run and how much it may take."""

from __future__ import annotations

import contextlib
import resource
import signal
import sys

import pytest

from hybridgen.engine.bounds import TooMuchError, bounded

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there are no bounds elsewhere")


def test_loop_that_swallows_every_exception_is_ended() -> None:
    with pytest.raises(TooMuchError), bounded(seconds=0.1):
        while True:
            with contextlib.suppress(Exception):
                sum(range(1000))


def test_memory_beyond_the_bound_is_refused_and_below_it_is_not() -> None:
    with bounded(memory_bytes=64 << 20):
        assert len(bytearray(16 << 20)) == 16 << 20
        with pytest.raises(MemoryError):
            bytearray(128 << 20)
    assert len(bytearray(128 << 20)) == 128 << 20


def test_nothing_stays_bound_afterwards() -> None:
    before = (resource.getrlimit(resource.RLIMIT_DATA), signal.getsignal(signal.SIGPROF))
    with pytest.raises(KeyError), bounded():
        raise KeyError
    assert (resource.getrlimit(resource.RLIMIT_DATA), signal.getsignal(signal.SIGPROF)) == before
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
