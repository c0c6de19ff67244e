"""kill -9 at any moment: nothing is half-written, nobody is left behind, the next run works.

``HYBRIDGEN_KILLS=100 pytest tests/redteam/test_faults.py`` for more moments than a test run takes.
"""

from __future__ import annotations

import ast
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridgen.backends.fake_openai import FakeOpenai
from hybridgen.gate import Ledger

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("kernel_with_locks")]

KILLS = int(os.environ.get("HYBRIDGEN_KILLS", "4"))
START = "import sys; from hybridgen.cli.main import main; main(sys.argv[1:])"
QUICK = "import hybridgen.explore.search as s; s.OPEN_PLATEAU = 0.2\n"
FILES = {
    "pyproject.toml": "[project]\nname = 'shop'\nversion = '1'\n",
    "shop/__init__.py": "",
    "shop/fees.py": (
        "from hashlib import sha256\n\n\ndef fee(amount: int) -> int:\n"
        "    if sha256(str(amount).encode()).hexdigest().startswith('00000'):\n"
        "        return 0\n    return amount * 3\n"
    ),
    "tests/test_fees.py": (
        "from shop.fees import fee\n\n\ndef test_mine():\n    assert fee(1) == 3  # mine\n"
    ),
}


class World:
    """A project with a test of its user's, and a server and a model that are asked about it."""

    def __init__(self, folder: Path, url: str, model: Path) -> None:
        self.model = model
        self.project, self.home = folder / "project", folder / "home"
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        for name, text in FILES.items():
            path = self.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        settings = self.home / ".config" / "hybridgen"
        settings.mkdir(parents=True)
        (settings / "config.toml").write_text(
            "[labels]\ninternal = ['shop/']\n[onprem]\n"
            f"url = '{url}'\nmodel = 'fake'\ntrusted_hosts = ['127.0.0.1']\n"
        )

    @property
    def test_file(self) -> Path:
        return self.project / "tests" / "test_fees.py"

    @property
    def engine_log(self) -> Path:
        return self.home / ".local/state/hybridgen/engine.log"

    def begin(self, *, has_engine: bool) -> subprocess.Popen[bytes]:
        command = ["generate", "shop/fees.py", "--budget", "20", "--no-cache"]
        command += ["--backend", "local", "--model", str(self.model)] if has_engine else []
        return subprocess.Popen(
            [sys.executable, "-I", "-c", QUICK + START, *command],
            cwd=self.project,
            env={"PATH": os.defpath, "HOME": str(self.home), "TMPDIR": str(self.scratch)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def reset(self) -> None:
        self.test_file.write_text(FILES["tests/test_fees.py"])


@pytest.fixture
def world(tmp_path: Path, tiny_gguf: Path) -> Iterator[World]:
    with FakeOpenai([{"kind": "text", "text": "fee(596138)\n"}]) as server:
        yield World(tmp_path, server.url, tiny_gguf)


def descendants(root: int) -> list[int]:
    """A process and all that it started, and that these started."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def engines(family: list[int]) -> list[int]:
    """Those of ``family`` that are the process of a model."""
    found: list[int] = []
    for pid in family:
        with contextlib.suppress(OSError):
            if b"hybridgen.engine.child" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def children(run: subprocess.Popen[bytes], *, has_engine: bool) -> list[int]:
    """What ``run`` started, or its models only; waits until there is one, or no run any more."""
    while True:
        family = descendants(run.pid)[1:]
        found = engines(family) if has_engine else family
        if found or run.poll() is not None:
            return found
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_killed_at_any_moment_it_leaves_nothing_half_done(world: World) -> None:
    lengths: dict[bool, float] = {}
    for has_engine in (False, True):
        world.reset()
        assert not world.engine_log.exists()
        began = time.monotonic()
        assert world.begin(has_engine=has_engine).wait(120) == 0
        lengths[has_engine] = time.monotonic() - began
        complete = world.test_file.read_text()
        assert "def test_mine" in complete
        assert "# hybridgen:" in complete
    assert world.engine_log.exists()
    draw = random.Random(596138)
    seen: set[str] = set()
    for number in range(KILLS):
        world.reset()
        has_engine = number % 4 in (1, 2)
        run = world.begin(has_engine=has_engine)
        is_command = number % 2 == 0
        # Half of the time the command itself, else one of those that it started.
        if is_command:
            time.sleep(lengths[has_engine] * (number + draw.random()) / KILLS)
            victims = [run.pid]
        else:
            children(run, has_engine=has_engine)
            share = 1 / 8 if has_engine else 3 / 4  # of a run, in which there is one for sure
            time.sleep(lengths[has_engine] * share * draw.random())
            victims = children(run, has_engine=has_engine) or [run.pid]
        family = descendants(run.pid)
        models = engines(family)
        victim = draw.choice(victims)
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        others = "engine" if victim in models else "child"
        seen.add("command" if victim == run.pid else others)
        run.wait(120)
        end = time.monotonic() + 10
        while (left := [pid for pid in family if is_running(pid)]) and time.monotonic() < end:
            time.sleep(0.05)
        assert left == [], f"kill {number}: left behind"
        text = world.test_file.read_text()
        ast.parse(text)
        assert "    assert fee(1) == 3  # mine\n" in text
        named = {path.name for path in world.test_file.parent.iterdir() if path.is_file()}
        assert named <= {"test_fees.py", "conftest.py"}, f"kill {number}"
        ledger = Ledger(world.home / ".local/state/hybridgen/ledger")
        assert ledger.verify().problem is None, f"kill {number}"
    assert seen == {"command", "child", "engine"}
    for has_engine in (False, True):
        world.reset()
        assert world.begin(has_engine=has_engine).wait(120) == 0
        assert "# hybridgen:" in world.test_file.read_text()
