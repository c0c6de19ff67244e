"""Every attack of the proof, on every real process: denied, and working without the lock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hybridgen.lockdown import LockLevel, bubblewrap
from hybridgen.lockdown.probe import _try
from hybridgen.proof import PROCESSES, RUN, Row, Verdict
from hybridgen.proof.attacker import DENIED, SUCCEEDED
from hybridgen.proof.cast import outcomes
from hybridgen.proof.expected import attacks_on
from hybridgen.proof.proving import surroundings, whole_run
from hybridgen.report.proof import as_json, is_proven, summary

pytestmark = pytest.mark.usefixtures("kernel_with_locks")

ROWS = [(process, attack) for process in PROCESSES for attack in attacks_on(process)]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Any]]:
    with surroundings(tmp_path_factory.mktemp("proof")) as target:
        yield target


@pytest.fixture(scope="module")
def seen(target: Mapping[str, Any]) -> Any:
    """What came of all attacks from inside a process; each is started once."""

    @cache
    def tried(process: str, is_locked: bool) -> Mapping[str, str]:
        return outcomes(process, target, attacks_on(process), is_locked=is_locked)

    return tried


@pytest.mark.parametrize(("process", "attack"), ROWS)
def test_attack_is_denied_and_works_without_the_lock(process: str, attack: str, seen: Any) -> None:
    assert seen(process, True)[attack] == DENIED
    assert seen(process, False)[attack] == SUCCEEDED


# Without no_new_privs a nursery's child could not take its filter, but as root.
BARE_START = """
import sys
import hybridgen.observe.runner as start
bare = "import ctypes, os, sys; ctypes.CDLL(None).prctl(38, 1, 0, 0, 0); "
bare = [sys.executable, "-I", "-c", bare + "os.execv(sys.argv[1], sys.argv[1:])"]
start.locked_command = lambda profile, command, **options: [*bare, *command]
"""
NO_FILTER = """
import hybridgen.observe.mutants as start
start.child_filter = lambda **options: None
"""
# The file that is loaded into the nursery, without the line that locks its child.
NO_LOCK_IN_THE_CHILD = """
import pathlib
import hybridgen.observe.mutants as start
line = 'lock(request["filter"], parent)'
text = start.EXTENSION_FILE.read_text()
assert text.count(line) == 1
start.EXTENSION_FILE = pathlib.Path(place["models"]) / "worker_mutants.py"
start.EXTENSION_FILE.write_text(text.replace(line, "pass"))
"""


@pytest.mark.parametrize(
    ("process", "attack", "broken"),
    [
        ("runner", "send_by_tcp", BARE_START),
        ("runner", "read_home", BARE_START),
        ("nursery", "send_by_tcp", BARE_START),
        ("mutant", "read_home", BARE_START),
        ("mutant", "fork", NO_FILTER),
        ("mutant", "fork", NO_LOCK_IN_THE_CHILD),
    ],
)
def test_lock_taken_out_of_the_start_of_a_run_is_seen(
    target: Mapping[str, Any], process: str, attack: str, broken: str
) -> None:
    found = outcomes(process, target, [attack], is_locked=True, before=broken)
    assert row(process=process, result=found[attack]).verdict is Verdict.BROKEN


# Answers ENOSYS to the three calls of Landlock, as an older kernel does.
WITHOUT_LANDLOCK = """
import ctypes, struct
rules = [(0x20, 0, 0, 0), (0x35, 0, 2, 444), (0x25, 1, 0, 446), (6, 0, 0, 0x50026)]
rules = b"".join(struct.pack("HBBI", *rule) for rule in [*rules, (6, 0, 0, 0x7FFF0000)])
held = ctypes.create_string_buffer(rules, len(rules))
program = struct.pack("HxxxxxxP", 5, ctypes.addressof(held))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
"""


@pytest.mark.skipif(
    bubblewrap() is None or _try(LockLevel(True, False, ""), bubblewrap())[0] == set(),
    reason="bubblewrap is not installed, or may make no namespaces here",
)
def test_where_there_is_no_landlock_code_under_test_is_attacked_in_its_box(
    target: Mapping[str, Any],
) -> None:
    attacks = ["send_by_tcp", "read_home", "write_project", "write_beside", "read_memory", "fork"]
    found = outcomes("runner", target, attacks, is_locked=True, before=WITHOUT_LANDLOCK)
    assert found == dict.fromkeys(attacks, DENIED)


def test_every_process_of_hybridgen_is_attacked() -> None:
    assert all(len(attacks_on(process)) > 15 for process in PROCESSES)


def row(**changed: str) -> Row:
    values = {"process": "broker", "attack": "x", "expected": DENIED, "result": DENIED}
    return Row(**{**values, "control": SUCCEEDED, **changed})


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, Verdict.HELD),
        ({"result": SUCCEEDED}, Verdict.BROKEN),
        ({"control": DENIED}, Verdict.NOT_PROVEN),
        ({"control": "not tried: ..."}, Verdict.NOT_PROVEN),
        ({"result": "TimeoutError: ..."}, Verdict.NOT_PROVEN),
        ({"result": SUCCEEDED, "control": DENIED}, Verdict.BROKEN),
    ],
)
def test_row_holds_only_if_its_control_shows_that_it_could_fail(
    changed: dict[str, str], verdict: Verdict
) -> None:
    assert row(**changed).verdict is verdict


def test_nothing_is_proven_by_no_rows_or_by_one_that_is_not() -> None:
    assert not is_proven([])
    assert is_proven([row()])
    assert not is_proven([row(), row(control=DENIED)])
    assert "exit code 1" in summary([row(), row(result=SUCCEEDED)])
    assert "exit code 1" in summary([row(), row(control=DENIED)])
    document = as_json([row()], version="1", system="linux", processes=PROCESSES)
    assert '"is_proven": true' in document


def test_want_of_time_is_named_only_where_no_attack_succeeded() -> None:
    assert "want of time" in summary([row(), row(control=DENIED)])
    assert "want of time" not in summary([row(control=DENIED), row(result=SUCCEEDED)])


def test_whole_run_with_all_files_marked_internal_would_be_seen(tmp_path: Path, quick: str) -> None:
    rows = list(whole_run(tmp_path, ["/shop/"], before=quick))
    assert rows[0].verdict is Verdict.BROKEN, rows


@pytest.mark.long
def test_the_command_shows_the_proof_and_its_exit_code_is_the_verdict(tmp_path: Path) -> None:
    command = "import sys; from hybridgen.cli.main import main; main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-I", "-c", command, "doctor", "--prove", "--json"],
        cwd=tmp_path,
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    document = json.loads(done.stdout)
    assert (done.returncode, document["is_proven"]) == (0, True), done.stdout + done.stderr
    assert {row["process"] for row in document["rows"]} == {*PROCESSES, RUN}
    assert list(tmp_path.iterdir()) == []
