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
from hybridgen.suite.tidying import reworded, tidy


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


def sequence(*codes: str) -> Observation:
    """Steps of set-up and a probe whose value is 1."""
    steps = [Step(StepKind.SETUP, code) for code in codes[:-1]]
    steps.append(Step(StepKind.PROBE, codes[-1]))
    candidate = Candidate("f", tuple(steps), Label.CONFIDENTIAL, "types")
    results = (*[StepResult("ok")] * (len(codes) - 1), StepResult("ok", checks=checked("")))
    return Observation(candidate, results, frozenset(), Label.CONFIDENTIAL)


def test_a_variable_that_nothing_reads_goes() -> None:
    tidied = tidy(sequence("queue = Queue()", "x = queue.pop(0)", "n = 1", "n += 1", "queue.size"))
    codes = [step.code for step in tidied.candidate.steps]
    assert codes == ["queue = Queue()", "queue.pop(0)", "n = 1", "n += 1", "queue.size"]


def test_a_hash_is_compared_with_that_of_an_equal_object() -> None:
    found = reworded(sequence("card = Card('a')", "hash(card) == hash(card)"), ())
    assert found.candidate.steps[-1].code == "hash(card) == hash(Card('a'))"
    changed = sequence("card = Card('a')", "card.turn()", "hash(card) == hash(card)")
    assert reworded(changed, ()).candidate.steps[-1].code == "hash(card) == hash(card)"
