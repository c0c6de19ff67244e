"""What is around a run goes wrong: disks are full or read-only, clocks jump, processes crash.

Then the run ends, with tests or a reason, and nothing is half-written, sent without a line in the
ledger, or left in a core dump.
"""

from __future__ import annotations

import ast
import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hybridgen.backends.fake_openai import FakeOpenai
from hybridgen.gate import Ledger

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("kernel_with_locks")]

START = """
import sys
import hybridgen.explore.search as search, hybridgen.pipeline.writing as writing
search.OPEN_PLATEAU = 0.2
writing.LEAST_FOR_MUTANTS = 1e9
from hybridgen.cli.main import main
main(sys.argv[1:])
"""
SECRET = "zebra-4711-canary"
MODULE = f'''\
"""Prix réduits: {SECRET}."""
from hashlib import sha256


def fee(amount: int) -> int:
    if sha256(str(amount).encode()).hexdigest().startswith("00000"):
        return 0
    return amount * 3


def label(amount: int) -> str:
    return f"{{amount}} ₽ é"
'''
MINE = "from shop.fees import fee\n\n\ndef test_mine():\n    assert fee(1) == 3  # à moi\n"
FILES = {
    "pyproject.toml": "[project]\nname = 'shop'\nversion = '1'\n"
    "[tool.pytest.ini_options]\npythonpath = ['.']\n",
    "shop/__init__.py": "",
    "shop/fees.py": MODULE,
    "tests/test_fees.py": MINE,
}


@dataclass
class World:
    """A project, a user's folders, and a server that may read the project."""

    folder: Path
    server: FakeOpenai

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def test_file(self) -> Path:
        return self.project / "tests/test_fees.py"

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.folder / "state/hybridgen/ledger")

    def command(self, before: str = "", options: tuple[str, ...] = ()) -> list[str]:
        asked = ["generate", "shop/fees.py", "--budget", "30", *options]
        return [sys.executable, "-I", "-c", before + START, *asked]

    def environment(self) -> dict[str, str]:
        """No HOME, no TERM, no locale but C: what hybridgen keeps has folders of its own."""
        folders = {"CONFIG": "config", "STATE": "state", "CACHE": "cache", "DATA": "data"}
        own = {f"XDG_{name}_HOME": str(self.folder / place) for name, place in folders.items()}
        return {"PATH": os.defpath, "LC_ALL": "C", "TMPDIR": str(self.folder / "scratch"), **own}

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Runs to the end; whatever is around, this is not a crash and spoils no file."""
        done = subprocess.run(
            command,
            cwd=self.project,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=200,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode in (0, 1, 4), said
        assert "Traceback" not in said
        text = self.test_file.read_text(encoding="utf-8")
        ast.parse(text)
        assert MINE.rpartition("\n\n")[2] in text
        assert {path.name for path in self.test_file.parent.iterdir()} <= {"test_fees.py"}
        return done


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with FakeOpenai([{"kind": "text", "text": "fee(596138)\n"}]) as server:
        found = World(tmp_path, server)
        for name, text in FILES.items():
            path = found.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for name in ("state", "cache", "data", "scratch"):
            (tmp_path / name).mkdir(mode=0o700)
        (tmp_path / "config/hybridgen").mkdir(parents=True)
        (tmp_path / "config/hybridgen/config.toml").write_text(
            "[labels]\ninternal = ['shop/']\n[onprem]\n"
            f"url = '{server.url}'\nmodel = 'fake'\ntrusted_hosts = ['127.0.0.1']\n"
        )
        yield found


READ_ONLY = (
    "mount -t tmpfs -o size=4m,mode=700 none {place} && {keep} && mount -o remount,ro {place}"
)
FULL = (
    "mount -t tmpfs -o size=64k,mode=700 none {place} && {keep} && "
    "{{ head -c {bytes} /dev/zero > {place}/full 2> /dev/null || true; }}"
)
NOT_WRITABLE = {"read-only": READ_ONLY, "full": FULL.replace("{bytes}", "1m")}
NEARLY_FULL = FULL.replace("{bytes}", "40k")
"""Python looks for another folder for scratch files where not even a few bytes can be written."""


def mounted(world: World, place: str, how: str, keep: str = "true") -> list[str]:
    """The command where a folder is on a disk that takes no more than what ``keep`` puts there."""
    within = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mount = how.format(place=world.folder / place, keep=keep)
    tried = subprocess.run([*within, mount], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"this machine lets no user mount: {tried.stderr.decode()}")
    return [*within, f'{mount} && exec "$@"', "sh", *world.command()]


@pytest.mark.parametrize("how", NOT_WRITABLE)
def test_where_the_ledger_cannot_be_written_nothing_is_sent(world: World, how: str) -> None:
    done = world.run(mounted(world, "state", NOT_WRITABLE[how]))
    assert world.server.requests == []
    assert "ledger" in done.stdout + done.stderr


def test_where_only_answers_cannot_be_kept_the_run_goes_on(world: World) -> None:
    done = world.run(mounted(world, "cache", NOT_WRITABLE["full"]))
    assert done.returncode == 0, done.stderr
    assert world.server.requests


def test_where_there_is_no_room_for_scratch_files_it_ends_with_a_reason(world: World) -> None:
    done = world.run(mounted(world, "scratch", NEARLY_FULL))
    assert done.returncode == 1
    assert "TMPDIR" in done.stdout + done.stderr


def test_test_file_on_a_full_disk_is_as_it_was(world: World) -> None:
    mine = world.folder / "mine.py"
    mine.write_text(MINE, encoding="utf-8")
    seen = world.folder / "seen"
    command = mounted(world, "project/tests", NOT_WRITABLE["full"], f"cp {mine} {world.test_file}")
    # The mount is gone with its namespace: what was there is copied out before.
    copied = f'{{ "$@"; code=$?; cp -r {world.test_file.parent} {seen}; exit $code; }}'
    command[6] = command[6].replace('exec "$@"', copied)
    done = world.run(command)
    assert done.returncode == 1
    assert "test_fees.py" in done.stdout + done.stderr
    assert {path.name for path in seen.iterdir()} <= {"full", "test_fees.py"}
    assert (seen / "test_fees.py").read_text(encoding="utf-8") == MINE


JUMPING = """
import random, time
draw, now = random.Random(4711), time.time
time.time = lambda: now() + draw.choice((-4e8, -3600, 0, 7200, 4e8))
"""


def test_clock_that_jumps_and_no_home_terminal_or_locale_spoil_neither_run_nor_ledger(
    world: World,
) -> None:
    done = world.run(world.command(JUMPING))
    assert done.returncode == 0, done.stderr
    text = world.test_file.read_text(encoding="utf-8")
    assert "596138" in text
    assert "₽ é" in text
    assert world.server.requests
    assert world.ledger.verify().problem is None


def family(root: int) -> dict[int, str]:
    """A process and all that it started, and that these started, with their programs."""
    found = {root: "command"}
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
    todo = [root]
    for pid in todo:
        for child, parent in parents.items():
            if parent == pid:
                todo.append(child)
                with contextlib.suppress(OSError):
                    line = (Path("/proc") / str(child) / "cmdline").read_bytes()
                    found[child] = "courier" if b"courier" in line else "runner"
    return found


def test_no_process_that_crashes_leaves_a_core(world: World) -> None:
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if pattern.startswith("|") or "/" in pattern:
        pytest.skip("cores of this machine do not fall into the folder of a process")
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    if hard != resource.RLIM_INFINITY:
        pytest.skip("this machine lets nobody have cores")

    def allow() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    control = world.folder / "control"
    control.mkdir()
    crash = [sys.executable, "-c", "import os; os.kill(os.getpid(), 11)"]
    subprocess.run(crash, cwd=control, preexec_fn=allow, check=False)
    if not list(control.glob("core*")):
        pytest.skip("this machine keeps no cores")
    run = subprocess.Popen(
        world.command(),
        cwd=world.project,
        env=world.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=allow,
    )
    end = time.monotonic() + 60
    while time.monotonic() < end and not (world.server.requests and len(family(run.pid)) > 2):
        time.sleep(0.02)
    seen = family(run.pid)
    assert {"command", "courier", "runner"} <= set(seen.values())
    for pid in sorted(seen, reverse=True):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSEGV)
    run.wait(60)
    places = (world.folder, Path("/"))
    cores = [path for place in places for path in place.glob("core*")]
    cores += [
        path
        for name in ("project", "state", "scratch", "cache")
        for path in (world.folder / name).rglob("core*")
    ]
    assert cores == []
