"""Texts that match patterns, made without running the pattern."""

from __future__ import annotations

import re

import pytest

from hybridgen.explore.values.patterns import LONGEST, Patterns


@pytest.mark.parametrize(
    "pattern",
    [
        r"v?(\d+)(?:\.(\d+|x|\*))?(?:-([0-9A-Za-z.-]+))?",
        r"(?P<name>\w+)(?:\s*\((?P<kind>[^)]+)\))?\s*:\s*(?P<text>.*)",
        r"^:?-{3,}:?$",
        r"(['\"])x\1",
        r"(?i)foo[^\W\d]+",
        r"a{2,5}b??(?>c|d)",
        r"(a)?(?(1)b|c)",
    ],
)
def test_most_texts_match(pattern: str) -> None:
    texts = Patterns(0).matching(pattern)
    matching = [text for text in texts if re.search(pattern, text)]
    assert texts
    assert len(matching) > 0.8 * len(texts)


def test_alternatives_and_optional_parts_all_occur() -> None:
    texts = " ".join(Patterns(0).matching(r"(?:GET|PUT|POST) /(?:[a-z]+)?"))
    assert all(word in texts for word in ("GET", "PUT", "POST"))
    assert {text.endswith("/") for text in Patterns(0).matching(r"/(?:[a-z]+)?")} == {True, False}


def test_near_misses_are_near_and_mostly_miss() -> None:
    pattern = r"\d{4}-\d\d-\d\d"
    near = Patterns(0).near(pattern)
    assert near
    assert all(9 <= len(text) <= 10 for text in near)
    assert not any(re.fullmatch(pattern, text) for text in near)


def test_parts_of_a_pattern_are_given_alone() -> None:
    assert {">=", "^"} <= set(Patterns(0).parts(r"(>=|<=|\^|~)?(.*)"))


@pytest.mark.parametrize("pattern", ["(", "[", "a" * 1000, "(?P<x>a)(?P<x>b)"])
def test_what_cannot_be_parsed_gives_nothing(pattern: str) -> None:
    assert Patterns(0).matching(pattern) == ()
    assert Patterns(0).parts(pattern) == ()


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a{1000}){1000}", "((((a*)*)*)*)*b", "x{100000}"])
def test_hostile_patterns_give_short_texts(pattern: str) -> None:
    texts = Patterns(0).matching(pattern)
    assert texts
    assert all(len(text) <= LONGEST for text in texts)


def test_same_seed_gives_the_same_texts() -> None:
    assert Patterns(7).matching(r"\w+ \w+") == Patterns(7).matching(r"\w+ \w+")
