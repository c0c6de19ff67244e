"""The Python of a project: which one, why, and that it starts in the locks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridgen.doctor.locks import Demand
from hybridgen.doctor.project import Locks, check_python
from hybridgen.domain.health import Finding, State
from hybridgen.errors import UsageError
from hybridgen.lockdown import LockLevel, bubblewrap, probe
from hybridgen.lockdown.probe import _try

LOCKS = Locks(probe(), Demand(), memory_bytes=2**30)
NOBODY = "a setting"

needs_locks = pytest.mark.skipif(not probe().is_full, reason="the kernel does not lock")


def looked(root: Path | None, python: str | None = None, locks: Locks = LOCKS) -> Finding:
    (finding,) = check_python(root, python, NOBODY, locks)
    return finding


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").touch()
    return root.resolve()


@pytest.fixture
def fake_python(tmp_path: Path) -> Callable[[bytes], Path]:
    """Makes something that looks like an installed Python, and is another program."""

    def make(source: bytes) -> Path:
        prefix = tmp_path / "fake"
        (prefix / "bin").mkdir(parents=True)
        (prefix / "lib" / "python3.11").mkdir(parents=True)
        (prefix / "lib" / "python3.11" / "os.py").touch()
        program = prefix / "bin" / "python"
        program.write_bytes(source)
        program.chmod(0o755)
        return program

    return make


def test_without_a_project_nothing_is_looked_for() -> None:
    assert looked(None).state is State.SKIPPED


@needs_locks
def test_python_is_started_in_the_locks_and_says_version_and_pytest(project: Path) -> None:
    finding = looked(project)
    assert finding.state is State.OK
    assert finding.facts["version"] == ".".join(map(str, sys.version_info[:3]))
    assert finding.facts["pytest"] == pytest.__version__
    assert "the Python of hybridgen itself" in finding.text


@needs_locks
def test_environment_of_the_project_is_taken_and_needs_no_pytest(project: Path) -> None:
    import venv

    venv.create(project / ".venv", symlinks=True, with_pip=False)
    finding = looked(project)
    assert finding.state is State.OK
    assert finding.facts["path"] == str(project / ".venv" / "bin" / "python")
    assert finding.facts["pytest"] is None
    assert "hybridgen lends its own" in finding.text


@needs_locks
def test_what_an_environment_runs_at_its_start_runs_in_the_locks(
    project: Path, tmp_path: Path
) -> None:
    import venv

    venv.create(project / ".venv", symlinks=True, with_pip=False)
    (packages,) = (project / ".venv" / "lib").glob("python*/site-packages")
    outside = tmp_path / "outside"
    outside.mkdir()
    places = [str(folder / "left") for folder in (project, packages, outside)]
    # It runs, which the version shows, and nothing that it tries comes to be.
    (packages / "hostile.pth").write_text(
        "import sys; sys.version_info = (3, 10, 77); import hostile\n"
    )
    (packages / "hostile.py").write_text(
        f"for place in {places!r}:\n"
        "    try:\n        open(place, 'w').close()\n"
        "    except OSError:\n        pass\n"
    )
    finding = looked(project)
    assert finding.facts["version"] == "3.10.77"
    assert not any(Path(place).exists() for place in places)


# Answers ENOSYS to the three calls of Landlock, as an older kernel does.
WITHOUT_LANDLOCK = """
import ctypes, struct, sys
from pathlib import Path
rules = [(0x20, 0, 0, 0), (0x35, 0, 2, 444), (0x25, 1, 0, 446), (6, 0, 0, 0x50026)]
rules = b"".join(struct.pack("HBBI", *rule) for rule in [*rules, (6, 0, 0, 0x7FFF0000)])
held = ctypes.create_string_buffer(rules, len(rules))
program = struct.pack("HxxxxxxP", 5, ctypes.addressof(held))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
from hybridgen.doctor.locks import Demand
from hybridgen.doctor.project import Locks, check_python
from hybridgen.lockdown import probe
locks = Locks(probe(), Demand(), memory_bytes=2**30)
(finding,) = check_python(Path(sys.argv[1]), None, "", locks)
print(locks.level.name, finding.state.name, finding.text)
"""


@needs_locks
@pytest.mark.skipif(
    bubblewrap() is None or _try(LockLevel(True, False, ""), bubblewrap())[0] == set(),
    reason="bubblewrap is not installed, or may make no namespaces here",
)
def test_where_there_is_no_landlock_it_is_started_in_the_box(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", WITHOUT_LANDLOCK, str(project)],
        env={"PATH": os.defpath, "HOME": str(project.parent)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.startswith("boxed OK Python"), done.stdout + done.stderr


@needs_locks
def test_python_that_a_setting_names_is_said_with_the_place_of_the_setting(project: Path) -> None:
    assert NOBODY in looked(project, sys.executable).text


@needs_locks
def test_modules_of_the_current_folder_are_not_run(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "pytest", "sitecustomize"):
        (project / f"{name}.py").write_text("raise SystemExit('planted')\n")
    monkeypatch.chdir(project)
    assert looked(project).state is State.OK


@needs_locks
def test_program_that_is_no_python_is_wrong(
    project: Path, fake_python: Callable[[bytes], Path]
) -> None:
    true = shutil.which("true")
    assert true is not None
    finding = looked(project, str(fake_python(Path(true).resolve().read_bytes())))
    assert finding.state is State.WRONG
    assert "does not start" in finding.text
    assert "--python" in str(finding.fix)


def test_broken_environment_is_an_error_with_the_next_command(project: Path) -> None:
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "pyvenv.cfg").write_text("home = /nowhere\n")
    with pytest.raises(UsageError, match="is missing") as raised:
        looked(project)
    assert "python -m venv" in str(raised.value.hint)


def test_where_the_kernel_does_not_lock_it_is_not_started(
    project: Path, fake_python: Callable[[bytes], Path]
) -> None:
    fake = str(fake_python(b"\x7fELF, if it were started"))
    for demand in (Demand(), Demand(is_required=False, minimum="kernel")):
        locks = Locks(LockLevel(True, False, "no Landlock"), demand, memory_bytes=2**30)
        finding = looked(project, fake, locks)
        assert finding.state is State.SKIPPED
        assert "not started" in finding.text


@needs_locks
def test_with_the_sandbox_off_it_is_started_all_the_same(project: Path) -> None:
    locks = Locks(probe(), Demand(is_required=False), memory_bytes=2**30)
    assert looked(project, locks=locks).state is State.OK


@needs_locks
def test_nothing_is_left_behind(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    assert looked(project).state is State.OK
    assert list(scratch.iterdir()) == []
    assert [path.name for path in project.iterdir()] == ["pyproject.toml"]


@needs_locks
@pytest.mark.parametrize(
    ("said", "state"),
    [
        ('{"version": [3, 8, 1], "pytest": null}', State.WRONG),
        ('{"version": [3, 9, 0], "pytest": "7.0"}', State.OK),
        ('{"version": "new", "pytest": null}', State.WRONG),
        ('{"version": [3, 12, 0], "pytest": {"a": 1}}', State.OK),
        ("[]", State.WRONG),
    ],
)
def test_answer_of_another_program_is_judged(
    project: Path, monkeypatch: pytest.MonkeyPatch, said: str, state: State
) -> None:
    code = f"import sys; sys.stdin.readline(); print({said!r}, flush=True)"
    monkeypatch.setattr("hybridgen.doctor.project._QUESTION", code)
    finding = looked(project)
    assert finding.state is state
    assert (finding.fix is None) == (state is State.OK)
