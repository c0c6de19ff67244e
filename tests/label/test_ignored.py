"""Lists that keep files from machines: they tighten, whoever wrote them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hybridgen.domain import Label
from hybridgen.label import Labeller

PUBLIC, INTERNAL, CONFIDENTIAL = Label
KINDS = (".aiexclude", ".geminiignore", ".aiignore", ".cursorignore", ".gitignore")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("folder", "line", "expected"),
    [
        ("", "a.py", CONFIDENTIAL),
        ("", "pkg/", CONFIDENTIAL),
        ("", "PKG/A.py", CONFIDENTIAL),
        ("pkg/", "/a.py", CONFIDENTIAL),
        ("pkg/", "*", CONFIDENTIAL),
        ("", "/a.py", PUBLIC),
        ("", "# a.py", PUBLIC),
        ("other/", "*", PUBLIC),
    ],
)
def test_listed_file_is_confidential(label, kind, folder, line, expected) -> None:
    files = {"pkg/a.py": "", "other/b.py": "", f"{folder}{kind}": f"{line}\nnothing\n"}
    assert label(files, "pkg/a.py") is expected


def test_evidence_names_pattern_and_list(make, public) -> None:
    root = make({"pkg/a.py": "", "pkg/.aiexclude": "*.py\n"})
    evidence = Labeller(root, public).look(Path("pkg/a.py")).evidence[0]
    assert (evidence.rule, evidence.detail) == ("ignore file", "*.py in pkg/.aiexclude")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("*.py\n!a.py\n", PUBLIC),
        ("!a.py\n*.py\n", CONFIDENTIAL),
        ("pkg/\n!pkg/a.py\n", CONFIDENTIAL),  # as in git: the folder is ignored as a whole
        ("/pkg/*\n!/pkg/a.py\n", PUBLIC),
        ("*.py\n!A.py\n", CONFIDENTIAL),
        ("*.py\n!pkg/\n", CONFIDENTIAL),  # as in git: the folder is none, and the file still is
        ("*.py\n!pkg\n", CONFIDENTIAL),
        ("*\n!*/\n!*.py\n", PUBLIC),
        ("/*\n!/pkg/\n", PUBLIC),
        ("pk*\n!/pkg/**/\n", CONFIDENTIAL),
        ("/pkg/**\n!/pkg/**/\n!/pkg/**/a.py\n", PUBLIC),
    ],
)
def test_exception_in_a_list_counts_as_in_git(label, lines, expected) -> None:
    assert label({"pkg/a.py": "", ".gitignore": lines}, "pkg/a.py") is expected


def test_list_is_taken_back_by_itself_only(label) -> None:
    files = {"pkg/a.py": "", ".gitignore": "*.py\n", "pkg/.gitignore": "!a.py\n"}
    assert label(files, "pkg/a.py") is CONFIDENTIAL


@pytest.mark.parametrize("content", ["", "# nothing\n", "!a.py\n"])
def test_empty_aiexclude_means_everything_below(label, content) -> None:
    files = {"pkg/a.py": "", "b.py": "", "pkg/.aiexclude": content}
    assert label(files, "pkg/a.py") is CONFIDENTIAL
    assert label(files, "b.py") is PUBLIC
    assert label({"c/a.py": "", "c/.aiignore": content}, "c/a.py") is PUBLIC


def test_aiexclude_knows_no_exceptions(label) -> None:
    assert label({"a.py": "", ".aiexclude": "*.py\n!a.py\n"}, "a.py") is CONFIDENTIAL


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[\n", b"b.py\\\n", b"#" * 2**20 + b"##"])
def test_list_that_cannot_be_understood_makes_everything_below_confidential(label, content) -> None:
    files = {"pkg/a.py": "", "b.py": "", "pkg/.gitignore": content}
    assert label(files, "pkg/a.py") is CONFIDENTIAL
    assert label(files, "b.py") is PUBLIC


def test_list_that_is_no_file_makes_everything_below_confidential(make, public) -> None:
    root = make({"a/x.py": "", "b/x.py": "", "c/x.py": "", "d/x.py": ""})
    (root / "a/.aiignore").mkdir()
    (root / "b/.aiignore").symlink_to("gone")
    os.mkfifo(root / "c/.aiignore")
    labeller = Labeller(root, public)
    found = [labeller.look(Path(f"{name}/x.py")).label for name in "abcd"]
    assert found == [CONFIDENTIAL, CONFIDENTIAL, CONFIDENTIAL, PUBLIC]


def test_list_with_byte_order_mark_and_windows_line_ends_is_read(label) -> None:
    assert label({"a.py": "", ".gitignore": b"\xef\xbb\xbfa.py\r\n"}, "a.py") is CONFIDENTIAL


def test_gits_own_list_counts_without_starting_git(label) -> None:
    files = {"a.py": "", "b.py": "", ".git/info/exclude": "/a.py\n"}
    assert label(files, "a.py") is CONFIDENTIAL
    assert label(files, "b.py") is PUBLIC


def test_gits_own_list_counts_in_a_further_working_tree(make, public, tmp_path: Path) -> None:
    place = tmp_path / "main/.git/worktrees/project"
    place.mkdir(parents=True)
    (place / "commondir").write_text("../..\n")
    (tmp_path / "main/.git/info").mkdir()
    (tmp_path / "main/.git/info/exclude").write_text("a.py\n")
    root = make({"a.py": "", "b.py": "", ".git": "gitdir: ../main/.git/worktrees/project\n"})
    labeller = Labeller(root, public)
    assert labeller.look(Path("a.py")).label is CONFIDENTIAL
    assert labeller.look(Path("b.py")).label is PUBLIC


def test_lists_above_the_project_count_up_to_the_root_of_its_repository(
    make, public, tmp_path: Path
) -> None:
    root = make({"a.py": "", "b.py": "", "c.py": ""})
    (tmp_path / ".gitignore").write_text("/project/a.py\n")
    (tmp_path.parent / ".aiignore").write_text("c.py\n")
    assert Labeller(root, public).look(Path("a.py")).label is PUBLIC
    (tmp_path / ".git").mkdir()
    labeller = Labeller(root, public)
    found = [labeller.look(Path(f"{name}.py")).label for name in "abc"]
    (tmp_path.parent / ".aiignore").unlink()
    assert found == [CONFIDENTIAL, PUBLIC, PUBLIC]


def test_list_for_the_name_of_a_link_counts(make, public) -> None:
    root = make({"open/a.py": "", "kept/.aiexclude": "*.py\n"})
    (root / "kept/link.py").symlink_to("../open/a.py")
    labeller = Labeller(root, public)
    assert labeller.look(Path("kept/link.py")).label is CONFIDENTIAL
    assert labeller.look(Path("open/a.py")).label is PUBLIC


@pytest.mark.parametrize(
    "data",
    [
        b"b.py\ra.py\rc.py",
        "a.py\n".encode("utf-16"),
        "a.py\n".encode("utf-16-le"),
        b"b.py\x0ba.py\n",
        b"\xe9.py\n",
    ],
)
def test_list_that_is_no_plain_text_keeps_what_it_seems_to_name(label, data) -> None:
    assert label({"a.py": "", ".gitignore": data}, "a.py") is CONFIDENTIAL


def test_list_that_appears_counts_for_the_next_file(make, public) -> None:
    root = make({"a.py": ""})
    labeller = Labeller(root, public)
    assert labeller.look(Path("a.py")).label is PUBLIC
    make({".aiignore": "a.py\n"})
    assert labeller.look(Path("a.py")).label is CONFIDENTIAL


@pytest.mark.parametrize(
    ("git", "name", "expected"),
    [
        ("", ".gitignore", CONFIDENTIAL),
        ("", ".aiexclude", CONFIDENTIAL),
        ("inner/core", ".gitignore", PUBLIC),  # git reads none above its repository
        ("inner/core", ".aiexclude", CONFIDENTIAL),
        (".", ".gitignore", CONFIDENTIAL),
    ],
)
def test_list_above_the_project_counts_from_the_outermost_folder(
    make, public, git, name, expected
) -> None:
    top = make({"inner/core/a.py": "", name: "core/\n"})
    if git:
        (top / git / ".git").mkdir()
    labeller = Labeller(top / "inner/core", public, outermost=top)
    assert labeller.look(Path("a.py")).label is expected
    assert [file.label for file in labeller.walk()] == [expected]
