"""A kept answer belongs to the label of its question: equal words of another label ask anew."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from itertools import permutations
from pathlib import Path

import pytest

from hybridgen.backends import FakeBackend
from hybridgen.backends.caching import CachingBackend
from hybridgen.backends.replies import FILE_NAME, ReplyStore
from hybridgen.domain import Completion, Fragment, Label, Prompt


def prompt(label: Label) -> Prompt:
    part = Fragment("the same words", label, "a.py:1", "made by a test")
    return Prompt((part,), (part,), (part,), part)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "replies"


@pytest.fixture
def public(folder: Path) -> FakeBackend:
    """Its answer to public words is known."""
    backend = FakeBackend(["said of public words"])
    ask(folder, backend, Label.PUBLIC)
    return backend


def ask(folder: Path, backend: FakeBackend, label: Label) -> Completion:
    cache = CachingBackend(lambda: backend, ReplyStore(folder), model="w", options={})
    with closing(cache):
        deadline = time.monotonic() + 60
        return cache.complete(
            prompt(label), max_tokens=50, temperature=0.0, seed=1, deadline=deadline
        )


@pytest.mark.parametrize(("first", "second"), permutations(Label, 2))
def test_answer_for_one_label_is_never_given_for_another(
    folder: Path, first: Label, second: Label
) -> None:
    said, other = FakeBackend(["said first"]), FakeBackend(["said second"])
    assert "said first" in ask(folder, said, first).text
    again = ask(folder, other, second)
    assert "said second" in again.text
    assert again.label is second
    third = FakeBackend(["said third"])
    assert "said first" in ask(folder, third, first).text  # each is kept beside the other
    assert "said second" in ask(folder, third, second).text


def test_kept_answer_with_another_label_is_not_believed(folder: Path, public: FakeBackend) -> None:
    with closing(sqlite3.connect(folder / FILE_NAME)) as database, database:
        database.execute("UPDATE replies SET label = ?", (int(Label.CONFIDENTIAL),))
    other = FakeBackend(["said anew"])
    assert "said anew" in ask(folder, other, Label.PUBLIC).text
    assert other.prompts
