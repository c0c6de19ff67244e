"""Small real projects on disk, away from the environment of whoever runs the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from hybridgen.domain import Module
from hybridgen.source import Selection, find_project, read_module

Make = Callable[[Mapping[str, str | bytes]], Path]
Read = Callable[..., Module]


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write files below a new folder and return that folder."""

    def write(files: Mapping[str, str | bytes], folder: str = "project") -> Path:
        root = tmp_path / folder
        root.mkdir(exist_ok=True)
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return write


@pytest.fixture
def read(make: Make) -> Read:
    """Read one file of a project made of ``files``, or of a lone module given as text."""

    def run(
        files: Mapping[str, str | bytes] | str | bytes,
        name: str = "mod.py",
        only: str | None = None,
        python: str | None = None,
    ) -> Module:
        if isinstance(files, str | bytes):
            files = {"pyproject.toml": "", name: files}
        path = make(files) / name
        project = find_project(path, python=python, tests=None)
        return read_module(Selection(path, only), project)

    return run
