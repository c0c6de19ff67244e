"""What a candidate sees of the world: monkeypatch, files of its own, coroutines, logs, scripts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from hybridgen.domain import Candidate, Observation
from hybridgen.observe.confirm import confirm
from hybridgen.observe.runner import Dropped, Runner
from hybridgen.observe.trim import trim

OpenRunner = Callable[..., Runner]
MakeCandidate = Callable[..., Candidate]

WORLD = """
import logging, os, shutil, sys, time
from pathlib import Path

log = logging.getLogger("shop")
LIMIT = 3

def f():
    return os.environ.get("SAMPLE_TOKEN"), sys.argv[1:], LIMIT, os.path.exists("here.txt")

def asked():
    return input("name? ")

def copies(folder):
    (folder / "a").mkdir()
    (folder / "a" / "x.txt").write_text("1")
    shutil.copy(folder / "a" / "x.txt", folder / "y.txt")
    shutil.copy2(folder / "a" / "x.txt", folder / "z.txt")
    shutil.copytree(folder / "a", folder / "b")
    (folder / "y.txt").touch()
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))

def script(path):
    path.write_text("x")
    path.chmod(0o755)
    return path.stat().st_mode & 0o777, path.name

def aged(path):
    path.write_text("x")
    os.utime(path, (5, 5))
    return path.stat().st_mtime == 5

def runnable(path):
    path.write_text("x")
    os.chmod(path, 0o755)
    return os.access(path, os.X_OK)

def listed(path):
    path.write_text("x")
    os.chmod(path, 0o755)
    return [entry.stat().st_mode & 0o777 for entry in os.scandir(path.parent)]

def lock(path):
    path.write_text("x")
    os.chmod(path, 0)

def change(path, mode):
    path.write_text("x")
    os.chmod(path, mode)

def noisy(n):
    log.info("fine")
    log.warning("late by %d", n)
    return n

async def numbers(n):
    for i in range(n):
        if i == 3:
            raise ValueError("three")
        yield i

async def endless():
    while True:
        yield 1

def stop(code):
    sys.exit(code)

if __name__ == "__main__":
    print("run")
    sys.exit(len(sys.argv))
"""


def with_monkeypatch(candidate: Candidate) -> Candidate:
    return replace(candidate, fixtures=(*candidate.fixtures, "monkeypatch"))


def test_patches_hold_for_one_candidate_and_leave_the_process_as_it_was(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    runner = open_runner(WORLD)
    patched = with_monkeypatch(
        candidate(
            "monkeypatch.setenv('SAMPLE_TOKEN', 'abc')",
            "monkeypatch.setattr('sys.argv', ['program', 'x'])",
            "monkeypatch.setattr('sample.LIMIT', 8)",
            "monkeypatch.chdir(tmp_path)",
            "(tmp_path / 'here.txt').touch()",
            "?f()",
        )
    )
    result = runner.run(patched)
    assert isinstance(result, Observation)
    assert result.results[-1].checks[0].expression == "('abc', ['x'], 8, True)"
    after = runner.run(candidate("?f()"))
    assert isinstance(after, Observation)
    assert after.results[-1].checks[0].expression == "(None, ['-q'], 3, False)"
    assert runner.restarts == 0


def test_input_comes_from_a_patched_stream(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    steps = ("monkeypatch.setattr('sys.stdin', io.StringIO('ann\\n'))", "?asked()")
    result = open_runner(WORLD).run(with_monkeypatch(candidate(*steps, imports=("import io",))))
    assert isinstance(result, Observation)
    assert result.results[-1].checks[0].expression == "'ann'"
    assert result.results[-1].output == "name? "


@pytest.mark.parametrize(
    "step",
    [
        "monkeypatch.setattr('sample.missing', 1)",
        "monkeypatch.setattr('missing.part', 1)",
        "monkeypatch.setattr('os', 1)",
        "monkeypatch.delenv('SAMPLE_MISSING')",
        "monkeypatch.delitem(sys.modules, 'abc')",
    ],
)
def test_what_pytest_would_refuse_is_refused(
    open_runner: OpenRunner, candidate: MakeCandidate, step: str
) -> None:
    result = open_runner(WORLD).run(
        with_monkeypatch(candidate(step, "?f()", imports=("import sys",)))
    )
    assert isinstance(result, Observation)
    assert [item.status for item in result.results] == ["raised", "ok"]


def confirmed(runner: Runner, candidate: Candidate) -> list[str]:
    kept, _ = confirm(runner, [candidate], seed=0, deadline=time.monotonic() + 60)
    checks = [check for item in kept for result in item.results for check in result.checks]
    return [f"{check.path} {check.expression}" for check in checks]


def test_copies_below_tmp_path_work_and_are_observed(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    runner = open_runner(WORLD)
    assert confirmed(runner, candidate("?copies(tmp_path)")) == [
        " ['a', 'a/x.txt', 'b', 'b/x.txt', 'y.txt', 'z.txt']"
    ]


@pytest.mark.parametrize("call", ["script", "aged", "runnable"])
def test_modes_and_times_that_were_not_set_are_never_asserted(
    open_runner: OpenRunner, candidate: MakeCandidate, call: str
) -> None:
    runner = open_runner(WORLD)
    probe = candidate(f"?{call}(tmp_path / 'a')")
    first = runner.run(probe)
    assert isinstance(first, Observation)
    assert first.results[0].status == "ok"
    assert confirmed(runner, probe) == []


def test_directory_entries_that_tell_of_modes_cost_the_candidate(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    result = open_runner(WORLD).run(candidate("?listed(tmp_path / 'a')"))
    assert isinstance(result, Dropped)
    assert result.reason == "reads modes or times that the sandbox cannot set"


def test_a_mode_that_locks_out_the_owner_is_still_denied(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    result = open_runner(WORLD).run(candidate("?lock(tmp_path / 'a')"))
    assert isinstance(result, Observation)
    raised = result.results[0].raised
    assert raised is not None
    assert raised.type_name == "PermissionError"


@pytest.mark.parametrize(("mode", "expected"), [("-2", None), ("2 ** 40", "OverflowError")])
def test_a_mode_that_is_no_mode_is_taken_as_the_system_takes_it(
    open_runner: OpenRunner, candidate: MakeCandidate, mode: str, expected: str | None
) -> None:
    result = open_runner(WORLD).run(candidate(f"?change(tmp_path / 'a', {mode})"))
    assert isinstance(result, Observation)
    raised = result.results[0].raised
    assert (raised.type_name if raised is not None else None) == expected


def test_asynchronous_generators_are_collected_by_a_coroutine_of_the_test(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    runner = open_runner(WORLD)
    result = runner.run(candidate("?numbers(2)"))
    assert isinstance(result, Observation)
    assert [step.code for step in result.candidate.steps] == [
        "async def collect():\n    return [item async for item in numbers(2)]",
        "asyncio.run(collect())",
    ]
    assert result.candidate.imports == ("import asyncio",)
    assert result.results[-1].checks[0].expression == "[0, 1]"
    again = runner.run(result.candidate)
    assert isinstance(again, Observation)
    assert again.results == result.results


def test_an_asynchronous_generator_that_raises_keeps_its_coroutine(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    result = open_runner(WORLD).run(candidate("?numbers(5)"))
    assert isinstance(result, Observation)
    (part,) = trim(result)
    assert [step.code for step in part.steps] == [
        "async def collect():\n    return [item async for item in numbers(5)]",
        "asyncio.run(collect())",
    ]


def test_an_endless_asynchronous_generator_is_left_alone(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    result = open_runner(WORLD).run(candidate("?endless()"))
    assert isinstance(result, Observation)
    assert [step.code for step in result.candidate.steps] == ["endless()"]
    assert result.results[0].checks == ()


def test_what_gets_to_the_root_logger_is_observed(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    result = open_runner(WORLD).run(candidate("?noisy(3)"))
    assert isinstance(result, Observation)
    assert result.results[0].logs == (("WARNING", "late by 3"),)


def test_the_status_of_an_exit_is_matched(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    result = open_runner(WORLD).run(candidate("?stop(3)"))
    assert isinstance(result, Observation)
    raised = result.results[0].raised
    assert raised is not None
    assert (raised.type_name, raised.match) == ("SystemExit", "3")


def test_a_script_runs_again_under_its_other_name(
    open_runner: OpenRunner, candidate: MakeCandidate
) -> None:
    runner = open_runner(WORLD)
    steps = (
        "monkeypatch.setattr('sys.argv', ['sample', 'x'])",
        "runpy.run_module('sample', run_name='__main__')",
    )
    result = runner.run(with_monkeypatch(candidate(*steps, imports=("import runpy",))))
    assert isinstance(result, Observation)
    last = WORLD.count("\n")
    assert last in {line for arc in result.arcs for line in arc}
    raised = result.results[-1].raised
    assert raised is not None
    assert (raised.type_name, raised.match) == ("SystemExit", "2")
    assert result.results[-1].output == "run\n"
    (part,) = trim(result)
    assert [step.code for step in part.steps] == list(steps)
