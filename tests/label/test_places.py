"""Where a path leads: links, other names, other kinds of files."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from pathlib import Path

import pytest

from hybridgen.domain import Label
from hybridgen.label import Labeller, Mark, Rules
from hybridgen.label.places import MOST_LINKS, find_place

PUBLIC, INTERNAL, CONFIDENTIAL = Label


def rules(*marks: tuple[str, Label]) -> Rules:
    return Rules(tuple(Mark(text, label, "config.toml", False) for text, label in marks))


def label_at(root: Path, name: str | Path, *marks: tuple[str, Label]) -> Label:
    path = root / name
    data = path.read_bytes() if path.is_file() else b""
    return Labeller(root, rules(*marks or [("**", PUBLIC)])).file(path, data).label


def test_link_has_the_stricter_label_of_both_names(make) -> None:
    root = make({"open/a.py": "", "secret/.keep": ""})
    (root / "secret/link.py").symlink_to("../open/a.py")
    marks = [("**", PUBLIC), ("/secret/", CONFIDENTIAL)]
    assert label_at(root, "open/a.py", *marks) is PUBLIC
    assert label_at(root, "secret/link.py", *marks) is CONFIDENTIAL


def test_link_lends_no_loose_label_to_what_it_leads_to(make) -> None:
    root = make({"secret/a.py": "", "open/.keep": ""})
    (root / "open/link.py").symlink_to("../secret/a.py")
    (root / "folder").symlink_to("secret")
    assert label_at(root, "open/link.py", ("/open/", PUBLIC)) is CONFIDENTIAL
    assert label_at(root, "folder/a.py", ("/folder/", PUBLIC)) is CONFIDENTIAL


def test_every_link_of_a_chain_counts(make) -> None:
    root = make({"open/a.py": "", "secret/.keep": ""})
    (root / "secret/folder").symlink_to("../open")
    (root / "first.py").symlink_to("secret/folder/a.py")
    marks = [("**", PUBLIC), ("/secret/", CONFIDENTIAL)]
    assert label_at(root, "first.py", *marks) is CONFIDENTIAL
    assert find_place(root, root / "first.py").names == (
        "open/a.py",
        "first.py",
        "secret/folder/a.py",
    )


def test_link_out_of_the_project_is_confidential(make, tmp_path: Path) -> None:
    root = make({"a.py": ""})
    outside = tmp_path / "outside.py"
    outside.write_text("")
    (root / "link.py").symlink_to(outside)
    assert label_at(root, "link.py") is CONFIDENTIAL
    assert label_at(root, outside) is CONFIDENTIAL
    assert label_at(root, "../outside.py") is CONFIDENTIAL
    file = Labeller(root, rules(("**", PUBLIC))).file(root / "link.py", b"")
    assert (file.path, file.evidence[0].detail) == (str(outside), "outside of the project")


def test_walk_lists_what_links_lead_to_and_not_the_links(make, public, tmp_path: Path) -> None:
    root = make({"pkg/a.py": ""})
    (tmp_path / "outside.py").write_text("")
    (root / "link.py").symlink_to("pkg/a.py")
    (root / "out.py").symlink_to(tmp_path / "outside.py")
    (root / "folder").symlink_to("pkg")
    assert [file.path for file in Labeller(root, public).walk()] == ["pkg/a.py"]


def test_two_dots_lead_where_the_kernel_says(make, tmp_path: Path) -> None:
    root = make({"pkg/a.py": "", "open/x/.keep": "", "a.py": ""})
    elsewhere = tmp_path / "elsewhere" / "deep"
    elsewhere.mkdir(parents=True)
    (root / "link").symlink_to(elsewhere)
    assert find_place(root, root / "open/x/../../pkg/a.py").name == "pkg/a.py"
    # As text it would be a.py of the project.
    assert label_at(root, "link/../a.py") is CONFIDENTIAL


def test_link_that_leads_in_a_circle_is_confidential(make) -> None:
    root = make({})
    (root / "a.py").symlink_to("b.py")
    (root / "b.py").symlink_to("a.py")
    assert label_at(root, "a.py") is CONFIDENTIAL
    previous = "end.py"
    (root / previous).write_text("")
    for number in range(MOST_LINKS + 1):
        (root / f"{number}.py").symlink_to(previous)
        previous = f"{number}.py"
    assert label_at(root, "3.py") is PUBLIC
    assert label_at(root, previous) is CONFIDENTIAL


def test_hard_link_is_confidential(make, tmp_path: Path) -> None:
    root = make({"a.py": "x = 1\n"})
    assert label_at(root, "a.py") is PUBLIC
    os.link(root / "a.py", tmp_path / "second.py")
    assert label_at(root, "a.py") is CONFIDENTIAL


def test_what_is_no_regular_file_is_confidential(make, tmp_path: Path) -> None:
    root = make({"folder.py/a.py": ""})
    os.mkfifo(root / "pipe.py")
    labeller = Labeller(root, rules(("**", PUBLIC)))
    for name in ("pipe.py", "folder.py"):
        assert labeller.look(Path(name)).label is CONFIDENTIAL
        assert label_at(root, name) is CONFIDENTIAL


def test_notebook_is_confidential(label) -> None:
    assert label({"a.ipynb": "{}"}, "a.ipynb") is CONFIDENTIAL
    assert label({"b.IPYNB": "{}"}, "b.IPYNB") is CONFIDENTIAL
    assert label({"b.ipynb.md": "{}"}, "b.ipynb.md") is PUBLIC


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pkg/mod.py", "pkg/Mod.py"),
        ("pkg/mod.py", "Pkg/other.py"),
        (unicodedata.normalize("NFC", "é.py"), unicodedata.normalize("NFD", "é.py")),
        ("stra\N{LATIN SMALL LETTER SHARP S}e.py", "STRASSE.py"),
    ],
)
def test_names_that_some_file_systems_take_for_one_are_confidential(label, one, other) -> None:
    assert label({one: ""}, one) is PUBLIC
    assert label({one: "", other: ""}, one) is CONFIDENTIAL
    assert label({one: "", other: ""}, other) is CONFIDENTIAL


def test_walk_sees_names_that_differ_by_case_only(make, public) -> None:
    root = make({"pkg/mod.py": "", "Pkg/other.py": "", "alone.py": ""})
    found = {file.path: file.label for file in Labeller(root, public).walk()}
    assert found == {"pkg/mod.py": CONFIDENTIAL, "Pkg/other.py": CONFIDENTIAL, "alone.py": PUBLIC}


def test_mark_loosens_a_name_of_the_same_case_only(make) -> None:
    root = make({"Docs/a.py": ""})
    assert label_at(root, "Docs/a.py", ("/Docs/", PUBLIC)) is PUBLIC
    assert label_at(root, "Docs/a.py", ("/docs/", PUBLIC)) is CONFIDENTIAL


@pytest.mark.parametrize(
    "pattern", ["/SECRET/", "/secret/A.py", "/\N{LATIN SMALL LETTER LONG S}ecret/"]
)
def test_mark_tightens_a_name_of_any_case(make, pattern) -> None:
    root = make({"Secret/a.py": ""})
    marks = [("**", PUBLIC), (pattern, CONFIDENTIAL)]
    assert label_at(root, "Secret/a.py", *marks) is CONFIDENTIAL


def test_mark_tightens_a_name_of_any_unicode_form(make) -> None:
    root = make({unicodedata.normalize("NFD", "é/a.py"): ""})
    name = unicodedata.normalize("NFD", "é/a.py")
    assert label_at(root, name) is PUBLIC
    composed = unicodedata.normalize("NFC", "/é/")
    assert label_at(root, name, ("**", PUBLIC), (composed, CONFIDENTIAL)) is CONFIDENTIAL
    assert label_at(root, name, (composed, PUBLIC)) is CONFIDENTIAL


def test_file_that_the_disk_spells_otherwise_is_confidential(make, public, monkeypatch) -> None:
    # As on a file system that knows no case: the path opens a file of another spelling.
    root = make({"docs/a.py": ""})
    labeller = Labeller(root, public)
    assert labeller.file(root / "docs/a.py", b"").label is PUBLIC
    assert labeller.file(root / "docs/A.py", b"").label is CONFIDENTIAL


def test_name_that_cannot_be_shown_is_confidential(label) -> None:
    unseen = ("\N{HANGUL FILLER}", "\N{VARIATION SELECTOR-16}", "\N{COMBINING GRAPHEME JOINER}")
    odd = ("\n", "\N{RIGHT-TO-LEFT OVERRIDE}", os.fsdecode(b"\xff"), *unseen)
    for name in (f"a{text}.py" for text in odd):
        assert label({name: ""}, name) is CONFIDENTIAL


def test_name_that_the_locale_cannot_tell_is_confidential(label, monkeypatch) -> None:
    assert label({"gehälter.py": ""}, "gehälter.py") is PUBLIC
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "iso8859-1")
    assert label({"gehälter.py": ""}, "gehälter.py") is CONFIDENTIAL
    assert label({"a.py": ""}, "a.py") is PUBLIC


def test_files_are_listed_although_a_folder_is_deeper_than_a_path_can_say(make, public) -> None:
    root = make({"a.py": ""})
    here = os.open(root, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=here)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    labels = {file.path: file.label for file in Labeller(root, public).walk()}
    shutil.rmtree(root)
    assert labels == {"a.py": PUBLIC}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_are_listed_although_a_folder_cannot_be_entered(make, public) -> None:
    root = make({"a.py": "", "closed/b.py": ""})
    (root / "closed").chmod(0o600)
    labels = {file.path: file.label for file in Labeller(root, public).walk()}
    (root / "closed").chmod(0o700)
    assert labels == {"a.py": PUBLIC}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_is_confidential(make, public) -> None:
    root = make({"a.py": ""})
    (root / "a.py").chmod(0)
    assert Labeller(root, public).look(Path("a.py")).label is CONFIDENTIAL


def test_too_large_file_is_confidential(make, public) -> None:
    root = make({"a.txt": b"x\n" * 2**21 + b"x"})
    assert Labeller(root, public).look(Path("a.txt")).label is CONFIDENTIAL
    assert [file.label for file in Labeller(root, public).walk()] == [CONFIDENTIAL]
