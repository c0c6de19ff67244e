"""Names for tests that have a number, in whole runs; only the model's words are made up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hybridgen import pipeline
from hybridgen.backends import FakeBackend
from hybridgen.cli.progress import SilentProgress
from hybridgen.domain import Completion, Label, Outcome, Prompt, TestFile, Usage
from hybridgen.pipeline.wording import agreed, numbered
from hybridgen.settings import load_settings

NOTE = '''
"""Notes."""


class Note:
    """What somebody wrote down."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        if len(self.text) > 12:
            return f"<Note {self.text[:9]}...>"
        return f"<Note {self.text}>"
'''


class Namer(FakeBackend):
    """Gives the same words to every test that has none."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words

    def complete(self, prompt: Prompt, **options: Any) -> Completion:
        made = super().complete(prompt, **options)
        is_name = prompt.answer_start.startswith("```python\ndef test_")
        text = f"{prompt.answer_start}{self.words}():\n" if is_name else "```python\n"
        return Completion(text, made.label, made.backend, made.model, made.usage)


Generate = Callable[[FakeBackend, float], Outcome]


@pytest.fixture
def generate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generate:
    # As where nothing that is known of tests tells them apart.
    monkeypatch.setattr("hybridgen.suite.naming._proposals", lambda *known: iter([""]))
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'notes'\nversion = '1'\n")
    (tmp_path / "notes.py").write_text(NOTE)

    def generate(model: FakeBackend, budget: float) -> Outcome:
        [outcome] = pipeline.generate(
            [str(tmp_path / "notes.py")],
            load_settings(None, {"budget": budget, "cache": False}, environment={}),
            lambda: model,
            SilentProgress(),
            is_dry_run=True,
            policy=pipeline.Policy(models={"local": "made up"}),
        )
        return outcome

    return generate


def test_number_gives_way_to_words_and_the_test_still_runs(generate: Generate) -> None:
    outcome = generate(Namer("long_text"), 40.0)
    diff = outcome.diff or ""
    assert diff.count("def test_repr_with_long_text(") == 1
    assert outcome.questions["name"].gained == 1
    assert outcome.tests_kept == diff.count("def test_")
    assert outcome.tests_dropped.get("failed", 0) == 0


def test_number_stays_where_words_are_wrong(generate: Generate) -> None:
    outcome = generate(Namer("raised_error"), 40.0)
    assert "def test_repr_2(" in (outcome.diff or "")
    assert outcome.questions["name"].times > 0
    assert outcome.questions["name"].gained == 0


def test_no_name_is_asked_for_where_time_is_short(generate: Generate) -> None:
    outcome = generate(Namer("long_text"), 12.0)
    assert "def test_repr_2(" in (outcome.diff or "")
    assert "name" not in outcome.questions


TESTS = """
def test_fee():
    assert fee(3) == 1


def test_fee_2():
    assert fee(1000) == 9


def test_fee_above_1():
    assert fee(7) == 2


def test_theirs_2():
    pass


def test_theirs():
    pass


class TestBank:
    def test_pay(self):
        assert Bank().pay(1) is None

    @pytest.mark.parametrize("amount", [2, 3])
    def test_pay_2(self, amount):
        assert Bank().pay(amount) is None

    def test_fee_3(self):
        assert Bank().fee == 3
"""


def test_test_is_numbered_if_another_has_its_name_without_the_number() -> None:
    own = ("test_fee", "test_fee_2", "test_fee_above_1")
    own += ("TestBank::test_pay", "TestBank::test_pay_2", "TestBank::test_fee_3")
    file = TestFile(Path("test_bank.py"), TESTS, None, own, Label.CONFIDENTIAL)
    found = numbered(file)
    assert [item.test for item in found] == ["test_fee_2", "TestBank::test_pay_2"]
    assert (found[0].body, found[0].other) == ("assert fee(1000) == 9", "assert fee(3) == 1")
    assert 'parametrize("amount", [2, 3])' in found[1].body


@pytest.mark.parametrize(
    ("names", "body", "words"),
    [
        (["long_text", "long_text", "odd"], "assert fee('x' * 9) == 1", "long_text"),
        (["long_text", "short_text", "odd"], "assert fee('x') == 1", ""),
        (["test_case", "test_case"], "assert fee(1) == 1", ""),
        (["none", "none"], "assert fee(1) == 1", ""),
        (["none", "none"], "assert fee(None) == 1", "none"),
        (["an_error", "an_error"], "assert fee(1) == 1", ""),
        (["an_error", "an_error"], "with pytest.raises(ValueError):\n    fee(1)", "an_error"),
        (["long_text", "long_text"], "with pytest.raises(ValueError):\n    fee(1)", ""),
        (["true", "true"], "assert fee(1) is False", ""),
        (["invalid_code", "invalid_code"], "assert fee(1) is True", ""),
        (["invalid_code", "invalid_code"], "assert fee(1) is False", "invalid_code"),
    ],
)
def test_name_is_what_answers_agree_on_and_the_test_does_not_belie(
    names: Sequence[str], body: str, words: str
) -> None:
    usage = Usage(0, 0, 0.0)
    completions = [
        Completion(f"def test_fee_with_{name}():", Label.CONFIDENTIAL, "local", "tiny", usage)
        for name in names
    ]
    assert agreed(completions, "test_fee_with_", body) == words
