"""Locks its own process, then becomes the program it was given.

``python -I -S launch.py PLAN -- PROGRAM ARGUMENT...``, PLAN being the JSON text that
:func:`hybridgen.lockdown.command.locked_command` writes. It needs the standard library only and
runs on our own interpreter, because the program may be any binary that a repository ships: the
locks have to be on before its first instruction. It fails closed: if any step fails, it writes
one line to stderr, exits with 97 and starts nothing. On macOS it only limits resources: the program
is Seatbelt's there (``seatbelt.py``).

Processes of ours that are no other program import :func:`take`, for the same locks on themselves.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import stat
import struct
import sys
from collections.abc import Iterator
from typing import Any

EXIT_CODE = 97

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SIGKILL, _SECCOMP_MODE_FILTER = 9, 2
_SOL_SOCKET, _SO_TYPE, _SO_DOMAIN, _AF_UNIX, _SOCK_STREAM = 1, 3, 39, 1, 1
_CAPABILITY_VERSION_3 = 0x20080522

# The same numbers on every machine.
_LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF = 444, 445, 446
_GET_VERSION, _PATH_BENEATH, _TO_PORT = 1, 1, 2
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE = 1 << 4 | 1 << 5  # folders, files
_MAKE = 1 << 7 | 1 << 8 | 1 << 10 | 1 << 12  # folders, files, pipes, symlinks; no sockets, devices
_REFER, _TRUNCATE, _IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
_RIGHTS = {
    "read": _READ_FILE | _READ_DIR,
    "list": _READ_DIR,
    "execute": _READ_FILE | _EXECUTE,
    "write": _READ_FILE | _READ_DIR | _WRITE_FILE | _REMOVE | _MAKE | _REFER | _TRUNCATE,
    "devices": _READ_FILE | _READ_DIR | _WRITE_FILE | _IOCTL_DEVICE,
}
_RIGHTS_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
_FILE_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15}  # how many bits; 16 from ABI 5 on
_NOT_STANDARD = ("site-packages", "dist-packages", "sitecustomize.py", "usercustomize.py")
_TCP_BIND, _TCP_CONNECT = 1, 2
_SCOPED = {"sockets": 1, "signals": 2}  # abstract ones, and those sent to outside

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(answer: int, what: str) -> int:
    """The answer of a libc function, or OSError."""
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return answer


def _prctl(option: int, value: int, pointer: Any = None) -> None:
    arguments = (ctypes.c_ulong(value), pointer, ctypes.c_ulong(0), ctypes.c_ulong(0))
    _checked(_libc.prctl(ctypes.c_int(option), *arguments), f"prctl {option}")


def _die_with_parent(plan: dict[str, Any]) -> None:
    """No worker outlives a killed broker; the signal is set by thread, survives exec."""
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != plan["parent"]:  # it died before the line above
        raise RuntimeError("the parent process is gone")


def _close_descriptors(plan: dict[str, Any]) -> None:
    """Keep 0, 1, 2 and what was asked for, none of them a way to a network."""
    kept = {0, 1, 2, *plan["keep"]}
    for entry in os.listdir("/proc/self/fd"):  # noqa: PTH208  pathlib costs milliseconds
        descriptor = int(entry)
        try:
            status = os.fstat(descriptor)
        except OSError:  # the listing's own descriptor
            continue
        if descriptor not in kept:
            os.close(descriptor)
        elif stat.S_ISSOCK(status.st_mode) and not _is_local_stream(descriptor):
            raise RuntimeError(f"descriptor {descriptor} is a socket")


def _is_local_stream(descriptor: int) -> bool:
    answers = []
    for option in (_SO_DOMAIN, _SO_TYPE):
        value, size = ctypes.c_int(-1), ctypes.c_uint(4)
        pointers = (ctypes.byref(value), ctypes.byref(size))
        _checked(_libc.getsockopt(descriptor, _SOL_SOCKET, option, *pointers), "getsockopt")
        answers.append(value.value)
    return answers == [_AF_UNIX, _SOCK_STREAM]


def _limit_resources(plan: dict[str, Any]) -> None:
    """Set soft and hard limits, never above the hard limit that is there."""
    for name, value in plan["limits"].items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))
    try:  # short of memory, the kernel should end this process, not the model's
        descriptor = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(descriptor, b"1000")
        os.close(descriptor)
    except OSError:
        pass  # a courtesy: some containers mount /proc read-only


def _no_new_privileges(plan: dict[str, Any]) -> None:
    """No program gives more rights than this process has, not even to root."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _drop_privileges(plan: dict[str, Any]) -> None:
    """Root keeps what the plan lists, such as to read any file where Landlock lets it."""
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    held = ctypes.create_string_buffer(24)
    _checked(_libc.capget(header, held), "capget")
    effective, permitted = struct.unpack("6I", held.raw)[:2]
    keep = plan["capabilities"]
    kept = struct.pack("6I", effective & keep, permitted & keep, 0, 0, 0, 0)
    _checked(_libc.capset(header, kept), "capset")


def _landlock(plan: dict[str, Any]) -> None:
    """Deny every file, TCP port, abstract socket and outside process that has no rule."""
    paths = plan["landlock"]
    if paths is None:
        return
    if sys.platform != "linux":
        raise RuntimeError("Landlock is Linux's")
    ports = plan["ports"]
    create, add = _LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE
    abi = _checked(_libc.syscall(create, None, ctypes.c_size_t(0), _GET_VERSION), "Landlock")
    handled = (1 << _FILE_RIGHTS_BY_ABI.get(abi, 16)) - 1
    attributes = struct.pack(
        "QQQ",
        handled,
        (_TCP_BIND if ports is None else _TCP_BIND | _TCP_CONNECT) if abi >= 4 else 0,
        sum(_SCOPED[what] for what in plan["scoped"]) if abi >= 6 else 0,
    )
    size = ctypes.c_size_t(len(attributes))
    ruleset = _checked(_libc.syscall(create, attributes, size, 0), "Landlock rules")
    for kind, path in _rules(paths):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        allowed = _RIGHTS[kind] & handled & (handled if is_folder else _RIGHTS_OF_FILES)
        rule = struct.pack("=Qi", allowed, descriptor)
        _checked(_libc.syscall(add, ruleset, _PATH_BENEATH, rule, 0), f"rule for {path}")
        os.close(descriptor)
    for port in ports or () if abi >= 4 else ():
        rule = struct.pack("=QQ", _TCP_CONNECT, port)
        _checked(_libc.syscall(add, ruleset, _TO_PORT, rule, 0), f"rule for port {port}")
    _checked(_libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0), "Landlock restriction")
    os.close(ruleset)


def _rules(paths: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """The kind of right and the path of each rule.

    Landlock cannot take a folder out of what its parent may be used for, so where less than all
    of a folder may be read, each of its entries has a rule. Links have none: what they lead to
    may be read only if it has one.
    """
    for kind in ("read", "execute", "write", "devices"):
        for path in paths[kind]:
            yield kind, path
    for folder in paths["listed"]:
        yield "list", folder
    for folder in paths["standard"]:
        yield "list", folder  # imports look for names in it, and so in all that lies below
        for entry in os.scandir(folder):
            if not entry.is_symlink() and entry.name not in _NOT_STANDARD:
                yield "read", entry.path
    for folder in paths["libraries"]:
        for entry in os.scandir(folder):
            is_library = entry.name.endswith(".so") or ".so." in entry.name
            if is_library and entry.is_file(follow_symlinks=False):
                yield "read", entry.path


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def _seccomp(plan: dict[str, Any]) -> None:
    """Install the filter; it is inherited and cannot be taken off."""
    program = plan["seccomp"]
    if program is None:
        return
    code = _compiled(program, os.getpid())
    instructions = ctypes.create_string_buffer(code, len(code))
    pointer = ctypes.byref(_Filter(len(program), ctypes.addressof(instructions)))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, pointer)


def _compiled(program: list[list[Any]], pid: int) -> bytes:
    return b"".join(
        struct.pack("HBBI", operation, if_true, if_false, pid if operand == "pid" else operand)
        for operation, if_true, if_false, operand in program
    )


def _boxed(box: dict[str, Any] | None, program: list[str]) -> list[str]:
    """The program, or the command that starts it in a box with its filter."""
    if box is None:
        return program
    if sys.platform != "linux":
        raise RuntimeError("bubblewrap is Linux's")
    given = []
    if box["seccomp"] is not None:
        descriptor = os.memfd_create("filter", 0)  # inherited
        os.write(descriptor, _compiled(box["seccomp"], box["pid"]))
        os.lseek(descriptor, 0, os.SEEK_SET)
        given = ["--seccomp", str(descriptor)]
    return [*box["command"], "--chdir", os.getcwd(), *given, "--", *program]  # noqa: PTH109


def _check_threads(plan: dict[str, Any]) -> None:
    """A second thread would stay outside the locks."""
    if len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208  as above
        raise RuntimeError("more than one thread is running")


def take(plan: dict[str, Any]) -> None:
    """Locks this very process, for good, with all that it will start.

    Args:
        plan: as :func:`hybridgen.lockdown.command.lock_plan` makes it.

    Raises:
        OSError: the kernel does not take a lock; those before it hold.
        RuntimeError: more than one thread is running.
    """
    for step in (_check_threads, _no_new_privileges, _landlock, _seccomp, _drop_privileges):
        step(plan)


_STEPS = {
    "linux": (
        _die_with_parent,
        _close_descriptors,
        _limit_resources,
        _check_threads,
        _no_new_privileges,
        _drop_privileges,
        _landlock,
        _seccomp,
    ),
    # There the program is ``sandbox-exec``, which takes the locks.
    "darwin": (_limit_resources,),
}


def _main(arguments: list[str]) -> None:
    step = "_plan"
    try:
        plan = json.loads(arguments[0])
        if arguments[1] != "--":
            raise ValueError("no program was given")
        program = arguments[2:]
        for function in _STEPS[plan["system"]]:
            step = function.__name__
            function(plan)
        step = "_start"
        program = _boxed(plan["box"], program)
        os.execv(program[0], program)  # noqa: S606  the very point: no shell in between
    except BaseException as problem:
        text = " ".join(f"{type(problem).__name__}: {problem}".split())
        line = f"hybridgen lock: {step[1:]}: {text}\n"
        os.write(2, line.encode("utf-8", "backslashreplace"))
    finally:
        os._exit(EXIT_CODE)


if __name__ == "__main__":
    _main(sys.argv[1:])
