"""Who can get at what hybridgen keeps; the ledger; what is trusted."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from hybridgen.doctor.keeping import check_files, check_ledger, check_trust
from hybridgen.domain.health import Finding, State
from hybridgen.errors import PolicyRefusal
from hybridgen.gate import Ledger
from hybridgen.label import TrustStore
from hybridgen.private import write_private


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder as hybridgen makes them, with two files in it."""
    folder = tmp_path / "it's kept"
    write_private(folder / "one", b"1")
    write_private(folder / "inner" / "two", b"2")
    return folder


def looked(kept: Path | None = None, unwritten: Path | None = None) -> list[Finding]:
    return list(
        check_files(
            {} if kept is None else {"ledger": kept},
            {} if unwritten is None else {"models": (unwritten,)},
        )
    )


def mend(finding: Finding) -> None:
    """Does what the fix says, as a person would."""
    assert finding.fix is not None
    subprocess.run(["/bin/sh", "-c", finding.fix], check=True, timeout=20)


def test_what_is_its_users_alone_is_fine(kept: Path) -> None:
    (finding,) = looked(kept)
    assert finding.state is State.OK
    assert finding.text.startswith("all 4 ")


def test_what_is_not_there_is_fine(tmp_path: Path) -> None:
    (finding,) = looked(tmp_path / "nowhere", tmp_path / "nowhere either")
    assert (finding.state, finding.text) == (State.OK, "nothing is kept yet")


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o602])
def test_open_file_is_wrong_and_the_fix_mends_it(kept: Path, mode: int) -> None:
    path = kept / "inner" / "two"
    path.chmod(mode)
    (finding,) = looked(kept)
    assert finding.state is State.WRONG
    assert f"{path}: it is open to others (mode {mode:o})" in finding.text
    assert str(finding.fix).startswith("chmod go-rwx ")
    mend(finding)
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    assert looked(kept)[0].state is State.OK


def test_open_folder_is_wrong_and_the_fix_mends_all_in_it(kept: Path) -> None:
    for path in (kept, kept / "one", kept / "inner", kept / "inner" / "two"):
        path.chmod(0o755)
    (finding,) = looked(kept)
    assert len(finding.details) == 3
    assert str(finding.fix).startswith("chmod -R go-rwx ")
    mend(finding)
    assert looked(kept)[0].state is State.OK


def test_many_open_files_are_counted_and_a_few_are_named(kept: Path) -> None:
    for number in range(20):
        (kept / f"f{number}").touch(0o644)
    (finding,) = looked(kept)
    assert finding.facts["count"] == 20
    assert len(finding.details) == 6
    assert finding.details[-1] == "and 14 more"


def test_link_is_wrong_and_never_followed(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("somebody's")
    (kept / "link").symlink_to(tmp_path / "elsewhere")
    (finding,) = looked(kept)
    assert finding.state is State.WRONG
    assert "of another kind" in finding.text
    assert "rm " in str(finding.fix)


def test_link_in_place_of_the_folder_is_wrong(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(kept)
    assert looked(tmp_path / "linked")[0].state is State.WRONG


def test_second_name_is_wrong(kept: Path, tmp_path: Path) -> None:
    os.link(kept / "one", tmp_path / "other")
    (finding,) = looked(kept)
    assert "second name" in finding.text
    assert "-samefile" in str(finding.fix)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_file_of_somebody_else_is_wrong_wherever_it_is(kept: Path) -> None:
    os.chown(kept / "one", 12345, -1)
    for (finding,) in (looked(kept), looked(None, kept / "one")):
        assert finding.state is State.WRONG
        assert "belongs to somebody else" in finding.text
        assert "chown" in str(finding.fix)


def test_settings_and_models_may_be_read_but_not_written_by_others(kept: Path) -> None:
    kept.chmod(0o755)
    assert looked(None, kept)[0].state is State.OK
    kept.chmod(0o775)
    (finding,) = looked(None, kept)
    assert finding.state is State.WRONG
    assert str(finding.fix).startswith("chmod go-w ")
    mend(finding)
    assert looked(None, kept)[0].state is State.OK
    assert stat.S_IMODE(kept.stat().st_mode) == 0o755


def test_whole_ledger_is_said_with_its_head(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    (empty,) = check_ledger(ledger)
    assert (empty.state, empty.facts["head"]) == (State.OK, None)
    entry = ledger.append("refusal", {"reason": "label"})
    (finding,) = check_ledger(ledger)
    assert (finding.state, finding.facts["head"]) == (State.OK, entry.hash)


def test_changed_ledger_is_wrong(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.append("refusal", {"reason": "label"})
    ledger.path.write_bytes(ledger.path.read_bytes().replace(b"label", b"lobel"))
    (finding,) = check_ledger(ledger)
    assert finding.state is State.WRONG
    assert "line 1" in finding.text
    assert "hybridgen audit verify" in str(finding.fix)


def test_trust_is_counted_and_no_project_is_named(tmp_path: Path) -> None:
    store = TrustStore(tmp_path / "trust")
    (nothing,) = check_trust(store)
    assert nothing.text == "nothing is trusted"
    store.trust(tmp_path / "secret-project", (), "marks")
    (finding,) = check_trust(store)
    assert (finding.state, finding.facts["projects"]) == (State.OK, 1)
    assert "secret-project" not in json.dumps([finding.text, dict(finding.facts)])


def test_damaged_trust_is_an_error_with_the_next_command(tmp_path: Path) -> None:
    write_private(tmp_path / "trust" / "x.json", b"{")
    with pytest.raises(PolicyRefusal) as raised:
        list(check_trust(TrustStore(tmp_path / "trust")))
    assert "hybridgen trust" in str(raised.value.hint)
