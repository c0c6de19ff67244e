"""Patterns in gitignore syntax, read narrowly where they loosen and broadly where they tighten."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from hybridgen.label.patterns import Patterns

stars = st.text(st.sampled_from("aab*?/"), min_size=1, max_size=9).filter(
    lambda text: "**" not in text and "//" not in text and text.strip("/")
)
names = st.lists(st.sampled_from(["a", "b", "A", "ab.py", "b.py"]), min_size=1, max_size=3)
lines = st.lists(
    st.sampled_from(["a", "/a", "a/", "*.py", "a/*.py", "**/b.py", "/a/**", "ab.*", "?", "[ab]"]),
    min_size=1,
    max_size=3,
)


@settings(deadline=None)
@given(lines, names)
def test_list_without_exceptions_says_what_git_says_or_more(lines, names) -> None:
    name = "/".join(names)
    is_in_git = GitIgnoreSpec.from_lines(lines).match_file(name)
    patterns = Patterns(lines)
    assert (patterns.loosening(name, [name]) is not None) == is_in_git
    assert patterns.tightening([name]) is not None or not is_in_git


@settings(deadline=None)
@given(stars, st.text(st.sampled_from("aab/"), min_size=1, max_size=12))
def test_pattern_with_many_stars_says_what_git_says(pattern, name) -> None:
    name = "/".join(part for part in name.split("/") if part)
    is_in_git = GitIgnoreSpec.from_lines([pattern]).match_file(name)
    assert (Patterns([pattern]).loosening(name, [name]) is not None) == is_in_git


def test_pattern_made_to_take_long_takes_no_time() -> None:
    # Without care this takes longer than the age of the universe.
    name = "a" * 250
    assert Patterns(["*a" * 30 + "b"]).tightening([name]) is None
    assert Patterns(["*a" * 30 + "*"]).tightening([name]) is not None
    with pytest.raises(ValueError, match="more than"):
        Patterns(["**/a/" * 9])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["/src/", "!/src/key.py"], None),
        (["!/src/key.py", "/src/"], "/src/"),
        (["/src/", "!/SRC/Key.py"], None),
        (["/src/", "!/link.py"], None),
        (["/src/", "!/src/"], None),
        (["/SRC/"], None),
        (["/link.py"], None),
        ([], None),
        (["# /src/", "", "  "], None),
    ],
)
def test_exception_from_what_loosens_counts_for_every_name_in_any_case(lines, expected) -> None:
    assert Patterns(lines).loosening("src/key.py", ["src/key.py", "link.py"]) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["/SRC/"], "/SRC/"),
        (["/link.py"], "/link.py"),
        (["*.py", "!key.py"], "*.py"),  # the link is still on the list
        (["key.py", "!KEY.py"], "key.py"),
        (["key.py", "!key.py"], None),
        (["/src/", "!/src/key.py"], "/src/"),
        (["/src/*", "!/src/key.py"], None),
    ],
)
def test_exception_from_what_tightens_counts_as_it_is_written(lines, expected) -> None:
    assert Patterns(lines).tightening(["src/key.py", "link.py"]) == expected


@pytest.mark.parametrize("line", ["[", "a[", "foo\\", "/"])
def test_line_that_is_no_pattern_is_an_error(line) -> None:
    with pytest.raises(ValueError, match="is no pattern"):
        Patterns(["a.py", line])


def test_length_is_the_number_of_patterns() -> None:
    assert len(Patterns(["", "# a", "b", "!c"])) == 2


def test_name_that_folds_to_a_comment_is_a_pattern() -> None:
    line = "\N{FULLWIDTH NUMBER SIGN}a.py"
    assert Patterns([line]).tightening([f"pkg/{line}"]) == line
    assert Patterns([line, "!x"]).tightening([f"pkg/{line}"]) == line


def test_longer_line_than_any_path_is_an_error() -> None:
    assert Patterns(["a*" * 2_000]).tightening(["a" * 2_000]) is not None
    with pytest.raises(ValueError, match="800000 characters"):
        Patterns(["a*" * 400_000])


def test_comment_may_hold_what_it_likes() -> None:
    assert len(Patterns(["#\f" + "*" * 5_000, "# [[:alpha:]]", "a.py"])) == 1


@pytest.mark.parametrize("line", ["a.py\nb.py", "a.py\0", "a.py\r", "# one\ra.py", "#\0\na"])
def test_line_with_a_control_character_is_an_error(line) -> None:
    with pytest.raises(ValueError, match="control character"):
        Patterns([line])


@pytest.mark.parametrize(
    "line",
    [
        *("[[:alpha:]]*", "x[a\\]b]", "[\\]]", "[[]", "[a&&b]", "[a--b]"),
        *("***", "a/***/b", "a**/b", "!a**/b"),
    ],
)
def test_line_that_git_reads_otherwise_is_an_error(line) -> None:
    with pytest.raises(ValueError, match="as git reads it"):
        Patterns(["a.py", line])


def test_line_that_looks_like_it_is_a_pattern() -> None:
    lines = ["\\[id\\].py", "[]a]", "[!]a-z0-9_-]*", "!**/b", "**/c/**", "d**", "# [[:alpha:]] ***"]
    assert len(Patterns(lines)) == 6
    assert Patterns(lines[:1]).tightening(["app/[id].py"]) == "\\[id\\].py"
