from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from hybridgen.domain import Module
from hybridgen.explore.archive import Archive
from hybridgen.explore.search import Search
from hybridgen.lockdown import probe
from hybridgen.observe.runner import Runner, Sandbox
from hybridgen.source import find_project, read_module, select


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Module]:
    """A module given as text, as the source room reads it."""

    def read(text: str) -> Module:
        root = tmp_path / "project"
        root.mkdir(exist_ok=True)
        (root / "pyproject.toml").write_text("[project]\nname = 'sample'\nversion = '1'\n")
        path = root / "sample.py"
        path.write_text(dedent(text))
        selection = select([str(path)])[0]
        return read_module(selection, find_project(path, python=None, tests=None))

    return read


@pytest.fixture
def start(
    read: Callable[[str], Module], tmp_path: Path
) -> Iterator[Callable[..., tuple[Search, Archive, Module]]]:
    """A search over a module given as text, in a real locked worker."""
    runners = []

    def start(text: str, seed: int = 0) -> tuple[Search, Archive, Module]:
        module = read(text)
        assert probe().is_full
        scratch = tmp_path / f"scratch{len(runners)}"
        scratch.mkdir()
        runner = Runner(module, Sandbox(True, 1.0, 2 * 2**30), scratch)
        runners.append(runner)
        runner.open()
        archive = Archive(runner.import_arcs)
        return Search(module, module.targets, runner, archive, seed=seed), archive, module

    yield start
    for runner in runners:
        runner.close()
