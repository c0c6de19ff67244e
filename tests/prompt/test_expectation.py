"""Questions about what calls should give, and about names of tests: gold files, what is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hybridgen.domain import Fragment, Label, Module, Prompt, Target
from hybridgen.prompt import (
    Expectation,
    Naming,
    build_expectation,
    build_naming,
    is_documented,
)

GOLD = Path(__file__).parent / "gold"


def count(texts: Sequence[str]) -> list[int]:
    """A token a word, so that budgets can be read off."""
    return [len(text.split()) for text in texts]


def call(text: str, label: Label = Label.INTERNAL) -> Fragment:
    return Fragment(text, label, "bank.py", "seen in a run")


def whole(prompt: Prompt | None) -> str:
    assert prompt is not None
    parts = (*prompt.system, *prompt.context, *prompt.request)
    return "".join(part.text for part in parts) + prompt.answer_start


def test_expectation_is_the_one_in_the_gold_file(
    module: Module, target: Callable[[str], Target]
) -> None:
    question = Expectation(target("fee"), (call("fee(3)"), call("fee(0, rate=1.5)")))
    prompt = build_expectation(question, module, count_tokens=count)
    gold = GOLD / "question-fee-expectation.txt"
    assert whole(prompt) + "\n" == gold.read_text(encoding="utf-8")


def test_expectation_shows_the_docstring_and_nothing_of_the_source(
    module: Module, target: Callable[[str], Target]
) -> None:
    question = Expectation(target("fee"), (call("fee(3)"),))
    text = whole(build_expectation(question, module, count_tokens=count))
    assert ">>> fee(10)" in text
    assert "LIMIT" not in text
    assert "_round" not in text


def test_calls_that_do_not_fit_are_not_asked_about(
    module: Module, target: Callable[[str], Target]
) -> None:
    calls = [call(f"fee({', '.join(['1'] * 30)}, {number})") for number in range(5)]
    prompt = build_expectation(
        Expectation(target("fee"), tuple(calls)), module, count_tokens=count, most_tokens=170
    )
    assert whole(prompt).count("fee(1,") == 3 + 1  # and at the start of the answer
    assert len(prompt.cut if prompt else ()) == 2


def test_expectation_without_room_for_a_call_is_not_asked(
    module: Module, target: Callable[[str], Target]
) -> None:
    question = Expectation(target("fee"), (call("x " * 500),))
    assert build_expectation(question, module, count_tokens=count) is None


def test_of_a_long_docstring_the_first_paragraph_stays(
    module: Module, target: Callable[[str], Target]
) -> None:
    told = replace(target("fee"), docstring=f"The fee.\n\n{'Long. ' * 300}\n\nReturns an amount.")
    question = Expectation(told, (call("fee(3)"),))
    text = whole(build_expectation(question, module, count_tokens=count))
    assert "The fee." in text
    assert "Returns an amount." in text
    assert "Long." not in text


def test_expectation_is_as_confidential_as_what_is_known_of_runs(
    module: Module, target: Callable[[str], Target]
) -> None:
    question = Expectation(target("fee"), (call("fee(3)", Label.CONFIDENTIAL),))
    prompt = build_expectation(question, module, count_tokens=count)
    assert prompt is not None
    assert prompt.label is Label.CONFIDENTIAL


@pytest.mark.parametrize(
    ("docstring", "answer"),
    [
        (None, False),
        ("The fee.", False),
        ("1 2 3 4 5 6 7 8 9", False),
        ("The fee of an amount, rounded to cents.", True),
    ],
)
def test_few_words_document_nothing(
    target: Callable[[str], Target], docstring: str | None, answer: bool
) -> None:
    assert is_documented(replace(target("fee"), docstring=docstring)) is answer


def naming(target: Target) -> Naming:
    return Naming(target, "test_fee_with_", "assert fee(1000) == 500.0", "assert fee(3) == 0.0")


def test_question_for_a_name_is_the_one_in_the_gold_file(
    module: Module, target: Callable[[str], Target]
) -> None:
    prompt = build_naming(naming(target("fee")), module, count_tokens=count)
    gold = GOLD / "question-fee-name.txt"
    assert whole(prompt) + "\n" == gold.read_text(encoding="utf-8")


def test_name_is_not_asked_for_without_room_for_both_tests(
    module: Module, target: Callable[[str], Target]
) -> None:
    question = replace(naming(target("fee")), other="x " * 500)
    assert build_naming(question, module, count_tokens=count) is None
