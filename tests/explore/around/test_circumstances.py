"""What code reads of the world is found in its source, and fixed for its tests."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

import pytest

from hybridgen.domain import Candidate, Label, Module, Step, StepKind
from hybridgen.explore.archive import Archive
from hybridgen.explore.around.circumstances import Circumstances, is_set_up
from hybridgen.explore.search import Search

Read = Callable[[str], Module]
Start = Callable[..., tuple[Search, Archive, Module]]


def call(code: str, *before: str, origin: str = "search", target: str = "f") -> Candidate:
    steps = [*(Step(StepKind.SETUP, line) for line in before), Step(StepKind.PROBE, code)]
    return Candidate(target, tuple(steps), Label.CONFIDENTIAL, origin)


def set_ups(module: Module, candidate: Candidate, count: int = 60) -> set[str]:
    """Every statement that is put before ``candidate`` in many tries."""
    made = Circumstances(module, "sample", random.Random(0))
    runs = [made.around(candidate) for _ in range(count)]
    return {step.code for run in runs for step in run.steps} - {s.code for s in candidate.steps}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import os\ndef f():\n    return os.getenv('KEY')", "monkeypatch.setenv('KEY', 'true')"),
        ("import os\ndef f():\n    return os.environ['KEY']", "monkeypatch.setenv('KEY', '1')"),
        (
            "import os\ndef f():\n    return 'KEY' in os.environ",
            "monkeypatch.delenv('KEY', raising=False)",
        ),
        (
            "from os import environ\ndef f():\n    return environ.get('KEY') == 'blue'",
            "monkeypatch.setenv('KEY', 'blue')",
        ),
        (
            "import sys\ndef f():\n    return '--loud' in sys.argv",
            "monkeypatch.setattr('sys.argv', ['program', '--loud'])",
        ),
        (
            "def f():\n    return input('?') == 'quit'",
            "monkeypatch.setattr('sys.stdin', io.StringIO('quit\\n'))",
        ),
        (
            "import time as t\ndef f():\n    return t.time()",
            "monkeypatch.setattr('sample.t.time', lambda: 1000.0)",
        ),
        (
            "from time import sleep\ndef f():\n    sleep(5)",
            "monkeypatch.setattr('sample.sleep', lambda seconds: None)",
        ),
        ("import random\ndef f():\n    return random.choice('ab')", "random.seed(1)"),
        (
            "from datetime import date\ndef f():\n    return date.today()",
            "monkeypatch.setattr('sample.date', FixedDate)",
        ),
        (
            "import datetime\ndef f():\n    return datetime.datetime.now()",
            "monkeypatch.setattr('sample.datetime.datetime', FixedDatetime)",
        ),
        (
            "import uuid\ndef f():\n    return uuid.uuid4()",
            "monkeypatch.setattr('sample.uuid.uuid4', lambda: uuid.UUID(int=1))",
        ),
        (
            "def f():\n    return open('data/shop.ini').read()",
            "monkeypatch.chdir(tmp_path)",
        ),
        (
            "import subprocess\ndef f():\n    return subprocess.run(['x'], text=True).stdout",
            "monkeypatch.setattr('sample.subprocess.run', lambda *args, **kwargs: "
            "CompletedProcess(args, 0, stdout='done\\n', stderr=''))",
        ),
        (
            "import subprocess\ndef f():\n    return subprocess.run(['x']).stdout",
            "monkeypatch.setattr('sample.subprocess.run', lambda *args, **kwargs: "
            "CompletedProcess(args, 0, stdout=b'done\\n', stderr=b''))",
        ),
        (
            "import smtplib\ndef f():\n    smtplib.SMTP('x').quit()",
            "monkeypatch.setattr('sample.smtplib.SMTP', MagicMock())",
        ),
        (
            "import socket\ndef f():\n    try:\n        socket.create_connection(('a', 1))\n"
            "    except OSError:\n        return 1",
            "monkeypatch.setattr('sample.socket.create_connection', "
            "MagicMock(side_effect=OSError('down')))",
        ),
        (
            "import os\ndef g():\n    return os.getenv('KEY')\ndef f():\n    return g()",
            "monkeypatch.setenv('KEY', 'abc')",
        ),
    ],
)
def test_what_a_function_reads_is_set_up(read: Read, source: str, expected: str) -> None:
    assert expected in set_ups(read(source), call("f()"))


@pytest.mark.parametrize(
    "source",
    [
        "import os\ndef f():\n    return os.sep",
        "import random\ndef f():\n    return random.Random(1).random()",
        "import subprocess\ndef f(e):\n    return isinstance(e, subprocess.CalledProcessError)",
        "import time\ndef g():\n    return time.time()\ndef f():\n    return 1",
        "def f(datetime):\n    return datetime.now()",
        "class os:\n    environ = {}\ndef f(text):\n    return text.getenv('x')",
    ],
)
def test_code_that_reads_nothing_of_the_world_stays_as_it_is(read: Read, source: str) -> None:
    assert set_ups(read(source), call("f()")) == set()


CLOCK = """
import time
import os

class Timer:
    def __init__(self):
        self.start = time.monotonic()
    def mode(self):
        return os.getenv("TIMER_MODE")
    def stop(self):
        return time.monotonic() - self.start

def f(n):
    if n > 3:
        return time.time()
    return n
"""


def test_construction_and_methods_count_as_far_as_they_are_called(read: Read) -> None:
    module = read(CLOCK)
    found = set_ups(module, call("timer.stop()", "timer = Timer()", target="Timer.stop"))
    assert found == {
        "ticks = itertools.count(100)",
        "monkeypatch.setattr('sample.time.monotonic', lambda: next(ticks))",
    }


def test_examples_of_people_and_prepared_candidates_stay_as_they_are(read: Read) -> None:
    module = read(CLOCK)
    assert set_ups(module, call("f(4)", origin="docstring")) == set()
    assert set_ups(module, call("f(4)", "monkeypatch.setenv('A', '1')")) == set()


def test_set_up_that_a_run_did_not_come_to_is_taken_away(start: Start) -> None:
    search, archive, _ = start(CLOCK)
    search.take([call("f(1)"), call("f(4)")], time.monotonic() + 60)
    codes = [[step.code for step in item.candidate.steps] for item in archive.observations]
    assert codes[0] == ["f(1)"]
    assert codes[1][-1] == "f(4)"
    assert len(codes[1]) > 1


def searched(start: Start, source: str, runs: int = 400) -> Sequence[str]:
    """The texts of all candidates that a search keeps."""
    search, archive, _ = start(source)
    end = time.monotonic() + 60
    search.run(lambda: end if search.report.runs < runs else 0.0, plateau=150)
    return ["\n".join(s.code for s in item.candidate.steps) for item in archive.observations]


def test_search_gets_to_both_sides_of_a_program_that_it_never_starts(start: Start) -> None:
    source = """
import subprocess

def branch():
    result = subprocess.run(["git", "branch"], capture_output=True, text=True)
    if result.returncode != 0:
        return "none"
    return result.stdout.strip()
"""
    found = searched(start, source)
    assert any("CompletedProcess(args, 1" in text for text in found)
    assert any("CompletedProcess(args, 0" in text for text in found)
    assert all("sample.subprocess.run" in text for text in found)


def test_scripts_are_run_by_their_other_name(start: Start) -> None:
    source = """
import sys

def main(words):
    print(len(words))
    return 1 if words else 0

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""
    found = [text for text in searched(start, source) if "run_module" in text]
    assert found
    assert all(text.endswith("runpy.run_module('sample', run_name='__main__')") for text in found)
    assert all(text.startswith("monkeypatch.setattr('sys.argv', [") for text in found)


def test_objects_are_used_inside_of_async_with(start: Start) -> None:
    source = """
class Pool:
    def __init__(self, size: int) -> None:
        self.size, self.is_open = size, False

    async def __aenter__(self):
        self.is_open = True
        return self

    async def __aexit__(self, kind, error, trace):
        self.is_open = False
        return kind is KeyError

    async def take(self):
        if not self.is_open:
            raise RuntimeError("closed")
        return self.size - 1
"""
    found = searched(start, source)
    assert any("as pool:\n        return await pool.take()" in text for text in found)
    assert any("raise KeyError('failed')" in text for text in found)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("monkeypatch.setenv('KEY', 'value')", True),
        ("random.seed(1)", True),
        ("class FixedDate(date):\n    pass", True),
        ("(tmp_path / 'a').write_text('b')", False),
        ("cart = Cart('monkeypatch.')", False),
    ],
)
def test_set_up_of_the_world_is_told_from_other_steps(code: str, *, expected: bool) -> None:
    assert is_set_up(Step(StepKind.SETUP, code)) is expected


def test_a_folder_that_a_call_is_given_has_files_of_the_kind_that_it_looks_for(
    read: Read,
) -> None:
    module = read("def f(folder):\n    return count_in(folder, '*.csv')")
    found = set_ups(module, call("f(tmp_path)"))
    assert "(tmp_path / 'a.csv').write_text('abc\\n')" in found
    assert "(tmp_path / 'folder').mkdir()" in found
    assert set_ups(module, call("f(tmp_path / 'missing')")) == set()


def test_what_cannot_be_replaced_here_is_left_as_it_is(read: Read) -> None:
    source = "import shutil\ndef f():\n    return shutil.get_terminal_size()"
    assert set_ups(read(source), call("f()")) == set()
