"""The last steps to a file, with real pytest in a project that hangs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridgen import pipeline
from hybridgen.cli.progress import SilentProgress
from hybridgen.settings import load_settings

CODE = "def double(number: int) -> int:\n    return 2 * number\n"


def test_error_says_how_to_go_on_where_pytest_never_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'small'\nversion = '1'\n")
    (tmp_path / "conftest.py").write_text("import time\n\ntime.sleep(600)\n")
    (tmp_path / "small.py").write_text(CODE)
    monkeypatch.setattr("hybridgen.pipeline.writing.REHEARSAL_TIMEOUT", 1.0)
    monkeypatch.setattr("hybridgen.observe.verify.SHORTEST_TIMEOUT", 1.0)
    settings = load_settings(None, {"budget": 10.0}, environment={})
    [outcome] = pipeline.generate(
        [str(tmp_path / "small.py")], settings, None, SilentProgress(), is_dry_run=False
    )
    assert outcome.error is not None
    assert "pytest did not end in time" in outcome.error
    assert "-m pytest --collect-only" in outcome.error
    assert "--budget 20" in outcome.error
    assert outcome.exit_code == 1
    assert not (tmp_path / "tests").exists()
