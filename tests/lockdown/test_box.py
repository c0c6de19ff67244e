"""Where there is no Landlock, bubblewrap bounds what code under test sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybridgen.domain import Candidate, Interpreter, Label, Step, StepKind
from hybridgen.label import Labeller
from hybridgen.lockdown import (
    LockLevel,
    bubblewrap,
    locked_command,
    runner_environment,
    runner_profile,
)
from hybridgen.lockdown.probe import _try
from hybridgen.observe.runner import Runner, Sandbox
from hybridgen.proof import attacker
from hybridgen.proof.expected import attacks_on
from hybridgen.proof.proving import surroundings
from hybridgen.source import find_project, read_module, select

BOXED = LockLevel(True, False, "no Landlock", boxed=True)
pytestmark = [
    pytest.mark.usefixtures("kernel_with_locks"),
    pytest.mark.skipif(
        bubblewrap() is None or _try(LockLevel(True, False, ""), bubblewrap())[0] == set(),
        reason="bubblewrap is not installed, or may make no namespaces here",
    ),
]
CODE = """\
import os


def text(path: str) -> str:
    with open(path) as file:
        return file.read()


def names(folder: str) -> list[str]:
    return sorted(os.listdir(folder))


def write(path: str) -> int:
    with open(path, "w") as file:
        return file.write("x")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text("[project]\nname = 'm'\nversion = '1'\n")
    (root / "m.py").write_text(CODE)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "key").write_text("zebra")
    return root


@pytest.fixture
def call(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], str]]:
    """What a call shows in a runner on a machine without Landlock."""
    monkeypatch.setattr("hybridgen.observe.runner.probe", lambda: BOXED)
    path = project / "m.py"
    found = find_project(path, python=None, tests=None)
    module = read_module(select([str(path)])[0], found, Labeller(project))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    runner = Runner(module, Sandbox(True, 5.0, 2**30), scratch)
    runner.open()

    def call(code: str) -> str:
        one = Candidate("m", (Step(StepKind.PROBE, code),), Label.PUBLIC, "test")
        return str(runner.run(one))

    yield call
    runner.close()


def test_project_can_be_read_and_nothing_outside(call, project: Path, tmp_path: Path) -> None:
    assert "'[project]'" in call(f"text({str(project / 'pyproject.toml')!r})[:9]")
    assert "FileNotFoundError" in call(f"text({str(tmp_path / 'outside' / 'key')!r})")
    assert "FileNotFoundError" in call("names('/root')" if os.getuid() else "names('/opt')")


def test_project_cannot_be_changed(call, project: Path) -> None:
    before = sorted(project.iterdir())
    assert "Dropped" in call(f"write({str(project / 'new')!r})")
    assert sorted(project.iterdir()) == before


def test_every_attack_on_a_runner_fails_in_the_box(tmp_path: Path) -> None:
    program = Path(attacker.__file__)
    (tmp_path / "proof").mkdir()
    with surroundings(tmp_path / "proof") as target:
        # In the box it may become another program, which has the same locks and sees no more.
        attacks = [name for name in attacks_on("runner") if name != "become_a_program"]
        described = json.dumps({**target, "attacks": attacks})
        prefixes = (Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve())
        interpreter = Interpreter(Path(sys.executable), "test", prefixes)
        scratch = Path(target["scratch"])
        profile = runner_profile(
            project=Path(target["project"]).parent,
            interpreter=interpreter,
            scratch=scratch,
            extra_read=(program,),
        )
        command = locked_command(
            profile, [sys.executable, "-I", "-S", str(program), described], box=bubblewrap()
        )
        done = subprocess.run(
            command,
            cwd=scratch,
            env=runner_environment(interpreter, scratch, hash_seed=1),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    found = json.loads(done.stdout)
    assert set(found) == set(attacks)
    assert [name for name, outcome in found.items() if outcome == attacker.SUCCEEDED] == []


WITHOUT_LANDLOCK = """
import errno, sys
import hybridgen.lockdown.launch as launch
probing = sys.modules["hybridgen.lockdown.probe"]
def missing(plan):
    if plan["landlock"] is not None:
        raise OSError(errno.ENOSYS, "Landlock")
launch._landlock = missing
real = probing._try
def tried(level, box=None):
    return (set(), "no Landlock") if level.files else real(level, box)
probing._try = tried
from hybridgen.cli.main import main
main(sys.argv[1:])
"""


@pytest.mark.long
def test_whole_run_without_landlock_writes_tests_in_boxes_and_says_so(
    project: Path, tmp_path: Path
) -> None:
    (project / "m.py").write_text("def double(a: int) -> int:\n    return a * 2\n")
    settings = tmp_path / "home" / ".config" / "hybridgen"
    settings.mkdir(parents=True)
    (settings / "config.toml").write_text(
        "[labels]\ninternal = ['*']\n[onprem]\nurl = 'http://127.0.0.1:9'\nmodel = 'm'\n"
        "trusted_hosts = ['127.0.0.1']\n"
    )
    done = subprocess.run(
        [
            *(sys.executable, "-I", "-c", WITHOUT_LANDLOCK),
            *("generate", "m.py", "--json", "--budget", "30"),
        ],
        cwd=project,
        env={"PATH": os.defpath, "HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [module] = json.loads(done.stdout)["modules"]
    assert module["locks"] == "boxed"
    # Nothing is sent where the courier cannot be locked.
    assert module["route"]["backend"] == "local"
    assert (project / "tests" / "test_m.py").exists()
