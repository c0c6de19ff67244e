"""The system call filters, as classic BPF programs (``man 2 seccomp``).

A program is built here, where it can be tested without a kernel, and installed by
:mod:`hybridgen.lockdown.launch`. It sees the number and the register arguments of a call,
never what a pointer points to: paths are Landlock's part.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence

from hybridgen.lockdown.syscalls import NEWEST, Architecture

OWN_PID = "pid"
"""Operand that the launcher replaces by its own process id, known only after the fork."""

Instruction = tuple[int, int, int, int | str]
"""Operation, jump if true, jump if false, operand."""

Program = list[Instruction]

_LOAD, _EQUAL, _GREATER, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x54, 0x06
_KILL_PROCESS, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_OFFSET_NUMBER, _OFFSET_ARCHITECTURE, _OFFSET_ARGUMENTS = 0, 4, 16

ALLOWED: Instruction = (_RETURN, 0, 0, _ALLOW)
KILLED: Instruction = (_RETURN, 0, 0, _KILL_PROCESS)


def refused(error: int) -> Instruction:
    """Answer the call with an error number, without running it."""
    return (_RETURN, 0, 0, _ERRNO | error)


_REFUSED = refused(errno.EPERM)


def _argument(index: int, *, high: bool = False) -> Instruction:
    """Load one half of an argument (both machines are little-endian)."""
    return (_LOAD, 0, 0, _OFFSET_ARGUMENTS + 8 * index + (4 if high else 0))


def _choose(
    index: int,
    values: Sequence[int | str],
    mask: int | None,
    found: Instruction,
    other: Instruction,
) -> Program:
    """``found`` if the (masked) argument is one of ``values``, else ``other``."""
    program = [_argument(index)]
    if mask is not None:
        program.append((_AND, 0, 0, mask))
    for position, value in enumerate(values):
        program.append((_EQUAL, len(values) - position, 0, value))
    return [*program, other, found]


def _allow_if(index: int, *values: int | str, mask: int | None = None) -> Program:
    """Allow the call only where its argument is one of ``values``."""
    return _choose(index, values, mask, ALLOWED, _REFUSED)


def _refuse_if(index: int, *values: int | str, mask: int | None = None) -> Program:
    """Refuse the call only where its argument is one of ``values``."""
    return _choose(index, values, mask, _REFUSED, ALLOWED)


def _allow_any(index: int, values: Sequence[int], *, mask: int) -> Program:
    """Allow the call if the masked argument is one of ``values``; go on otherwise."""
    *others, last = values
    program = [_argument(index), (_AND, 0, 0, mask)]
    program += [(_EQUAL, len(others) - place, 0, value) for place, value in enumerate(others)]
    return [*program, (_EQUAL, 0, 1, last), ALLOWED]


def _require(index: int, value: int, *, high: bool = False) -> Program:
    """Refuse unless half of an argument equals ``value``; go on otherwise."""
    return [_argument(index, high=high), (_EQUAL, 1, 0, value), _REFUSED]


_NETWORK = "io_uring_setup io_uring_enter io_uring_register"
_SERVERS = "bind listen accept accept4"
_SENDING = "socket connect sendmsg sendmmsg"
_STARTING = "fork vfork execve execveat"
# Into the memory, descriptors and names of other processes.
_OTHERS = """ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp
    pidfd_getfd unshare setns userfaultfd keyctl add_key request_key open_by_handle_at"""
_PROCESSES = """fork vfork execveat setsid setpgid pidfd_open pidfd_send_signal setpriority
    ioprio_set migrate_pages move_pages"""
# Landlock knows nothing of the metadata of a file, nor of watching one.
_METADATA = """chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat
    utimensat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr truncate
    name_to_handle_at inotify_init inotify_init1 inotify_add_watch fanotify_init fanotify_mark"""
# Neither of memory shared by key: another program's segments belong to the same user.
_SHARED = """shmget shmat shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl
    mq_open mq_unlink memfd_create memfd_secret"""
_SYSTEM = """bpf perf_event_open mount umount2 pivot_root chroot open_tree move_mount fsopen
    fsconfig fsmount fspick mount_setattr init_module finit_module delete_module kexec_load
    kexec_file_load reboot swapon swapoff acct personality quotactl quotactl_fd syslog vhangup
    sethostname setdomainname settimeofday clock_settime clock_adjtime adjtimex iopl ioperm
    modify_ldt uselib lookup_dcookie nfsservctl"""


def _require_one(index: int, values: Sequence[int], *, mask: int | None = None) -> Program:
    """Refuse unless the (masked) argument is one of ``values``; go on otherwise."""
    program = [_argument(index)]
    if mask is not None:
        program.append((_AND, 0, 0, mask))
    program += [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [*program, _REFUSED]


def _allow_unless(index: int, value: int) -> Program:
    """Allow the call unless an argument equals ``value``; go on then."""
    return [_argument(index), (_EQUAL, 1, 0, value), ALLOWED]


def _refuse_any(index: int, bits: int) -> Program:
    """Refuse the call where an argument has any of ``bits``."""
    return [_argument(index), (_ANY_BIT, 0, 1, bits), _REFUSED, ALLOWED]


_AF_UNIX, _SOCK_STREAM, _SOCK_CLOEXEC, _SOCK_NONBLOCK = 1, 1, 0o2000000, 0o4000
_CLONE_THREAD, _CLONE_NEW_NAMESPACES = 0x00010000, 0x7E020000
_FORKS = (0x01200011, 17)  # the flags of fork() in glibc and in musl
_O_ACCMODE, _O_TRUNC = 0o3, 0o1000
_WORD = 0xFFFFFFFF

# isatty (two generations), window size, bytes waiting, non-blocking, and close-on-exec off and on:
# all that CPython asks for. Not TIOCSTI or TIOCLINUX (typing into the user's terminal), nor
# FS_IOC_SETFLAGS and FS_IOC_ENABLE_VERITY (which change a file that is only open for reading).
_IOCTLS = (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# Drivers of graphics cards, by the letter of their calls: NVIDIA "F" (kernel-open/common/inc/
# nv-ioctl-numbers.h), DRM "d", AMD's compute "K", DMA buffers "b", fences ">", WSL "G"; linux/uapi.
# They carry data in or out, which the two highest bits say: "K" without is a console's keyboard.
_CARD_FAMILIES = [
    direction << 30 | ord(letter) << 8 for letter in "FdKb>G" for direction in (1, 2, 3)
]
# NVIDIA's shared memory counts its calls from 0, and two from 0x30000001 (uvm_linux_ioctl.h).
_CARD_NUMBERS = (0, 0x30000000)
# F_SETOWN and F_SETSIG make the kernel signal a process of one's choice; leases and dnotify.
_FCNTLS = (8, 10, 15, 1024, 1026)
_PR_SET_PDEATHSIG, _PR_SCHED_CORE = 1, 62

_MSG_FASTOPEN = 0x20000000
_AF_INET, _AF_INET6, _SOCK_DGRAM, _TCP, _UDP = 2, 10, 2, 6, 17
_FAST_OPEN_OPTIONS = (23, 30)  # of TCP

_STREAM_PAIRS: Program = [  # asyncio needs them; a datagram pair can send to any path
    *_require(0, _AF_UNIX),
    *_allow_if(1, _SOCK_STREAM, mask=_WORD & ~(_SOCK_CLOEXEC | _SOCK_NONBLOCK)),
]

Rules = Mapping[str, Program]
"""What becomes of a call, by its name; a call without a rule is allowed."""


def _answers(error: int, *calls: str) -> Rules:
    return {call: [refused(error)] for call in " ".join(calls).split()}


_KERNEL: Rules = {
    **_answers(errno.EPERM, _NETWORK, _SERVERS, _OTHERS, _SYSTEM),
    # "No such call" makes libc fall back to clone and openat, whose arguments a filter can see.
    **_answers(errno.ENOSYS, "clone3 openat2"),
    "clone": _refuse_any(0, _CLONE_NEW_NAMESPACES),
    "socketpair": _STREAM_PAIRS,
}
"""For every process of ours."""

_NO_NETWORK: Rules = {
    **_answers(errno.EPERM, _SENDING),
    "sendto": [*_require(4, 0), *_require(4, 0, high=True), ALLOWED],  # without an address: send()
}
"""For every process that reads code."""

_INTERNET: Rules = {
    "socket": [
        *_require_one(0, (_AF_INET, _AF_INET6)),
        *_require_one(
            1, (_SOCK_STREAM, _SOCK_DGRAM), mask=_WORD & ~(_SOCK_CLOEXEC | _SOCK_NONBLOCK)
        ),
        *_allow_if(2, 0, _TCP, _UDP),  # not MPTCP, which Landlock does not know
    ],
    # Data in the first packet goes out without the connect() that Landlock looks at.
    "sendto": _refuse_any(3, _MSG_FASTOPEN),
    "sendmsg": _refuse_any(2, _MSG_FASTOPEN),
    "sendmmsg": _refuse_any(3, _MSG_FASTOPEN),
    "setsockopt": [
        *_allow_unless(1, _TCP),
        *_refuse_if(2, *_FAST_OPEN_OPTIONS),
    ],
}
"""For processes that reach a network."""

_ALONE: Rules = {
    **_answers(errno.EPERM, _PROCESSES, _METADATA, _SHARED),
    # The answer of a file system without them, which shutil knows how to take.
    **_answers(errno.EOPNOTSUPP, "getxattr lgetxattr listxattr llistxattr"),
    "clone": _allow_if(0, _CLONE_THREAD, mask=_CLONE_THREAD | _CLONE_NEW_NAMESPACES),
    "kill": _allow_if(0, OWN_PID),
    "tkill": _allow_if(0, OWN_PID),
    "tgkill": _allow_if(0, OWN_PID),
    "rt_sigqueueinfo": _allow_if(0, OWN_PID),
    "rt_tgsigqueueinfo": _allow_if(0, OWN_PID),
    "prlimit64": _allow_if(0, 0, OWN_PID),
    "sched_setaffinity": _allow_if(0, 0, OWN_PID),
    "sched_setscheduler": _allow_if(0, 0, OWN_PID),
    "sched_setparam": _allow_if(0, 0, OWN_PID),
    "sched_setattr": _allow_if(0, 0, OWN_PID),
    "ioctl": _allow_if(1, *_IOCTLS),
    "fcntl": _refuse_if(1, *_FCNTLS),
    "prctl": _refuse_if(0, _PR_SET_PDEATHSIG, _PR_SCHED_CORE),
    # Old Landlock (ABI 1 and 2) lets O_TRUNC empty a file that is opened without write access.
    "open": _refuse_if(1, _O_TRUNC, _O_TRUNC | _O_ACCMODE, mask=_O_TRUNC | _O_ACCMODE),
    "openat": _refuse_if(2, _O_TRUNC, _O_TRUNC | _O_ACCMODE, mask=_O_TRUNC | _O_ACCMODE),
}
"""For processes that start no other, and whose business is no other's: threads, no children."""

_NO_PROGRAMS: Rules = _answers(errno.EPERM, _STARTING)

_ENGINE: Rules = {**_KERNEL, **_NO_NETWORK, **_ALONE, **_NO_PROGRAMS}
_OFFLOADING: Rules = {
    # Not every call but those of terminals: on some file systems an ioctl of a folder that is
    # open for reading removes what is in it.
    **_ENGINE,
    "ioctl": [
        *_allow_any(1, _CARD_FAMILIES, mask=0xC000FF00),
        *_allow_any(1, _CARD_NUMBERS, mask=0xFFFFFF00),
        *_ALONE["ioctl"],
    ],
}
"""For an engine that uses a graphics card, through the calls of its driver."""

_RUNNER: Rules = {**_KERNEL, **_NO_NETWORK, **_ALONE}
_NURSERY: Rules = {
    # Each child ends with it and adds the runner's filter, which takes both rights away again,
    # before it imports anything of the project.
    **_RUNNER,
    "fork": [ALLOWED],
    "clone": [
        _argument(0),
        *((_EQUAL, 4 - place, 0, flags) for place, flags in enumerate(_FORKS)),
        *_ALONE["clone"][1:],
    ],
    "prctl": _refuse_if(0, _PR_SCHED_CORE),
}

_BOXES = "unshare mount umount2 pivot_root clone"

_RULES: Mapping[str, Rules] = {
    "broker": {**_KERNEL, **_NO_NETWORK},
    # Where there is no Landlock: may make namespaces, in which bubblewrap puts a runner.
    "boxer": {
        name: rule
        for name, rule in {**_KERNEL, **_NO_NETWORK}.items()
        if name not in _BOXES.split()
    },
    "engine": _ENGINE,
    "offloading engine": _OFFLOADING,
    "runner": _RUNNER,
    "nursery": _NURSERY,
    "courier": {**_KERNEL, **_ALONE, **_NO_PROGRAMS, **_INTERNET},
    "puller": {**_KERNEL, **_INTERNET, **_answers(errno.EPERM, "memfd_create memfd_secret")},
}


def filter_of(profile: str, architecture: Architecture) -> Program:
    """The filter of a profile, by the profile's name.

    Raises:
        KeyError: there is no such profile.
    """
    program: Program = [
        (_LOAD, 0, 0, _OFFSET_ARCHITECTURE),
        (_EQUAL, 1, 0, architecture.audit),
        KILLED,  # 32-bit calls have other numbers
        (_LOAD, 0, 0, _OFFSET_NUMBER),
        (_GREATER, 0, 1, NEWEST),  # x32 calls, and those of kernels to come
        refused(errno.ENOSYS),
    ]
    for call, rule in sorted(_RULES[profile].items()):
        number = architecture.number(call)
        if number is not None:
            program += [(_EQUAL, 0, len(rule), number), *rule]
    return [*program, ALLOWED]
