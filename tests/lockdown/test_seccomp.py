"""The filters as programs, for both machines, run by a small interpreter of classic BPF."""

from __future__ import annotations

import errno
import struct

import pytest

from hybridgen.lockdown.seccomp import Program, filter_of
from hybridgen.lockdown.syscalls import ARCHITECTURES, NEWEST, NUMBERS, Architecture

PID, OTHER = 4242, 4243
ALLOW, KILL = "allow", "kill"
X86, ARM = ARCHITECTURES["x86_64"], ARCHITECTURES["aarch64"]


def answer(program: Program, audit: int, number: int, arguments: tuple[int, ...]) -> str | int:
    """What the kernel would do with a call: allow, kill, or an error number."""
    wide = [argument & (2**64 - 1) for argument in (*arguments, *[0] * (6 - len(arguments)))]
    data = struct.pack("<IIQ6Q", number, audit, 0, *wide)
    position = accumulator = 0
    while True:
        code, if_true, if_false, operand = program[position]
        value = PID if isinstance(operand, str) else operand
        position += 1
        if code == 0x20:
            accumulator = struct.unpack_from("<I", data, value)[0]
        elif code == 0x54:
            accumulator &= value
        elif code == 0x06:
            if value == 0x7FFF0000:
                return ALLOW
            return KILL if value == 0x80000000 else value & 0xFFFF
        else:
            is_true = {0x15: accumulator == value, 0x25: accumulator > value}[code]
            position += if_true if is_true else if_false


def runner(machine: Architecture, call: str, *arguments: int, profile: str = "runner") -> str | int:
    number = machine.number(call)
    assert number is not None
    return answer(filter_of(profile, machine), machine.audit, number, arguments)


@pytest.fixture(params=[X86, ARM], ids=["x86_64", "aarch64"])
def machine(request: pytest.FixtureRequest) -> Architecture:
    chosen: Architecture = request.param
    return chosen


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("socket", (2, 1, 0), errno.EPERM),
        ("socketpair", (1, 1, 0), ALLOW),
        ("socketpair", (1, 1 | 0o2000000 | 0o4000, 0), ALLOW),
        ("socketpair", (1, 2, 0), errno.EPERM),
        ("socketpair", (1, 5, 0), errno.EPERM),
        ("socketpair", (2, 1, 0), errno.EPERM),
        ("sendto", (3, 0, 1, 0, 0), ALLOW),
        ("sendto", (3, 0, 1, 0, 0x1000), errno.EPERM),
        ("sendto", (3, 0, 1, 0, 1 << 32), errno.EPERM),
        ("clone", (0x3D0F00,), ALLOW),  # pthread_create
        ("clone", (17,), errno.EPERM),  # fork
        ("clone", (0x4111,), errno.EPERM),  # posix_spawn
        ("clone", (0x3D0F00 | 0x10000000,), errno.EPERM),
        ("clone3", (0, 88), errno.ENOSYS),
        ("openat2", (0, 0, 0, 24), errno.ENOSYS),
        ("kill", (PID, 9), ALLOW),
        ("kill", (OTHER, 9), errno.EPERM),
        ("kill", (0, 9), errno.EPERM),
        ("kill", (-1, 9), errno.EPERM),
        ("kill", (-PID, 9), errno.EPERM),
        ("tgkill", (PID, OTHER, 6), ALLOW),
        ("tgkill", (OTHER, OTHER, 6), errno.EPERM),
        ("prlimit64", (0, 7, 0, 1), ALLOW),
        ("prlimit64", (PID, 7, 1, 0), ALLOW),
        ("prlimit64", (OTHER, 7, 1, 0), errno.EPERM),
        ("sched_setaffinity", (0, 8, 1), ALLOW),
        ("sched_setaffinity", (OTHER, 8, 1), errno.EPERM),
        ("ioctl", (0, 0x5401), ALLOW),
        ("ioctl", (0, 0x5412), errno.EPERM),
        ("ioctl", (0, 0x541C), errno.EPERM),
        ("ioctl", (0, (1 << 32) | 0x5412), errno.EPERM),
        ("fcntl", (0, 2, 1), ALLOW),
        ("fcntl", (0, 8, OTHER), errno.EPERM),
        ("prctl", (1, 0), errno.EPERM),
        ("prctl", (15, 0), ALLOW),
        ("openat", (-100, 0, 0), ALLOW),
        ("openat", (-100, 0, 0o1101), ALLOW),  # O_WRONLY | O_CREAT | O_TRUNC
        ("openat", (-100, 0, 0o1002), ALLOW),
        ("openat", (-100, 0, 0o1000), errno.EPERM),
        ("openat", (-100, 0, 0o1003), errno.EPERM),
        ("getxattr", (), errno.EOPNOTSUPP),
        ("fchmodat2", (), errno.EPERM),
        ("io_uring_setup", (), errno.EPERM),
    ],
)
def test_runner_answers(
    machine: Architecture, call: str, arguments: tuple[int, ...], expected: str | int
) -> None:
    assert runner(machine, call, *arguments) == expected


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("clone", (0x01200011,), ALLOW),  # fork() of glibc
        ("clone", (17,), ALLOW),  # fork() of musl
        ("clone", (0x3D0F00,), ALLOW),  # pthread_create
        ("clone", (0x4111,), errno.EPERM),  # posix_spawn
        ("clone", (0x01200011 | 0x10000000,), errno.EPERM),  # with a namespace of its own
        ("clone", (0x3D0F00 | 0x10000000,), errno.EPERM),
        ("clone", (17 | 0x8000,), errno.EPERM),  # as a child of the parent
        ("clone3", (0, 88), errno.ENOSYS),
        ("prctl", (1, 9), ALLOW),  # a child asks to end with its parent
        ("prctl", (62, 0), errno.EPERM),
        ("kill", (OTHER, 9), errno.EPERM),
        ("setsid", (), errno.EPERM),
        ("setpgid", (), errno.EPERM),
        ("socket", (2, 1, 0), errno.EPERM),
        ("execveat", (), errno.EPERM),
    ],
)
def test_nursery_is_a_runner_that_may_fork(
    machine: Architecture, call: str, arguments: tuple[int, ...], expected: str | int
) -> None:
    assert runner(machine, call, *arguments, profile="nursery") == expected


@pytest.mark.parametrize(
    ("request_", "is_for_a_card"),
    [
        (0xC020462A, True),  # NVIDIA: a call of its resource manager
        (0x30000001, True),  # its shared memory: begin
        (37, True),  # and one of its numbered calls
        (0xC0106440, True),  # DRM: a call of a driver
        (0x80084B01, True),  # AMD: version of its compute interface
        (0xC0086200, True),  # DMA buffers: whose turn it is
        (0x5412, False),  # TIOCSTI: types into a terminal
        (0x541C, False),  # TIOCLINUX
        (0x4B49, False),  # KDSKBSENT: what a key of the console types
        (0x40086602, False),  # FS_IOC_SETFLAGS
        (0x401C5820, False),  # FS_IOC_FSSETXATTR
        (0x5000940F, False),  # BTRFS_IOC_SNAP_DESTROY: removes what lies in a folder
        (0x30000101, False),
    ],
)
def test_engine_asks_drivers_of_cards_only_with_a_card(
    machine: Architecture, request_: int, is_for_a_card: bool
) -> None:
    answers = [
        runner(machine, "ioctl", 0, request_, profile=profile)
        for profile in ("engine", "offloading engine")
    ]
    assert answers == [errno.EPERM, ALLOW if is_for_a_card else errno.EPERM]


def test_engine_on_a_card_differs_in_nothing_else(machine: Architecture) -> None:
    calls = {name: machine.number(name) for name in NUMBERS if name != "ioctl"}
    programs = [filter_of(profile, machine) for profile in ("engine", "offloading engine")]
    for name, number in calls.items():
        if number is not None:
            one, other = (answer(program, machine.audit, number, ()) for program in programs)
            assert one == other, name
    assert runner(machine, "ioctl", 0, 0x5413, profile="offloading engine") == ALLOW


def test_ordinary_calls_are_allowed() -> None:
    program = filter_of("runner", X86)
    for number in (0, 1, 3, 9, 59, 202, 231, 262, 332):  # read ... execve, futex, statx
        assert answer(program, X86.audit, number, ()) == ALLOW


def test_calls_of_another_machine_kill(machine: Architecture) -> None:
    for audit in (0x40000003, 0x40000028):  # i386, 32-bit arm
        assert answer(filter_of("runner", machine), audit, 0, ()) == KILL


def test_unknown_and_x32_calls_do_not_exist(machine: Architecture) -> None:
    for number in (NEWEST + 1, 0x40000000, 0x40000029, 0xFFFFFFFF):
        assert answer(filter_of("runner", machine), machine.audit, number, ()) == errno.ENOSYS


def test_jumps_stay_inside(machine: Architecture) -> None:
    program = filter_of("runner", machine)
    assert len(program) < 4096  # the kernel's limit
    for position, (code, if_true, if_false, _) in enumerate(program):
        if code in (0x15, 0x25):
            assert max(if_true, if_false) < 256
            assert position + 1 + max(if_true, if_false) < len(program)
    assert program[-1][0] == 0x06
