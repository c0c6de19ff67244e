"""Which line of which file is said for a line of a fragment."""

from __future__ import annotations

import pytest

from hybridgen.domain import Fragment, Label
from hybridgen.gate.lines import place_of

TEXT = """\
import os

KEY = "abc"


def first():
    return 1


def second():
    return 1
"""


@pytest.fixture
def keyed(shop):
    return shop.write("src/keyed.py", TEXT, Label.PUBLIC)


@pytest.mark.parametrize(
    ("text", "origin", "line", "place"),
    [
        ("def first():\n    return 1\n", "src/keyed.py:6", 2, "src/keyed.py:7"),
        ("def second():\n    return 1\n", "src/keyed.py:10", 2, "src/keyed.py:11"),
        ('KEY = "abc"\n\ndef first():\n', "src/keyed.py", 1, "src/keyed.py:3"),
        ('KEY = "abc"\n\ndef first():\n', "src/keyed.py", 3, "src/keyed.py:6"),
        ("KEY = 'abc'\n\ndef first(): ...\n", "src/keyed.py", 1, "src/keyed.py:3"),
        ("Test this:\ndef second():\n", "src/keyed.py:6", 2, "src/keyed.py:10"),
        ("\tdef  second():\n", "app/src/keyed.py", 1, "app/src/keyed.py"),
        ("\tdef second():\n", "app/src/keyed.py", 1, "app/src/keyed.py:10"),
        ("    return 1\n", "src/keyed.py", 1, "src/keyed.py"),
        ("Test this:\n    return 1\n", "src/keyed.py:2", 2, "src/keyed.py:2"),
        ("not in it\n", "src/keyed.py:6", 1, "src/keyed.py:6"),
    ],
    ids=[
        "as it is",
        "as it is, and twice in the file",
        "outline",
        "outline, later",
        "outline with other quotes",
        "with our words before it",
        "changed",
        "indented",
        "twice in the file",
        "twice in the file, elsewhere",
        "not in the file",
    ],
)
def test_the_line_of_the_file_is_said_and_never_another_one(
    shop, keyed, text, origin, line, place
) -> None:
    part = Fragment(text, Label.PUBLIC, origin, "marked", (keyed,))
    assert place_of(part, line, str(shop.root)) == place


def test_a_file_that_cannot_be_read_leaves_the_line_by_count(shop, keyed) -> None:
    part = Fragment("x\ny\n", Label.PUBLIC, "src/keyed.py:6", "marked", (keyed,))
    whole = Fragment("x\ny\n", Label.PUBLIC, "src/keyed.py", "marked", (keyed,))
    (shop.root / "src/keyed.py").unlink()
    for folder in ("", str(shop.root)):
        assert place_of(part, 2, folder) == "src/keyed.py:7"
        assert place_of(whole, 2, folder) == "src/keyed.py"


def test_a_link_out_of_the_project_is_not_followed(shop, keyed, tmp_path) -> None:
    (tmp_path / "elsewhere.py").write_text(TEXT)
    (shop.root / "src/keyed.py").unlink()
    (shop.root / "src/keyed.py").symlink_to(tmp_path / "elsewhere.py")
    part = Fragment('KEY = "abc"\n', Label.PUBLIC, "src/keyed.py", "marked", (keyed,))
    assert place_of(part, 1, str(shop.root)) == "src/keyed.py"


def test_our_own_words_have_their_template_as_a_place(shop) -> None:
    part = Fragment("You write tests.\n", Label.PUBLIC, "template system", "ours")
    assert place_of(part, 1, str(shop.root)) == "template system"
