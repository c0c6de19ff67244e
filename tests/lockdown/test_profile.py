from __future__ import annotations

import shutil
import stat
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from hybridgen.domain import Interpreter
from hybridgen.errors import PolicyRefusal, RunnerError, UsageError
from hybridgen.lockdown import Profile, runner_environment, runner_profile


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a project in it, and a scratch folder elsewhere."""
    for name in ("home/work/project", "home/.local/share", "home/.ssh", "scratch"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


def _profile(
    place: Path,
    *prefixes: Path,
    program: Path | None = None,
    project: Path | None = None,
    scratch: Path | None = None,
    extra_read: Sequence[Path] = (),
) -> Profile:
    ours = (Path(sys.prefix), Path(sys.base_prefix))
    return runner_profile(
        project=project or place / "home/work/project",
        interpreter=Interpreter(program or Path(sys.executable), "test", prefixes or ours),
        scratch=scratch or place / "scratch",
        extra_read=extra_read,
    )


def _pretend_python(prefix: Path) -> None:
    (prefix / "lib/python3.12").mkdir(parents=True)
    (prefix / "lib/python3.12/os.py").touch()


def test_only_the_scratch_folder_and_null_can_be_written(place: Path) -> None:
    assert _profile(place).write == (place / "scratch", Path("/dev/null"))


def test_only_the_interpreter_and_its_loader_can_be_executed(place: Path) -> None:
    execute = _profile(place).execute
    assert execute[0] == Path(sys.executable).resolve()
    assert [path.name for path in execute[1:] if not path.name.startswith("ld-")] == []


def test_home_and_its_neighbours_cannot_be_read(place: Path) -> None:
    home = place / "home"
    private = (home, home / ".ssh/id", home / "work/other/x.py", Path("/etc/passwd"), Path("/tmp"))
    for path in _profile(place).read:
        assert not any(other.is_relative_to(path) for other in private)


@pytest.mark.parametrize("prefix", [".", "home", "home/.local", "home/work"])
def test_prefix_that_opens_more_than_a_python_is_refused(place: Path, prefix: str) -> None:
    _pretend_python(place / prefix)
    with pytest.raises(PolicyRefusal, match="would open"):
        _profile(place, place / prefix)


def test_root_folder_as_prefix_is_refused(place: Path) -> None:
    with pytest.raises(PolicyRefusal, match="whole machine"):
        _profile(place, Path("/"))


def test_prefix_without_a_python_is_refused(place: Path) -> None:
    """``home = ~/.ssh`` in a repository's pyvenv.cfg must not open that folder."""
    with pytest.raises(PolicyRefusal, match="no Python is there"):
        _profile(place, place / "home/.ssh")
    _pretend_python(place / "home/.ssh")
    assert place / "home/.ssh" in _profile(place, place / "home/.ssh").read


def test_prefix_behind_a_symlink_is_judged_by_where_it_leads(place: Path) -> None:
    (place / "link").symlink_to(place / "home")
    with pytest.raises(PolicyRefusal, match="would open"):
        _profile(place, place / "link")


def test_venv_inside_the_project_needs_no_further_proof(place: Path) -> None:
    venv = place / "home/work/project/.venv"
    venv.mkdir()
    assert place / "home/work/project" in _profile(place, venv).read


@pytest.mark.parametrize("project", ["/", "home", "."])
def test_project_that_holds_the_home_folder_is_refused(place: Path, project: str) -> None:
    with pytest.raises(PolicyRefusal, match="would open"):
        _profile(place, project=place / project)


def test_further_folder_that_holds_the_home_folder_is_refused(place: Path) -> None:
    with pytest.raises(PolicyRefusal, match="would open"):
        _profile(place, extra_read=[place])
    (place / "library").mkdir()
    assert place / "library" in _profile(place, extra_read=[place / "library"]).read


@pytest.mark.parametrize("scratch", [".", "home", "home/work", "home/work/project", "missing"])
def test_scratch_that_holds_anything_else_is_refused(place: Path, scratch: str) -> None:
    with pytest.raises(RunnerError, match="scratch folder"):
        _profile(place, scratch=place / scratch)


def test_shim_script_is_refused_with_advice(place: Path) -> None:
    shim = place / "python"
    shim.write_text("#!/bin/sh\nexec python3\n")
    with pytest.raises(UsageError, match=r"is a script[\s\S]*sys\.executable"):
        _profile(place, program=shim)


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF\x02\x01" + b"\xff" * 58, b"MZ"])
def test_file_that_is_no_program_is_refused(place: Path, content: bytes) -> None:
    (place / "python").write_bytes(content)
    with pytest.raises(UsageError):
        _profile(place, program=place / "python")


def _program(loader: bytes) -> bytes:
    """The smallest 64-bit ELF file with a PT_INTERP header."""
    header = struct.pack(
        "<16s2HI3QI6H", b"\x7fELF\2\1\1", 3, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    return header + struct.pack("<2I6Q", 3, 4, 120, 0, 0, len(loader), len(loader), 1) + loader


def test_program_that_names_a_private_file_as_its_loader_is_refused(place: Path) -> None:
    """To execute is to read: such a program would open any file of the user."""
    forged = place / "python"
    forged.write_bytes(_program(bytes(place / "home/.ssh/id_ed25519") + b"\0"))
    with pytest.raises(PolicyRefusal, match="no part of its installation"):
        _profile(place, program=forged)
    loader = _profile(place).execute[-1]
    forged.write_bytes(_program(bytes(loader) + b"\0"))
    assert _profile(place, program=forged).execute == (forged, loader)


def test_environment_holds_nothing_of_the_user(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", "secret")
    interpreter = Interpreter(Path(shutil.which("python3") or sys.executable), "test", ())
    environment = runner_environment(interpreter, place / "scratch", hash_seed=7)
    assert "API_KEY" not in environment
    assert environment["PYTHONHASHSEED"] == "7"
    for name in ("HOME", "TMPDIR"):
        folder = Path(environment[name])
        assert folder.is_relative_to(place / "scratch")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((place / "scratch").stat().st_mode) == 0o700
    assert not any(str(place / "home") in value for value in environment.values())
    assert runner_environment(interpreter, place / "scratch", hash_seed=7) == environment
