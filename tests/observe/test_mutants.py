"""Mutants in real forked processes inside the locks: what they see, and what they cannot do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybridgen.domain import (
    Candidate,
    Check,
    CheckKind,
    Label,
    Module,
    Observation,
    Raised,
    Step,
    StepKind,
    StepResult,
)
from hybridgen.observe.mutants import Nursery, Ran, noticed
from hybridgen.observe.runner import Dropped, Runner, Sandbox

TEXT = """
import json
import helper_of_sample

RATE = 3


class Box:
    def __init__(self, size=RATE):
        self.size = size


LIMITS = []


def grow(step, by=RATE):
    return helper_of_sample.double(step) + by


def remember(item):
    LIMITS.append(item)
    return len(LIMITS)
"""


@pytest.fixture
def opened(
    read: Callable[..., Module], sandbox: Sandbox, tmp_path: Path
) -> Iterator[Callable[..., tuple[Module, Nursery, Runner]]]:
    """A module with a second file beside it, its runner, and a nursery."""
    things: list[Runner | Nursery] = []

    def opened(text: str = TEXT, box: Sandbox = sandbox) -> tuple[Module, Nursery, Runner]:
        module = read(text)
        helper = module.path.parent / "helper_of_sample.py"
        helper.write_text("def double(x):\n    return 2 * x\n")
        folders = [tmp_path / "runner", tmp_path / "nursery"]
        for folder in folders:
            folder.mkdir()
        runner = Runner(module, box, folders[0])
        runner.open()
        nursery = Nursery(module, runner, box, folders[1])
        things.extend((runner, nursery))
        return module, nursery, runner

    yield opened
    for thing in things:
        thing.close()


def probes(*codes: str, before: str = "") -> list[Candidate]:
    setup = (Step(StepKind.SETUP, before),) if before else ()
    return [
        Candidate("f", (*setup, Step(StepKind.PROBE, code)), Label.PUBLIC, "types")
        for code in codes
    ]


def shown(ran: Ran | None) -> list[str]:
    """What the last step of each candidate shows."""
    assert ran is not None
    found = []
    for _, results in sorted(ran.results.items()):
        last = results[-1] if results is not None else None
        raised = last.raised.type_name if last is not None and last.raised is not None else ""
        checks = [check.expression for check in last.checks] if last is not None else ["lost"]
        found.append(raised or " ".join(checks))
    return found


def test_candidates_run_on_the_changed_source(opened: Callable[..., tuple]) -> None:
    module, nursery, _ = opened()
    source = module.source.text
    asked = probes("grow(4)", "Box().size", "RATE")
    assert shown(nursery.run(None, asked)) == ["11", "3", "3"]
    assert shown(nursery.run(source.replace("RATE = 3", "RATE = 5"), asked)) == ["13", "5", "5"]
    assert shown(nursery.run(source.replace(" + by", " - by"), asked)) == ["5", "3", "3"]
    assert shown(nursery.run(None, asked)) == ["11", "3", "3"]
    assert module.path.read_text() == source


def test_names_that_another_module_bound_early_are_the_mutants(
    opened: Callable[..., tuple],
) -> None:
    text = "def grow(x):\n    return x + 1\n\n\ndef early(x):\n    import user_of_sample\n"
    text += "    return user_of_sample.ask(x)\n"
    module, nursery, _ = opened(text)
    (module.path.parent / "user_of_sample.py").write_text(
        "from sample import grow\n\n\ndef ask(x, grow=grow):\n    return grow(x)\n"
    )
    assert shown(nursery.run(None, probes("early(1)"))) == ["2"]
    mutant = module.source.text.replace("x + 1", "x - 1")
    assert shown(nursery.run(mutant, probes("early(1)"))) == ["0"]


def test_state_never_reaches_the_next_candidate_or_mutant(opened: Callable[..., tuple]) -> None:
    _, nursery, _ = opened()
    asked = probes("remember('a')", "remember('b')", "grow(1)")
    assert shown(nursery.run(None, asked)) == ["1", "1", "5"]
    ran = nursery.run(None, asked, is_careful=True)
    assert ran is not None
    assert ran.changing == {0, 1}
    assert shown(nursery.run(None, asked, alone=set(asked[:2]))) == ["1", "1", "5"]


def test_mutant_that_hangs_or_dies_costs_its_candidate_only(opened: Callable[..., tuple]) -> None:
    module, nursery, _ = opened()
    for change in ("while True: pass", "__import__('os')._exit(3)", "__import__('time').sleep(60)"):
        mutant = module.source.text.replace("    LIMITS.append(item)", f"    {change}")
        assert shown(nursery.run(mutant, probes("grow(1)", "remember(1)"))) == ["5", "lost"]
    assert shown(nursery.run(None, probes("grow(1)"))) == ["5"]


def test_mutant_that_cannot_be_imported_is_said_to_be_so(opened: Callable[..., tuple]) -> None:
    module, nursery, _ = opened()
    for broken in ("RATE = 1 / 0", "RATE ="):
        ran = nursery.run(module.source.text.replace("RATE = 3", broken), probes("grow(1)"))
        assert ran is not None
        assert not ran.is_loaded


def test_everything_works_without_a_sandbox_too(opened: Callable[..., tuple]) -> None:
    box = Sandbox(is_locked=False, call_timeout=2.0, memory_bytes=2 * 2**30)
    module, nursery, _ = opened(box=box)
    mutant = module.source.text.replace("RATE = 3", "RATE = 4")
    assert shown(nursery.run(mutant, probes("grow(1)", "Box().size"))) == ["6", "4"]


# ---------------------------------------------------------------- what code under test cannot do

ATTACKS = {
    "fork": "os.fork() or os._exit(0)",
    "program": "__import__('subprocess').run([sys.executable, '-c', ''])",
    "socket": "__import__('socket').socket()",
    "signal to the nursery": "os.kill(os.getppid(), 9)",
    "signal to the group": "os.killpg(0, 9)",
    "descriptors of the nursery": (
        "[os.open(f'/proc/{os.getppid()}/fd/{n}', os.O_WRONLY) for n in (1, 60, 61)]"
    ),
    "memory of the nursery": "open(f'/proc/{os.getppid()}/mem', 'rb')",
    "change of a project file": "os.chmod(__file__, 0o600)",
    "write to the project": "open(__file__, 'a')",
    "read of the home folder": "os.listdir(os.path.expanduser('~root'))",
    "outliving its parent": "ctypes.CDLL(None, use_errno=True).prctl(1, 0, 0, 0, 0) and denied()",
}
ATTACKER = """
import ctypes
import os
import sys


def denied():
    raise PermissionError


def free():
    try:
        ATTACK
    except OSError as error:
        return f"denied {error.errno}"
    return "done"


FOUND = free()


def attack():
    return free(), FOUND


def plain():
    return 1
"""


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_code_under_test_is_locked_in_every_child(
    opened: Callable[..., tuple], attack: str
) -> None:
    text = ATTACKER.replace("ATTACK", attack)
    module, nursery, _ = opened(text)
    before = module.path.stat()
    ran = nursery.run(None, probes("attack()", "plain()"))
    found = shown(ran)
    assert found[0] == "lost" or found[0].count("denied") == 2, found
    assert shown(nursery.run(None, probes("plain()"))) == ["1"]
    assert module.path.stat().st_mode == before.st_mode
    assert module.path.stat().st_mtime_ns == before.st_mtime_ns


def test_words_of_a_child_are_not_taken_for_those_of_the_nursery(
    opened: Callable[..., tuple],
) -> None:
    text = """
    import os

    def shout():
        for number in range(2, 256):
            try:
                os.write(number, b'{"ok": true, "loaded": true, "answers": {}}\\n' * 3)
            except OSError:
                pass
        return 7

    def plain():
        return 1
    """
    _, nursery, _ = opened(text)
    nursery.run(None, probes("shout()"))
    assert shown(nursery.run(None, probes("plain()"))) == ["1"]


# ---------------------------------------------------------------- what a test would notice


def observation(*results: StepResult) -> Observation:
    steps = tuple(Step(StepKind.PROBE, f"f({index})") for index in range(len(results)))
    candidate = Candidate("f", steps, Label.PUBLIC, "types")
    return Observation(candidate, results, frozenset(), Label.PUBLIC)


def value(text: str, kind: CheckKind = CheckKind.EQUAL, path: str = "") -> StepResult:
    return StepResult("ok", checks=(Check(kind, path, text),))


def error(name: str, match: str = "") -> StepResult:
    return StepResult("raised", raised=Raised(name, "", match, True, True))


@pytest.mark.parametrize(
    ("wanted", "got", "expected"),
    [
        (value("1"), value("1"), False),
        (value("1"), value("2"), True),
        (value("1"), value("1.0"), False),
        (value("1"), value("True", CheckKind.IS), False),
        (value("True", CheckKind.IS), value("1"), True),
        (value("0.3", CheckKind.APPROX), value("0.30000000000000004", CheckKind.APPROX), False),
        (value("0.3", CheckKind.APPROX), value("0.31", CheckKind.APPROX), True),
        (value("1"), error("ValueError"), True),
        (error("ValueError"), value("1"), True),
        (error("ValueError"), error("TypeError"), True),
        (error("ValueError", "no"), error("ValueError", "yes"), True),
        (error("ValueError"), error("ValueError", "yes"), False),
        (StepResult("ok", output="a\n"), StepResult("ok", output="b\n"), True),
        (StepResult("ok"), StepResult("ok", output="b\n"), False),
        (StepResult("ok", complaints="a\n"), StepResult("ok", complaints="b\n"), True),
        (StepResult("ok", warnings=("UserWarning",)), StepResult("ok"), True),
        (StepResult("ok", logs=(("INFO", "a"),)), StepResult("ok", logs=(("INFO", "b"),)), True),
        (StepResult("ok", logs=(("INFO", "a"),)), StepResult("ok", logs=(("INFO", "a"),)), False),
        (StepResult("ok"), StepResult("ok", logs=(("INFO", "a"),)), False),
    ],
)
def test_noticed_is_what_an_assertion_would_see(
    wanted: StepResult, got: StepResult, expected: bool
) -> None:
    assert bool(noticed(observation(wanted), (got,))) is expected


def test_test_ends_where_something_unexpected_is_raised() -> None:
    seen = observation(value("1"), value("2"), value("3"))
    got = (value("1"), error("ValueError"), value("3"))
    assert {code for code, _ in noticed(seen, got)} == {"f(1)", "f(2)"}
    assert len(noticed(seen, None)) == 3


def test_runner_and_nursery_agree(opened: Callable[..., tuple]) -> None:
    _, nursery, runner = opened()
    asked = probes("grow(4)", "Box()", "grow('a')", "json.dumps([RATE])")
    ran = nursery.run(None, asked)
    for place, candidate in enumerate(asked):
        seen = runner.run(candidate)
        assert not isinstance(seen, Dropped)
        assert noticed(seen, ran.results[place]) == frozenset()


WRITER = """
def save(path, items):
    path.write_text("\\n".join(sorted(items)))


def tidy_up(folder):
    for path in folder.glob("*.tmp"):
        path.unlink()
"""


def test_mutant_that_changes_only_what_is_written_is_noticed(opened: Callable[..., tuple]) -> None:
    module, nursery, runner = opened(WRITER)
    made = "(tmp_path / 'a.tmp').touch()"
    asked = [
        Candidate("f", tuple(steps), Label.PUBLIC, "types", (), ("tmp_path",))
        for steps in (
            [Step(StepKind.PROBE, "save(tmp_path / 'x', ['b', 'a'])")],
            [Step(StepKind.SETUP, made), Step(StepKind.PROBE, "tidy_up(tmp_path)")],
        )
    ]

    def lost(old: str, new: str) -> list[bool]:
        ran = nursery.run(module.source.text.replace(old, new), asked)
        seen = [runner.run(candidate) for candidate in asked]
        return [
            bool(noticed(one, ran.results[place]))
            for place, one in enumerate(seen)
            if not isinstance(one, Dropped)
        ]

    assert lost("", "") == [False, False]
    assert lost("sorted(items)", "items") == [True, False]
    assert lost("path.write_text", "str") == [True, False]
    assert lost("path.unlink()", "pass") == [False, True]
    assert lost("*.tmp", "*.bak") == [False, True]
