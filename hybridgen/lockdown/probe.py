"""Tries the locks in a child, because a version number proves nothing about a container."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from hybridgen.errors import HybridgenError
from hybridgen.lockdown.box import bubblewrap
from hybridgen.lockdown.command import locked_command
from hybridgen.lockdown.level import LockLevel
from hybridgen.lockdown.profile import Limits, Profile, programs
from hybridgen.lockdown.runtime import readable_by_all
from hybridgen.lockdown.syscalls import this_architecture

_TIMEOUT = 30  # seconds; it takes a tenth of one

# Prints a word for every lock that holds. ENOSYS and the like are no proof of a lock.
_TRIAL = """
import _socket, os, sys
def is_denied(action):
    try:
        action()
    except OSError as problem:
        return problem.errno in denials
    return False
denials = (1, 13)
inside, outside = sys.argv[1:]
os.close(os.open(inside, os.O_WRONLY | os.O_CREAT))
if (is_denied(lambda: _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM))
        and is_denied(lambda: _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_DGRAM))
        and is_denied(lambda: os.kill(os.getppid(), 0))
        and is_denied(lambda: os.chmod(outside, 0o600))):
    print("sockets")
denials = (1, 2, 13)  # in a box there is no such file
if (is_denied(lambda: os.open(outside, os.O_RDONLY))
        and is_denied(lambda: os.open(outside, os.O_WRONLY))
        and is_denied(lambda: os.unlink(outside))):
    print("files")
"""


@functools.cache
def probe() -> LockLevel:
    """What the kernel locks on this machine, tried once in a child and remembered.

    Never raises; callers refuse with :class:`~hybridgen.errors.SandboxUnavailable` unless
    ``is_full`` or the user accepted the risk.
    """
    if sys.platform != "linux":
        return LockLevel(False, False, f"{sys.platform} has neither seccomp nor Landlock")
    if this_architecture() is None:
        return LockLevel(False, False, f"no system call table for {os.uname().machine}")
    try:
        both_locks = {"sockets", "files"}
        both, why = _try(LockLevel(True, True, "both"))
        if both == both_locks:
            return LockLevel(True, True, "seccomp and Landlock hold")
        sockets, why_not = _try(LockLevel(True, False, "seccomp only"))
        files, _ = _try(LockLevel(False, True, "Landlock only"))
        box = bubblewrap()
        if box is not None and _try(LockLevel(True, False, "a box"), box)[0] == both_locks:
            return LockLevel(True, False, f"no Landlock ({why}), but bubblewrap holds", boxed=True)
    except (OSError, subprocess.SubprocessError, HybridgenError) as problem:
        return LockLevel(False, False, f"the locks could not be tried: {problem}")
    reason = why or why_not or "the kernel took the locks but they do not hold"
    return LockLevel("sockets" in sockets, "files" in files, reason)


def _try(level: LockLevel, box: Path | None = None) -> tuple[set[str], str]:
    """The locks that held, and the launcher's complaint if it had one.

    Args:
        box: bubblewrap, to be tried in place of Landlock.
    """
    with tempfile.TemporaryDirectory(prefix="hybridgen-probe-") as folder:
        scratch, outside = Path(folder).resolve() / "scratch", Path(folder).resolve() / "outside"
        scratch.mkdir()
        outside.touch()
        program = Path(sys.executable).resolve()
        prefixes = {Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix)}
        read = (*prefixes, *readable_by_all())
        profile = Profile("runner", read, programs(program, read), (scratch,), Limits())
        trial = [sys.executable, "-I", "-S", "-c", _TRIAL, str(scratch / "inside"), str(outside)]
        result = subprocess.run(
            locked_command(profile, trial, unsafe_level=level, box=box),
            cwd=scratch,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            start_new_session=True,
        )
    lines = result.stderr.strip().splitlines()
    return set(result.stdout.split()), lines[-1] if lines else ""
