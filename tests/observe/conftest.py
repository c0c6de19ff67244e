from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from hybridgen.domain import Candidate, Label, Module, Step, StepKind
from hybridgen.lockdown import probe
from hybridgen.observe.runner import Runner, Sandbox
from hybridgen.source import find_project, read_module, select


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Module]:
    """Writes a one-module project and reads it as the pipeline does."""

    def read(text: str, name: str = "sample.py") -> Module:
        root = tmp_path / "project"
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (root / "pyproject.toml").write_text("[project]\nname = 'sample'\nversion = '1'\n")
        path.write_text(dedent(text))
        selection = select([str(path)])[0]
        return read_module(selection, find_project(path, python=None, tests=None))

    return read


@pytest.fixture
def sandbox() -> Sandbox:
    level = probe()
    assert level.is_full, level.why
    return Sandbox(is_locked=True, call_timeout=2.0, memory_bytes=2 * 2**30)


@pytest.fixture
def open_runner(
    read: Callable[..., Module], sandbox: Sandbox, tmp_path: Path
) -> Iterator[Callable[..., Runner]]:
    """A runner for a module given as text, with its real worker inside the locks."""
    runners = []

    def open_runner(text: str) -> Runner:
        scratch = tmp_path / f"scratch{len(runners)}"
        scratch.mkdir()
        runner = Runner(read(text), sandbox, scratch)
        runners.append(runner)
        runner.open()
        return runner

    yield open_runner
    for runner in runners:
        runner.close()


@pytest.fixture
def candidate() -> Callable[..., Candidate]:
    """``candidate("x = f(1)", "?x.total", opinion="_ == 3")``: a ``?`` marks a probe."""

    def candidate(
        *codes: str, opinion: str | None = None, imports: tuple[str, ...] = ()
    ) -> Candidate:
        steps = tuple(
            Step(StepKind.PROBE, code[1:], opinion)
            if code.startswith("?")
            else Step(StepKind.SETUP, code)
            for code in codes
        )
        fixtures = ("tmp_path",) if any("tmp_path" in code for code in codes) else ()
        return Candidate("f", steps, Label.CONFIDENTIAL, "model", imports, fixtures)

    return candidate
