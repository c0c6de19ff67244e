"""The ledger: what was changed, taken out or cut is noticed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from hybridgen.errors import GateRefusal, UnfitFile
from hybridgen.gate import Ledger
from hybridgen.gate import ledger as room


@pytest.fixture
def filled(ledger):
    """A ledger with five entries."""
    for number in range(5):
        ledger.append("send", {"files": [f"f{number}.py"], "sha256": "00", "size": number})
    return ledger


def test_entries_come_back_as_they_were_written(ledger):
    first = ledger.append("send", {"files": ["a.py"]})
    second = ledger.append("refusal", {"reason": "label"})
    assert list(ledger.entries()) == [first, second]
    assert (first.number, first.previous, first.details) == (1, "0" * 64, {"files": ["a.py"]})
    assert (second.number, second.previous) == (2, first.hash)
    assert first.time.endswith("+00:00")
    assert ledger.head() == second.hash
    assert ledger.find(2) == second
    assert ledger.find(3) is None


def test_a_hash_is_of_the_line_without_it(ledger):
    entry = ledger.append("send", {"text": "é"})
    fields = json.loads(ledger.path.read_text(encoding="ascii"))
    stored = fields.pop("hash")
    line = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    assert stored == entry.hash == hashlib.sha256(line.encode()).hexdigest()


def test_there_is_nothing_before_the_first_entry(ledger):
    assert (list(ledger.entries()), ledger.head()) == ([], None)
    assert ledger.verify() == room.Verification(0, None, None)
    assert not ledger.path.exists()


def test_file_and_folders_are_for_their_user_alone(ledger, state):
    ledger.append("send", {}, text=b"text")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in state.rglob("*") if path.is_file()}
    assert modes == {0o600}
    for folder in (state / "ledger", state / "ledger" / "texts"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_untouched_ledger_verifies(filled):
    found = filled.verify()
    assert (found.entries, found.head, found.problem) == (5, filled.head(), None)


def test_every_changed_byte_in_the_middle_is_noticed(filled):
    good = filled.path.read_bytes()
    lines = good.splitlines(keepends=True)
    start, end = len(lines[0]), sum(map(len, lines[:4]))
    for place in range(start, end):
        bad = bytearray(good)
        bad[place] ^= 1
        filled.path.write_bytes(bad)
        assert filled.verify().problem is not None, (place, good[place : place + 10])


def test_a_line_taken_out_or_put_twice_is_noticed(filled):
    lines = filled.path.read_bytes().splitlines(keepends=True)
    for changed in (lines[:1] + lines[2:], lines[:2] + lines[1:], lines[1:], lines[::-1]):
        filled.path.write_bytes(b"".join(changed))
        assert filled.verify().problem is not None


def test_a_line_written_anew_with_a_right_hash_breaks_what_follows(filled):
    lines = filled.path.read_bytes().splitlines(keepends=True)
    fields = json.loads(lines[2])
    fields["files"] = ["other.py"]
    del fields["hash"]
    fields["hash"] = hashlib.sha256(room.canonical(fields)).hexdigest()
    lines[2] = room.canonical(fields) + b"\n"
    filled.path.write_bytes(b"".join(lines))
    found = filled.verify()
    assert (found.entries, found.problem) == (
        3, "line 4: it does not follow the line before it: one was taken out or put in"
    )  # fmt: skip


def test_a_cut_end_is_noticed_with_a_head_and_only_then(filled):
    head = filled.head()
    assert filled.verify(head).problem is None
    lines = filled.path.read_bytes().splitlines(keepends=True)
    filled.path.write_bytes(b"".join(lines[:-1]))
    assert filled.verify().problem is None
    assert "the end was cut" in filled.verify(head).problem
    filled.path.unlink()
    assert "the end was cut" in filled.verify(head).problem


def test_a_head_still_holds_after_more_entries(filled):
    head = filled.head()
    filled.append("refusal", {})
    assert filled.verify(head).problem is None
    assert filled.verify(head[:16].upper()).problem is None


@pytest.mark.parametrize("head", ["", "0", "a1b2"])
def test_a_head_too_short_to_mean_one_entry_proves_nothing(filled, head):
    assert filled.verify(head).problem is not None


def test_half_a_line_at_the_end_stops_every_further_send(filled):
    with filled.path.open("ab") as file:
        file.write(b'{"n":6')
    for ask in (lambda: filled.append("send", {}), filled.head):
        with pytest.raises(GateRefusal, match="its last line is broken"):
            ask()
    assert "line 6" in filled.verify().problem
    with pytest.raises(GateRefusal, match="line 6"):
        list(filled.entries())


def test_a_line_without_its_end_stops_every_further_send(filled):
    filled.path.write_bytes(filled.path.read_bytes()[:-1])
    with pytest.raises(GateRefusal, match="its last line is broken"):
        filled.append("send", {})


def test_lines_longer_than_a_block_are_read_whole(ledger):
    files = [f"src/module_{number}.py" for number in range(9000)]
    first = ledger.append("send", {"files": files})
    assert ledger.append("send", {"files": files}).previous == first.hash
    assert ledger.verify().problem is None


def test_a_text_is_kept_under_the_hash_of_its_bytes(ledger, state):
    sha256 = hashlib.sha256(b"the text").hexdigest()
    ledger.append("send", {"sha256": sha256}, text=b"the text")
    assert (state / "ledger" / "texts" / f"{sha256}.json").read_bytes() == b"the text"
    assert ledger.text(sha256) == b"the text"
    assert ledger.text("0" * 64) is None
    (state / "ledger" / "texts" / f"{sha256}.json").write_bytes(b"another text")
    assert ledger.text(sha256) is None


def test_a_changed_text_is_noticed_and_a_removed_one_is_no_fault(ledger, state):
    sha256 = hashlib.sha256(b"the text").hexdigest()
    ledger.append("send", {"sha256": sha256}, text=b"the text")
    (path,) = (state / "ledger" / "texts").iterdir()
    assert ledger.verify().problem is None
    path.write_bytes(b"another text")
    assert "line 1: the text that is kept" in ledger.verify().problem
    path.unlink()
    assert ledger.verify().problem is None


def test_no_text_is_kept_where_the_user_wants_none(state):
    ledger = Ledger(state / "ledger", keep_text=False)
    ledger.append("send", {}, text=b"the text")
    assert [path.name for path in state.rglob("*") if path.is_file()] == ["ledger.jsonl"]


def test_a_full_disk_is_a_refusal_and_leaves_the_chain_whole(filled, state, monkeypatch):
    real = os.write

    def full(descriptor, data):
        if len(data) > 10:
            return real(descriptor, data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room.os, "write", full)
    with pytest.raises(GateRefusal, match="No space left on device"):
        filled.append("send", {"answer": "x" * 9}, text=b"never sent")
    monkeypatch.undo()
    assert filled.verify().entries == 5
    assert list((state / "ledger" / "texts").iterdir()) == []
    assert filled.append("send", {}).number == 6


def test_a_disk_that_does_not_keep_is_a_refusal(filled, monkeypatch):
    def fails(descriptor):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(room.os, "fsync", fails)
    with pytest.raises(GateRefusal, match="Input/output error"):
        filled.append("send", {})


def test_an_interrupted_write_leaves_neither_entry_nor_text(filled, state, monkeypatch):
    real = os.fsync

    def interrupted(descriptor):
        if os.fstat(descriptor).st_ino == filled.path.stat().st_ino:
            raise KeyboardInterrupt
        real(descriptor)

    monkeypatch.setattr(room.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        filled.append("send", {}, text=b"never sent")
    monkeypatch.undo()
    assert filled.verify().entries == 5
    assert list((state / "ledger" / "texts").iterdir()) == []


def test_a_first_entry_whose_folder_does_not_keep_it_is_not_written(ledger, monkeypatch):
    def fails(folder):
        raise UnfitFile(folder, "Input/output error")

    monkeypatch.setattr(room, "sync_folder", fails)
    with pytest.raises(GateRefusal, match="Input/output error"):
        ledger.append("send", {})
    monkeypatch.undo()
    assert ledger.append("send", {}).number == 1


def test_an_entry_that_could_not_be_read_again_is_not_written(filled):
    with pytest.raises(GateRefusal, match="longer than any can be"):
        filled.append("send", {"files": "x" * 17 * 2**20})
    assert filled.append("send", {}).number == 6


def test_every_entry_is_synced_to_the_disk_before_it_is_given_back(ledger, monkeypatch):
    synced = []
    real = os.fsync

    def watched(descriptor):
        synced.append(os.fstat(descriptor).st_ino)
        real(descriptor)

    monkeypatch.setattr(room.os, "fsync", watched)
    ledger.append("send", {})
    assert ledger.path.stat().st_ino in synced
    assert ledger.path.parent.stat().st_ino in synced


def test_a_ledger_that_somebody_holds_is_a_refusal(filled, monkeypatch):
    monkeypatch.setattr(room, "_PATIENCE_SECONDS", 0.05)
    with filled.path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(GateRefusal, match="another program holds it"):
            filled.append("send", {})
    assert filled.append("send", {}).number == 6


@pytest.mark.parametrize("mode", [0o644, 0o660])
@pytest.mark.parametrize(
    "act",
    [lambda one: one.append("send", {}), lambda one: one.head(), lambda one: one.verify()],
    ids=["append", "head", "verify"],
)
def test_a_ledger_that_others_can_read_is_a_refusal(filled, mode, act):
    filled.path.chmod(mode)
    with pytest.raises(GateRefusal, match=r"open to others .*; without it nothing is sent"):
        act(filled)


def test_a_text_that_others_can_read_is_a_refusal(filled):
    sha256 = hashlib.sha256(b"{}").hexdigest()
    filled.append("send", {"sha256": sha256}, text=b"{}")
    assert filled.text(sha256) == b"{}"
    (filled.path.parent / "texts" / f"{sha256}.json").chmod(0o644)
    with pytest.raises(GateRefusal, match="open to others"):
        filled.text(sha256)


def test_no_link_is_followed(filled, tmp_path):
    filled.path.rename(tmp_path / "elsewhere")
    filled.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(GateRefusal):
        filled.append("send", {})
    with pytest.raises(GateRefusal):
        filled.verify()


def test_a_second_name_of_the_file_is_a_refusal(filled, tmp_path):
    (tmp_path / "second").hardlink_to(filled.path)
    with pytest.raises(GateRefusal, match="second name"):
        filled.append("send", {})


def test_threads_and_processes_write_one_chain(ledger):
    code = """
        import sys
        from pathlib import Path
        from hybridgen.gate import Ledger
        for number in range(10):
            Ledger(Path(sys.argv[1])).append("send", {"size": number})
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(ledger.path.parent)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2])

    def write():
        for _ in range(10):
            ledger.append("refusal", {})

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert process.wait(60) == 0
    found = ledger.verify()
    assert (found.entries, found.problem) == (30, None)
