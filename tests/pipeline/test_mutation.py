"""Mutants in the whole run: what is kept notices them, and what was missing is looked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from hybridgen import pipeline
from hybridgen.cli.progress import SilentProgress
from hybridgen.domain import MutationScore, Outcome
from hybridgen.settings import load_settings

Generate = Callable[..., Outcome]


@pytest.fixture
def generate(tmp_path: Path) -> Generate:
    """Writes a module and its tests without a model."""

    def generate(text: str, **more: str) -> Outcome:
        (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\npythonpath=['.']\n")
        (tmp_path / "sample.py").write_text(dedent(text))
        for name, content in more.items():
            path = tmp_path / "tests" / f"{name}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(dedent(content))
        settings = load_settings(None, {"budget": 40.0}, environment={})
        [outcome] = pipeline.generate(
            [str(tmp_path / "sample.py")], settings, None, SilentProgress(), is_dry_run=False
        )
        assert outcome.error is None
        return outcome

    return generate


def score(outcome: Outcome) -> MutationScore:
    assert outcome.mutation is not None
    return outcome.mutation


def test_inputs_on_both_sides_of_a_boundary_are_found_for_its_mutants(
    generate: Generate, tmp_path: Path
) -> None:
    outcome = generate(
        '''
        LIMIT = 3_417


        def size(number: int) -> str:
            """Name a size.

            >>> size(7)
            'small'
            >>> size(99_999)
            'large'
            """
            return "large" if number > LIMIT else "small"
        '''
    )
    assert score(outcome).killed == score(outcome).total >= 5
    text = (tmp_path / "tests/test_sample.py").read_text()
    assert "(3417, " in text
    assert "(3418, " in text


def test_mutants_that_change_nothing_are_named_apart(generate: Generate) -> None:
    outcome = generate(
        """
        def first(items: list[int], start: int = 0) -> int:
            best = start
            for item in items:
                if item > best:
                    best = item
            return best
        """
    )
    found = score(outcome)
    assert found.killed >= 5
    assert not found.survivors
    assert all("item > best -> item >= best" in text for text in found.equivalent)


def test_lines_that_existing_tests_execute_have_no_mutants(generate: Generate) -> None:
    outcome = generate(
        """
        def double(number: int) -> int:
            return number * 2


        def triple(number: int) -> int:
            return number * 3
        """,
        test_theirs="""
        from sample import double


        def test_double():
            assert double(2) == 4
        """,
    )
    assert score(outcome).total == score(outcome).killed
    assert score(outcome).total <= 5
