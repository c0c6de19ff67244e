"""Short questions: gold files, what fits, what is asked about whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hybridgen.domain import (
    Breadth,
    Fragment,
    Label,
    Module,
    Parameter,
    ParameterKind,
    Prompt,
    Target,
)
from hybridgen.prompt import LIMITS, Question, QuestionKind, build_question, questions

GOLD = Path(__file__).parent / "gold"
PLACE = "if amount > LIMIT:\n    return _round(amount * rate)"
EMPTY = "if amount <= 0:\n    raise ValueError('no money')"


def count(texts: Sequence[str]) -> list[int]:
    """A token a word, so that budgets can be read off."""
    return [len(text.split()) for text in texts]


def fragment(text: str, label: Label = Label.INTERNAL) -> Fragment:
    return Fragment(text, label, "bank.py:17", "made by a test")


def build(module: Module, question: Question, breadth: Breadth = Breadth.NARROW) -> Prompt | None:
    return build_question(
        question, module, import_name="shop.bank", count_tokens=count, limits=LIMITS[breadth]
    )


def asked_of(
    target: Target,
    missing: Sequence[Fragment],
    works: Fragment | None = None,
    breadth: Breadth = Breadth.NARROW,
) -> list[Question]:
    return list(questions(target, missing, works, breadth))


def whole(prompt: Prompt | None) -> str:
    assert prompt is not None
    parts = (*prompt.system, *prompt.context, *prompt.request)
    return "".join(part.text for part in parts) + prompt.answer_start


@pytest.mark.parametrize(
    ("name", "kind", "missing", "works"),
    [
        ("fee", "values", PLACE, "fee(3)"),
        ("Account.pay", "values", EMPTY, "Account('a').pay(1)"),
        ("Account.pay", "scenario", EMPTY, "Account('a').pay(1)"),
    ],
)
def test_question_is_the_one_in_the_gold_file(
    module: Module,
    target: Callable[[str], Target],
    name: str,
    kind: str,
    missing: str,
    works: str,
) -> None:
    asked = asked_of(target(name), [fragment(missing)], fragment(works))
    question = next(question for question in asked if question.kind == kind)
    gold = GOLD / f"question-{name}-{kind}.txt"
    assert whole(build(module, question)) + "\n" == gold.read_text(encoding="utf-8")


def test_nothing_is_asked_where_nothing_is_open(target: Callable[[str], Target]) -> None:
    assert asked_of(target("fee"), []) == []


def test_broad_questions_come_before_those_about_one_place(
    target: Callable[[str], Target],
) -> None:
    places = [fragment("if amount:\n    a"), fragment("if rate:\n    b")]
    asked = [(q.kind, q.parameter, q.missing) for q in asked_of(target("fee"), places)]
    assert asked == [
        (QuestionKind.VALUES, "amount", tuple(places)),
        (QuestionKind.VALUES, "rate", tuple(places)),
        (QuestionKind.BRANCH, "amount", (places[0],)),
        (QuestionKind.BRANCH, "amount", (places[1],)),
    ]


def test_parameter_that_the_open_condition_names_is_asked_first(
    target: Callable[[str], Target],
) -> None:
    first, *_ = asked_of(target("fee"), [fragment("if rate > 1:\n    b")])
    assert first.parameter == "rate"


def test_values_of_flags_and_functions_are_not_asked_for(target: Callable[[str], Target]) -> None:
    hints = {"flag": "bool", "then": "Callable[[], int]", "text": "str"}
    parameters = [Parameter(n, ParameterKind.POSITIONAL, h, None) for n, h in hints.items()]
    parameters.append(Parameter("deep", ParameterKind.POSITIONAL, None, "False"))
    parameters.append(Parameter("rest", ParameterKind.VAR_POSITIONAL, None, None))
    called = replace(target("fee"), parameters=tuple(parameters))
    asked = asked_of(called, [fragment("if flag and then():\n    x")])
    assert [question.parameter for question in asked] == ["text"]


def test_method_is_asked_for_a_scenario_too(target: Callable[[str], Target]) -> None:
    asked = asked_of(target("Account.pay"), [fragment("if x:\n    y")])
    assert [(q.kind, q.parameter) for q in asked] == [
        (QuestionKind.VALUES, "amount"),
        (QuestionKind.SCENARIO, None),
    ]


def test_what_does_not_fit_is_left_out_and_named(
    module: Module, target: Callable[[str], Target]
) -> None:
    places = [fragment(f"if amount == {n}:\n    return {'x ' * 20}") for n in range(9)]
    prompt = build(module, asked_of(target("fee"), places)[0])
    assert prompt is not None
    assert sum(count([part.text for part in prompt.request])) <= 200
    assert "missing: if amount == 8:" in prompt.cut
    assert "if amount == 0:" in whole(prompt)


def test_question_without_room_for_any_place_is_not_asked(
    module: Module, target: Callable[[str], Target]
) -> None:
    question = asked_of(target("fee"), [fragment("x " * 500)])[0]
    assert build(module, question) is None


def test_long_calls_are_no_example(module: Module, target: Callable[[str], Target]) -> None:
    works = fragment(f"fee({'1' * 300})")
    prompt = build(module, asked_of(target("fee"), [fragment(PLACE)], works)[0])
    assert "It is called like" not in whole(prompt)


def test_prompt_is_as_confidential_as_what_is_known_of_runs(
    module: Module, target: Callable[[str], Target]
) -> None:
    works = fragment("fee(3)", Label.CONFIDENTIAL)
    prompt = build(module, asked_of(target("fee"), [fragment(PLACE)], works)[0])
    assert prompt is not None
    assert prompt.label is Label.CONFIDENTIAL


@pytest.mark.parametrize("name", ["fee", "Account.pay"])
def test_models_that_are_asked_elsewhere_get_the_whole_source_first(
    module: Module, target: Callable[[str], Target], name: str
) -> None:
    asked = asked_of(target(name), [fragment(PLACE)], breadth=Breadth.WIDE)
    assert asked[0].kind is QuestionKind.SCENARIO
    for question in asked:
        assert target(name).source.split("\n")[-1] in whole(build(module, question, Breadth.WIDE))
    assert asked[1].kind is QuestionKind.VALUES


def test_larger_models_get_more_of_the_same_question(
    module: Module, target: Callable[[str], Target]
) -> None:
    places = [fragment(f"if amount == {n}:\n    return {'x ' * 20}") for n in range(9)]
    [question, *_] = asked_of(target("fee"), places)
    narrow, middle = (build(module, question, b) for b in (Breadth.NARROW, Breadth.MIDDLE))
    assert "if amount == 8:" not in whole(narrow)
    assert "if amount == 8:" in whole(middle)


def test_question_for_a_whole_text_is_the_one_in_the_gold_file(
    module: Module, target: Callable[[str], Target]
) -> None:
    question = Question(QuestionKind.TEXT, target("Account"), (fragment(EMPTY),), "owner")
    gold = GOLD / "question-Account-text.txt"
    assert whole(build(module, question)) + "\n" == gold.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("kind", "parameter", "end"),
    [
        (QuestionKind.VALUES, "owner", ["\n]"]),
        (QuestionKind.TEXT, "owner", ['"""']),
        (QuestionKind.SCENARIO, None, []),
    ],
)
def test_question_says_what_ends_its_answer(
    module: Module,
    target: Callable[[str], Target],
    kind: QuestionKind,
    parameter: str | None,
    end: list[str],
) -> None:
    prompt = build(module, Question(kind, target("Account"), (fragment(EMPTY),), parameter))
    assert prompt is not None
    assert prompt.stop == ("\n```", *end)
