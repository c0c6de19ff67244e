"""The file of cached replies: who can read it, how large it grows, and what spoils it."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridgen.backends.replies import FILE_NAME, Reply, ReplyStore
from hybridgen.domain import Label

REPLY = Reply(text='it said "\udc80\n"', backend="local", model="tiny", is_cut_off=False)
SECRET = Label.CONFIDENTIAL


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "replies"


def filled(folder: Path) -> Path:
    store = ReplyStore(folder)
    store.keep(b"key", SECRET, REPLY)
    store.close()
    assert store.problem is None
    return folder / FILE_NAME


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_kept_is_found_again_by_another_run(folder: Path) -> None:
    filled(folder)
    store = ReplyStore(folder)
    assert store.find(b"key", SECRET) == REPLY
    assert store.find(b"other", SECRET) is None
    store.keep_counts({b"a": 3, b"b": 0})
    assert store.counts([b"b", b"c", b"a"]) == {b"a": 3, b"b": 0}
    store.keep(b"key", SECRET, Reply("new", "local", "tiny", True))
    assert store.find(b"key", SECRET) == Reply("new", "local", "tiny", True)
    assert store.problem is None
    store.close()


def test_file_folder_and_journal_are_for_the_user_alone(folder: Path) -> None:
    previous = os.umask(0)
    try:
        path = filled(folder)
        connection = sqlite3.connect(path)
        connection.execute("DELETE FROM replies")  # until it is committed there is a journal
        modes = {item.name: mode(item) for item in folder.iterdir()}
        connection.close()
    finally:
        os.umask(previous)
    assert modes == {FILE_NAME: 0o600, f"{FILE_NAME}-journal": 0o600}
    assert mode(folder) == 0o700


def test_nothing_is_made_before_the_first_use(folder: Path) -> None:
    ReplyStore(folder).close()
    assert not folder.exists()


def test_oldest_replies_go_first_when_it_grows_too_large(folder: Path) -> None:
    store = ReplyStore(folder, most_bytes=200_000)
    for number in range(100):
        store.keep(b"%d" % number, SECRET, Reply("x" * 5000, "local", "tiny", False))
    assert store.find(b"0", SECRET) is None
    assert store.find(b"99", SECRET) is not None
    kept = [number for number in range(100) if store.find(b"%d" % number, SECRET)]
    assert kept == list(range(kept[0], 100))
    assert len(kept) > 20
    store.close()
    assert (folder / FILE_NAME).stat().st_size < 300_000


def test_what_was_dropped_is_not_left_in_the_file(folder: Path) -> None:
    store = ReplyStore(folder, most_bytes=200_000)
    store.keep(b"old", SECRET, Reply("hush" * 500, "local", "tiny", False))
    for number in range(60):
        store.keep(b"%d" % number, SECRET, Reply("x" * 5000, "local", "tiny", False))
    assert store.find(b"old", SECRET) is None
    store.close()
    assert b"hush" not in (folder / FILE_NAME).read_bytes()


def corrupt(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1000)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def widen_file(path: Path) -> None:
    path.chmod(0o640)


def widen_folder(path: Path) -> None:
    path.parent.chmod(0o755)


def link_file(path: Path) -> None:
    other = path.parent.parent / "other.db"
    path.rename(other)
    path.symlink_to(other)


def link_folder(path: Path) -> None:
    other = path.parent.parent / "other"
    path.parent.rename(other)
    path.parent.symlink_to(other)


def hard_link(path: Path) -> None:
    (path.parent.parent / "second.db").hardlink_to(path)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def file_instead_of_folder(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()
    path.parent.write_text("a file")


def other_text(text: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE replies SET reply = ?", (text,))
        connection.close()

    return change


def other_label(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE replies SET label = 0")
    connection.close()


def other_table(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE replies")
        connection.execute("CREATE TABLE replies (x)")
    connection.close()


@pytest.mark.parametrize(
    "spoil",
    [
        corrupt,
        truncate,
        widen_file,
        widen_folder,
        link_file,
        link_folder,
        hard_link,
        pipe,
        folder_instead,
        file_instead_of_folder,
        pytest.param(other_text("{"), id="half_a_reply"),
        pytest.param(other_text("[" * 100_000), id="nested_reply"),
        pytest.param(other_text('{"text": "x"}'), id="lacking_reply"),
        pytest.param(
            other_text('{"text": 1, "backend": "", "model": "", "is_cut_off": 0}'), id="wrong_types"
        ),
        other_label,
        other_table,
    ],
)
def test_a_spoilt_file_costs_the_cache_and_nothing_else(
    folder: Path, spoil: Callable[[Path], None]
) -> None:
    path = filled(folder)
    spoil(path)
    store = ReplyStore(folder)
    assert store.find(b"key", SECRET) is None
    assert store.problem is not None
    assert str(folder) in store.problem
    said = store.problem
    store.keep(b"key", SECRET, REPLY)
    store.keep_counts({b"a": 1})
    assert store.find(b"key", SECRET) is None
    assert store.counts([b"a"]) == {}
    store.close()
    assert store.problem == said


def test_a_link_is_not_followed_to_make_a_file(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(mode=0o700, parents=True)
    (folder / FILE_NAME).symlink_to(tmp_path / "victim")
    store = ReplyStore(folder)
    store.keep(b"key", SECRET, REPLY)
    assert store.problem is not None
    assert not (tmp_path / "victim").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_is_not_used(folder: Path) -> None:
    path = filled(folder)
    os.chown(path, 65534, 65534)
    store = ReplyStore(folder)
    assert store.find(b"key", SECRET) is None
    assert "belongs to somebody else" in str(store.problem)


def test_a_file_that_another_process_holds_is_given_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hybridgen.backends.replies._PATIENCE_SECONDS", 0.05)
    holder = sqlite3.connect(filled(folder))
    holder.execute("BEGIN EXCLUSIVE")
    store = ReplyStore(folder)
    assert store.find(b"key", SECRET) is None
    assert "locked" in str(store.problem)
    holder.close()


def test_two_runs_share_it(folder: Path) -> None:
    one, other = ReplyStore(folder), ReplyStore(folder)
    one.keep(b"1", SECRET, REPLY)
    other.keep(b"2", SECRET, REPLY)
    assert one.find(b"2", SECRET) == other.find(b"1", SECRET) == REPLY
    one.close()
    other.close()
