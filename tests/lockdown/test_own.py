"""Broker, engine, courier and puller lock themselves: what each can do no more, and still can."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hybridgen.lockdown.syscalls import NUMBERS, this_architecture

pytestmark = pytest.mark.usefixtures("kernel_with_locks")

_MACHINE = this_architecture()
_CALLS = {name: _MACHINE.number(name) for name in NUMBERS} if _MACHINE else {}

_PROFILES = {
    "broker": "broker_profile()",
    "engine": "engine_profile(place / 'model.gguf')",
    "engine on a card": "engine_profile(place / 'model.gguf', has_card=True)",
    "courier": "courier_profile([port])",
    "puller": "puller_profile(place / 'models')",
}

_PRELUDE = f"""
import ctypes, os, signal, socket, subprocess, sys, threading
from pathlib import Path
from hybridgen.lockdown import *
NUMBERS = {_CALLS!r}
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    wide = [a if isinstance(a, (bytes, ctypes.Array)) else ctypes.c_long(a) for a in arguments]
    answer = libc.syscall(ctypes.c_long(NUMBERS[name]), *wide)
    if answer < 0:
        raise OSError(ctypes.get_errno(), name)
    return answer
def tcp(where, flags=0, kind=0):
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM, kind)
    if flags:
        one.sendto(b"leak", flags, ("127.0.0.1", where))
    else:
        one.settimeout(5)
        one.connect(("127.0.0.1", where))
place, port, other, outsider = Path(sys.argv[1]), *map(int, sys.argv[2:5])
project = place / "project" / "secret.py"
"""

_END = """
try:
    attack()
except OSError as problem:
    if problem.errno not in (1, 13, 38):
        raise
    print("DENIED")
else:
    print("SUCCEEDED")
"""

_ATTACKS = {
    "TCP": "tcp(port)",
    "TCP to a port that is not configured": "tcp(other)",
    "fast open": "tcp(other, socket.MSG_FASTOPEN)",
    "fast open as an option": """
        one = socket.socket()
        one.setsockopt(socket.IPPROTO_TCP, 30, 1)""",
    "MPTCP": "tcp(other, kind=262)",
    "UDP": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "raw socket": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "unix socket": "socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)",
    "netlink socket": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "vsock socket": "socket.socket(40, socket.SOCK_STREAM)",
    "datagram pair": "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "server": "one = socket.create_server(('127.0.0.1', 0))",
    "io_uring": "call('io_uring_setup', 1, ctypes.create_string_buffer(120))",
    "reading a project": "project.read_text()",
    "reading the model": "(place / 'model.gguf').read_bytes()",
    "reading the home folder": "os.listdir(place / 'home')",
    "writing a project": "project.write_text('x')",
    "writing beside the models": "(place / 'models' / 'new').write_text('x')",
    "writing a temporary file": "(place / 'new').write_text('x')",
    "starting a program": "subprocess.run(['/bin/true'], check=True)",
    "starting our Python": "subprocess.run([sys.executable, '-I', '-S', '-c', ''], check=True)",
    "becoming a program": "os.execv('/bin/echo', ['echo', 'SUCCEEDED'])",
    "forking": "os.fork() or os._exit(0)",
    "memory of another process": "open(f'/proc/{outsider}/mem', 'rb')",
    "environment of another process": "open(f'/proc/{outsider}/environ', 'rb').read()",
    "descriptors of another process": "os.readlink(f'/proc/{outsider}/fd/0')",
    "tracing another process": "call('ptrace', 16, outsider, 0, 0)",
    "descriptor of another process": """
        call("pidfd_getfd", os.pidfd_open(outsider), 0, 0)""",
    "signal to another process": "os.kill(outsider, 0)",
    "user namespace": "call('unshare', 0x10000000)",
    "being watched by others": """
        child = os.open(f"/proc/{os.getpid()}/status", os.O_RDONLY)
        if ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0:
            raise PermissionError(13, "not dumpable")""",
}

_EVERYWHERE = {
    *("raw socket", "unix socket", "netlink socket", "vsock socket", "datagram pair", "server"),
    *("MPTCP", "fast open", "io_uring", "tracing another process", "user namespace"),
    *("memory of another process", "environment of another process"),
    *("descriptors of another process", "descriptor of another process"),
    *("TCP to a port that is not configured", "being watched by others"),
}
_OF_ROOT = {"raw socket"}
_OF_READERS = {"TCP", "UDP", "fast open as an option"}
_OF_LONERS = {
    *("starting a program", "starting our Python", "becoming a program", "forking"),
    *("signal to another process", "writing beside the models"),
}
_BLIND = {
    *("reading a project", "reading the home folder", "writing a project"),
    "writing a temporary file",
}

_DENIED = {
    "broker": _EVERYWHERE | _OF_READERS,
    "engine": _EVERYWHERE | _OF_READERS | _OF_LONERS | _BLIND,
    "engine on a card": _EVERYWHERE | _OF_READERS | _OF_LONERS | _BLIND,
    "courier": _EVERYWHERE | _OF_LONERS | _BLIND | {"reading the model", "fast open as an option"},
    # Its ports are those of the user's own settings for pip and hub.
    "puller": _EVERYWHERE - {"TCP to a port that is not configured"}
    | _BLIND
    | {"reading the model", "fast open as an option", "starting a program", "becoming a program"}
    | {"signal to another process"},
}


@dataclass(frozen=True)
class Surroundings:
    """What is around the process: files, listeners, and another process of the same user."""

    place: Path
    port: int
    other: int
    outsider: int


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    place = tmp_path_factory.mktemp("own")
    for folder in ("project", "home", "models"):
        (place / folder).mkdir()
    (place / "project" / "secret.py").write_text("SECRET = 1\n")
    (place / "model.gguf").write_bytes(b"GGUF")
    with (
        socket.create_server(("127.0.0.1", 0)) as first,
        socket.create_server(("127.0.0.1", 0)) as second,
        subprocess.Popen(["/bin/sleep", "600"], env={"KEY": "secret"}) as outsider,
    ):
        yield Surroundings(place, first.getsockname()[1], second.getsockname()[1], outsider.pid)
        outsider.kill()


Try = Callable[[str | None, str], str]


@pytest.fixture
def attempt(surroundings: Surroundings) -> Try:
    """Runs an attack in a Python that has taken the locks of a profile, or none."""

    def run(profile: str | None, attack: str) -> str:
        lock = "" if profile is None else f"lock_down({_PROFILES[profile]})\n"
        body = textwrap.indent(textwrap.dedent(_ATTACKS[attack]).strip(), "    ")
        code = f"{_PRELUDE}{lock}def attack():\n{body}\n{_END}"
        numbers = (surroundings.port, surroundings.other, surroundings.outsider)
        done = subprocess.run(
            [sys.executable, "-I", "-c", code, surroundings.place, *map(str, numbers)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        lines = [line for line in done.stdout.split() if line in ("DENIED", "SUCCEEDED")]
        assert lines, done.stderr
        return lines[-1]

    return run


@pytest.mark.parametrize(
    ("profile", "attack"),
    [(profile, attack) for profile, denied in _DENIED.items() for attack in sorted(denied)],
)
def test_locked_process_cannot(profile: str, attack: str, attempt: Try) -> None:
    assert attempt(profile, attack) == "DENIED"


@pytest.mark.parametrize("attack", sorted(_ATTACKS))
def test_same_attack_works_without_the_lock(attack: str, attempt: Try) -> None:
    seen = attempt(None, attack)
    if seen == "DENIED" and (os.getuid() == 0 or attack in _OF_ROOT):
        pytest.skip("this machine denies it to this user anyway")
    assert seen == "SUCCEEDED"


@pytest.mark.parametrize(
    ("profile", "deed"),
    [
        ("broker", "reading a project"),
        ("broker", "writing a project"),
        ("broker", "starting a program"),
        ("broker", "starting our Python"),
        ("engine", "reading the model"),
        ("courier", "TCP"),
        ("courier", "UDP"),
        ("puller", "TCP"),
        ("puller", "TCP to a port that is not configured"),
        ("puller", "writing beside the models"),
        ("puller", "starting our Python"),
    ],
)
def test_locked_process_can_still_do_its_work(profile: str, deed: str, attempt: Try) -> None:
    assert attempt(profile, deed) == "SUCCEEDED"


def test_process_with_a_second_thread_is_not_locked_but_told() -> None:
    code = textwrap.dedent("""
        import threading, time
        from hybridgen.lockdown import broker_profile, lock_down
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        try:
            lock_down(broker_profile())
        except RuntimeError as error:
            print(error)
    """)
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "more than one thread is running\n", done.stderr
