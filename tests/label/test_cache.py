"""Listing a project again reads only what changed."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from hybridgen.domain import Label
from hybridgen.label import FactCache, Labeller, Mark, Rules, Said

PUBLIC, INTERNAL, CONFIDENTIAL = Label
FILES = {"a.py": "x = 1\n", "pkg/b.py": "# Confidential\n", "tests/test_a.py": "import a\n"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state/labels"


@pytest.fixture
def root(make, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose files have not changed for a while."""
    monkeypatch.setattr("hybridgen.label.cache.SETTLED_NS", -(10**9))
    return make(FILES)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read."""
    found: list[str] = []
    original = Labeller.facts

    def facts(self: Labeller, name: str, headers: tuple[str, ...] = ()) -> object:
        found.append(name)
        return original(self, name, headers)

    monkeypatch.setattr(Labeller, "facts", facts)
    return found


def walk(root: Path, folder: Path, rules: Rules) -> dict[str, Label]:
    labeller = Labeller(root, rules, cache=FactCache(folder))
    return {file.path: file.label for file in labeller.walk()}


def test_second_walk_says_the_same_and_reads_nothing(root, folder, public, reads) -> None:
    first = list(Labeller(root, public, cache=FactCache(folder)).walk())
    assert sorted(reads) == sorted(FILES)
    reads.clear()
    assert list(Labeller(root, public, cache=FactCache(folder)).walk()) == first
    assert reads == []
    assert first == list(Labeller(root, public).walk())


def test_changed_file_is_read_again_even_with_the_same_size_and_time(
    root, folder, public, reads
) -> None:
    assert walk(root, folder, public)["a.py"] is PUBLIC
    before = (root / "a.py").stat()
    (root / "a.py").write_text("# Confidential\n"[: before.st_size])
    os.utime(root / "a.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    reads.clear()
    walk(root, folder, public)
    assert reads == ["a.py"]


def test_marks_are_weighed_anew(root, folder, public, reads) -> None:
    walk(root, folder, public)
    reads.clear()
    mark = Mark("a.py", INTERNAL, "config.toml", False)
    (root / ".aiignore").write_text("pkg/\n")
    found = walk(root, folder, Rules((*public.marks, mark)))
    assert (found["a.py"], found["tests/test_a.py"]) == (INTERNAL, INTERNAL)
    assert found["pkg/b.py"] is CONFIDENTIAL
    assert reads == [".aiignore"]


def test_other_phrases_are_looked_for_anew(root, folder, public) -> None:
    assert walk(root, folder, public)["pkg/b.py"] is CONFIDENTIAL
    assert walk(root, folder, Rules(public.marks, headers=()))["pkg/b.py"] is PUBLIC


def test_file_that_changed_a_moment_ago_is_not_remembered(make, folder, public, reads) -> None:
    root = make({"a.py": ""})
    walk(root, folder, public)
    reads.clear()
    walk(root, folder, public)
    assert reads == ["a.py"]


def test_labelling_bytes_never_asks_the_cache(root, folder, public) -> None:
    walk(root, folder, public)
    labeller = Labeller(root, public, cache=FactCache(folder))
    assert labeller.file(root / "a.py", b"# Confidential\n").label is CONFIDENTIAL
    assert labeller.look(Path("a.py")).label is PUBLIC


def test_cache_is_the_users_alone_and_holds_no_source(make, root, folder, public) -> None:
    make({"a.py": "password = 'hunter2'\n"})
    walk(root, folder, public)
    (path,) = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert b"a.py" in path.read_bytes()
    assert b"hunter2" not in path.read_bytes()


def test_gone_file_is_forgotten(root, folder, public) -> None:
    walk(root, folder, public)
    (root / "pkg/b.py").unlink()
    walk(root, folder, public)
    assert b"b.py" not in (folder / "labels.db").read_bytes()


@pytest.mark.parametrize("damage", ["mode", "link", "bytes", "row"])
def test_unfit_cache_costs_the_cache_only(root, folder, public, reads, tmp_path, damage) -> None:
    first = walk(root, folder, public)
    path = folder / "labels.db"
    if damage == "mode":
        path.chmod(0o644)
    elif damage == "link":
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    elif damage == "bytes":
        path.write_bytes(b"no database at all" * 100)
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE facts SET facts = '[1]'")
        connection.close()
    reads.clear()
    assert walk(root, folder, public) == first
    assert sorted(reads) == sorted(FILES)


def test_phrase_that_settings_below_the_root_add_counts_for_what_was_remembered(
    root, folder, public
) -> None:
    said: list[Said] = [Said(), Said(headers=("x = 1",)), Said()]
    (root / "pkg/b.py").write_text("# x = 1\n")
    found = []
    for one in said:
        labeller = Labeller(root, public, cache=FactCache(folder), below=lambda path, one=one: one)
        found.append({file.path: file.label for file in labeller.walk()}["pkg/b.py"])
    assert found == [Label.PUBLIC, Label.CONFIDENTIAL, Label.PUBLIC]
