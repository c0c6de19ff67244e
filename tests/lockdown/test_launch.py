"""What the launcher does besides denying: ordinary work, limits, failing closed."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
from typing import Any

import pytest

from hybridgen.lockdown import LockLevel

_WORK = r"""
import asyncio, concurrent.futures, datetime, decimal, io, json, os, pathlib, random, re, socket
import sqlite3, sys, tempfile, threading, zoneinfo
sys.path.insert(0, sys.argv[1])
import module
assert module.double(21) == 42
async def talk():
    left, right = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=left)
    right.sendall(b"hello\n")
    line = await reader.readline()
    writer.close(); right.close()
    await asyncio.to_thread(len, line)
    return line
assert asyncio.run(talk()) == b"hello\n"
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    assert sum(pool.map(int, "1234")) == 10
with tempfile.TemporaryDirectory() as folder:
    assert folder.startswith(sys.argv[2])
    path = pathlib.Path(folder, "a"); path.mkdir(); (path / "b").write_text("x")
    os.rename(path / "b", os.path.join(folder, "c")); path.rmdir()
    with sqlite3.connect(os.path.join(folder, "d.sqlite")) as base:
        base.execute("create table t (x)"); base.execute("insert into t values (1)")
    assert base.execute("select x from t").fetchall() == [(1,)]
    base.close()
assert decimal.Decimal("1.1") + 1 == decimal.Decimal("2.1")
assert re.fullmatch(r"\d+", "12") and json.loads("[1]") == [1]
if os.path.exists("/usr/share/zoneinfo/Europe/Paris"):
    assert datetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Paris")).dst()
assert pathlib.Path.home().is_relative_to(sys.argv[2])
os.open(os.devnull, os.O_WRONLY | os.O_TRUNC); open("/dev/urandom", "rb").read(1)
os.kill(os.getpid(), 0); os.get_terminal_size; sys.stdin.isatty(); os.set_inheritable(0, True)
print("worked")
"""


def test_ordinary_code_works_inside(cage: Any) -> None:
    result = cage.python(_WORK, cage.project, cage.scratch)
    assert (result.stdout, result.stderr) == ("worked\n", "")


def test_numpy_and_its_threads_work_under_the_memory_limit(cage: Any) -> None:
    code = """
import numpy, threading
threads = [threading.Thread(target=lambda: numpy.ones((300, 300)) @ numpy.ones((300, 300)))
           for _ in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]; print("worked")"""
    argv = [str(cage.interpreter.path), "-c", code]
    free = subprocess.run(argv, capture_output=True, env=cage.environment(), **cage.as_user())
    if free.returncode != 0:
        pytest.skip("numpy is not installed for this interpreter")
    locked = subprocess.run(
        cage.command(argv), capture_output=True, env=cage.environment(), **cage.as_user()
    )
    assert (locked.stdout, locked.stderr) == (b"worked\n", b"")


def test_memory_is_limited(cage: Any) -> None:
    small = cage.limited(memory_bytes=200 * 1024**2)
    code = "block = bytearray(300 * 1024**2)"
    assert "MemoryError" in small.python(code).stderr
    assert small.python(code, locked=False).returncode == 0
    shared = "import mmap; mmap.mmap(-1, 900 * 1024**2)"
    assert small.python(shared).returncode == 1
    assert small.python(shared, locked=False).returncode == 0


def test_processor_time_is_limited(cage: Any) -> None:
    code = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
    assert cage.limited(cpu_seconds=1).python(code).returncode == -9


def test_files_and_descriptors_are_limited(cage: Any) -> None:
    small = cage.limited(file_bytes=1000, open_files=32)
    code = "file = open('big', 'wb', 0)\nfor _ in range(2): file.write(bytes(1000))"
    assert "Errno 27" in small.python(code).stderr
    assert (cage.scratch / "big").stat().st_size == 1000
    assert "Errno 24" in small.python("kept = [open('/dev/null') for _ in range(40)]").stderr


def test_limits_cannot_be_raised_again(cage: Any) -> None:
    code = """
import resource
soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
resource.setrlimit(resource.RLIMIT_CPU, (hard + 1, hard + 1))"""
    result = cage.python(code)
    assert result.returncode == 1
    assert "not allowed to raise" in result.stderr


def test_capabilities_are_dropped_for_good(cage: Any) -> None:
    code = "print(*[x for x in open('/proc/self/status') if x.startswith(('Cap', 'NoNew'))])"
    lines = cage.python(code).stdout.split()
    status = dict(zip(lines[::2], lines[1::2], strict=True))
    assert int(status["CapEff:"], 16) in (0, 4)  # 4: root may read every file
    assert int(status["CapPrm:"], 16) in (0, 4)
    assert status["NoNewPrivs:"] == "1"


def test_crash_leaves_no_core_dump(cage: Any) -> None:
    code = """
import ctypes, resource
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
ctypes.string_at(0)"""

    def has_dumped(command: list[str]) -> bool:
        process = subprocess.Popen(command, cwd=cage.scratch, **cage.as_user())
        status = os.waitpid(process.pid, 0)[1]
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == -11
        return os.WCOREDUMP(status)

    argv = [str(cage.interpreter.path), "-S", "-c", code]
    assert not has_dumped(cage.command(argv))
    if not has_dumped(argv):
        pytest.skip("no dump while locked, but this machine takes none anyway")


def test_other_descriptors_are_closed(cage: Any) -> None:
    code = "import os, sys\nfor fd in map(int, sys.argv[1:]): print(os.read(fd, 1))"
    with (cage.outside / "secret").open("rb") as file:
        number = file.fileno()
        assert "Errno 9" in cage.python(code, number, pass_fds=[number]).stderr
        kept = cage.python(code, number, pass_fds=[number], keep=[number])
        assert kept.stdout == "b't'\n"


def test_socket_as_standard_input_is_refused(cage: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as outward:
        result = cage.python("print('ran')", stdin=outward)
        assert (result.returncode, result.stdout) == (97, "")
        assert "descriptor 0 is a socket" in result.stderr
    left, right = socket.socketpair()  # as asyncio makes them for a child's input
    with left, right:
        assert cage.python("print('ran')", stdin=left).stdout == "ran\n"


def test_worker_dies_with_its_parent(cage: Any) -> None:
    script = """
import json, os, subprocess, sys, time
command = sys.argv[1:]
command[4] = json.dumps({**json.loads(command[4]), "parent": os.getpid()})
child = subprocess.Popen(command, stdout=subprocess.PIPE)
child.stdout.read(1)
print(child.pid, flush=True)
time.sleep(60)
"""
    work = "print(1, flush=True); import time; time.sleep(60)"
    command = cage.command([str(cage.interpreter.path), "-S", "-c", work])
    with subprocess.Popen(
        [str(cage.interpreter.path), "-c", script, *command],
        stdout=subprocess.PIPE,
        cwd=cage.scratch,
        **cage.as_user(),
    ) as parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        assert select.select([child], [], [], 0)[0] == []  # readable when the process has ended
        parent.kill()
        assert select.select([child], [], [], 5)[0] == [child]
        os.close(child)


@pytest.mark.parametrize(
    ("level", "answers"),
    [
        (LockLevel(sockets=True, files=False, why=""), "no yes 1"),
        (LockLevel(sockets=False, files=True, why=""), "yes no 1"),
        (LockLevel(sockets=False, files=False, why=""), "yes yes 1"),
    ],
)
def test_unsafe_run_takes_the_locks_that_there_are(
    cage: Any, level: LockLevel, answers: str
) -> None:
    code = """
import socket, sys
def tried(action):
    try: action()
    except PermissionError: return "no"
    return "yes"
status = open("/proc/self/status").read()
print(tried(socket.socket), tried(lambda: open(sys.argv[1])), status[status.index("NoNew") + 12])"""
    assert cage.python(code, cage.outside / "secret").stdout == "no no 1\n"
    unsafe = cage.python(code, cage.outside / "secret", unsafe_level=level)
    assert unsafe.stdout == answers + "\n"


@pytest.mark.parametrize(
    ("change", "step"),
    [
        (lambda plan: plan.pop("seccomp"), "seccomp"),
        (lambda plan: plan.pop("landlock"), "landlock"),
        (lambda plan: plan["landlock"]["read"].append("/no/such/path"), "landlock"),
        (lambda plan: plan.update(seccomp=[[6, 0, 0, "x"]]), "seccomp"),
        (lambda plan: plan.update(seccomp=[[255, 0, 0, 0]]), "seccomp"),
        (lambda plan: plan["limits"].update(NONSENSE=1), "limit_resources"),
        (lambda plan: plan.update(parent=1), "die_with_parent"),
    ],
)
def test_step_that_fails_starts_nothing(cage: Any, change: Any, step: str) -> None:
    argv = [str(cage.interpreter.path), "-S", "-c", "print('ran')"]
    command = cage.command(argv)
    assert subprocess.run(command, capture_output=True, **cage.as_user()).stdout == b"ran\n"
    plan = json.loads(command[4])
    change(plan)
    command[4] = json.dumps(plan)
    result = subprocess.run(command, capture_output=True, text=True, **cage.as_user())
    assert (result.returncode, result.stdout) == (97, "")
    assert result.stderr.startswith(f"hybridgen lock: {step}: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("rest", [[], ["--"], ["program"], ["--", "/no/such/program"]])
def test_command_line_that_makes_no_sense_starts_nothing(cage: Any, rest: list[str]) -> None:
    command = cage.command(["x"])[:5] + rest
    result = subprocess.run(command, capture_output=True, **cage.as_user())
    assert result.returncode == 97
