"""``hybridgen mark`` and ``unmark`` from its arguments to its output and its files."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with settings."""
    folder = tmp_path / "project"
    for name, text in {
        "hybridgen.toml": "# ours\nseed = 3  # a good one\n",
        "shop/__init__.py": "",
        "shop/cart.py": "x = 1\n",
        "shop/secret.py": "# Confidential\n",
        "notes.md": "",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def run(command_line: Run) -> Run:
    """The whole command line, without a terminal."""
    return command_line


def marks(root: Path) -> dict[str, list[str]]:
    return tomllib.loads((root / "hybridgen.toml").read_text()).get("labels", {})


def test_mark_shows_the_difference_and_that_trust_is_needed(run, root) -> None:
    done = run("mark", "public", "shop")
    assert done.returncode == 0, done.stderr
    assert marks(root) == {"public": ["/shop/"]}
    assert (root / "hybridgen.toml").read_text().startswith("# ours\nseed = 3  # a good one\n")
    assert '+public = ["/shop/"]' in done.stdout
    assert "/shop/: 3 files: 3 confidential" in done.stdout
    assert "2 files are looser only once you said so: hybridgen trust" in done.stdout


def test_tightening_mark_needs_no_trust(run, root) -> None:
    done = run("mark", "confidential", "cart.py", folder="shop")
    assert marks(root) == {"confidential": ["/shop/cart.py"]}
    assert "/shop/cart.py: confidential (marked confidential by /shop/cart.py" in done.stdout
    assert "trust" not in done.stdout


def test_marked_file_is_what_it_is_marked_once_it_is_trusted(run) -> None:
    done = run("mark", "internal", "shop/cart.py")
    assert "needs: hybridgen trust" in done.stdout
    assert run("trust", "--yes").returncode == 0
    done = run("mark", "internal", "shop/cart.py")
    assert "says so already" in done.stdout
    assert "/shop/cart.py: internal (marked internal by" in done.stdout


def test_unmark_takes_the_mark_away(run, root) -> None:
    run("mark", "public", "shop", "notes.md")
    done = run("unmark", "shop")
    assert done.returncode == 0
    assert '-public = ["/shop/", "/notes.md"]' in done.stdout
    assert marks(root) == {"public": ["/notes.md"]}
    done = run("unmark", "shop/cart.py")
    assert (done.returncode, marks(root)) == (2, {"public": ["/notes.md"]})
    assert "hybridgen explain shop/cart.py" in done.stderr


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["gone.py"], "does not exist"),
        ([".."], "outside of the project"),
        (["*[.py"], "is no pattern"),
        ([""], "PATH is empty"),
        ([" "], "PATH is empty"),
    ],
)
def test_path_that_cannot_be_right_changes_nothing(run, root, paths, message) -> None:
    before = (root / "hybridgen.toml").read_text()
    done = run("mark", "public", "shop", *paths)
    assert done.returncode == 2
    assert message in done.stderr
    assert (root / "hybridgen.toml").read_text() == before


@pytest.mark.parametrize("command", [("mark", "confidential"), ("unmark",)])
def test_file_that_is_named_like_a_pattern_does_not_take_its_place(run, root, command) -> None:
    run("mark", "public", "shop/*.py")
    before = marks(root)
    (root / "shop/*.py").touch()
    done = run(*command, "shop/*.py")
    assert (done.returncode, marks(root)) == (2, before)
    assert "also the name of a file" in done.stderr


def test_an_empty_path_is_no_mark_to_take_away(run, root) -> None:
    run("mark", "public", ".")
    done = run("unmark", "")
    assert (done.returncode, marks(root)) == (2, {"public": ["/**"]})
    assert "PATH is empty" in done.stderr


def test_the_difference_names_the_file_in_full(run, root, tmp_path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "setup.py").touch()
    done = run("mark", "confidential", "../other/setup.py")
    assert f"+++ b{other}/hybridgen.toml" in done.stdout
    assert marks(root) == {}


def test_settings_that_are_wrong_are_not_written_to(run, root) -> None:
    (root / "hybridgen.toml").write_text("backend = 'gemini'\n")
    done = run("mark", "public", "shop")
    assert done.returncode == 2
    assert (root / "hybridgen.toml").read_text() == "backend = 'gemini'\n"
