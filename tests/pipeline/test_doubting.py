"""What becomes of suspects: reported, promised as failing tests, or only left out."""

from textwrap import dedent

import pytest

from hybridgen.domain import (
    Candidate,
    Check,
    CheckKind,
    Label,
    Observation,
    Step,
    StepKind,
    StepResult,
)
from hybridgen.pipeline.doubting import doubt, with_further
from hybridgen.source import find_project, read_module, select

SOURCE = '''
def encode(text: str) -> str:
    """
    >>> encode("a")
    'b'
    """
    return text if text else None


def decode(text: str) -> str:
    return text
'''


@pytest.fixture
def module(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'shop'\nversion = '1'\n")
    path = tmp_path / "shop.py"
    path.write_text(dedent(SOURCE))
    return read_module(select([str(path)])[0], find_project(path, python=None, tests=None))


def seen(code, expression, origin="search"):
    step = Step(StepKind.PROBE, code)
    kind = CheckKind.IS if expression == "None" else CheckKind.EQUAL
    result = StepResult("ok", checks=(Check(kind, "", expression),))
    candidate = Candidate("encode", (step,), Label.CONFIDENTIAL, origin)
    return Observation(candidate, (result,), frozenset(), Label.CONFIDENTIAL)


GOOD, BAD = seen("encode('x')", "'x'"), seen("encode('')", "None")


def test_doctests_run_first_and_laws_last(module):
    usual = (GOOD.candidate, BAD.candidate)
    found = with_further(usual, module, module.targets, (GOOD, BAD), ())
    assert [item.origin for item in found][:3] == ["doctest session", "search", "search"]
    assert {item.origin for item in found[3:]} == {"law"}
    assert "decode(encode('x'))" in [item.steps[-1].code for item in found]


@pytest.mark.parametrize(
    ("mode", "reported", "promised"), [("report", 1, 0), ("xfail", 1, 1), ("drop", 0, 0)]
)
def test_a_strong_suspect_never_stays_among_the_tests(module, mode, reported, promised):
    doubted = doubt((GOOD, BAD), module, module.targets, mode)
    assert doubted.observations == (GOOD,)
    assert (len(doubted.suspects), len(doubted.promised)) == (reported, promised)
    assert doubted.left_out == 1


def test_what_ran_for_suspects_only_becomes_no_test(module):
    law = seen("decode(encode('x'))", "'x'", origin="law")
    assert doubt((GOOD, law), module, module.targets, "report").observations == (GOOD,)


def test_suspects_of_targets_that_nobody_asked_for_are_not_told(module):
    others = [target for target in module.targets if target.qualname == "decode"]
    assert doubt((GOOD, BAD), module, others, "report").suspects == ()
