"""Attacks that a process tries on the machine around it, with nothing but the standard library.

It is loaded into processes of hybridgen before they lock themselves; in workers it is the module
under test. Each attack either works, or raises
OSError where the kernel denies it.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

DENIED, SUCCEEDED = "denied", "succeeded"
BECAME = "became"
"""A file that tells of the one attack whose process cannot tell of it itself."""

_DENIALS = (
    *(errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EXDEV, errno.EOPNOTSUPP),
    # In a box (bubblewrap) there is no such file, folder or process; the control shows that there
    # is one. What lies there to be read cannot be written.
    *(errno.ENOENT, errno.ESRCH, errno.EROFS),
)

_X86 = platform.machine() == "x86_64"
_PIDFD_GETFD, _PIDFD_OPEN, _MEMFD = 438, 434, 319 if _X86 else 279
_PTRACE, _VM_READ = (101, 310) if _X86 else (117, 270)
_PTRACE_ATTACH, _PTRACE_DETACH, _FAST_OPEN_CONNECT, _MPTCP = 16, 17, 30, 262
_FAST_OPEN, _AF_NETLINK = 0x20000000, 16
_SECONDS = 3.0

_libc = ctypes.CDLL(None, use_errno=True)


class Target:
    """What there is to attack.

    Attributes:
        port: a TCP listener on this machine, in the settings of whoever may speak to it.
        other: another TCP listener, which is in nobody's.
        udp: a UDP socket that listens.
        unix: path of a unix stream socket that listens.
        project: a file of a project.
        home: a file in a home folder, such as a key.
        beside: a folder that nobody has to write to.
        outsider: a process of the same user that lets itself be traced.
        text: what is to get out.
    """

    def __init__(self, described: Mapping[str, Any]) -> None:
        self.port: int = described["port"]
        self.other: int = described["other"]
        self.udp: int = described["udp"]
        self.unix: str = described["unix"]
        self.project: str = described["project"]
        self.home: str = described["home"]
        self.beside: str = described["beside"]
        self.outsider: int = described["outsider"]
        self.text: bytes = described["text"].encode()


def _call(number: int, *arguments: Any) -> int:
    wide = [a if isinstance(a, (bytes, ctypes.Array)) else ctypes.c_long(a) for a in arguments]
    answer: int = _libc.syscall(ctypes.c_long(number), *wide)
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return answer


def _tcp(port: int, kind: int = 0) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, kind) as one:
        one.settimeout(_SECONDS)
        one.connect(("127.0.0.1", port))


def send_by_tcp(target: Target) -> None:
    """Send by TCP."""
    _tcp(target.port)


def send_to_another_port(target: Target) -> None:
    """Send by TCP to a port that nobody set."""
    _tcp(target.other)


def send_by_mptcp(target: Target) -> None:
    """Send by multipath TCP, which Landlock does not see."""
    _tcp(target.other, _MPTCP)


def send_by_fast_open(target: Target) -> None:
    """Send in the first packet of TCP, without a connect."""
    with socket.socket() as one:
        one.sendto(target.text, _FAST_OPEN, ("127.0.0.1", target.other))


def set_fast_open(target: Target) -> None:
    """Set fast open for a later connect."""
    with socket.socket() as one:
        one.setsockopt(socket.IPPROTO_TCP, _FAST_OPEN_CONNECT, 1)


def send_by_udp(target: Target) -> None:
    """Send a datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(target.text, ("127.0.0.1", target.udp))


def connect_to_unix(target: Target) -> None:
    """Connect to another program's unix socket."""
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(target.unix)


def make_datagram_pair(target: Target) -> None:
    """Make a pair of datagram sockets, which could send anywhere."""
    for one in socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM):
        one.close()


def open_netlink(target: Target) -> None:
    """Ask the kernel about interfaces and connections."""
    socket.socket(_AF_NETLINK, socket.SOCK_RAW).close()


def listen(target: Target) -> None:
    """Listen for others to connect."""
    socket.create_server(("127.0.0.1", 0)).close()


def read_project(target: Target) -> None:
    """Read a file of a project."""
    with open(target.project, "rb") as file:
        file.read()


def read_home(target: Target) -> None:
    """Read a key in the home folder."""
    with open(target.home, "rb") as file:
        file.read()


def write_project(target: Target) -> None:
    """Change a file of a project."""
    with open(target.project, "ab"):
        pass


def write_beside(target: Target) -> None:
    """Leave a file for somebody else to find."""
    path = os.path.join(target.beside, "left")
    with open(path, "wb") as file:
        file.write(target.text)
    os.unlink(path)


def change_mode(target: Target) -> None:
    """Change who may read a file."""
    os.chmod(target.project, os.stat(target.project).st_mode & 0o777)


def link_project(target: Target) -> None:
    """Link a file of a project to where others look."""
    path = os.path.join(target.beside, "link")
    os.link(target.project, path)
    os.unlink(path)


def start_program(target: Target) -> None:
    """Start a program."""
    subprocess.run(["/bin/true"], check=True, timeout=_SECONDS)


def run_from_memory(target: Target) -> None:
    """Run a program that is in memory only."""
    descriptor = _call(_MEMFD, b"x", 0)
    with open("/bin/true", "rb") as program:
        os.write(descriptor, program.read())
    path = "/proc/self/fd/%d" % descriptor
    subprocess.run([path], check=True, timeout=_SECONDS, pass_fds=(descriptor,))


def fork(target: Target) -> None:
    """Start a child that outlives the work."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def read_memory(target: Target) -> None:
    """Read another process's memory."""
    with open("/proc/%d/mem" % target.outsider, "rb"):
        pass


def read_environment(target: Target) -> None:
    """Read another process's environment."""
    with open("/proc/%d/environ" % target.outsider, "rb") as file:
        file.read()


def open_descriptor(target: Target) -> None:
    """Open what another process has open."""
    os.close(os.open("/proc/%d/fd/0" % target.outsider, os.O_RDONLY))


def take_descriptor(target: Target) -> None:
    """Take a descriptor out of another process."""
    os.close(_call(_PIDFD_GETFD, _call(_PIDFD_OPEN, target.outsider, 0), 0, 0))


def trace(target: Target) -> None:
    """Trace another process, as a debugger does."""
    _call(_PTRACE, _PTRACE_ATTACH, target.outsider, 0, 0)
    os.waitpid(target.outsider, 0)
    _call(_PTRACE, _PTRACE_DETACH, target.outsider, 0, 0)


def copy_memory(target: Target) -> None:
    """Copy memory from another process."""
    room = ctypes.create_string_buffer(16)
    here = (ctypes.c_size_t * 2)(ctypes.addressof(room), 8)
    # No such address there: EFAULT means that it was tried.
    try:
        _call(_VM_READ, target.outsider, here, 1, (ctypes.c_size_t * 2)(1, 8), 1, 0)
    except OSError as problem:
        if problem.errno != errno.EFAULT:
            raise


def send_signal(target: Target) -> None:
    """Send another process a signal."""
    os.kill(target.outsider, signal.SIGCONT)


def look_at_me(target: Target) -> None:
    """Be open to debuggers and core dumps."""
    if _libc.prctl(3, 0, 0, 0, 0) == 0:
        raise OSError(errno.EACCES, "not dumpable")


def become_a_program(target: Target) -> None:
    """Become another program."""
    os.execv("/bin/touch", ["touch", os.path.join(target.beside, BECAME)])


ATTACKS = (
    *(send_by_tcp, send_to_another_port, send_by_mptcp, send_by_fast_open, set_fast_open),
    *(send_by_udp, connect_to_unix, make_datagram_pair, open_netlink, listen),
    *(read_project, read_home, write_project, write_beside, change_mode, link_project),
    *(start_program, run_from_memory, fork),
    *(read_memory, read_environment, open_descriptor, take_descriptor, trace, copy_memory),
    *(send_signal, look_at_me),
)
"""In the order in which they are tried."""


def attack(described: str) -> str:
    """Tries every attack that is asked for.

    Args:
        described: JSON with the attributes of a :class:`Target`, and ``attacks``, the names.

    Returns:
        JSON: by name, whether it succeeded, was denied, or what else went wrong.
    """
    given = json.loads(described)
    target = Target(given)
    known = {one.__name__: one for one in (*ATTACKS, become_a_program)}
    return json.dumps({name: _outcome(known[name], target) for name in given["attacks"]})


def _outcome(one: Callable[[Target], None], target: Target) -> str:
    try:
        one(target)
    except OSError as problem:
        if problem.errno in _DENIALS:
            return DENIED
        return "%s: %s" % (type(problem).__name__, problem.strerror)
    except Exception as problem:
        return type(problem).__name__
    return SUCCEEDED


def stay_dumpable() -> None:
    """What a control has in place of the locks: others may look in, as into any process."""
    _libc.prctl(4, 1, 0, 0, 0)


def main() -> None:
    """As a program: the description is the first argument, the answer goes to stdout."""
    os.write(1, attack(sys.argv[1]).encode())


if __name__ == "__main__":
    main()
