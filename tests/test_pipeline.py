"""The pipeline with a backend that says what we choose; everything else is real."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from hybridgen import pipeline
from hybridgen.backends import Backend, FakeBackend
from hybridgen.cli.progress import SilentProgress
from hybridgen.domain import Label, Outcome, Strength
from hybridgen.errors import EngineError, UsageError
from hybridgen.settings import Settings, load_settings

LOCKED = '''
"""A door."""


def open_door(word: str) -> str:
    """Open the door.

    >>> open_door("please")
    'opened'
    """
    if len(word) > 3 and word == word[::-1] and word.startswith("rac") and "e" in word:
        return "secret room"
    return "closed"
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text(
        "[project]\nname = 'door'\nversion = '1'\n[tool.pytest.ini_options]\npythonpath = ['.']\n"
    )
    (root / "door.py").write_text(LOCKED)
    return root


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends a search early that will never reach all of a module."""
    monkeypatch.setattr("hybridgen.explore.search.OPEN_PLATEAU", 0.2)


def settings(**flags: object) -> Settings:
    return load_settings(None, {"budget": 25.0, **flags}, environment={})


def generate(
    path: Path, make_backend: Callable[[], Backend] | None, **flags: object
) -> tuple[Outcome, ...]:
    return pipeline.generate(
        [str(path)],
        settings(**flags),
        make_backend,
        SilentProgress(),
        is_dry_run=False,
        policy=pipeline.Policy(models={"local": "fake"}),
    )


ANSWER = """```python
from door import open_door


def test_open_door():
    assert open_door("racecar") == "opened wide"
    assert open_door("nonsense") == "nonsense"
"""


@pytest.mark.usefixtures("brief")
def test_model_reaches_what_the_search_does_not_and_its_expectations_are_not_trusted(
    project: Path,
) -> None:
    [outcome] = generate(project / "door.py", lambda: FakeBackend([ANSWER]))
    assert outcome.error is None
    assert outcome.coverage_after is not None
    assert outcome.coverage_after.pooled == 100
    text = (project / "tests/test_door.py").read_text()
    assert "racecar" in text
    assert "secret room" in text
    assert "opened wide" not in text
    assert outcome.tokens > 0
    assert outcome.label is Label.CONFIDENTIAL


@pytest.mark.usefixtures("brief")
def test_docstring_that_contradicts_the_code_is_reported(project: Path) -> None:
    [outcome] = generate(project / "door.py", None)
    [suspect] = outcome.suspects
    assert "open_door('please')" in suspect.call
    assert "'opened'" in suspect.expected
    assert suspect.strength is Strength.STRONG


@pytest.mark.usefixtures("brief")
def test_engine_that_fails_costs_its_answers_and_not_the_tests(project: Path) -> None:
    failing = EngineError("the model's process ended", "look at the log")
    [outcome] = generate(project / "door.py", lambda: FakeBackend([failing]))
    assert outcome.error is None
    assert outcome.tests_kept > 0
    assert any("the model's process ended" in note for note in outcome.notes)


@pytest.mark.usefixtures("brief")
def test_prompt_is_labelled_and_made_of_the_modules_fragments(project: Path) -> None:
    backend = FakeBackend([ANSWER])
    generate(project / "door.py", lambda: backend)
    assert backend.is_closed
    assert backend.prompts
    assert all(prompt.label is Label.CONFIDENTIAL for prompt in backend.prompts)


def test_nobody_is_asked_where_the_backend_may_not_see_the_code(project: Path) -> None:
    backend = FakeBackend([ANSWER])
    [outcome] = generate(project / "door.py", lambda: backend, backend="gemini")
    assert outcome.exit_code == 4
    assert outcome.error is not None
    assert "confidential" in outcome.error
    assert backend.prompts == []
    assert not (project / "tests").exists()


def test_paths_without_a_module_are_a_usage_error(project: Path) -> None:
    (project / "empty").mkdir()
    with pytest.raises(UsageError):
        generate(project / "empty", None)


def test_budget_is_kept_where_every_call_changes_the_module(project: Path) -> None:
    (project / "door.py").write_text(
        dedent(
            """
            log = []


            def note(text: str, times: int = 1) -> int:
                for _ in range(times):
                    log.append(text)
                if times > 50:
                    raise ValueError("too often")
                return len(log)


            def last(default: str = "") -> str:
                note(default)
                return log[-1] if log else default
            """
        )
    )
    started = time.monotonic()
    [outcome] = generate(project / "door.py", None)
    assert outcome.error is None
    assert outcome.tests_kept > 0
    assert time.monotonic() - started < 25 + 10
