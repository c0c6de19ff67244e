"""Whether code is run at all, by the kernel locks of this machine and what the settings demand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hybridgen import pipeline
from hybridgen.cli.progress import SilentProgress
from hybridgen.errors import SandboxUnavailable
from hybridgen.lockdown import LockLevel
from hybridgen.settings import load_settings

Run = Callable[..., object]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Generates tests on a machine with these locks."""

    def run(level: LockLevel, **flags: object) -> object:
        (tmp_path / "module.py").write_text("def one() -> int:\n    return 1\n")
        monkeypatch.setattr("hybridgen.pipeline.run.probe", lambda: level)
        settings = load_settings(None, {"budget": 10.0, **flags}, environment={})
        [outcome] = pipeline.generate(
            [str(tmp_path / "module.py")], settings, None, SilentProgress(), is_dry_run=True
        )
        return outcome

    return run


SOCKETS = LockLevel(True, False, "no Landlock")


def test_no_code_is_run_where_a_lock_is_missing(run: Run) -> None:
    with pytest.raises(SandboxUnavailable, match="no Landlock"):
        run(SOCKETS)


@pytest.mark.parametrize("minimum", ["kernel", "sockets"])
def test_below_the_minimum_level_no_code_is_run_even_where_that_was_asked_for(
    run: Run, minimum: str
) -> None:
    level = SOCKETS if minimum == "kernel" else LockLevel(False, True, "no seccomp")
    with pytest.raises(SandboxUnavailable, match=rf"minimum_level = '{minimum}'.*no "):
        run(level, sandbox="off", security_minimum_level=minimum)


def test_at_the_minimum_level_code_is_run_where_that_was_asked_for(run: Run) -> None:
    assert run(SOCKETS, sandbox="off", security_minimum_level="sockets").error is None
