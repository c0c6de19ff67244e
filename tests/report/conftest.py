"""Outcomes of the three kinds that a run ends with."""

from dataclasses import replace

import pytest

from hybridgen.domain import (
    Asked,
    Candidate,
    Coverage,
    Label,
    MutationScore,
    Observation,
    Outcome,
    Route,
    Strength,
    Suspect,
)

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
        locks="kernel",
        test_file="tests/test_pricing.py",
        tests_kept=14,
        tests_dropped={"redundant": 5, "flaky": 2},
        coverage_before=Coverage(0.0, 0.0, 0.0),
        coverage_after=Coverage(99.6, 91.234, 96.5),
        tokens=1920,
        seconds=48.2345,
        stages={"searching": 20.123, "confirming": 2.0},
        questions={"values": Asked(times=2, gained=7, seconds=12.345)},
        notes=("conftest.py is needed too\nwritten",),
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
        locks="kernel",
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
        locks="kernel",
        error="syntax error in line 3\ncorrect it",
        exit_code=1,
    )


@pytest.fixture
def suspected(tested: Outcome) -> Outcome:
    """An outcome with a mutation score and two suspects."""
    observation = Observation(
        Candidate("tier", (), Label.CONFIDENTIAL, "search"), (), frozenset(), Label.CONFIDENTIAL
    )
    strong = Suspect(
        target="tier",
        call="tier(90)",
        expected="'gold'",
        observed="'silver'",
        evidence="docstring example (shop/pricing.py:12)",
        strength=Strength.STRONG,
        observation=observation,
    )
    weak = replace(
        strong,
        call="tier('" + "x" * 200 + "\n')",
        expected="no exception",
        observed="raises IndexError",
        evidence="exception IndexError (shop/pricing.py:9)",
        strength=Strength.WEAK,
    )
    survivors = ("shop/pricing.py:12: secret < 5 -> secret <= 5",)
    same = ("shop/pricing.py:14: secret + 0 -> secret - 0",)
    score = MutationScore(killed=41, total=50, survivors=survivors, equivalent=same, untried=30)
    return replace(tested, mutation=score, suspects=(strong, weak))
