"""What code under test does to the world is noticed, in whatever module and by whatever name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridgen.domain import Candidate, Observation
from hybridgen.observe.runner import Dropped, Runner

OpenRunner = Callable[..., Runner]
MakeCandidate = Callable[..., Candidate]

FILES = "writes files outside of tmp_path"
CHANGED = "leaves the environment or the working folder changed"
OUTSIDE = "starts programs or uses the network"
NUMBER = "opens a file by its number"

MODULE = """
import os, pathlib, shutil, socket, subprocess, tempfile
wipe = os.remove

def f(path):
    try:
        wipe(path)
    except OSError:
        pass
    return 1

def tree(path):
    shutil.rmtree(path, ignore_errors=True)
    return 1

def moved(path):
    try:
        pathlib.Path(path).rename("b")
    except OSError:
        pass
    return 1

def put(path):
    try:
        with open(path, "a") as file:
            file.write("x")
    except OSError:
        pass
    return 1

def get(path):
    try:
        with open(path) as file:
            return len(file.read())
    except OSError:
        return 0

def run(name):
    try:
        getattr(subprocess, "run")(name, shell=True)
    except OSError:
        pass
    return 1

def call(host):
    try:
        socket.create_connection((host, 1))
    except OSError:
        pass
    return 1

def short():
    with tempfile.TemporaryFile() as file:
        return file.write(b"abc")

def silent():
    with open(os.devnull, "w") as file:
        return file.write("abc")

def export(value):
    os.environ["SAMPLE"] = value
    return 1

def enter(path):
    os.chdir(path)
    return 1

def lend(value):
    os.environ["SAMPLE"] = value
    del os.environ["SAMPLE"]
    return 1

async def later():
    return 1
"""


@pytest.mark.parametrize(
    ("call", "effect"),
    [
        ("f('data.db')", FILES),
        ("f(b'data.db')", FILES),
        ("put('data.db')", FILES),
        ("put('/home/x')", FILES),
        ("put(str(tmp_path) + '/../x')", FILES),
        ("moved(tmp_path / 'a')", FILES),
        ("tree('.')", FILES),
        ("run('true')", OUTSIDE),
        ("call('localhost')", OUTSIDE),
        ("export('a')", CHANGED),
        ("enter(tmp_path)", CHANGED),
        ("enter('/')", FILES),
        ("get(2)", NUMBER),
        ("get(True)", NUMBER),
        ("get(7)", NUMBER),
    ],
)
def test_an_attempt_costs_the_candidate(
    open_runner: OpenRunner, candidate: MakeCandidate, call: str, effect: str
) -> None:
    result = open_runner(MODULE).run(candidate(f"?{call}"))
    assert isinstance(result, Dropped)
    assert result.reason == effect


@pytest.mark.parametrize(
    "steps",
    [
        ("?f(tmp_path / 'a')",),
        ("?put(tmp_path / 'a')",),
        ("(tmp_path / 'd').mkdir()", "(tmp_path / 'd' / 'e').touch()", "?tree(tmp_path / 'd')"),
        ("?get('/etc/hostname')",),
        ("?short()",),
        ("?silent()",),
        ("?lend('a')",),
        ("?later()",),
    ],
)
def test_what_stays_in_temporary_folders_is_no_effect(
    open_runner: OpenRunner, candidate: MakeCandidate, steps: tuple[str, ...]
) -> None:
    result = open_runner(MODULE).run(candidate(*steps))
    assert isinstance(result, Observation)
    assert [item.status for item in result.results] == ["ok"] * len(steps)
