"""Files of the user alone: what they are made like, and what is refused."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridgen.errors import PolicyRefusal, UnfitFile
from hybridgen.private import (
    open_database,
    open_private,
    private_folder,
    read_private,
    sync_folder,
    write_private,
)

TABLES = ("CREATE TABLE IF NOT EXISTS words (word TEXT)",)


def database(path: Path) -> None:
    open_database(path, TABLES, patience=0.05).close()


def for_writing(path: Path) -> None:
    os.close(open_private(path, os.O_RDWR | os.O_CREAT))


READERS = [read_private, lambda path: open_private(path, os.O_RDONLY)]
MAKERS = [lambda path: write_private(path, b"new"), for_writing, database]
ALL = pytest.mark.parametrize(
    "act", [*READERS, *MAKERS], ids=["read", "open", "write", "make", "database"]
)
# Writing puts a new file in the place of whatever is there.
OPENERS = pytest.mark.parametrize(
    "act", [*READERS, for_writing, database], ids=["read", "open", "make", "database"]
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "folder" / "file"


@pytest.fixture
def kept(path: Path) -> Path:
    """A file that is there already, a database for that matter."""
    database(path)
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("act", MAKERS, ids=["write", "make", "database"])
def test_what_is_made_is_for_the_user_alone_whatever_the_umask(path, act) -> None:
    previous = os.umask(0)
    try:
        act(path)
    finally:
        os.umask(previous)
    assert (mode(path), mode(path.parent), mode(path.parent.parent)) == (0o600, 0o700, 0o700)
    assert [found.name for found in path.parent.iterdir()] == ["file"]


def test_what_was_written_is_read_again(path) -> None:
    write_private(path, b"one")
    write_private(path, b"two")
    assert read_private(path) == b"two"
    assert [found.name for found in path.parent.iterdir()] == ["file"]


def test_a_write_that_fails_leaves_what_was_there(path, monkeypatch) -> None:
    write_private(path, b"one")

    def fails(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(UnfitFile, match="No space left") as caught:
        write_private(path, b"two")
    assert caught.value.path == path
    assert path.read_bytes() == b"one"
    assert [found.name for found in path.parent.iterdir()] == ["file"]


def test_file_and_folder_are_on_the_disk_when_it_was_written(path, monkeypatch) -> None:
    synced = []
    original = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(stat.S_IFMT(os.fstat(descriptor).st_mode))
        original(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_private(path, b"one")
    assert synced == [stat.S_IFREG, stat.S_IFDIR]


def test_a_link_in_place_of_the_file_is_replaced_by_writing_not_followed(path, tmp_path) -> None:
    private_folder(path.parent)
    (tmp_path / "victim").write_text("precious")
    path.symlink_to(tmp_path / "victim")
    write_private(path, b"new")
    assert not path.is_symlink()
    assert (tmp_path / "victim").read_text() == "precious"


def test_a_file_that_is_not_there_is_none_and_is_not_made_by_reading(path) -> None:
    assert read_private(path) is None
    with pytest.raises(FileNotFoundError):
        open_private(path, os.O_RDONLY)
    assert not path.parent.exists()
    (path.parent.parent).write_text("a file where a folder should be")
    assert read_private(path) is None


@pytest.mark.parametrize("act", MAKERS, ids=["write", "make", "database"])
def test_a_folder_that_cannot_be_made_is_a_refusal(path, act) -> None:
    path.parent.parent.write_text("a file where a folder should be")
    with pytest.raises(UnfitFile) as caught:
        act(path)
    assert caught.value.path == path.parent


def test_a_folder_that_is_removed_meanwhile_is_a_refusal(path, monkeypatch) -> None:
    original = os.open

    def late(name: Path, *rest: int) -> int:
        path.parent.rmdir()
        return original(name, *rest)

    monkeypatch.setattr(os, "open", late)
    with pytest.raises(UnfitFile, match="No such file"):
        for_writing(path)


@ALL
def test_a_folder_that_others_can_enter_is_a_refusal(kept, act) -> None:
    kept.parent.chmod(0o710)
    with pytest.raises(UnfitFile, match=r"open to others \(mode 710\)") as caught:
        act(kept)
    assert caught.value.path == kept.parent
    assert mode(kept.parent) == 0o710


@ALL
def test_a_link_in_place_of_the_folder_is_a_refusal(kept, act, tmp_path) -> None:
    kept.parent.rename(tmp_path / "elsewhere")
    kept.parent.symlink_to(tmp_path / "elsewhere")
    before = (tmp_path / "elsewhere" / "file").stat().st_ino
    with pytest.raises(UnfitFile, match="another kind"):
        act(kept)
    assert (tmp_path / "elsewhere" / "file").stat().st_ino == before


@ALL
def test_a_file_in_place_of_the_folder_is_a_refusal(kept, act) -> None:
    kept.unlink()
    kept.parent.rmdir()
    kept.parent.touch(mode=0o600)
    with pytest.raises(UnfitFile):
        act(kept)


def open_to_others(path: Path, elsewhere: Path) -> None:
    path.chmod(0o640)


def link(path: Path, elsewhere: Path) -> None:
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def link_to_nothing(path: Path, elsewhere: Path) -> None:
    path.unlink()
    path.symlink_to(elsewhere)


def second_name(path: Path, elsewhere: Path) -> None:
    elsewhere.hardlink_to(path)


def pipe(path: Path, elsewhere: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def folder(path: Path, elsewhere: Path) -> None:
    path.unlink()
    path.mkdir(mode=0o700)


@OPENERS
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (open_to_others, r"open to others \(mode 640\)"),
        (link, "levels of symbolic links"),
        (link_to_nothing, "levels of symbolic links"),
        (second_name, "second name"),
        (pipe, "another kind"),
        (folder, "another kind|Is a directory"),
    ],
)
def test_a_file_that_is_not_the_users_alone_is_a_refusal(
    kept: Path,
    tmp_path: Path,
    act: Callable[[Path], object],
    spoil: Callable[[Path, Path], None],
    why: str,
) -> None:
    spoil(kept, tmp_path / "elsewhere")
    was_there = (tmp_path / "elsewhere").exists()
    with pytest.raises(UnfitFile, match=why) as caught:
        act(kept)
    assert caught.value.path == kept
    assert (tmp_path / "elsewhere").exists() is was_there


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("is_folder", [False, True])
@OPENERS
def test_what_belongs_to_somebody_else_is_a_refusal(kept, act, is_folder) -> None:
    os.chown(kept.parent if is_folder else kept, 65534, 65534)
    with pytest.raises(UnfitFile, match="belongs to somebody else"):
        act(kept)


def test_a_descriptor_of_a_refused_file_is_closed(kept) -> None:
    kept.chmod(0o640)
    before = open_files()
    with pytest.raises(UnfitFile):
        open_private(kept, os.O_RDONLY)
    assert open_files() == before


def test_a_program_that_is_started_does_not_inherit_the_file(kept) -> None:
    descriptor = open_private(kept, os.O_RDONLY)
    try:
        assert not os.get_inheritable(descriptor)
    finally:
        os.close(descriptor)


def test_a_folder_that_is_gone_cannot_be_synced(path) -> None:
    with pytest.raises(UnfitFile, match="No such file"):
        sync_folder(path)


def test_a_refusal_is_a_policy_refusal_that_says_what_to_do(kept) -> None:
    kept.chmod(0o604)
    with pytest.raises(PolicyRefusal) as caught:
        read_private(kept)
    assert caught.value.exit_code == 4
    assert str(kept) in caught.value.message
    assert f"chmod go-rwx {kept}" in caught.value.hint


def test_a_journal_of_a_database_is_for_the_user_alone(kept) -> None:
    previous = os.umask(0)
    try:
        connection = open_database(kept, TABLES, patience=0.05)
        connection.execute("INSERT INTO words VALUES ('one')")  # a journal until the commit
        modes = {found.name: mode(found) for found in kept.parent.iterdir()}
        connection.close()
    finally:
        os.umask(previous)
    assert modes == {"file": 0o600, "file-journal": 0o600}


def test_what_was_deleted_from_a_database_is_not_left_in_the_file(path) -> None:
    connection = open_database(path, TABLES, patience=0.05)
    with connection:
        connection.executemany("INSERT INTO words VALUES (?)", [("hush" * 99,)] * 99)
    assert b"hush" in path.read_bytes()
    with connection:
        connection.execute("DELETE FROM words")
    connection.close()
    assert b"hush" not in path.read_bytes()


def test_a_database_puts_nothing_into_the_folder_of_temporary_files(path) -> None:
    connection = open_database(path, TABLES, patience=0.05)
    assert connection.execute("PRAGMA temp_store").fetchone() == (2,)  # memory
    connection.close()


def test_a_database_that_another_process_holds_is_waited_for_as_long_as_told(kept) -> None:
    connection = open_database(kept, TABLES, patience=0.25)
    assert connection.execute("PRAGMA busy_timeout").fetchone() == (250,)
    connection.close()
    holder = sqlite3.connect(kept)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        open_database(kept, TABLES, patience=0.01)
    holder.close()


def test_what_is_no_database_is_closed_and_said(kept) -> None:
    kept.write_bytes(b"this is no database" * 1000)
    before = open_files()
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        database(kept)
    assert open_files() == before
