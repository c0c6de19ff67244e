"""Modules of the current folder do not run in the command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONSOLE = "import sys; sys.argv[0] = 'hybridgen'; from hybridgen.__main__ import start; start()"


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A folder whose ``json.py`` and ``click.py`` tell that they ran."""
    for name in ("json", "click", "platformdirs", "pydantic"):
        (tmp_path / f"{name}.py").write_text(
            f"import os\nopen({str(tmp_path / 'ran')!r}, 'a').write({name!r})\n"
        )
    return tmp_path


def run(folder: Path, *python: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *python],
        cwd=folder,
        env={"PATH": os.defpath, "HOME": str(folder / "home"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("path", [".", "{folder}"])
def test_python_path_of_the_users_shell_brings_no_module_in(planted: Path, path: str) -> None:
    named = path.format(folder=planted)
    done = run(planted, "-c", CONSOLE, "config", "show", PYTHONPATH=named)
    # Python itself would have the current folder on its path with -c; it has not after the start.
    assert (done.returncode, (planted / "ran").exists()) == (0, False), done.stderr


def test_module_start_brings_no_module_of_the_current_folder_in(planted: Path) -> None:
    done = run(planted, "-m", "hybridgen", "config", "show")
    assert (done.returncode, (planted / "ran").exists()) == (0, False), done.stderr


def test_such_a_module_would_run_without_the_new_start(planted: Path) -> None:
    run(planted, "-c", "from hybridgen.cli.main import main; main(['config', 'show'])")
    assert (planted / "ran").exists()


def test_closed_output_ends_without_a_traceback(tmp_path: Path) -> None:
    code = f"exec {sys.executable} -m hybridgen config show >&-"
    done = subprocess.run(
        ["/bin/sh", "-c", code],
        cwd=tmp_path,
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 0
