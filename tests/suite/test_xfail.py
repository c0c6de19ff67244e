"""Tests that say what was promised, marked as failing."""

import ast
import subprocess
import sys

import pytest

from hybridgen.domain import (
    Candidate,
    Label,
    Observation,
    Step,
    StepKind,
    StepResult,
    Strength,
    Suspect,
)
from hybridgen.suite.xfail import expectation_of, xfail_blocks


def suspect(call, expected, observed, evidence="docstring example (shop.py:3)") -> Suspect:
    candidate = Candidate("tier", (Step(StepKind.PROBE, call),), Label.CONFIDENTIAL, "search")
    observation = Observation(candidate, (StepResult("ok"),), frozenset(), Label.CONFIDENTIAL)
    return Suspect("tier", call, expected, observed, evidence, Strength.STRONG, observation)


SOURCE = """
def tier(points):
    return {1: "low", 2: None}[points]
"""


@pytest.fixture
def rendered(shop):
    def rendered(*suspects):
        blocks = xfail_blocks(suspects, shop, "shop", taken=frozenset(), bound={})
        return [block.text for block in blocks]

    return rendered


@pytest.fixture
def shop(tmp_path):
    from hybridgen.source import find_project, read_module, select

    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'shop'\nversion = '1'\n")
    path = tmp_path / "shop.py"
    path.write_text(SOURCE)
    return read_module(select([str(path)])[0], find_project(path, python=None, tests=None))


def test_a_promised_value_becomes_the_expectation(rendered):
    (text,) = rendered(suspect("tier(1)", "'high'", "'low'"))
    mark = "@pytest.mark.xfail(reason='contradicts: docstring example', strict=True)\n"
    assert text.startswith(mark + "def test_tier_does_as_its_docstring_says():\n")
    assert 'assert tier(1) == "high"' in text.replace("'high'", '"high"')


def test_a_call_that_should_not_raise_stands_alone(rendered):
    (text,) = rendered(suspect("tier(7)", "no exception", "raises KeyError", "exception KeyError"))
    assert text.splitlines()[-1] == "    tier(7)"


def test_a_type_and_an_exception_can_be_promised(rendered):
    (text,) = rendered(suspect("tier(2)", "a value of type str", "None", "return hint (shop.py:2)"))
    assert "def test_tier_returns_what_its_hint_says():" in text
    assert "assert isinstance(tier(2), str)" in text
    (text,) = rendered(suspect("tier(2)", "raises ValueError", "raises nothing"))
    assert "with pytest.raises(ValueError):\n        tier(2)" in text


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("tier(1)", "a value of type Iterable[str]"),
        ("tier(1)", "raises SomethingElse"),
        ("tier(1)", "something in words"),
        ("tier(1)", "Tier(1)"),  # no plain literal
        ("a = 1; tier(a)", "1"),  # needs a step before it
    ],
)
def test_what_cannot_be_said_by_one_assertion_gives_no_test(call, expected):
    assert expectation_of(suspect(call, expected, "'low'")) is None


def test_names_are_not_used_twice(rendered):
    one, other = rendered(suspect("tier(1)", "'a'", "'low'"), suspect("tier(2)", "'b'", "None"))
    names = [ast.parse(text).body[0].name for text in (one, other)]
    assert len(set(names)) == 2


def test_real_pytest_sees_an_expected_failure_and_its_end(shop, tmp_path):
    wrong = suspect("tier(1)", "'high'", "'low'")
    (block,) = xfail_blocks([wrong], shop, "shop", taken=frozenset(), bound={})
    (tmp_path / "test_shop.py").write_text(block.source)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_shop.py"]
    first = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 xfailed" in first.stdout and first.returncode == 0
    (tmp_path / "shop.py").write_text(SOURCE.replace("low", "high"))
    second = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 failed" in second.stdout and second.returncode == 1
