"""Short questions to a model on this machine, in whole runs; only the model's words are made up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from hybridgen import pipeline
from hybridgen.backends import FakeBackend
from hybridgen.cli.progress import SilentProgress
from hybridgen.domain import Asked, Breadth, Completion, Label, Outcome, Prompt
from hybridgen.errors import EngineError
from hybridgen.pipeline.consulting import HEATS
from hybridgen.pipeline.questioning import MOST_BARREN, rate
from hybridgen.settings import load_settings

DOOR = '''
"""Doors."""


def open_door(word: str, times: int = 1) -> str:
    """Opens the door to whoever knows the word.

    Longer words are better.
    """
    if len(word) == 7 and word == word[::-1] and word.startswith("rac") and "e" in word:
        return "secret room" * times
    return "closed"
'''
LOCK = '''
"""Locks."""


class Lock:
    def __init__(self, code: str) -> None:
        self._code = code
        self._open = 0

    def turn(self, key: str) -> None:
        if key[::-1] == self._code + "!":
            self._open += 1

    def state(self) -> str:
        if self._open == 3 and self._code == "abracadabra":
            return "wide open"
        return "shut"
'''

LETTER = '''
"""Letters."""

from hashlib import sha256


def greet(word):
    if sha256(word.encode()).hexdigest().startswith("4cba25bbfdde6368b9daa476f5e4379f"):
        return "found"
    return "none"


def read(text: str) -> list:
    """Reads a letter."""
    return [greet(line) for line in text.splitlines()]
'''


class Model(FakeBackend):
    """Answers several at once, as the model on this machine does.

    Attributes:
        samples: temperatures and seeds of questions about open code, one after the other.
    """

    def __init__(self, answers: Sequence[str | EngineError]) -> None:
        super().__init__(answers)
        self.samples: list[Sequence[tuple[float, int]]] = []

    def breadth(self, label: Label) -> Breadth:
        return Breadth.NARROW

    def sample(
        self, prompt: Prompt, *, samples: Sequence[tuple[float, int]], **options: Any
    ) -> list[Completion]:
        if is_about_open_code(prompt):
            self.samples.append(samples)
        return [
            self.complete(prompt, temperature=heat, seed=seed, **options) for heat, seed in samples
        ]


def is_about_open_code(prompt: Prompt) -> bool:
    return "never executed" in "".join(part.text for part in prompt.request)


Generate = Callable[[str, Model], Outcome]


@pytest.fixture
def generate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generate:
    # The search would find what is asked for by luck, or look for it for very long.
    monkeypatch.setattr("hybridgen.explore.search.OPEN_PLATEAU", 0.2)
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text("[project]\nname = 'door'\nversion = '1'\n")

    def generate(code: str, model: Model) -> Outcome:
        (root / "door.py").write_text(dedent(code))
        [outcome] = pipeline.generate(
            [str(root / "door.py")],
            load_settings(None, {"budget": 25.0, "cache": False}, environment={}),
            lambda: model,
            SilentProgress(),
            is_dry_run=True,
            policy=pipeline.Policy(models={"local": "made up"}),
        )
        return outcome

    return generate


def request(prompt: Prompt) -> str:
    return "".join(part.text for part in prompt.request)


def test_values_that_the_model_knows_reach_what_the_search_does_not(generate: Generate) -> None:
    model = Model(["'hello',\n    'racecar',\n]"])
    outcome = generate(DOOR, model)
    assert outcome.coverage_after is not None
    assert outcome.coverage_after.pooled == 100
    assert "racecar" in (outcome.diff or "")
    assert outcome.questions["values"].times == 1
    assert outcome.questions["values"].gained > 0
    first = model.prompts[0]
    assert "a list of different values of `word`" in request(first)
    assert first.answer_start.endswith("word = [\n    ")
    assert first.label is Label.CONFIDENTIAL


def test_question_tells_what_is_open_and_for_what_but_not_the_whole_source(
    generate: Generate,
) -> None:
    model = Model(["]"])
    generate(DOOR, model)
    text = request(model.prompts[0])
    assert 'word == word[::-1] and word.startswith("rac")' in text
    assert "Opens the door to whoever knows the word." in text
    assert 'return "closed"' not in text


def test_each_question_has_answers_at_rising_temperature_with_seeds_of_their_own(
    generate: Generate,
) -> None:
    model = Model(["]"])
    generate(DOOR, model)
    heats = [tuple(heat for heat, _ in asked) for asked in model.samples]
    assert heats[0] == HEATS[:2]
    assert sorted(HEATS) == list(HEATS)
    assert all(len({seed for _, seed in asked}) == len(asked) for asked in model.samples)


def test_answers_that_reach_nothing_end_their_question(generate: Generate) -> None:
    model = Model(["'nothing of use']"])
    generate(DOOR, model)
    assert {tuple(heat for heat, _ in asked) for asked in model.samples} == {HEATS[:2]}


def test_answers_that_reach_something_are_followed_by_bolder_ones(generate: Generate) -> None:
    model = Model(["'hello', 'racecar']"])
    generate(DOOR, model)
    assert [tuple(heat for heat, _ in asked) for asked in model.samples] == [HEATS[:2], HEATS[2:]]


def test_what_gains_nothing_for_long_is_asked_no_more(generate: Generate) -> None:
    locks = "".join(
        f"def lock_{n}(a, b):\n    if hash((a, b)) == {n} + 123456789:\n        return {n}\n\n\n"
        for n in range(MOST_BARREN)
    )
    model = Model(["]"])
    generate(locks, model)
    assert len(model.samples) == MOST_BARREN


def test_what_brought_nothing_is_not_asked_again(generate: Generate) -> None:
    model = Model(["'nothing of use']"])
    generate(DOOR, model)
    asked = [prompt.fragments for prompt in model.prompts if is_about_open_code(prompt)]
    assert len(asked) == len(HEATS[:2]) * len(set(asked))
    assert len(set(asked)) == 2  # one for each parameter


def test_nothing_is_asked_where_the_search_leaves_nothing_open(generate: Generate) -> None:
    model = Model(["'racecar']"])
    outcome = generate("def double(amount: int) -> int:\n    return amount * 2\n", model)
    assert outcome.tests_kept == 1
    assert model.prompts == []


def test_scenario_builds_what_no_single_value_does(generate: Generate) -> None:
    code = dedent(
        """
        "abracadabra")
            lock.turn("!arbadacarba")
            lock.turn("!arbadacarba")
            lock.turn("!arbadacarba")
            assert lock.state() == "open"
        """
    ).strip()
    model = Model([code])
    outcome = generate(LOCK, model)
    assert outcome.coverage_after is not None
    assert outcome.coverage_after.pooled == 100
    assert "wide open" in (outcome.diff or "")
    assert any("makes a `Lock`" in request(prompt) for prompt in model.prompts)


def test_model_that_fails_costs_its_answers_only(generate: Generate) -> None:
    outcome = generate(DOOR, Model([EngineError("the model's process ended", "look")]))
    assert outcome.error is None
    assert outcome.tests_kept > 0
    assert any("the model's process ended" in note for note in outcome.notes)


def test_kind_that_was_never_asked_is_tried_before_one_that_brought_nothing() -> None:
    nothing, much, fast = Asked(1, 0, 10.0), Asked(1, 9, 10.0), Asked(1, 9, 5.0)
    assert sorted([nothing, fast, Asked(), much], key=rate) == [nothing, Asked(), much, fast]


class Loading(Model):
    """Notes what it was told before it was asked."""

    def __init__(self) -> None:
        super().__init__(["]"])
        self.begun: list[str] = []

    def begin(self, label: Label, about: str) -> None:
        assert not self.prompts
        self.begun.append(about)


@pytest.mark.parametrize(("code", "times"), [(DOOR, 1), ("def one() -> int:\n    return 1\n", 0)])
def test_model_loads_while_the_search_goes_on_where_something_stays_open(
    generate: Generate, monkeypatch: pytest.MonkeyPatch, code: str, times: int
) -> None:
    monkeypatch.setattr("hybridgen.pipeline.finding.LOAD_AFTER", 0.0)
    model = Loading()
    generate(code, model)
    assert model.begun == [dedent(code)] * times


def test_whole_text_is_asked_for_where_it_leads_to_open_code(generate: Generate) -> None:
    model = Model(['Dear Sir,\n\nDear and worthy, flood of pain!\n"""'])
    outcome = generate(LETTER, model)
    asked = [prompt for prompt in model.prompts if is_about_open_code(prompt)]
    assert asked[0].answer_start.endswith('def test_read():\n    text = """')
    assert "Reads a letter." in request(asked[0])
    assert "if sha256(word" in request(asked[0])
    assert outcome.questions["text"].gained > 0
    assert outcome.coverage_after is not None
    assert outcome.coverage_after.pooled == 100
