"""What was observed beside values: output, logs, exits."""

from __future__ import annotations

from hybridgen.domain import (
    Candidate,
    Check,
    CheckKind,
    Label,
    Observation,
    Raised,
    Step,
    StepKind,
    StepResult,
)
from hybridgen.suite.bodies import plain_body

SETUP, PROBE = StepKind.SETUP, StepKind.PROBE
TWO = (Check(CheckKind.EQUAL, "", "2"),)
NONE = (Check(CheckKind.IS, "", "None"),)


def body(*pairs: tuple[StepKind, str, StepResult], fixtures: tuple[str, ...] = ()) -> list[str]:
    steps = tuple(Step(kind, code) for kind, code, _ in pairs)
    candidate = Candidate("f", steps, Label.CONFIDENTIAL, "search", (), fixtures)
    results = tuple(result for _, _, result in pairs)
    found = plain_body(Observation(candidate, results, frozenset(), Label.CONFIDENTIAL), set())
    return [", ".join(found.fixtures), *found.lines]


def test_a_value_and_what_was_printed_beside_it_are_both_asserted() -> None:
    assert body((PROBE, "main()", StepResult("ok", TWO, output="usage\n"))) == [
        "capsys",
        "assert main() == 2",
        "assert capsys.readouterr().out == 'usage\\n'",
    ]


def test_output_before_an_exit_is_asserted_after_it() -> None:
    ended = Raised("SystemExit", "", "2", is_deliberate=True, is_inside=True)
    result = StepResult("raised", raised=ended, output="bye\n")
    assert body((SETUP, "run()", result), fixtures=("monkeypatch",)) == [
        "monkeypatch, capsys",
        "with pytest.raises(SystemExit, match='2'):",
        "    run()",
        "assert capsys.readouterr().out == 'bye\\n'",
    ]


def test_each_step_that_logs_is_asserted_by_itself() -> None:
    first = StepResult("ok", NONE, logs=(("WARNING", "late"),))
    second = StepResult("ok", TWO, logs=(("ERROR", "too late"), ("ERROR", "gone")))
    assert body((PROBE, "f(1)", first), (PROBE, "f(2)", second)) == [
        "caplog",
        "assert f(1) is None",
        "assert caplog.messages == ['late']",
        "caplog.clear()",
        "assert f(2) == 2",
        "assert caplog.messages == ['too late', 'gone']",
    ]


def test_what_was_printed_to_stderr_is_asserted() -> None:
    ended = Raised("SystemExit", "", "2", is_deliberate=True, is_inside=True)
    result = StepResult("raised", raised=ended, complaints="usage\n")
    assert body((PROBE, "usage()", result))[1:] == [
        "with pytest.raises(SystemExit, match='2'):",
        "    usage()",
        "assert capsys.readouterr().err == 'usage\\n'",
    ]
    both = StepResult("ok", NONE, output="done\n", complaints="late\n")
    assert body((PROBE, "f(1)", both)) == [
        "capsys",
        "f(1)",
        "captured = capsys.readouterr()",
        "assert captured.out == 'done\\n'",
        "assert captured.err == 'late\\n'",
    ]
