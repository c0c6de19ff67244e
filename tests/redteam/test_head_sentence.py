"""No process of hybridgen can both read your code and reach a network: seen by ``strace``.

Every command runs under ``strace -f`` with all its children. What is looked at is not what the
program says of itself, but which process opened which file and which made a socket, and when the
locks came in between.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hybridgen.backends.fake_gemini import FakeGemini
from hybridgen.cli.main import COMMANDS

STRACE = shutil.which("strace")
pytestmark = [
    pytest.mark.usefixtures("kernel_with_locks"),
    pytest.mark.skipif(STRACE is None, reason="strace is not installed"),
]

CALLS = "openat,open,openat2,socket,connect,seccomp,prctl,clone,clone3,fork,vfork"
START = "import sys\n{without}\nfrom hybridgen.cli.main import main\nmain(sys.argv[1:])\n"
# An ordinary user's strace sees no path that a process that is not dumpable opens; root's does.
SEEN = "import hybridgen.lockdown.own as own; own._PR_SET_DUMPABLE = 3\n" if os.getuid() else ""
UNLOCKED = """
import hybridgen.cli.locks as locks
locks.lock_broker = lambda: None
"""
FILES = {
    "pyproject.toml": "[project]\nname = 'shop'\nversion = '1'\n",
    "hybridgen.toml": "[labels]\nconfidential = ['/shop/rates.py']\n",
    "shop/__init__.py": "",
    "shop/rates.py": "# hybridgen: confidential\nRATE = 3\n",
    "shop/fees.py": (
        "# hybridgen: public\nfrom hashlib import sha256\n\n\ndef fee(amount: int) -> int:\n"
        "    if sha256(str(amount).encode()).hexdigest().startswith('00000'):\n"
        "        return 0\n    return amount * 2\n"
    ),
}
COMMAND_LINES = {
    "generate": ("generate", "shop/fees.py", "--diff", "--budget", "30"),
    "mark": ("mark", "internal", "shop/__init__.py"),
    "unmark": ("unmark", "shop/__init__.py"),
    "trust": ("trust", "--yes"),
    "explain": ("explain", "shop", "--prompt"),
    "audit": ("audit", "list"),
    "models": ("models", "list"),
    "config": ("config", "show"),
    "purge": ("purge",),
    "doctor": ("doctor",),
}
"""One for each command; ``models pull`` reaches a network, and is looked at apart."""
READ_CODE = {"mark", "unmark", "trust", "explain", "config"}


@dataclass
class Process:
    """What one process did.

    Attributes:
        is_locked: it, or the process that it was forked from, has taken a filter of system calls.
    """

    is_locked: bool = False
    read: list[str] = field(default_factory=list)
    read_before_locks: list[str] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)


def processes(trace: str, project: Path) -> dict[int, Process]:
    """Every process in a trace of ``strace -f -y``, with what of the project it opened."""
    found: dict[int, Process] = {}
    unfinished: dict[int, str] = {}
    for line in trace.splitlines():
        number, _, call = line.partition(" ")
        pid, call = int(number), call.strip()
        if call.endswith("<unfinished ...>"):
            unfinished[pid] = call.removesuffix("<unfinished ...>")
            continue
        if resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", call):
            call = unfinished.pop(pid, "") + resumed[1]
        process = found.setdefault(pid, Process())
        name, answer = call.partition("(")[0], call.rpartition(" = ")[2]
        if answer.startswith(("-1", "?")):
            continue
        if name in ("clone", "clone3", "fork", "vfork"):
            child = found.setdefault(int(answer.split()[0]), Process())
            child.is_locked = child.is_locked or process.is_locked
        elif name == "seccomp" or (name == "prctl" and "PR_SET_SECCOMP" in call):
            process.is_locked = True
        elif name == "socket":
            process.sockets.append(call)
        elif name.startswith("open") and (path := _opened(call, answer, project)):
            if Path(path).is_relative_to(project) and Path(path) != project:
                process.read.append(path)
                if not process.is_locked:
                    process.read_before_locks.append(path)
    return found


def _opened(call: str, answer: str, folder: Path) -> str:
    """The path of what was opened; an ordinary user's ``strace`` cannot ask the kernel for it."""
    if shown := re.search(r"<([^<>]*)>$", answer):
        return shown[1]
    given = re.search(r'"((?:[^"\\]|\\.)*)"', call)
    return os.path.normpath(folder / given[1]) if given else ""


@dataclass(frozen=True)
class Traced:
    """How a command ended, and what its processes did."""

    code: int
    output: str
    processes: dict[int, Process]
    requests: int

    @property
    def readers(self) -> list[Process]:
        return [one for one in self.processes.values() if one.read]

    @property
    def both(self) -> list[Process]:
        """Processes that read the project and made a socket."""
        return [one for one in self.readers if one.sockets]


class World:
    """A project, and a user whose settings name Gemini."""

    def __init__(self, folder: Path, gemini: FakeGemini, quick: str) -> None:
        self._before = SEEN + quick
        self.project, self.home, self.gemini = folder / "project", folder / "home", gemini
        for name, text in FILES.items():
            path = self.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        settings = self.home / ".config" / "hybridgen"
        settings.mkdir(parents=True)
        (settings / "config.toml").write_text(
            f"[labels]\npublic = ['*']\n[gemini]\nterms = 'paid'\nurl = '{gemini.url}'\n"
        )
        self.trace = folder / "trace"

    def run(self, *arguments: str, without: str = "") -> Traced:
        before = len(self.gemini.requests)
        done = subprocess.run(
            [
                *(str(STRACE), "-f", "-y", "-qq", "-s", "256", "-e", f"trace={CALLS}"),
                *("-o", str(self.trace), sys.executable, "-I", "-c"),
                *(START.format(without=self._before + without), *arguments),
            ],
            cwd=self.project,
            env={"PATH": os.defpath, "HOME": str(self.home), "GEMINI_API_KEY": "a-key"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        text = self.trace.read_text(errors="replace")
        found = processes(text, self.project.resolve())
        output = done.stdout + done.stderr
        return Traced(done.returncode, output, found, len(self.gemini.requests) - before)


@pytest.fixture
def world(tmp_path: Path, quick: str) -> Iterator[World]:
    with FakeGemini("fee(596138)\n") as gemini:
        yield World(tmp_path, gemini, quick)


def test_there_is_a_command_line_for_every_command() -> None:
    assert set(COMMAND_LINES) == set(COMMANDS)


@pytest.mark.parametrize("command", sorted(set(COMMAND_LINES) - {"generate"}))
def test_no_process_of_a_command_reads_code_and_makes_a_socket(command: str, world: World) -> None:
    seen = world.run(*COMMAND_LINES[command])
    assert "internal error" not in seen.output
    assert next(iter(seen.processes.values())).is_locked, "the command itself"
    assert bool(seen.readers) == (command in READ_CODE)
    assert seen.both == [], seen.output
    assert [path for one in seen.readers for path in one.read_before_locks] == []
    assert seen.requests == 0


def test_generate_sends_by_a_process_that_reads_nothing(world: World) -> None:
    seen = world.run(*COMMAND_LINES["generate"])
    assert seen.requests > 0, seen.output
    assert len(seen.readers) > 1, "the command and a runner"
    assert seen.both == []
    assert [path for one in seen.readers for path in one.read_before_locks] == []
    senders = [one for one in seen.processes.values() if one.sockets]
    assert senders
    assert all(one.is_locked for one in senders)


def test_pulling_a_model_is_done_by_a_locked_process_that_reads_nothing(world: World) -> None:
    hub = "http://127.0.0.1:9"  # nobody answers there
    seen = world.run(
        "models", "pull", "qwen2.5-coder-0.5b", "--source", "hub", "--hub-endpoint", hub
    )
    assert seen.code == 1
    assert seen.readers == []
    senders = [one for one in seen.processes.values() if one.sockets]
    assert senders
    assert all(one.is_locked for one in senders)


@pytest.mark.parametrize("command", ["generate", "explain"])
def test_without_the_lock_call_it_would_be_seen(command: str, world: World) -> None:
    seen = world.run(*COMMAND_LINES[command], without=UNLOCKED)
    assert any(one.read_before_locks for one in seen.readers)


def test_a_socket_in_a_process_that_reads_would_be_seen(world: World) -> None:
    broken = UNLOCKED + (
        "import socket, hybridgen.reading as reading\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
    )
    assert world.run(*COMMAND_LINES["explain"], without=broken).both
