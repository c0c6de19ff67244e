"""A repository that would have its own programs run: none is, outside of the runner.

Each piece leaves a mark when it is run where it can write. The command is started as its users do,
by its console script, in the repository's folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.usefixtures("kernel_with_locks"),
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]

PYTHON = "open({mark!r}, 'w').close()\n"
SHELL = "#!/bin/sh\ntouch {mark}\ncat\n"


@dataclass(frozen=True)
class Planted:
    """A file that runs its own text, and who would run it.

    Attributes:
        run_by: a command line that runs it, in the repository; ``PYTHON`` is our own.
        settings: lines for ``.git/config``, where ``FILE`` is the file.
    """

    name: str
    text: str
    run_by: str
    settings: str = ""


PIECES = {
    "json": Planted("json.py", PYTHON, "PYTHON -c 'import json'"),
    "pip": Planted("pip.py", PYTHON, "PYTHON -m pip"),
    "click": Planted("click/__init__.py", PYTHON, "PYTHON -c 'import click'"),
    "llama": Planted("llama_cpp/__init__.py", PYTHON, "PYTHON -c 'import llama_cpp'"),
    "user": Planted("usercustomize.py", PYTHON, "PYTHON -c 'import usercustomize'"),
    "setup": Planted("setup.py", PYTHON, "PYTHON setup.py"),
    "conftest": Planted("conftest.py", PYTHON, "PYTHON -I -m pytest -o addopts= --collect-only"),
    "plugin": Planted("plugin.py", PYTHON, "PYTHON -m pytest --collect-only"),
    "fsmonitor": Planted("watch.sh", SHELL, "git status", "[core]\nfsmonitor = FILE\n"),
    "filter": Planted("filter.sh", SHELL, "git add shop", '[filter "own"]\nclean = FILE\n'),
    "textconv": Planted("text.sh", SHELL, "git diff HEAD", '[diff "own"]\ntextconv = FILE\n'),
    "hook": Planted(".git/hooks/post-index-change", SHELL, "git add README.md"),
}
OTHERS = {
    "README.md": "# Shop\n",
    ".gitattributes": "*.py filter=own\n*.txt diff=own\n",
    "table.txt": "one\n",
    "shop/__init__.py": "",
    "shop/fees.py": "def fee(amount: int) -> int:\n    return amount * 3\n",
    "tests/test_fees.py": "from shop.fees import fee\n\n\ndef test_it():\n    assert fee(1) == 3\n",
    "pyproject.toml": "[project]\nname = 'shop'\nversion = '1'\n"
    "[tool.pytest.ini_options]\npythonpath = ['.']\naddopts = '-p plugin'\n",
}
COMMANDS = (
    ("generate", "shop", "--no-model", "--diff", "--budget", "2"),
    ("explain", "shop"),
    ("mark", "confidential", "shop/fees.py"),
)


class Repository:
    """A repository with all pieces in it, and its user."""

    def __init__(self, folder: Path) -> None:
        self.root, self.home, self.marks = (folder / n for n in ("project", "home", "marks"))
        for one in (self.root, self.home, self.marks):
            one.mkdir()
        self._run("git", "init", "--quiet")
        for name, text in OTHERS.items():
            self.write(name, text)
        self._run("git", "add", ".")
        names = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        self._run("git", *names, "commit", "--quiet", "--message", "first")
        for name, piece in PIECES.items():
            path = self.write(piece.name, piece.text.format(mark=str(self.marks / name)))
            path.chmod(0o755)
            with (self.root / ".git/config").open("a") as file:
                file.write(piece.settings.replace("FILE", str(path)))
        self.write("table.txt", "two\n")

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.root,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def hybridgen(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run(str(Path(sys.executable).with_name("hybridgen")), *arguments)

    def as_others_do(self, command: str) -> None:
        self._run("sh", "-c", command.replace("PYTHON", sys.executable))


@pytest.fixture(scope="module")
def repository(kernel_with_locks: None, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("repository"))


@pytest.fixture(scope="module")
def marks(repository: Repository) -> set[str]:
    """What ran while hybridgen did."""
    for command in COMMANDS:
        done = repository.hybridgen(*command)
        assert done.returncode in (0, 1), done
        assert "fees" in done.stdout + done.stderr
    return {path.name for path in repository.marks.iterdir()}


@pytest.mark.parametrize("piece", PIECES)
def test_nothing_of_a_repository_runs_where_it_can_write(
    piece: str, marks: set[str], repository: Repository
) -> None:
    assert piece not in marks
    repository.as_others_do(PIECES[piece].run_by)
    assert (repository.marks / piece).exists()


def test_environment_whose_python_is_a_script_is_refused_and_not_started(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    root, home = tmp_path / "project", tmp_path / "home"
    (root / ".venv/bin").mkdir(parents=True)
    home.mkdir()
    (root / "pyproject.toml").write_text("[project]\nname = 'shop'\nversion = '1'\n")
    (root / "shop.py").write_text(OTHERS["shop/fees.py"])
    (root / ".venv/pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\n")
    script = root / ".venv/bin/python"
    script.write_text(SHELL.format(mark=mark))
    script.chmod(0o755)
    done = subprocess.run(
        [Path(sys.executable).with_name("hybridgen"), "generate", "shop.py", "--no-model"],
        cwd=root,
        env={"PATH": os.defpath, "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode != 0
    assert "script" in done.stdout + done.stderr
    assert not mark.exists()
    subprocess.run([script], stdin=subprocess.DEVNULL, check=True)
    assert mark.exists()
