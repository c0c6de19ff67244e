"""Attacks from inside a real locked Python; each one works where the lock is missing."""

from __future__ import annotations

import os
import pty
import shutil
import socket
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybridgen.lockdown.syscalls import NUMBERS, this_architecture

_MACHINE = this_architecture()
_CALLS = {name: _MACHINE.number(name) for name in NUMBERS} if _MACHINE else {}

# EPERM, EACCES, EXDEV (a link that Landlock refuses), ENOSYS, EOPNOTSUPP
_PRELUDE = f"""
import ctypes, errno, fcntl, os, resource, signal, socket, struct, sys
NUMBERS = {_CALLS!r}
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    wide = [a if isinstance(a, (bytes, ctypes.Array)) else ctypes.c_long(a) for a in arguments]
    answer = libc.syscall(ctypes.c_long(NUMBERS.get(name, name)), *wide)
    if answer < 0:
        raise OSError(ctypes.get_errno(), f"{{name}}: {{os.strerror(ctypes.get_errno())}}")
    return answer
project, scratch, outside = sys.argv[1:4]
victim, parent, echo = int(sys.argv[4]), os.getppid(), sys.argv[5]
module, secret = project + "/module.py", outside + "/secret"
def attack():
{{attack}}
try:
    attack()
except OSError as problem:
    if problem.errno not in (1, 13, 18, 38, 95):
        raise
    print("DENIED", problem.errno)
else:
    print("SUCCEEDED")
"""

_SOCKETS = {
    "TCP socket": "socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
    "UDP socket": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "MPTCP socket": "socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)",
    "IPv6 socket": "socket.socket(socket.AF_INET6, socket.SOCK_STREAM)",
    "unix socket": "socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)",
    "netlink socket": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "sequenced pair": "socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)",
    "datagram pair that sends to a listener": """
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        pair[0].sendto(b"leak", outside + "/listener")""",
    "bind of a pair": """
        socket.socketpair()[0].getsockname()
        import socket as s; pair = s.socketpair(); call("bind", pair[0].fileno(), b"\\1\\0", 2)""",
    "descriptor passing": """
        pair = socket.socketpair()
        socket.send_fds(pair[0], [b"x"], [0])""",
    "io_uring": "call('io_uring_setup', 1, ctypes.create_string_buffer(120))",
}
_FILES = {
    "change of a project file": "open(module, 'a').write('x')",
    "new file in the project": "open(project + '/new.py', 'w')",
    "removal of a project file": "os.unlink(module)",
    "removal of a project folder": "os.rmdir(project + '/empty')",
    "new folder in the project": "os.mkdir(project + '/folder')",
    "rename in the project": "os.rename(module, project + '/other.py')",
    "move out of the project": "os.rename(module, scratch + '/stolen.py')",
    "hard link to a project file": "os.link(module, scratch + '/link.py')",
    "write through a symlink": """
        if not os.path.lexists(scratch + "/link"):
            os.symlink(module, scratch + "/link")
        open(scratch + "/link", "a").write("x")""",
    "truncate": "os.truncate(module, 0)",
    "truncation by a reader": "os.open(module, os.O_RDONLY | os.O_TRUNC)",
    "truncation without access mode": "os.open(module, 3 | os.O_TRUNC)",
    "openat2": "call('openat2', -100, module.encode(), struct.pack('QQQ', 0, 0, 0), 24)",
    "chmod": "os.chmod(module, 0o644)",
    "fchmod of a file open for reading": "os.fchmod(os.open(module, os.O_RDONLY), 0o644)",
    "fchmodat2": "call('fchmodat2', -100, module.encode(), 0o644, 0)",
    "chown": "os.chown(module, os.getuid(), os.getgid())",
    "lchown": "os.lchown(module, os.getuid(), os.getgid())",
    "fchown": "os.fchown(os.open(module, os.O_RDONLY), os.getuid(), os.getgid())",
    "utime": "os.utime(module, (1, 1))",
    "utime of an open file": "os.utime(os.open(module, os.O_RDONLY), (1, 1))",
    "read outside": "open(secret).read()",
    "write outside": "open(secret, 'a').write('x')",
    "listing outside": "os.listdir(outside)",
    "listing of the temporary folder": "os.listdir(os.path.dirname(os.path.dirname(project)))",
    "read by way of /proc/self/root": "open('/proc/self/root' + secret).read()",
    "list of users": "open('/etc/passwd').read()",
    "list of processes": "os.listdir('/proc')",
    "network connections of the machine": "open('/proc/self/net/tcp').read()",
    "command line of another process": "open(f'/proc/{victim}/cmdline').read()",
    "environment of another process": "open(f'/proc/{victim}/environ').read()",
    "file handle": """
        call("name_to_handle_at", -100, module.encode(),
             ctypes.create_string_buffer(struct.pack("Ii", 128, 0), 200),
             ctypes.create_string_buffer(8), 0)""",
    "watching a folder": """
        if libc.inotify_add_watch(libc.inotify_init1(0), outside.encode(), 0x100) < 0:
            raise OSError(ctypes.get_errno(), "inotify")""",
}
_PROCESSES = {
    "fork": "os.fork() or os._exit(0)",
    "clone": "call('clone', 17, 0, 0, 0, 0) or os._exit(0)",
    "clone3": "call('clone3', struct.pack('11Q', *[0] * 4, 17, *[0] * 6), 88) or os._exit(0)",
    "spawn": "os.posix_spawn(echo, ['echo'], {})",
    "subprocess": "import subprocess; subprocess.run([echo])",
    "exec of another program": "sys.stdout.flush(); os.execv(echo, ['echo', 'SUCCEEDED'])",
    "exec of a program of its own": """
        copy = os.open(scratch + "/echo", os.O_WRONLY | os.O_CREAT, 0o755)
        os.write(copy, open(echo, "rb").read())
        os.close(copy)
        os.execv(scratch + "/echo", ["echo", "SUCCEEDED"])""",
    "exec from memory": """
        memory = call("memfd_create", b"echo", 0)
        os.write(memory, open(echo, "rb").read())
        os.execv(f"/proc/self/fd/{memory}", ["echo", "SUCCEEDED"])""",
    "execveat": """
        arguments = (ctypes.c_char_p * 3)(b"echo", b"SUCCEEDED", None)
        call("execveat", -100, echo.encode(), arguments, 0, 0)""",
    "new session": "os.setsid()",
    "new process group": "os.setpgid(0, 0)",
    "survival of its parent": "libc.prctl(1, 0) and call('prctl', 1, 0, 0, 0, 0)",
    "kill": "os.kill(victim, 9)",
    "kill of the own group": "os.kill(0, 0)",
    "kill of everything": "os.kill(-1, 0)",
    "tkill": "call('tkill', victim, 9)",
    "tgkill": "call('tgkill', victim, victim, 9)",
    "queued signal": """
        info = ctypes.create_string_buffer(struct.pack("iii", 9, 0, -1), 128)
        call("rt_sigqueueinfo", victim, 9, info)""",
    "signal by pidfd": "signal.pidfd_send_signal(os.pidfd_open(victim), 9)",
    "signal by descriptor owner": """
        read, write = os.pipe()
        fcntl.fcntl(read, fcntl.F_SETOWN, victim)
        fcntl.fcntl(read, 10, 9)
        fcntl.fcntl(read, fcntl.F_SETFL, os.O_ASYNC)
        os.write(write, b"x")""",
    "limits of another process": """
        resource.prlimit(victim, resource.RLIMIT_NOFILE, (64, 64))""",
    "priority of another process": "os.setpriority(os.PRIO_PROCESS, victim, 5)",
    "affinity of another process": "os.sched_setaffinity(victim, os.sched_getaffinity(0))",
    "scheduling of another process": """
        os.sched_setscheduler(victim, os.SCHED_BATCH, os.sched_param(0))""",
    "disk priority of another process": "call('ioprio_set', 1, victim, 3 << 13)",
    "shared memory": """
        call("shmctl", call("shmget", 0, 4096, 0o1600), 0, 0)""",
    "semaphores": "call('semctl', call('semget', 0, 1, 0o1600), 0, 0, 0)",
    "message queue": "call('msgctl', call('msgget', 0, 0o1600), 0, 0)",
    "named message queue": """
        call("mq_open", f"cage{os.getpid()}".encode(), os.O_CREAT | os.O_RDWR, 0o600, 0)
        call("mq_unlink", f"cage{os.getpid()}".encode())""",
    "personality": "call('personality', 0xffffffff)",
}
# What some machines deny to everybody or to all but root; there only the locked half counts.
_MAYBE_DENIED_ANYWAY = {
    "trace": "call('ptrace', 16, victim, 0, 0); os.waitpid(victim, 0x40000000)",
    "memory of another process": "open(f'/proc/{victim}/mem', 'r+b')",
    "read of another process's memory": """
        line = next(x for x in open(f"/proc/{victim}/maps") if " r" in x)
        start = int(line.partition("-")[0], 16)
        buffer = ctypes.create_string_buffer(8)
        local = struct.pack("QQ", ctypes.addressof(buffer), 8)
        call("process_vm_readv", victim, local, 1, struct.pack("QQ", start, 8), 1, 0)""",
    "user namespace": "call('unshare', 0x10000000)",
    "chroot": "os.chroot(scratch)",
    "mount": """
        call("mount", b"none", scratch.encode(), b"tmpfs", 0, 0)
        call("umount2", scratch.encode(), 2)""",
    "raw packets": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "keyring": "call('keyctl', 0, -2, 1)",
    "userfaultfd": "call('userfaultfd', 0)",
    "performance events": """
        call("perf_event_open", struct.pack("IIQ", 1, 112, 0) + bytes(96), 0, -1, -1, 0)""",
    "bpf": "call('bpf', 0, struct.pack('IIII', 2, 4, 4, 1) + bytes(112), 128)",
    "new attribute": "os.setxattr(module, 'user.hybridgen', b'x')",
    "removed attribute": "os.removexattr(module, 'user.there')",
    "attribute of a file outside": "os.getxattr(secret, 'user.there')",
    "flags of a file open for reading": """
        file = os.open(module, os.O_RDONLY)
        try:
            flags = struct.unpack("l", fcntl.ioctl(file, 0x80086601, bytes(8)))[0]
        except PermissionError:
            flags = 0
        fcntl.ioctl(file, 0x40086602, struct.pack("l", flags | 0x40))""",
    "host name": "socket.sethostname(socket.gethostname())",
    "x32 call": "call(0x40000000 + 39)",
}


def _run(cage: Any, attack: str, victim: int, *, locked: bool, **popen: Any) -> str:
    code = _PRELUDE.replace("{attack}", textwrap.indent(textwrap.dedent(attack.strip("\n")), "  "))
    echo = shutil.which("echo")
    arguments = (cage.project, cage.scratch, cage.outside, victim, echo)
    result = cage.python(code, *arguments, locked=locked, **popen)
    return str(result.stdout.strip() or f"exit {result.returncode}: {result.stderr.strip()[-800:]}")


def _state(cage: Any, victim: int) -> object:
    """Everything that no attack may change."""
    files = {}
    for folder in (cage.project, cage.outside):
        for path in (folder, *sorted(folder.rglob("*"))):
            status = path.lstat()
            text = path.read_bytes() if path.is_file() else b""
            attributes = sorted(os.listxattr(path))
            files[path] = (status.st_mode, status.st_uid, status.st_mtime_ns, text, attributes)
    process = Path(f"/proc/{victim}")
    limits, status_text = (process / "limits").read_text(), (process / "stat").read_text()
    fields = status_text.rpartition(")")[2].split()
    return files, limits, fields[16], os.sched_getscheduler(victim)  # 16: nice


@contextmanager
def _listener(cage: Any) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(cage.outside / "listener"))
        (cage.outside / "listener").chmod(0o777)
        listener.setblocking(False)
        yield listener


def _attack(cage: Any, attack: str, *, fails_anyway: bool) -> None:
    for path in (cage.project / "module.py", cage.outside / "secret"):
        with suppress(OSError):  # a file system without attributes
            os.setxattr(path, "user.there", b"x")
    with _listener(cage) as listener, cage.victim() as victim:
        try:
            before = _state(cage, victim.pid)
            answer = _run(cage, attack, victim.pid, locked=True)
            assert answer.startswith("DENIED"), answer
            assert victim.poll() is None
            assert _state(cage, victim.pid) == before
            with pytest.raises(BlockingIOError):
                listener.recv(1)
            free = _run(cage, attack, victim.pid, locked=False)
            if fails_anyway and not free.endswith("SUCCEEDED"):
                pytest.skip(f"denied while locked, but nothing to compare with: {free}")
            assert free.endswith("SUCCEEDED"), free
        finally:
            victim.kill()


@pytest.mark.parametrize("attack", _SOCKETS.values(), ids=_SOCKETS)
def test_sockets_are_denied(cage: Any, attack: str) -> None:
    if "262" in attack and not Path("/proc/sys/net/mptcp").exists():
        pytest.skip("this kernel has no MPTCP")
    _attack(cage, attack, fails_anyway=False)


@pytest.mark.parametrize("attack", _FILES.values(), ids=_FILES)
def test_files_are_safe(cage: Any, attack: str) -> None:
    _attack(cage, attack, fails_anyway=False)


@pytest.mark.parametrize("attack", _PROCESSES.values(), ids=_PROCESSES)
def test_processes_are_safe(cage: Any, attack: str) -> None:
    _attack(cage, attack, fails_anyway=False)


@pytest.mark.parametrize("attack", _MAYBE_DENIED_ANYWAY.values(), ids=_MAYBE_DENIED_ANYWAY)
def test_system_is_safe(cage: Any, attack: str) -> None:
    _attack(cage, attack, fails_anyway=True)


_OLDEST = {name: _FILES[name] for name in _FILES if "trunc" in name or "outside" in name} | {
    name: _PROCESSES[name] for name in _PROCESSES if "kill" in name or "signal" in name
}


@pytest.mark.parametrize("attack", _OLDEST.values(), ids=_OLDEST)
def test_oldest_landlock_is_enough(cage: Any, attack: str) -> None:
    """Linux 5.13 knows neither truncation nor signals: the filter has to stand in."""
    launcher = cage.folder / "launch_abi_1.py"
    text = cage.launcher.read_text()
    assert text.count("abi = _checked(") == 1
    launcher.write_text(text.replace("abi = _checked(", "abi = 1 or _checked("))
    launcher.chmod(0o644)
    _attack(replace(cage, launcher=launcher), attack, fails_anyway=False)


def test_nothing_is_typed_into_the_terminal(cage: Any) -> None:
    attack = "fcntl.ioctl(0, 0x5412, b'x')"
    master, slave = pty.openpty()
    try:
        assert _run(cage, attack, 1, locked=True, stdin=slave) == "DENIED 1"
        free = _run(cage, attack, 1, locked=False, stdin=slave)
        if free != "SUCCEEDED":
            pytest.skip(f"denied while locked, but nothing to compare with: {free}")
    finally:
        os.close(master)
        os.close(slave)


_INTERRUPT_80 = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")  # mov eax, getpid; int 0x80; ret
print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))())
"""


@pytest.mark.skipif(_MACHINE is None or _MACHINE.name != "x86_64", reason="x86_64 only")
def test_calls_of_another_architecture_kill(cage: Any) -> None:
    assert cage.python(_INTERRUPT_80).returncode == -31  # SIGSYS
    if cage.python(_INTERRUPT_80, locked=False).returncode != 0:
        pytest.skip("killed while locked, but this kernel has no 32-bit calls to compare with")


_REACHED = f"""
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
for name, number in {_CALLS!r}.items():
    if number is not None and name in sys.argv[1:]:
        libc.syscall(number, *[ctypes.c_long(-1)] * 6)
        print(name, ctypes.get_errno())
"""
# Privileged calls that bad arguments make harmless.
_PRIVILEGED = """mount umount2 pivot_root chroot move_mount fsopen fsconfig fspick mount_setattr
    setns init_module finit_module delete_module swapon swapoff acct quotactl_fd syslog
    sethostname setdomainname settimeofday clock_settime clock_adjtime adjtimex
    open_by_handle_at add_key request_key kcmp process_madvise pidfd_getfd"""


def test_privileged_calls_are_refused_before_the_kernel_looks_at_them(cage: Any) -> None:
    calls = _PRIVILEGED.split()
    locked = dict(line.split() for line in cage.python(_REACHED, *calls).stdout.splitlines())
    assert len(locked) > 20
    assert set(locked.values()) == {"1"}
    free = cage.python(_REACHED, *calls, locked=False).stdout
    reached = [line for line in free.splitlines() if not line.endswith(" 1")]
    assert len(reached) >= (5 if cage.user else 15), free
