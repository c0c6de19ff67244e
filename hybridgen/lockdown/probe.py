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
from hybridgen.lockdown.seatbelt import private_places
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

# The same for what Seatbelt promises: there a socket can be made, but leads nowhere. The address is
# one for documentation (RFC 5737), and port 9 throws away what it is sent.
_SEATBELT_TRIAL = """
import _socket, os, sys
def is_denied(action):
    try:
        action()
    except OSError as problem:
        return problem.errno in (1, 13)
    return False
def connect(family, kind, address):
    one = _socket.socket(family, kind)
    one.settimeout(1)
    one.connect(address)
inside, outside, *places = sys.argv[1:]
os.close(os.open(inside, os.O_WRONLY | os.O_CREAT))
stream, datagram = _socket.SOCK_STREAM, _socket.SOCK_DGRAM
if (is_denied(lambda: connect(_socket.AF_INET, stream, ("127.0.0.1", 9)))
        and is_denied(lambda: connect(_socket.AF_INET, datagram, ("192.0.2.1", 9)))
        and is_denied(lambda: connect(_socket.AF_UNIX, stream, "/var/run/mDNSResponder"))
        and is_denied(lambda: _socket.socket(_socket.AF_INET, stream).bind(("127.0.0.1", 0)))):
    print("network", flush=True)
if (is_denied(lambda: os.open(outside, os.O_RDONLY))
        and is_denied(lambda: os.open(outside, os.O_WRONLY))
        and is_denied(lambda: os.unlink(outside))
        and all(is_denied(lambda: os.listdir(place)) for place in places)):
    print("files", flush=True)
if (is_denied(lambda: os.kill(os.getppid(), 0))
        and is_denied(lambda: os.posix_spawn("/bin/ls", ["ls", "/dev/null"], {}))
        and is_denied(lambda: os.execv("/bin/ls", ["ls", "/dev/null"]))):
    print("processes")
"""
_SEATBELT_PROMISES = ("network", "files", "processes")


@functools.cache
def probe() -> LockLevel:
    """What the kernel locks on this machine, tried once in a child and remembered.

    Never raises; callers refuse with :class:`~hybridgen.errors.SandboxUnavailable` unless
    ``can_run`` (or, before anything is sent, ``is_full``), or the user accepted the risk.
    """
    if sys.platform == "darwin":
        return _probe_seatbelt()
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


def _probe_seatbelt() -> LockLevel:
    try:
        held, why = _try(LockLevel(False, False, "Seatbelt", seatbelt=True))
    except (OSError, subprocess.SubprocessError, HybridgenError) as problem:
        return LockLevel(False, False, f"Seatbelt could not be tried: {problem}")
    missing = [name for name in _SEATBELT_PROMISES if name not in held]
    if not missing:
        why = "macOS: Seatbelt denied networks, files and programs to a child; never to this one"
        return LockLevel(False, False, why, seatbelt=True)
    complaint = f" ({why})" if why else ""
    text = f"Seatbelt does not hold what it should here: {', '.join(missing)}{complaint}"
    return LockLevel(False, False, text)


def _try(level: LockLevel, box: Path | None = None) -> tuple[set[str], str]:
    """The locks that held, and the launcher's complaint if it had one.

    Args:
        box: bubblewrap, to be tried in place of Landlock.
    """
    code = _SEATBELT_TRIAL if level.seatbelt else _TRIAL
    with tempfile.TemporaryDirectory(prefix="hybridgen-probe-") as folder:
        scratch, outside = Path(folder).resolve() / "scratch", Path(folder).resolve() / "outside"
        scratch.mkdir()
        outside.touch()
        program = Path(sys.executable).resolve()
        prefixes = {Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix)}
        read = (*prefixes, *readable_by_all())
        profile = Profile("runner", read, programs(program, read), (scratch,), Limits())
        trial = [sys.executable, "-I", "-S", "-c", code, str(scratch / "inside"), str(outside)]
        if level.seatbelt:
            trial += [str(place) for place in private_places() if place.is_dir()]
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
