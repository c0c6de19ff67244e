"""``hybridgen purge`` in real processes: what goes, what stays, and what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from hybridgen.backends.replies import FILE_NAME, Reply, ReplyStore
from hybridgen.cli.purge import purge as command
from hybridgen.domain import Label, SourceFile
from hybridgen.gate import FingerprintIndex, Ledger

Purge = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user with replies, logs, a model and settings."""
    folder = tmp_path / "home"
    store = ReplyStore(folder / ".cache/hybridgen/replies")
    store.keep(b"key", Label.CONFIDENTIAL, Reply("text", "local", "tiny", False))
    store.close()
    for name in (
        ".cache/hybridgen/models/model.gguf",
        ".config/hybridgen/config.toml",
        ".local/state/hybridgen/engine.log",
        ".local/state/hybridgen/crash.log",
        "project/tests/test_cart.py",
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("seed = 1\n")
    return folder


@pytest.fixture
def purge(home: Path) -> Purge:
    def purge(*arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
        return subprocess.run(
            [sys.executable, "-m", "hybridgen", "purge", *arguments],
            cwd=home,
            env={**kept, "HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return purge


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


STAYS = {
    ".cache/hybridgen/models/model.gguf",
    ".config/hybridgen/config.toml",
    "project/tests/test_cart.py",
}


def test_all_that_is_kept_about_code_goes_and_nothing_else(purge: Purge, home: Path) -> None:
    done = purge()
    assert (done.returncode, done.stderr) == (0, "")
    assert files(home) == STAYS
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    replies, engine, crash = lines
    assert replies.startswith(f"removed {home}/.cache/hybridgen/replies (replies of the model, ")
    assert (
        engine == f"removed {home}/.local/state/hybridgen/engine.log (log of the engine, 9 bytes)"
    )
    assert "crash.log" in crash
    again = purge()
    assert (again.returncode, again.stdout) == (0, "nothing is kept\n")


def test_a_dry_run_lists_the_same_and_removes_nothing(purge: Purge, home: Path) -> None:
    before = files(home)
    listed = purge("--dry-run")
    assert listed.returncode == 0
    assert files(home) == before
    assert purge().stdout == listed.stdout.replace("would remove", "removed")


def test_of_a_link_the_link_goes(purge: Purge, home: Path) -> None:
    replies = home / ".cache/hybridgen/replies"
    replies.rename(home / "mine")
    replies.symlink_to(home / "mine")
    log = home / ".local/state/hybridgen/engine.log"
    log.unlink()
    log.symlink_to(home / "project/tests/test_cart.py")
    assert purge().returncode == 0
    assert not replies.is_symlink()
    assert not log.is_symlink()
    assert (home / "mine" / FILE_NAME).exists()
    assert (home / "project/tests/test_cart.py").exists()


def test_a_link_inside_the_cache_leads_nowhere(purge: Purge, home: Path) -> None:
    (home / ".cache/hybridgen/replies/link").symlink_to(home / "project")
    assert purge().returncode == 0
    assert files(home) == STAYS


def test_broken_settings_do_not_keep_it_from_working(purge: Purge, home: Path) -> None:
    (home / ".config/hybridgen/config.toml").write_text("this is no TOML")
    assert purge().returncode == 0
    assert files(home) == STAYS


def test_what_cannot_be_removed_is_named_and_the_rest_goes(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = os.unlink

    def refuse(path: str | Path, **more: int) -> None:
        if str(path).endswith("engine.log"):
            raise PermissionError(1, "Operation not permitted")  # as for a file made immutable
        unlink(path, **more)

    monkeypatch.setattr(os, "unlink", refuse)
    done = CliRunner().invoke(command, env={"HOME": str(home)})
    assert done.exit_code == 1
    log = home / ".local/state/hybridgen/engine.log"
    assert done.stderr == f"error: {log}: cannot be removed: Operation not permitted\n"
    assert files(home) == {*STAYS, ".local/state/hybridgen/engine.log"}


def known(home: Path, root: Path) -> FingerprintIndex:
    index = FingerprintIndex(home / ".local/state/hybridgen/fingerprints", root)
    text = "def f(a):\n" + "".join(f"    a = a * {n} + other_{n}(a)\n" for n in range(40))
    index.add(SourceFile("shop/a.py", "0" * 64, Label.CONFIDENTIAL, ()), text)
    return index


def test_fingerprints_of_a_project_that_is_gone_are_forgotten_and_the_ledger_says_so(
    home: Path, purge: Purge
) -> None:
    old = home / "old place"
    known(home, old).close()
    said = purge("--moved", str(old), "--dry-run")
    assert (said.returncode, said.stdout) == (0, f"would forget 1 file: {old}\n")
    said = purge("--moved", "old place")
    assert (said.returncode, said.stdout) == (0, f"forgot 1 file: {old}\n")
    [entry] = Ledger(home / ".local/state/hybridgen/ledger").entries()
    assert (entry.kind, entry.details["forgotten"]) == ("forget", [str(old / "shop/a.py")])
    assert (home / ".local/state/hybridgen/engine.log").exists()
    again = purge("--moved", str(old))
    assert (again.returncode, "is known" in again.stderr) == (2, True)


def test_a_renamed_file_of_a_project_that_is_there_can_be_forgotten(
    home: Path, purge: Purge
) -> None:
    known(home, home / "project").close()
    said = purge("--moved", "project/shop/a.py")
    assert (said.returncode, said.stdout) == (0, f"forgot 1 file: {home}/project/shop/a.py\n")


def test_fingerprints_of_a_project_that_is_there_stay(home: Path, purge: Purge) -> None:
    known(home, home / "project").close()
    said = purge("--moved", str(home / "project"))
    assert said.returncode == 2
    assert "still there" in said.stderr
    assert "hybridgen mark" in said.stderr
