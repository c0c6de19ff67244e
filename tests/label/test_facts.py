"""Marks and phrases in a file's first lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridgen.domain import Label
from hybridgen.label import Labeller, Mark, Rules
from hybridgen.label.facts import HEADER_LINES, Facts, read_facts
from hybridgen.label.imported import Import

PUBLIC, INTERNAL, CONFIDENTIAL = Label
MARK = "# hybridgen: public\n"


def marks(text: str | bytes, name: str = "a.py") -> list[Label]:
    """The labels to which comments in the file would loosen it."""
    data = text.encode() if isinstance(text, str) else text
    return [label for label, _ in read_facts(data, name).marks]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MARK, [PUBLIC]),
        ("#hybridgen:public\n", [PUBLIC]),
        ("# hybridgen: internal  \r\nx = 1\r\n", [INTERNAL]),
        ("#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n" + MARK, [PUBLIC]),
        ('"""Text."""\n\n' + MARK, [PUBLIC]),
        (MARK + "# hybridgen: internal\n", [PUBLIC, INTERNAL]),
        ("# hybridgen: confidential\n", []),
        ("# hybridgen: public, but ask Anna\n", []),
        ("# Hybridgen: Public\n", []),
        ("## hybridgen: public\n", []),
        ("x = 1  # hybridgen: public\n", []),
        ('"""\n# hybridgen: public\n"""\n', []),
        ('x = """\n# hybridgen: public\n', []),
        ("\n" * 5 + MARK, []),
        ("\n" * 4 + MARK, [PUBLIC]),
        ("# hybridgen: 3f2a9c1d public\n", []),
    ],
)
def test_only_a_comment_of_its_own_in_the_first_lines_loosens(text, expected) -> None:
    assert marks(text) == expected


def test_mark_in_a_file_that_is_not_python_loosens_nothing() -> None:
    assert marks(MARK, "a.pyi") == [PUBLIC]
    assert marks(MARK, "a.md") == []
    assert marks(MARK, "a.toml") == []


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("# hybridgen: confidential\n", "a.py", CONFIDENTIAL),
        ("# hybridgen: internal\n", "a.py", INTERNAL),
        ("# HYBRIDGEN: Confidential, ask Anna\n", "a.py", CONFIDENTIAL),
        ("<!-- hybridgen: confidential -->\n", "a.md", CONFIDENTIAL),
        ('"""\nhybridgen: internal\n"""\n', "a.py", INTERNAL),
        ("# hybridgen: pubic\n", "a.py", CONFIDENTIAL),
        ("# hybridgen : internal\n", "a.py", INTERNAL),
        ("# hybridgen: 'internal'\n", "a.py", INTERNAL),
        ("# hybridgen = internl\n", "a.py", CONFIDENTIAL),
        (MARK + "# hybridgen: confidential\n", "a.py", CONFIDENTIAL),
        (MARK, "a.py", PUBLIC),
    ],
)
def test_mark_in_any_kind_of_comment_tightens(label, text, name, expected) -> None:
    assert label({name: text}, name) is expected


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("\n" * 50 + "# hybridgen: 3f2a9c1d discount\ndef test(): ...\n", "a.py", CONFIDENTIAL),
        ("# hybridgen: 3f2a9c1d imports\nimport a\n", "test_a.py", CONFIDENTIAL),
        ("# hybridgen: 3f2a9c1d discount\n", "gallery.md", PUBLIC),
        ("def test(): ...\n", "test_a.py", PUBLIC),
    ],
)
def test_file_with_a_test_that_was_written_for_it_is_confidential(
    label, text, name, expected
) -> None:
    assert label({name: text, "a.py": text}, name) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Confidential\n", CONFIDENTIAL),
        ("# COMPANY CONFIDENTIAL - do not copy\n", CONFIDENTIAL),
        ('"""Proprietary and\nmore."""\n', CONFIDENTIAL),
        ("# Copyright 2020 X. All Rights\n#   Reserved.\n", CONFIDENTIAL),
        ("# All rights reserved", CONFIDENTIAL),
        ("# For internal use only.\n", INTERNAL),
        ("# Internal use only. Confidential.\n", CONFIDENTIAL),
        (
            "# \N{FULLWIDTH LATIN CAPITAL LETTER C}onfidential\n",
            CONFIDENTIAL,
        ),
        ("# Internal-use-only\n", INTERNAL),
        ("# Internal\N{NON-BREAKING HYPHEN}use_only\n", INTERNAL),
        ("#Confidential_Acme\n", CONFIDENTIAL),
        ("# Confidentia\N{ZERO WIDTH SPACE}l\n", CONFIDENTIAL),
        ("# Pro\N{SOFT HYPHEN}prie\N{WORD JOINER}tary\n", CONFIDENTIAL),
        ("# Trade secrets_and more: trade-secret\n", CONFIDENTIAL),
        ("# Strictly private\n", CONFIDENTIAL),
        ("class Label:\n    CONFIDENTIAL = 2\n    TRADE_SECRET = 3\n", PUBLIC),
        ("# nonproprietary\n", PUBLIC),
        ("\n" * HEADER_LINES + "# Confidential\n", PUBLIC),
        ("# Permission is hereby granted, free of charge\n", PUBLIC),
    ],
)
def test_phrase_in_the_first_lines_tightens(label, text, expected) -> None:
    assert label({"a.py": text}, "a.py") is expected


def test_phrase_counts_in_the_raw_lines_of_other_files(label) -> None:
    assert label({"a.md": "All rights\nreserved\n"}, "a.md") is CONFIDENTIAL
    assert label({"a.toml": "x = 'proprietary'\n"}, "a.toml") is CONFIDENTIAL


def test_phrase_counts_in_python_that_cannot_be_read_as_such(label) -> None:
    assert label({"a.py": "x = '''\nConfidential\n"}, "a.py") is CONFIDENTIAL


@pytest.mark.parametrize(
    "phrase",
    ["streng vertraulich", "Streng-Vertraulich", "streng_ver\N{ZERO WIDTH JOINER}traulich"],
)
def test_phrases_are_those_of_the_rules(make, phrase) -> None:
    root = make({"a.py": "# Streng   vertraulich!\n", "b.py": "# All rights reserved\n"})
    rules = Rules((Mark("**", PUBLIC, "config.toml", False),), headers=(phrase,))
    labeller = Labeller(root, rules)
    assert labeller.look(Path("a.py")).label is CONFIDENTIAL
    assert labeller.look(Path("b.py")).label is PUBLIC


@pytest.mark.parametrize(
    "data", [b"\xff\xfea\0", b"x = 1\0", b"\xff\xff", b"# coding: nonsense\n", b"\x80 = 1\n"]
)
def test_what_is_no_text_is_confidential(label, data) -> None:
    assert label({"a.py": data}, "a.py") is CONFIDENTIAL


def test_phrase_is_found_in_the_encoding_that_the_file_names(label) -> None:
    text = "# coding: utf-7\n# +AEM-onfidential\n"
    assert "Confidential" in text.encode().decode("utf-7")
    assert label({"a.py": text}, "a.py") is CONFIDENTIAL


def test_facts_survive_the_way_through_text() -> None:
    text = "# hybridgen: internal\n# Confidential\nfrom . import x\n"
    facts = read_facts(text.encode(), "tests/test_a.py")
    assert facts.imports == (Import(1, "", ("x",)),)
    assert Facts.from_json(facts.to_json()) == facts
    broken = read_facts(b"def (", "test_a.py")
    assert broken.imports is None
    assert Facts.from_json(broken.to_json()) == broken
