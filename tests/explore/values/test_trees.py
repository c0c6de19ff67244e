"""Trees of files are made to measure for what code asks of a path."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hybridgen.explore.values.asked import Asked
from hybridgen.explore.values.documents import Documents
from hybridgen.explore.values.trees import Tree, Trees, statements


def trees(seed: int = 0) -> Trees:
    chooser = random.Random(seed)
    return Trees(Documents(["a"], chooser), chooser)


def made(tree: Tree, folder: Path) -> list[str]:
    """The paths that the statements of a tree really make, folders with a slash."""
    folder.mkdir()
    for line in statements([tree]):
        eval(line, {"tmp_path": folder})
    found = sorted(folder.rglob("*"))
    return [f"{p.relative_to(folder).as_posix()}{'/' * p.is_dir()}" for p in found]


def asked_folder() -> Asked:
    """Of a folder: an ini file, Python files in a folder ``src``, whether there is a ``.git``."""
    asked = Asked().use("path", "up")
    parsed = asked.key(("a.ini",)).text().read_as("ini")
    parsed.key(("tool",)).key(("mode",)).texts["fast"] = None
    asked.key(("src",)).use("path", "folder").key(("*.py",)).use("path")
    asked.key((".git",)).use("path", "folder")
    return asked


def test_everything_that_is_asked_for_is_there_some_time(tmp_path: Path) -> None:
    maker, asked = trees(), asked_folder()
    found = {
        path.rpartition("folder/")[2].removeprefix("inner/")
        for at in range(60)
        for path in made(maker.fresh(asked), tmp_path / str(at))
    }
    assert {"a.ini", "src/", "src/a.py", ".git/"} <= found


def test_a_walk_up_finds_files_in_a_folder_above() -> None:
    made_trees = [trees(seed).fresh(asked_folder()) for seed in range(60)]
    assert any(
        tree.at.startswith("folder") and any(file.path == "a.ini" for file in tree.files)
        for tree in made_trees
    )


def test_a_file_holds_what_is_asked_of_it() -> None:
    texts = {
        file.document.text
        for seed in range(60)
        for file in trees(seed).fresh(asked_folder()).files
        if file.path.endswith("a.ini") and file.document is not None
    }
    assert "[tool]\nmode = fast\n" in texts
    assert "" in texts


def test_a_file_that_is_opened_is_given_itself_or_is_missing() -> None:
    asked = Asked()
    asked.text().read_as("json").use("got").key(("name",))
    found = [trees(seed).fresh(asked) for seed in range(60)]
    assert {tree.at for tree in found} <= {"data.json", "", "missing"}
    assert any(not tree.files for tree in found)
    assert any(tree.files and tree.files[0].path == tree.at == "data.json" for tree in found)


def test_the_name_that_a_path_has_to_have_is_given() -> None:
    asked = Asked().use("path", "file")
    asked.last().tails[".yml"] = None
    assert "a.yml" in {trees(seed).fresh(asked).at for seed in range(20)}


@pytest.mark.parametrize("seed", range(8))
def test_what_is_varied_can_still_be_made(seed: int, tmp_path: Path) -> None:
    maker, asked = trees(seed), asked_folder()
    asked.item = Asked().use("path", "folder")
    tree = maker.fresh(asked)
    for at in range(20):
        tree = maker.changed(tree, asked)
        made(tree, tmp_path / str(at))


def test_two_trees_are_made_side_by_side(tmp_path: Path) -> None:
    maker, asked = trees(), asked_folder()
    for at in range(20):
        folder = tmp_path / str(at)
        folder.mkdir()
        for line in statements([maker.fresh(asked), maker.fresh(asked)]):
            eval(line, {"tmp_path": folder})


def test_the_same_seed_makes_the_same_tree() -> None:
    first, second = (trees(3).fresh(asked_folder()) for _ in range(2))
    assert statements([first]) == statements([second])
