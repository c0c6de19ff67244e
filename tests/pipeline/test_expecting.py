"""What calls should give by the docstring, in whole runs; only the model's words are made up."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hybridgen import pipeline
from hybridgen.backends import FakeBackend
from hybridgen.cli.progress import SilentProgress
from hybridgen.domain import (
    AGREED,
    Breadth,
    Candidate,
    Check,
    CheckKind,
    Completion,
    Label,
    Observation,
    Outcome,
    Prompt,
    Step,
    StepKind,
    StepResult,
    Strength,
    Usage,
)
from hybridgen.pipeline.expecting import contradicted
from hybridgen.settings import load_settings

ORDINALS = '''
"""Numbers in words."""


def ordinal(number: int) -> str:
    """The English ordinal of a number from 0 to 3, as a word: the first, the second, the third."""
    if number == 0:
        return "zeroth"
    if number == 1:
        return "first"
    if number == 2:
        return "secnod"
    if number == 3:
        return "third"
    return "later"
'''
WORDS = {0: "zeroth", 1: "first", 2: "second", 3: "third"}


class Reader(FakeBackend):
    """Knows what the docstring means, and answers about the calls that it is asked about."""

    def complete(self, prompt: Prompt, **options: Any) -> Completion:
        made = super().complete(prompt, **options)
        request = "".join(part.text for part in prompt.request)
        calls = [line for line in request.split("\n") if line.startswith("ordinal(")]
        lines = [f"assert {call} == {self.word(call)!r}" for call in calls]
        text = "\n".join(["```python", *lines])
        return Completion(text, made.label, made.backend, made.model, made.usage)

    def word(self, call: str) -> str:
        number = ast.literal_eval(call.removeprefix("ordinal"))
        return WORDS.get(number, "later")


Generate = Callable[[str, FakeBackend], Outcome]


@pytest.fixture
def generate(tmp_path: Path) -> Generate:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'words'\nversion = '1'\n")

    def generate(code: str, model: FakeBackend) -> Outcome:
        (tmp_path / "words.py").write_text(code)
        [outcome] = pipeline.generate(
            [str(tmp_path / "words.py")],
            load_settings(None, {"budget": 25.0, "cache": False}, environment={}),
            lambda: model,
            SilentProgress(),
            is_dry_run=True,
            policy=pipeline.Policy(models={"local": "made up"}),
        )
        return outcome

    return generate


def asked(model: FakeBackend) -> list[Prompt]:
    texts = ["".join(part.text for part in prompt.request) for prompt in model.prompts]
    told = zip(model.prompts, texts, strict=True)
    return [prompt for prompt, text in told if "What do these calls give?" in text][::4]


def test_value_that_a_model_reads_otherwise_in_the_docstring_is_a_weak_suspect(
    generate: Generate,
) -> None:
    model = Reader()
    outcome = generate(ORDINALS, model)
    [suspect] = [item for item in outcome.suspects if "model" in item.evidence]
    assert suspect.strength is Strength.WEAK
    assert (suspect.call, suspect.expected) == ("ordinal(2)", "'second'")
    assert outcome.questions["expectation"].times == 1
    assert outcome.questions["expectation"].gained == 1
    assert asked(model)[0].label is Label.CONFIDENTIAL
    assert "secnod" not in "".join(part.text for part in asked(model)[0].fragments)
    assert '(2, "secnod")' in (outcome.diff or "")


def test_code_that_does_what_the_docstring_says_is_no_suspect(generate: Generate) -> None:
    outcome = generate(ORDINALS.replace("secnod", "second"), Reader())
    assert outcome.questions["expectation"].times == 1
    assert outcome.questions["expectation"].gained == 0
    assert outcome.suspects == ()


def test_nothing_is_asked_about_a_function_without_words(generate: Generate) -> None:
    lines = ORDINALS.split("\n")
    code = "\n".join(line for line in lines if "The English ordinal" not in line)
    model = Reader()
    assert "expectation" not in generate(code, model).questions
    assert asked(model) == []


def test_models_that_understand_too_little_are_not_asked(generate: Generate) -> None:
    class Small(Reader):
        def breadth(self, label: Label) -> Breadth:
            return Breadth.NARROW

    model = Small()
    assert "expectation" not in generate(ORDINALS, model).questions
    assert asked(model) == []


def test_calls_that_stand_in_the_docstring_are_not_asked_about(generate: Generate) -> None:
    shown = "    >>> ordinal( 1 )\n    'first'\n    "
    model = Reader()
    generate(ORDINALS.replace('third."""', f'third.\n\n{shown}"""'), model)
    text = "".join(part.text for part in asked(model)[0].fragments)
    assert "\nordinal(1)\n" not in text
    assert "\nordinal(2)\n" in text


def seen(call: str, value: object) -> tuple[str, tuple[Observation, object]]:
    step = Step(StepKind.PROBE, call)
    candidate = Candidate("f", (step,), Label.CONFIDENTIAL, "search")
    result = StepResult("ok", (Check(CheckKind.EQUAL, "", repr(value)),))
    return call, (Observation(candidate, (result,), frozenset(), Label.CONFIDENTIAL), value)


KNOWN = dict([seen("f(1)", "one"), seen("f(2)", "two"), seen("f(3)", "tree")])
RIGHT = {"f(1)": "one", "f(2)": "two", "f(3)": "three"}


def opinions(answers: Sequence[dict[str, Any]], known: Any = KNOWN) -> list[tuple[str, str | None]]:
    completions = [
        Completion(
            "```python\n" + "\n".join(f"assert {call} == {value!r}" for call, value in one.items()),
            Label.CONFIDENTIAL,
            "local",
            "tiny",
            Usage(0, 0, 0.0),
        )
        for one in answers
    ]
    found = contradicted(completions, known)
    assert all(item.candidate.origin == AGREED for item in found)
    assert all(item.results[0].opinion_holds is False for item in found)
    return [(item.candidate.steps[0].code, item.candidate.steps[0].opinion) for item in found]


SUSPECT = [("f(3)", "_ == 'three'")]


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ([RIGHT] * 4, SUSPECT),
        ([RIGHT] * 3 + [{}], SUSPECT),
        ([RIGHT] * 2 + [{}] * 2, []),
        ([RIGHT] * 3 + [{**RIGHT, "f(3)": "tree"}], []),
        ([RIGHT] * 3 + [{**RIGHT, "f(2)": "2"}], SUSPECT),
        ([{**RIGHT, "f(2)": "one"}] * 4, []),
        ([{"f(3)": "three"}] * 4, []),
    ],
)
def test_opinion_counts_where_answers_agree_and_the_function_is_understood(
    answers: Sequence[dict[str, Any]], found: list[tuple[str, str]]
) -> None:
    assert opinions(answers) == found


def test_echoes_of_arguments_do_not_show_that_a_function_is_understood() -> None:
    known = dict([seen("f('a')", "a"), seen("f('b')", ""), seen("f('c')", "tree")])
    assert opinions([{"f('a')": "a", "f('b')": "", "f('c')": "three"}] * 4, known) == []


def test_rounded_numbers_are_no_contradiction() -> None:
    known = dict([seen("f(1)", "one"), seen("f(2)", "two"), seen("f(3)", 0.33333333)])
    assert opinions([{"f(1)": "one", "f(2)": "two", "f(3)": 0.3333}] * 4, known) == []
    assert opinions([{"f(1)": "one", "f(2)": "two", "f(3)": 0.5}] * 4, known) != []
