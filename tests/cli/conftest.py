"""The whole command line in this process, for a user and a project of the test's own."""

from __future__ import annotations

import os
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import pytest

from hybridgen.cli.main import LazyGroup, main


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def command_line(
    root: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Done]:
    """Runs ``hybridgen`` without a terminal, in the test's ``root`` for the user of ``home``."""
    for name in [name for name in os.environ if name.startswith(("XDG_", "HYBRIDGEN_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    # A copy: click keeps on a command what its first parent calls the option for help.
    find = LazyGroup.get_command
    monkeypatch.setattr(LazyGroup, "get_command", lambda *given: copy(find(*given)))

    def run(*arguments: str, folder: str = "") -> Done:
        monkeypatch.chdir(root / folder)
        with Path(os.devnull).open() as nothing, pytest.raises(SystemExit) as ended:
            monkeypatch.setattr("sys.stdin", nothing)
            main([*arguments])
        captured = capsys.readouterr()
        return Done(int(str(ended.value.code)), captured.out, captured.err)

    return run
