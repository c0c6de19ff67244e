"""Editing marks in a settings file: nothing else in it changes."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridgen.domain import Label
from hybridgen.errors import SettingsError, UsageError
from hybridgen.label.marking import Edit, mark, pattern_of, read_marks, save, unmark
from hybridgen.label.patterns import Patterns

PUBLIC, INTERNAL, CONFIDENTIAL = Label
COMMENTED = """\
# settings of the shop
seed = 3  # a good one

[labels]
# what the world may see
public = [
  "/docs/",  # our manual
  "/shop/a.py",  # harmless
]

[gemini]
sdk = 'google-genai'
"""


def edit(text: str, *tables: str) -> Edit:
    return Edit(Path("hybridgen.toml"), tables or ("labels",), text, text)


def labels(after: Edit) -> dict[str, list[str]]:
    return tomllib.loads(after.after).get("labels", {})


def test_new_mark_is_added_and_every_comment_stays() -> None:
    after = mark(edit(COMMENTED), PUBLIC, ["/b.py"])
    assert labels(after) == {"public": ["/docs/", "/shop/a.py", "/b.py"]}
    gone = [line for line in after.diff("x").splitlines()[2:] if line.startswith("-")]
    assert gone == []


def test_thing_that_gets_a_new_label_leaves_the_other_lists() -> None:
    after = mark(edit(COMMENTED), CONFIDENTIAL, ["/shop/a.py"])
    assert labels(after) == {"public": ["/docs/"], "confidential": ["/shop/a.py"]}
    assert "# our manual" in after.after


def test_pattern_without_leading_slash_is_the_same_only_where_it_means_the_same() -> None:
    text = '[labels]\nconfidential = ["shop/a.py", "a.py", "docs/"]\n'
    after = mark(edit(text), PUBLIC, ["/shop/a.py", "/a.py", "/docs/"])
    assert labels(after)["confidential"] == ["a.py", "docs/"]


def test_mark_that_is_there_already_changes_nothing() -> None:
    assert mark(edit(COMMENTED), PUBLIC, ["/docs/"]).diff("x") == ""


def test_unmarked_thing_leaves_all_lists_and_an_empty_list_goes() -> None:
    text = '[labels]\npublic = ["/a.py"]\ninternal = ["/a.py", "b.py"]\n'
    after, missing = unmark(edit(text), [("a.py", "/a.py"), ("b.py", "/b.py"), ("c", "/c")])
    assert labels(after) == {}
    assert missing == ("c",)


def test_file_without_a_table_gets_one() -> None:
    assert labels(mark(edit(""), PUBLIC, ["/a.py"])) == {"public": ["/a.py"]}
    after = mark(edit("seed = 3\n"), INTERNAL, ["/a.py"])
    assert after.after == 'seed = 3\n\n[labels]\ninternal = ["/a.py"]\n'


def test_table_in_pyproject_goes_where_it_belongs() -> None:
    text = "[tool.hybridgen]\nseed = 1\n\n[tool.ruff]\nline-length = 100\n"
    after = mark(edit(text, "tool", "hybridgen", "labels"), PUBLIC, ["/a.py"])
    assert tomllib.loads(after.after)["tool"] == {
        "hybridgen": {"seed": 1, "labels": {"public": ["/a.py"]}},
        "ruff": {"line-length": 100},
    }
    assert after.after.index("labels") < after.after.index("ruff")


def test_windows_line_ends_stay() -> None:
    after = mark(edit("[labels]\r\npublic = ['x']\r\n# end\r\n"), PUBLIC, ["/a.py"])
    assert after.after == "[labels]\r\npublic = ['x', \"/a.py\"]\r\n# end\r\n"


@pytest.mark.parametrize(
    "text",
    ["labels = 3\n", "[labels]\npublic = 'x'\n", "[labels]\npublic = [1]\n", "[[labels]]\n", "x ="],
)
def test_file_that_holds_something_else_there_is_refused(text) -> None:
    with pytest.raises(SettingsError):
        mark(edit(text), PUBLIC, ["/a.py"])


def test_table_that_would_be_put_in_the_wrong_place_is_refused() -> None:
    with pytest.raises(SettingsError, match="cannot be added"):
        text = "[tool]\nhybridgen.seed = 1\n"
        mark(edit(text, "tool", "hybridgen", "labels"), PUBLIC, ["/a.py"])


def test_file_of_the_project_is_found(make) -> None:
    root = make({"pyproject.toml": "[tool.ruff]\n"})
    assert read_marks(root).path == root / "hybridgen.toml"
    make({"pyproject.toml": "[tool.hybridgen]\n"})
    assert read_marks(root).path == root / "pyproject.toml"
    assert read_marks(root).tables == ("tool", "hybridgen", "labels")
    make({"hybridgen.toml": ""})
    assert read_marks(root).path == root / "hybridgen.toml"


def test_saved_file_keeps_its_mode_and_nothing_else_is_left(make) -> None:
    root = make({"hybridgen.toml": COMMENTED})
    (root / "hybridgen.toml").chmod(0o640)
    save(mark(read_marks(root), PUBLIC, ["/b.py"]))
    assert stat.S_IMODE((root / "hybridgen.toml").stat().st_mode) == 0o640
    assert "/b.py" in (root / "hybridgen.toml").read_text()
    assert [path.name for path in root.iterdir()] == ["hybridgen.toml"]


def test_file_that_changed_in_the_meantime_is_left_alone(make) -> None:
    root = make({"hybridgen.toml": COMMENTED})
    after = mark(read_marks(root), PUBLIC, ["/b.py"])
    make({"hybridgen.toml": "seed = 4\n"})
    with pytest.raises(SettingsError, match="in the meantime"):
        save(after)
    assert (root / "hybridgen.toml").read_text() == "seed = 4\n"


def test_file_that_is_a_link_is_left_alone(make, tmp_path: Path) -> None:
    root = make({})
    (tmp_path / "other.toml").write_text("")
    (root / "hybridgen.toml").symlink_to(tmp_path / "other.toml")
    with pytest.raises(SettingsError, match="is a link"):
        save(mark(read_marks(root), PUBLIC, ["/b.py"]))
    assert (tmp_path / "other.toml").read_text() == ""


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [
        ("a.py", "", "/a.py"),
        ("shop/a.py", "", "/shop/a.py"),
        ("shop", "", "/shop/"),
        ("shop/", "", "/shop/"),
        ("a.py", "shop", "/shop/a.py"),
        ("../a.py", "shop", "/a.py"),
        (".", "shop", "/shop/"),
        ("..", "shop", "/**"),
        ("*.py", "", "/*.py"),
        ("*.py", "shop", "/shop/*.py"),
        ("**/a.py", "", "/**/a.py"),
        ("shop/*/", "", "/shop/*/"),
        ("../shop/*.py", "shop", "/shop/*.py"),
        ("link.py", "", "/link.py"),
    ],
)
def test_path_becomes_the_pattern_that_means_it(make, path, folder, expected) -> None:
    root = make({"a.py": "", "shop/a.py": ""})
    (root / "link.py").symlink_to("a.py")
    assert pattern_of(root, path, root / folder) == expected


@pytest.mark.parametrize("path", ["gone.py", "..", "../x", "/etc/passwd", "../*.py", "*/../../x"])
def test_path_out_of_the_project_or_to_nothing_is_an_error(make, path) -> None:
    root = make({"a.py": ""})
    with pytest.raises(UsageError):
        pattern_of(root, path, root)


@settings(deadline=None)
@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=12))
def test_pattern_of_a_path_matches_that_path_alone(tmp_path_factory, name) -> None:
    if "/" in name or name in (".", "..") or not name.isprintable():
        return
    root = tmp_path_factory.mktemp("p")
    (root / name).touch()
    pattern = pattern_of(root, name, root)
    assert Patterns([pattern]).loosening(name, [name]) == pattern
    for other in (f"x{name}", f"{name}x", f"{name}x/{name}", name[1:] or f"{name}x"):
        assert Patterns([pattern]).loosening(other, [other]) is None
