"""Runs one command with a limit, away from the rest of the machine, and says what it used.

As a module: :func:`run_in_box`. As a script it is the inner half of that function.

A box is made of Linux namespaces (through ``unshare`` of util-linux): every mount is read-only
but the scratch folder, there is no network but an own loopback, and all processes end with the
command. Where ``unshare`` is refused, or for a tool that brings locks of its own, the command
runs without it, and only the limits hold. Peak memory is the largest resident set that any single
process of the command reached, as the kernel reports it for children that were waited for.
"""

from __future__ import annotations

import ctypes
import fcntl
import functools
import json
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MS_RDONLY, _MS_REMOUNT, _MS_BIND = 1, 32, 4096
_FLAGS = {"nosuid": 2, "nodev": 4, "noexec": 8, "noatime": 1024, "nodiratime": 2048,
          "relatime": 1 << 21}  # fmt: skip
_PR_SET_CHILD_SUBREAPER, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 36, 47, 4
_GRACE = 10.0


@dataclass(frozen=True)
class Ran:
    """How a command ended.

    Attributes:
        code: its exit status; negative for a signal.
        seconds: wall time.
        peak_mib: largest resident set of one of its processes.
        is_late: it was stopped at the limit.
        log: file with what it printed.
    """

    code: int
    seconds: float
    peak_mib: float
    is_late: bool
    log: Path

    def tail(self, lines: int = 6) -> str:
        """The last lines that it printed."""
        text = self.log.read_text(encoding="utf-8", errors="replace").strip()
        return "\n".join(text.splitlines()[-lines:])


def run_in_box(
    command: Sequence[str],
    scratch: Path,
    folder: Path,
    seconds: float,
    environment: Mapping[str, str],
    *,
    is_open: bool = False,
    memory_gib: float = 0,
    stdout: Path | None = None,
) -> Ran:
    """Runs ``command`` in ``folder``, a part of ``scratch``, for at most ``seconds``.

    Args:
        environment: all that the command sees.
        is_open: no namespaces, only the limits.
        memory_gib: limit of the address space of each process, 0 for none.
        stdout: file for its standard output; otherwise that goes into the log.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    usage, log = scratch / "usage.json", scratch / "log.txt"
    usage.unlink(missing_ok=True)
    is_open = is_open or not can_box()
    plan = {
        "command": list(command), "folder": str(folder), "scratch": str(scratch),
        "seconds": seconds, "usage": str(usage), "memory": int(memory_gib * 2**30),
        "is_open": is_open,
    }  # fmt: skip
    inner = [sys.executable, "-I", str(Path(__file__).resolve()), json.dumps(plan)]
    start = time.monotonic()
    with log.open("wb") as errors, (stdout or log).open("ab") as output:
        done = subprocess.run(
            inner if is_open else [*_UNSHARE, *inner],
            stdin=subprocess.DEVNULL, stdout=output, stderr=errors if stdout else output,
            env=dict(environment), timeout=seconds + 5 * _GRACE, check=False,
        )  # fmt: skip
    wall = time.monotonic() - start
    if not usage.exists():  # killed from outside, or the box could not be built
        return Ran(done.returncode or 1, wall, 0.0, False, log)
    said = json.loads(usage.read_text(encoding="utf-8"))
    return Ran(said["code"], said["seconds"], said["peak_kib"] / 1024, said["is_late"], log)


_UNSHARE = ("unshare", "-c", "--keep-caps", "-m", "-n", "-i", "-p", "-f", "--kill-child",
            "--mount-proc")  # fmt: skip


@functools.cache
def can_box() -> bool:
    """True if namespaces may be made here."""
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False)
    return tried.returncode == 0


def _main(plan: dict[str, Any]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if plan["is_open"]:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    else:
        _lock_mounts(libc, plan["scratch"])
        _raise_loopback()
        libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if plan["memory"]:
        resource.setrlimit(resource.RLIMIT_AS, (plan["memory"], plan["memory"]))
    start = time.monotonic()
    code, is_late = _run(plan["command"], plan["folder"], plan["seconds"])
    seconds = time.monotonic() - start
    _reap()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    said = {"code": code, "seconds": seconds, "peak_kib": peak, "is_late": is_late}
    Path(plan["usage"]).write_text(json.dumps(said), encoding="utf-8")


def _run(command: list[str], folder: str, seconds: float) -> tuple[int, bool]:
    """Exit status, and whether the limit was reached; asks first, then kills."""
    process = subprocess.Popen(command, cwd=folder, start_new_session=True)
    try:
        return process.wait(seconds), False
    except subprocess.TimeoutExpired:
        pass
    except BaseException:  # Ctrl-C: the command has a session of its own and would go on
        os.killpg(process.pid, signal.SIGKILL)
        raise
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            return process.wait(_GRACE), True
        except (subprocess.TimeoutExpired, ProcessLookupError):
            continue
    return process.wait(), True


def _reap() -> None:
    """Kills and waits for what the command left behind, so that its memory counts too."""
    own = os.getpid()
    for _ in range(100):
        for path in Path("/proc").iterdir():
            if path.name.isdigit() and _parent(path) == own:
                os.kill(int(path.name), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _parent(process: Path) -> int:
    try:
        stat = (process / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])


def _lock_mounts(libc: ctypes.CDLL, scratch: str) -> None:
    """Makes every mount read-only but the scratch folder and the kernel's own."""

    def mount(source: str | None, target: str, flags: int) -> None:
        name = None if source is None else os.fsencode(source)
        if libc.mount(name, os.fsencode(target), None, flags, None) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), target)

    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    mount(scratch, scratch, _MS_BIND)
    seen = set()
    for line in mounts:
        fields = line.split()
        target = fields[4].encode().decode("unicode_escape")
        if target in seen or target == "/proc" or target.startswith(("/proc/", "/dev")):
            continue
        seen.add(target)
        flags = sum(_FLAGS.get(option, 0) for option in fields[5].split(","))
        try:
            mount(None, target, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | flags)
        except OSError:
            if target == "/":
                raise  # the rest hides behind another mount, or is the kernel's


def _raise_loopback() -> None:
    """Switches the loopback interface on, which a new network namespace has switched off."""
    get_flags, set_flags, is_up = 0x8913, 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(link, get_flags, request))[1]
        fcntl.ioctl(link, set_flags, struct.pack("16sH14x", b"lo", flags | is_up))


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
