"""What a reviewer would cross out is left out."""

from __future__ import annotations

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
from hybridgen.suite.tidying import tidy


def checked(*paths: str) -> tuple[Check, ...]:
    return tuple(Check(CheckKind.EQUAL, path, "1") for path in paths)


def paths_after_tidying(*paths: str) -> list[str]:
    step = Step(StepKind.PROBE, "f()")
    candidate = Candidate("f", (step,), Label.CONFIDENTIAL, "types")
    result = StepResult("ok", checks=checked(*paths))
    tidied = tidy(Observation(candidate, (result,), frozenset(), Label.CONFIDENTIAL))
    return [check.path for check in tidied.results[0].checks]


def test_private_attributes_are_not_asserted_beside_public_ones() -> None:
    assert paths_after_tidying(".total", "._lines", ".owner._name") == [".total"]


def test_private_attributes_are_asserted_where_nothing_else_is_known() -> None:
    assert paths_after_tidying("._lines") == ["._lines"]


def test_dunder_attributes_are_public() -> None:
    assert paths_after_tidying(".__name__", "._x") == [".__name__"]
