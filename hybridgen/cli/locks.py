"""When a command takes its locks: after what the user's own settings need, before any code."""

from __future__ import annotations

from pathlib import Path


def lock_broker() -> None:
    """Takes the locks of a process that reads code: from now on this one reaches no network.

    Where the kernel has only some of them, those are taken; what may be done without the others
    is decided where it is done (nothing is sent, no code is run).

    Raises:
        RuntimeError: something has started a thread already.
    """
    from hybridgen.errors import SandboxUnavailable
    from hybridgen.lockdown import LockLevel, broker_profile, lock_down, probe

    try:
        lock_down(broker_profile())
    except SandboxUnavailable:
        level = probe()
        if level.sockets or level.files:
            some = LockLevel(level.sockets, level.files and not level.sockets, level.why)
            lock_down(broker_profile(may_box=level.boxed), level=some)


def lock_puller(folder: Path) -> None:
    """Takes the locks of ``models pull``: from now on this process reads no project.

    It reads none before either, so where the kernel has no locks it may go on.

    Args:
        folder: of the models; it exists.
    """
    import contextlib

    from hybridgen.errors import SandboxUnavailable
    from hybridgen.lockdown import lock_down, puller_profile

    with contextlib.suppress(SandboxUnavailable):
        lock_down(puller_profile(folder))
