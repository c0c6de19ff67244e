"""``hybridgen trust`` from its arguments to its output and its files."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hybridgen.domain import Label
from hybridgen.gate import FingerprintIndex

Run = Callable[..., Any]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that marks a folder public and a file in it internal."""
    folder = tmp_path / "project"
    for name, text in {
        "hybridgen.toml": '[labels]\npublic = ["/shop/"]\ninternal = ["/shop/tax.py"]\n',
        "shop/cart.py": "x = 1\n",
        "shop/tax.py": "x = 1\n",
        "shop/key.py": "# Confidential\n",
        "notes.md": "",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def run(command_line: Run) -> Run:
    """``hybridgen trust``, without a terminal."""
    return partial(command_line, "trust")


def answered(root: Path, home: Path, answer: bytes) -> int:
    """The exit code of the command at a terminal at which somebody types ``answer``."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer)
        return subprocess.run(
            [sys.executable, "-m", "hybridgen", "trust"],
            cwd=root,
            env={"PATH": os.environ["PATH"], "HOME": str(home)},
            stdin=theirs,
            capture_output=True,
            timeout=120,
            check=False,
        ).returncode
    finally:
        os.close(ours)
        os.close(theirs)


def records(home: Path) -> list[Path]:
    return sorted((home / ".local/state/hybridgen/trust").glob("*.json"))


def test_files_are_listed_and_nothing_is_trusted_without_a_terminal(run, home) -> None:
    done = run()
    assert done.returncode == 2
    assert "1 public and 1 internal files" in done.stdout
    assert "public (1)\n  + shop/cart.py\n" in done.stdout
    assert "internal (1)\n  + shop/tax.py\n" in done.stdout
    assert "key.py" not in done.stdout
    assert "hybridgen trust --yes" in done.stderr
    assert records(home) == []


@pytest.mark.parametrize(("answer", "code", "count"), [(b"n\n", 1, 0), (b"y\n", 0, 1)])
def test_one_question_is_asked_at_a_terminal(root, home, answer, code, count) -> None:
    assert answered(root, home, answer) == code
    assert len(records(home)) == count


def test_trust_is_kept_and_what_is_new_is_shown(run, root) -> None:
    assert "trusted: 1 public and 1 internal files" in run("--yes").stdout
    assert "you trust all of them already" in run().stdout
    (root / "shop/new.py").write_text("")
    (root / "shop/cart.py").unlink()
    done = run("--yes")
    assert "  + shop/new.py" in done.stdout
    assert "    shop/tax.py" in done.stdout
    assert "no longer trusted (1)\n  - shop/cart.py" in done.stdout


def test_changed_marks_are_said(run, root) -> None:
    run("--yes")
    with (root / "hybridgen.toml").open("a") as file:
        file.write('confidential = ["/notes.md"]\n')
    done = run()
    assert "the marks in the settings changed" in done.stdout


def test_list_and_revoke(run, root, home) -> None:
    assert run("--list").stdout == "no project is trusted\n"
    run("--yes")
    listed = run("--list").stdout
    assert listed.startswith(f"{root}\n")
    assert "shop/cart.py" in listed
    assert run("--revoke").stdout == f"nothing in {root} is trusted any more\n"
    assert records(home) == []
    assert run("--revoke").stdout == f"nothing in {root} was trusted\n"


def test_project_that_is_gone_can_be_revoked(run, root, tmp_path) -> None:
    run("--yes")
    root.rename(tmp_path / "moved")
    root.mkdir()
    assert "is trusted any more" in run("--revoke", str(root)).stdout


def test_project_without_settings_has_the_root_that_its_code_has(run, tmp_path, home) -> None:
    package = tmp_path / "loose/pkg"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "a.py").write_text("# hybridgen: public\n")
    done = run(str(package / "a.py"), "--yes")
    assert "  + pkg/a.py\n" in done.stdout
    assert len(records(home)) == 1


def test_project_without_marks_has_nothing_to_trust(run, root, home) -> None:
    (root / "hybridgen.toml").write_text("")
    done = run("--yes")
    assert done.returncode == 0
    assert "nothing to trust" in done.stdout
    assert records(home) == []


def test_record_that_others_may_write_is_refused(run, home) -> None:
    run("--yes")
    (record,) = records(home)
    record.chmod(0o666)
    done = run("--list")
    assert done.returncode == 4
    assert "open to others" in done.stderr


def test_two_wishes_at_once_are_refused(run) -> None:
    assert run("--list", "--revoke").returncode == 2


def test_text_is_known_before_anything_gets_looser(run, root, home) -> None:
    """What is moved into a trusted file later, before anything is sent, is a copy."""
    secret = (
        "def partner_price(partner, amount):\n"
        "    ratio = partner.discount / 100 if partner.is_member else 0\n"
        "    return round(amount * (1 - ratio) + (17 if amount > 4711 else 23), 2)\n"
    )
    (root / "secret.py").write_text(secret)
    assert run("--yes").returncode == 0
    index = FingerprintIndex(home / ".local/state/hybridgen/fingerprints", root)
    [overlap] = index.overlaps(secret, Label.PUBLIC)
    index.close()
    assert overlap.path == str(root / "secret.py")


def test_marks_of_a_file_for_config_that_lies_in_the_project_are_trusted_with_it(
    run, command_line, root
) -> None:
    (root / "more.toml").write_text('[labels]\npublic = ["/notes.md"]\n')
    assert "notes.md" not in run("--yes").stdout
    asked = run("--config", "more.toml")
    assert "  + notes.md\n" in asked.stdout
    assert "then say: hybridgen trust --config more.toml --yes" in asked.stderr
    assert run("--config", "more.toml", "--yes").returncode == 0
    explained = command_line("explain", "notes.md", "--config", "more.toml").stdout
    assert explained.startswith("notes.md: public\n")
    # Without the file there is no such mark, trusted or not.
    assert command_line("explain", "notes.md").stdout.startswith("notes.md: confidential\n")


def test_marks_of_a_file_of_ones_own_need_no_trust(run, root, home) -> None:
    home.mkdir(exist_ok=True)
    (home / "mine.toml").write_text('[labels]\npublic = ["/notes.md"]\n')
    assert "notes.md" not in run("--config", str(home / "mine.toml"), "--yes").stdout


@pytest.mark.parametrize("option", ["--list", "--revoke"])
def test_where_no_settings_are_read_config_is_wrong_usage(run, option) -> None:
    done = run(option, "--config", "offline")
    assert (done.returncode, done.stdout) == (2, "")
    assert "leave --config out" in done.stderr
