from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hybridgen.errors import UsageError
from hybridgen.source import find_project


def interpreter(path: Path, python: str | None = None):
    return find_project(path, python=python, tests=None).interpreter


def fake_installation(folder: Path) -> Path:
    """An executable with a standard library beside it, which is what a prefix looks like."""
    (folder / "bin").mkdir(parents=True)
    (folder / "lib/python3.12").mkdir(parents=True)
    (folder / "lib/python3.12/os.py").write_text("")
    executable = folder / "bin" / "python3"
    executable.write_bytes(b"\x7fELF")
    executable.chmod(0o755)
    return executable


def fake_venv(folder: Path, base: Path, home: str | None = None) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(base)
    (folder / "pyvenv.cfg").write_text(f"home = {home or base.parent}\nversion = 3.12.1\n")
    return folder / "bin" / "python"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return fake_installation(tmp_path / "opt")


@pytest.fixture
def root(make) -> Path:
    return make({"pyproject.toml": "", "a.py": "", ".git/HEAD": ""})


def test_without_anything_it_is_our_own(root) -> None:
    found = interpreter(root / "a.py")
    assert found.path == Path(sys.executable)
    assert set(found.prefixes) == {Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()}


def test_real_venv_of_the_project_is_found_with_both_prefixes(root) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True)
    found = interpreter(root / "a.py")
    assert found.path == root / ".venv/bin/python"
    assert found.prefixes == (root / ".venv", Path(sys.base_prefix).resolve())
    assert ".venv" in found.why


def test_venv_beside_a_subproject_is_searched_up_to_the_git_root(make, base) -> None:
    outer = make({"repo/.git/HEAD": "", "repo/one/pyproject.toml": "", "repo/one/a.py": ""})
    fake_venv(outer / ".venv", base)
    assert interpreter(outer / "repo/one/a.py").path == Path(sys.executable)
    expected = fake_venv(outer / "repo/venv", base)
    assert interpreter(outer / "repo/one/a.py").path == expected


def test_order_is_flag_then_active_environment_then_folder(root, base, tmp_path, monkeypatch):
    inside = fake_venv(root / ".venv", base)
    active = fake_venv(tmp_path / "active", base)
    named = fake_venv(tmp_path / "named", base)
    assert interpreter(root / "a.py").path == inside
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "active"))
    assert interpreter(root / "a.py").path == active
    assert interpreter(root / "a.py", str(named)).path == named
    assert interpreter(root / "a.py", str(tmp_path / "named")).path == named


def test_command_name_is_looked_up(root, base, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(base.parent))
    found = interpreter(root / "a.py", "python3")
    assert (found.path, found.prefixes, found.why) == (base, (base.parent.parent,), "--python")


def test_link_in_another_folder_leads_to_the_installation(root, base, tmp_path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(base)
    assert interpreter(root / "a.py", str(tmp_path / "bin/python")).prefixes == (
        base.parent.parent,
    )


def test_copied_venv_finds_its_base_by_home(root, base, tmp_path) -> None:
    python = fake_venv(tmp_path / "copied", base)
    python.unlink()
    python.write_bytes(base.read_bytes())
    python.chmod(0o755)
    assert interpreter(root / "a.py", str(python)).prefixes == (
        tmp_path / "copied",
        base.parent.parent,
    )


def test_home_that_holds_no_python_is_not_believed(root, base, tmp_path) -> None:
    secret = tmp_path / "secret" / "bin"
    secret.mkdir(parents=True)
    fake_venv(root / ".venv", base, home=str(secret))
    assert interpreter(root / "a.py").prefixes == (root / ".venv", base.parent.parent)


def test_home_with_an_executable_but_no_library_is_not_believed(root, base, tmp_path) -> None:
    secret = tmp_path / "secret" / "bin"
    secret.mkdir(parents=True)
    (secret / "python3").write_bytes(b"")
    (secret / "python3").chmod(0o755)
    fake_venv(root / ".venv", base, home=str(secret))
    assert tmp_path / "secret" not in interpreter(root / "a.py").prefixes


def test_prefix_that_holds_the_home_folder_is_refused(root, base, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(base.parent.parent))
    with pytest.raises(UsageError, match="read all of it"):
        interpreter(root / "a.py", str(base))


def test_shim_is_refused_with_the_way_to_the_real_one(root, tmp_path) -> None:
    shim = tmp_path / ".pyenv" / "shims" / "python"
    shim.parent.mkdir(parents=True)
    shim.write_text("#!/usr/bin/env bash\nexec pyenv exec python\n")
    shim.chmod(0o755)
    with pytest.raises(UsageError) as caught:
        interpreter(root / "a.py", str(shim))
    assert "pyenv which python" in str(caught.value)


@pytest.mark.parametrize("python", ["no-such-python-command", "/no/such/python", "./python"])
def test_python_that_does_not_exist_is_a_usage_error(root, python) -> None:
    with pytest.raises(UsageError, match="there is no such"):
        interpreter(root / "a.py", python)


def test_file_that_cannot_be_executed_is_a_usage_error(root) -> None:
    with pytest.raises(UsageError, match="cannot be executed"):
        interpreter(root / "a.py", str(root / "a.py"))


def test_program_that_is_no_python_is_a_usage_error(root, tmp_path) -> None:
    (tmp_path / "tool").write_bytes(b"\x7fELF")
    (tmp_path / "tool").chmod(0o755)
    with pytest.raises(UsageError, match="no Python installation"):
        interpreter(root / "a.py", str(tmp_path / "tool"))


def test_broken_venv_is_an_error_and_not_passed_over(root, base, monkeypatch, tmp_path) -> None:
    fake_venv(root / ".venv", base)
    base.unlink()
    with pytest.raises(UsageError, match="link is broken"):
        interpreter(root / "a.py")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "gone"))
    with pytest.raises(UsageError, match="VIRTUAL_ENV"):
        interpreter(root / "a.py")


def test_nothing_of_the_project_is_started(root, tmp_path) -> None:
    """A program that would leave a trace when run."""
    trace = tmp_path / "trace"
    folder = root / ".venv"
    fake_installation(folder)
    (folder / "pyvenv.cfg").write_text("home = /nowhere\n")
    (folder / "bin/python").write_text(f"#!/bin/sh\ntouch {trace}\n")
    (folder / "bin/python").chmod(0o755)
    with pytest.raises(UsageError, match="is a script"):
        interpreter(root / "a.py")
    assert not trace.exists()
