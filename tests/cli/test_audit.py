"""``hybridgen audit`` in real processes, on a ledger that a gate wrote."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from hybridgen.domain import Destination, Evidence, Fragment, Label, Prompt, SourceFile, Usage
from hybridgen.errors import GateRefusal
from hybridgen.gate import FingerprintIndex, Gate, Ledger

KEY = "AIza" + "SyA-1234567890abcdefghijklmnopqrstu"
KINDS = ["send", "reply", "refusal", "send", "failure", "send", "failure", "refusal", "refusal"]

Audit = Callable[..., subprocess.CompletedProcess[str]]

GEMINI = Destination(
    "gemini", "https://llm.example", "flash", "google-genai", "paid", Label.PUBLIC
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def ledger(home: Path) -> Ledger:
    return Ledger(home / ".local/state/hybridgen/ledger")


@pytest.fixture
def filled(ledger: Ledger, tmp_path: Path) -> Ledger:
    """A ledger with a send and its reply, failed ones, and refusals."""
    index = FingerprintIndex(tmp_path / "fingerprints")
    gate = Gate(ledger, index, lambda source: source, lambda text: True, project="/home/ann/shop")
    public = prompt_of("x = 1  # \x1b[31mred\n", "src/=prices.py", Label.PUBLIC)
    gate.done(gate.clear(public, GEMINI), Usage(100, 20, 1.5))
    with pytest.raises(GateRefusal):
        gate.clear(prompt_of("y = 2\n", "src/mar\ngins.py", Label.CONFIDENTIAL), GEMINI)
    gate.failed(gate.clear(public, GEMINI), "503")
    gate.failed(gate.clear(public, GEMINI), "no library", may_have_left=False)
    gate.refused(public.context[0].sources, "gemini")
    with pytest.raises(GateRefusal):
        gate.clear(prompt_of(f"key = '{KEY}'\n", "src/keyed.py", Label.PUBLIC), GEMINI)
    return ledger


def prompt_of(text: str, path: str, label: Label) -> Prompt:
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    source = SourceFile(path, sha256, label, (Evidence(label, "mark", "in the settings"),))
    about = Fragment(text, label, f"{path}:1", "marked", (source,))
    ours = Fragment("Write tests.\n", Label.PUBLIC, "template system", "ours")
    return Prompt((ours,), (about,), (), ours)


@pytest.fixture
def audit(hybridgen: Audit) -> Audit:
    return partial(hybridgen, "audit")


@pytest.fixture
def hybridgen(home: Path) -> Audit:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
        return subprocess.run(
            [sys.executable, "-m", "hybridgen", *arguments],
            cwd=Path(__file__).parents[2],
            env={**kept, "HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.mark.parametrize("command", ["list", "verify"])
def test_an_empty_ledger_is_said_to_be_empty(audit, home, command):
    result = audit(command)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "the ledger is empty: nothing was sent, nothing was refused\n"
    assert not (home / ".local/state/hybridgen/ledger").exists()


def test_every_entry_has_a_line(audit, filled):
    result = audit("list")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert [line.split()[2] for line in lines] == KINDS
    assert "  shop  gemini flash (paid)  " in lines[0]
    assert "src/=prices.py (public)" in lines[0]
    assert "to 1: 100 + 20 tokens" in lines[1]
    assert "label: too strict at src/mar\\ngins.py:1  src/mar\\ngins.py (confidential)" in lines[2]
    assert "to 4, it may have left: 503" in lines[4]
    assert "to 6, nothing left: no library" in lines[6]
    asked = "route: it was asked for by name and may not read this"
    assert f"  shop  gemini  {asked}  src/=prices.py (public)" in lines[7]
    assert "secret (Google key) at src/keyed.py:1  " in lines[8]
    assert KEY not in result.stdout


def test_one_entry_is_shown_with_all_that_it_says(audit, filled):
    shown = json.loads(audit("show", "1").stdout)
    assert shown["destination"]["terms"] == "paid"
    assert shown["files"][0]["evidence"][0]["rule"] == "mark"
    assert shown["project"] == "/home/ann/shop"
    assert shown["hash"] == next(iter(filled.entries())).hash


def test_the_text_that_was_sent_is_shown_and_cannot_steer_the_terminal(audit, filled):
    result = audit("show", "1", "--text")
    assert result.returncode == 0
    assert "x = 1  # \\x1b[31mred\n" in result.stdout
    assert "\x1b" not in result.stdout


def test_a_text_that_is_not_kept_is_an_error(audit, filled):
    for path in (filled.path.parent / "texts").iterdir():
        path.unlink()
    result = audit("show", "1", "--text")
    assert (result.returncode, result.stdout) == (1, "")
    assert "is not kept: ledger.keep_text was false when it was sent" in result.stderr
    assert "hybridgen purge" not in result.stderr  # nobody said it
    assert "audit verify" not in result.stderr


def test_texts_that_were_purged_are_said_to_be_so_with_the_time(audit, filled, hybridgen):
    before = filled.head()
    assert hybridgen("purge", "--dry-run").returncode == 0
    assert filled.head() == before
    done = hybridgen("purge")
    assert (done.returncode, done.stderr) == (0, "")
    *_, entry = filled.entries()
    assert (entry.number, entry.kind) == (len(KINDS) + 1, "purge")
    assert entry.details["texts"] == 1  # sent three times
    result = audit("show", "1", "--text")
    assert (result.returncode, result.stdout) == (1, "")
    assert (
        f"the text of entry 1 is gone: kept texts were removed at {entry.time[:19]}Z "
        f"(hybridgen purge, entry {entry.number})"
    ) in result.stderr
    verified = audit("verify", "--head", before)
    assert (verified.returncode, verified.stderr) == (0, "")
    last = audit("list").stdout.splitlines()[-1]
    assert last.endswith("purge    1 kept text of sent prompts removed")
    rows = list(csv.DictReader(io.StringIO(audit("export", "--format", "csv").stdout)))
    assert (rows[-1]["kind"], rows[-1]["texts"]) == ("purge", "1")
    assert hybridgen("purge").stdout == "nothing is kept\n"
    assert filled.head() == entry.hash


def test_texts_go_even_where_the_ledger_cannot_say_so(filled, hybridgen):
    filled.path.write_bytes(filled.path.read_bytes() + b"half a li")
    done = hybridgen("purge")
    assert done.returncode == 1
    assert "the sent texts are removed, but the ledger could not say so: " in done.stderr
    assert "hybridgen audit verify" in done.stderr
    assert not (filled.path.parent / "texts").exists()
    assert filled.path.read_bytes().endswith(b"half a li")


def test_a_text_that_was_changed_is_another_error(audit, filled):
    for path in (filled.path.parent / "texts").iterdir():
        path.write_text("another")
    result = audit("show", "1", "--text")
    assert (result.returncode, result.stdout) == (1, "")
    assert "is not what was sent" in result.stderr
    assert "hybridgen audit verify" in result.stderr


def test_a_refusal_has_no_text(audit, filled):
    result = audit("show", "3", "--text")
    assert result.returncode == 2
    assert "entry 3 is a refusal" in result.stderr


def test_an_entry_that_is_not_there_is_a_wrong_argument(audit, filled):
    result = audit("show", "99")
    assert result.returncode == 2
    assert "hybridgen audit list" in result.stderr


def test_a_whole_chain_verifies_with_its_head(audit, filled):
    result = audit("verify", "--head", filled.head())
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{len(KINDS)} entries, the chain is whole")
    assert filled.head() in result.stdout


def test_a_changed_byte_fails(audit, filled):
    data = filled.path.read_bytes()
    filled.path.write_bytes(data.replace(b"src/=prices.py", b"src/=pricez.py", 1))
    result = audit("verify")
    assert (result.returncode, result.stdout) == (1, "")
    assert "line 1" in result.stderr
    assert f"cp {filled.path} " in result.stderr


@pytest.mark.parametrize("head", ["", "abc", "0123456789a", "not a head at all", "f" * 65])
def test_what_cannot_be_a_head_is_a_wrong_argument(audit, filled, head):
    result = audit("verify", "--head", head)
    assert (result.returncode, result.stdout) == (2, "")
    assert "12 digits of a head" in result.stderr


def test_a_cut_end_fails_against_a_head(audit, filled):
    head = filled.head()
    lines = filled.path.read_bytes().splitlines(keepends=True)
    filled.path.write_bytes(b"".join(lines[:-1]))
    assert audit("verify").returncode == 0
    result = audit("verify", "--head", head)
    assert result.returncode == 1
    assert "the end was cut" in result.stderr


def test_all_is_exported_as_json_with_the_strictest_label(audit, filled):
    document = json.loads(audit("export").stdout)
    assert document["schema_version"] == 1
    assert document["label"] == "confidential"
    assert [entry["kind"] for entry in document["entries"]] == KINDS
    assert document["entries"][-1]["place"] == "src/keyed.py:1"


def test_all_is_exported_as_csv(audit, filled):
    rows = list(csv.DictReader(io.StringIO(audit("export", "--format", "csv").stdout)))
    assert [row["kind"] for row in rows] == KINDS
    assert (rows[0]["project"], rows[0]["terms"]) == ("/home/ann/shop", "paid")
    assert rows[0]["evidence"] == "src/=prices.py: mark: in the settings"
    assert rows[0]["backend"] == "gemini"
    assert rows[0]["files"].startswith("src/=prices.py public ")
    assert rows[1]["answers_entry"] == "1"
    assert [row["left"] for row in rows if row["kind"] == "failure"] == ["maybe", "no"]
    assert rows[-1]["secret"] == "Google key"


@pytest.mark.parametrize("before", ["", "\n", "\t", "\uff1d"])
def test_no_cell_is_a_formula(audit, ledger, before):
    ledger.append("failure", {"answers_entry": 1, "why": f"{before}=HYPERLINK(1)"})
    row = next(csv.DictReader(io.StringIO(audit("export", "--format", "csv").stdout)))
    assert row["why"] == f"'{before}=HYPERLINK(1)"


def test_a_ledger_that_others_can_read_is_an_error(audit, filled):
    filled.path.chmod(0o644)
    result = audit("list")
    assert result.returncode == 4
    assert "open to others" in result.stderr


def test_an_entry_of_every_kind_is_listed_and_exported(audit, filled):
    filled.append("purge", {"texts": 2})
    filled.append("forget", {"forgotten": ["/home/ann/shop/src/old.py"]})
    listed = audit("list").stdout.splitlines()
    assert listed[-1].endswith("not known any more: ['/home/ann/shop/src/old.py']")
    exported = json.loads(audit("export").stdout)
    assert exported["entries"][-1]["forgotten"] == ["/home/ann/shop/src/old.py"]
    rows = list(csv.DictReader(io.StringIO(audit("export", "--format", "csv").stdout)))
    assert rows[-1]["kind"] == "forget"


def test_an_export_is_as_strict_as_the_file_that_a_copy_is_of(audit, ledger):
    ledger.append("refusal", {"reason": "copy", "copy_label": "confidential", "files": []})
    assert json.loads(audit("export").stdout)["label"] == "confidential"


@pytest.mark.parametrize("command", [("list",), ("show", "1")])
def test_a_broken_chain_is_said_wherever_entries_are_shown(audit, filled, command):
    assert audit(*command).stderr == ""
    filled.path.write_bytes(filled.path.read_bytes().replace(b"flash", b"flesh", 1))
    done = audit(*command)
    assert done.returncode == 0
    assert "the chain does not hold, see: hybridgen audit verify" in done.stderr


def test_a_send_that_nothing_ended_is_said_to_be_counted_as_sent(audit, filled, tmp_path):
    index = FingerprintIndex(tmp_path / "fingerprints")
    gate = Gate(filled, index, lambda source: source, lambda text: True, project="/home/ann/shop")
    gate.clear(prompt_of("x = 1\n", "src/prices.py", Label.PUBLIC), GEMINI)
    *_, last = audit("list").stdout.splitlines()
    assert last.endswith("no ending is known: count it as sent")
    assert audit("list").stdout.count("no ending is known") == 1
