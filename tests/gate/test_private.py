"""Files of the user alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hybridgen.errors import GateRefusal
from hybridgen.gate.private import open_private, read_private, write_private


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "file"


def test_what_was_written_is_read_and_is_for_the_user_alone(path):
    write_private(path, b"one")
    write_private(path, b"two")
    assert read_private(path) == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [found.name for found in path.parent.iterdir()] == ["file"]


def test_a_write_that_fails_leaves_what_was_there(path, monkeypatch):
    write_private(path, b"one")

    def fails(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(GateRefusal, match="No space left"):
        write_private(path, b"two")
    assert path.read_bytes() == b"one"
    assert [found.name for found in path.parent.iterdir()] == ["file"]


def test_a_file_that_is_not_there_is_not_made_by_reading(path):
    with pytest.raises(FileNotFoundError):
        read_private(path)
    assert not path.parent.exists()


def test_a_folder_that_others_can_enter_is_a_refusal(path):
    path.parent.mkdir(mode=0o755)
    for act in (
        lambda: write_private(path, b""),
        lambda: open_private(path, os.O_CREAT | os.O_RDWR),
    ):
        with pytest.raises(GateRefusal, match="open to others"):
            act()


def test_a_link_in_place_of_the_folder_is_a_refusal(path, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    path.parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(GateRefusal):
        write_private(path, b"")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_pipe_in_place_of_the_file_is_a_refusal(path):
    path.parent.mkdir(mode=0o700)
    os.mkfifo(path, 0o600)
    with pytest.raises(GateRefusal, match="another kind"):
        read_private(path)
