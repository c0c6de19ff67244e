"""What the doctor found, as lines and as a document."""

from __future__ import annotations

import json

from hybridgen.domain.health import Finding, State
from hybridgen.report.health import as_json, as_lines, summary

OK = Finding("disk", State.OK, "31 GB free", "make room", ("never shown",), {"free_bytes": 31})
WARNING = Finding("model", State.WARNING, "none is installed", "hybridgen models pull")
WRONG = Finding("files", State.WRONG, "a: open", "chmod go-rwx a", ("b: open", "c: open"))
SKIPPED = Finding("reach", State.SKIPPED, "not tried")


def test_mark_comes_first_and_columns_stand_below_each_other() -> None:
    lines = {one.text: as_lines(one).splitlines()[0] for one in (OK, WARNING, WRONG, SKIPPED)}
    assert [line.split()[0] for line in lines.values()] == ["ok", "warning", "wrong", "skipped"]
    assert {line.index(text) for text, line in lines.items()} == {23}


def test_details_and_fix_are_shown_where_something_is_not_right_only() -> None:
    assert as_lines(OK).splitlines() == ["ok       disk          31 GB free"]
    assert [line.strip() for line in as_lines(WRONG).splitlines()[1:]] == [
        "b: open",
        "c: open",
        "fix: chmod go-rwx a",
    ]


def test_last_line_says_what_the_exit_code_means() -> None:
    assert summary([OK, SKIPPED]) == "nothing is wrong (exit code 0)"
    assert summary([OK, WARNING]) == "1 warning, nothing is wrong (exit code 0)"
    assert summary([WRONG, WARNING, WRONG]).startswith("2 wrong, 1 warning: ")
    assert "exit code 1" in summary([WRONG])


def test_names_of_files_cannot_steer_the_terminal() -> None:
    text = as_lines(Finding("files", State.WRONG, "\x1b[2Ja\nb", "rm '\x1b]0;x'", ("\x9b",)))
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert len(text.splitlines()) == 3


def test_document_has_all_of_it() -> None:
    document = json.loads(as_json([OK, WRONG], version="1.2", is_online=True))
    assert document["exit_code"] == 1
    assert document["online"] is True
    assert document["version"] == "1.2"
    assert document["label"] == "confidential"
    assert document["counts"] == {"ok": 1, "skipped": 0, "warning": 0, "wrong": 1}
    assert document["findings"][0] == {
        "subject": "disk",
        "state": "ok",
        "text": "31 GB free",
        "fix": "make room",
        "details": ["never shown"],
        "facts": {"free_bytes": 31},
    }
    assert json.loads(as_json([WARNING], version="1", is_online=False))["exit_code"] == 0
