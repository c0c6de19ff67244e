"""Texts with structure."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from hybridgen.domain import Module
from hybridgen.explore.values.texts import LONGEST, Texts, phrases_of, structure_of


def test_code_that_takes_texts_apart_is_recognised_through_what_it_calls(
    read: Callable[[str], Module],
) -> None:
    module = read(
        """
        def outer(text):
            return inner(text)

        def inner(text):
            return [line.strip() for line in text.splitlines()]

        def pair(text):
            return text.partition("=")

        def double(number):
            return number * 2
        """
    )
    targets = {target.qualname: target for target in module.targets}
    found = {name: structure_of(target, targets) for name, target in targets.items()}
    assert found == {"outer": "lines", "inner": "lines", "pair": "parts", "double": ""}


def test_examples_in_a_docstring_are_phrases_as_blocks_and_as_lines() -> None:
    phrases = phrases_of("Reads it::\n\n    [a]\n    b = 1\n\nand more.")
    assert "[a]\nb = 1" in phrases
    assert "    b = 1" in phrases


def test_words_of_the_code_end_up_in_texts_with_and_without_indentation() -> None:
    texts = Texts("lines", ["Notes:", "defaults to"], random.Random(0))
    made = [texts.compose() for _ in range(300)]
    lines = [line for text in made for line in text.split("\n")]
    assert any(line.startswith("Notes:") for line in lines)
    assert any(line.startswith("    ") and "defaults to" in line for line in lines)
    assert any("\n\n" in text for text in made)


def test_targets_without_lines_get_one_line() -> None:
    texts = Texts("parts", ["=", "||"], random.Random(0))
    assert all("\n" not in texts.compose() for _ in range(100))


@pytest.mark.parametrize("structure", ["lines", "parts"])
def test_changes_stay_short_and_differ(structure: str) -> None:
    texts = Texts(structure, ["a", "Notes:"], random.Random(0))
    text, seen = "one\n  two: three\n\nfour", set()
    for _ in range(500):
        text = texts.change(text, "Inputs:\n    x")
        assert len(text) <= LONGEST
        seen.add(text)
    assert len(seen) > 250


def test_changes_reach_lines_words_and_crossings() -> None:
    texts = Texts("lines", [], random.Random(0))
    text = "one\n  two: three\nfour"
    changed = {texts.change(text, "Inputs:\n    x") for _ in range(2000)}
    assert {"one\nfour", "one\ntwo: three\nfour", text + "\nInputs:\n    x"} <= changed
    assert any("    x" in other and other.startswith("one") for other in changed)
