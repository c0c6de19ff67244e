"""Outcomes of the three kinds that a run ends with."""

import pytest

from hybridgen.domain import Coverage, Label, Outcome, Route

LOCAL = Route("local", "all code is confidential")


@pytest.fixture
def tested() -> Outcome:
    return Outcome(
        path="shop/pricing.py",
        label=Label.CONFIDENTIAL,
        why="not marked",
        route=LOCAL,
        model="qwen2.5-coder-0.5b",
        interpreter=".venv/bin/python",
        test_file="tests/test_pricing.py",
        tests_kept=14,
        tests_dropped={"redundant": 5, "flaky": 2},
        coverage_before=Coverage(0.0, 0.0, 0.0),
        coverage_after=Coverage(99.6, 91.234, 96.5),
        tokens=1920,
        seconds=48.2345,
        notes=("1 suspect\nsee test_tier",),
        diff="+def test_secret_value(): ...",
    )


@pytest.fixture
def covered() -> Outcome:
    return Outcome(
        path="shop/cart.py",
        label=Label.PUBLIC,
        why="marked public",
        route=LOCAL,
        model=None,
        interpreter="python",
        coverage_before=Coverage(100.0, 100.0, 100.0),
        coverage_after=Coverage(100.0, 100.0, 100.0),
        seconds=1.0,
    )


@pytest.fixture
def failed() -> Outcome:
    return Outcome(
        path="shop/\x1b[31mbad[bold].py",
        label=Label.CONFIDENTIAL,
        why="not marked",
        route=LOCAL,
        model=None,
        interpreter="python",
        error="syntax error in line 3\ncorrect it",
        exit_code=1,
    )
