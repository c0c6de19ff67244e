from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridgen.errors import SandboxUnavailable
from hybridgen.lockdown import LockLevel, Profile, command, locked_command, probe


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    probe.cache_clear()
    yield
    probe.cache_clear()


@pytest.fixture(autouse=True)
def _no_box(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["hybridgen.lockdown.probe"], "bubblewrap", lambda: None)


def _launcher(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, old: str, new: str) -> None:
    text = command.LAUNCHER.read_text()
    assert old in text
    copy = tmp_path / "launch.py"
    copy.write_text(text.replace(old, new))
    monkeypatch.setattr(command, "LAUNCHER", copy)


@pytest.mark.usefixtures("kernel_with_locks")
def test_kernel_with_both_locks_has_the_level_kernel() -> None:
    assert probe() == LockLevel(sockets=True, files=True, why="seccomp and Landlock hold")
    assert probe().name == "kernel"


def test_level_is_found_once() -> None:
    level = probe()
    assert level.why
    assert probe() is level


@pytest.mark.usefixtures("kernel_with_locks")
def test_lock_without_effect_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _launcher(monkeypatch, tmp_path, "    _landlock,\n", "")
    level = probe()
    assert (level.sockets, level.files, level.is_full) == (True, False, False)
    assert "do not hold" in level.why


@pytest.mark.usefixtures("kernel_with_locks")
def test_kernel_without_landlock_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _launcher(
        monkeypatch, tmp_path, "_LANDLOCK_RESTRICT_SELF = 444,", "_LANDLOCK_RESTRICT_SELF = 999,"
    )
    level = probe()
    assert (level.sockets, level.files) == (True, False)
    assert level.why.startswith("hybridgen lock: landlock: ")


def test_other_systems_have_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "freebsd14")
    assert probe().name == "none"


def test_machine_without_a_filter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert not probe().is_full
    profile = Profile("runner", (), (), ())
    with pytest.raises(SandboxUnavailable, match="no system call filter"):
        locked_command(profile, ["/bin/true"])
    level = LockLevel(sockets=False, files=False, why="")
    assert locked_command(profile, ["/bin/true"], unsafe_level=level)[-1] == "/bin/true"
