"""Calls are given the files, texts and data that their code asks for."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from hybridgen.domain import Candidate, Label, Module, Observation, Step, StepKind
from hybridgen.explore.archive import Archive
from hybridgen.explore.around.given import Given
from hybridgen.explore.search import Search
from hybridgen.explore.values.standins import HELPERS

Read = Callable[[str], Module]
Start = Callable[..., tuple[Search, Archive, Module]]

READS_JSON = "import json\ndef f(x):\n    return json.load(open(x))['name']"


def call(code: str = "f('a')", *before: str) -> Candidate:
    steps = [*(Step(StepKind.SETUP, line) for line in before), Step(StepKind.PROBE, code)]
    return Candidate("f", tuple(steps), Label.CONFIDENTIAL, "search")


def codes(module: Module, candidate: Candidate, count: int = 80) -> set[tuple[str, ...]]:
    given = Given(module, random.Random(0))
    return {tuple(step.code for step in given.fill(candidate).steps) for _ in range(count)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            READS_JSON,
            (
                "(tmp_path / 'data.json').write_text('{\"name\": \"a\"}')",
                "f(tmp_path / 'data.json')",
            ),
        ),
        (
            "def f(x: str):\n    return open(x).read().splitlines()",
            ("(tmp_path / 'data.txt').write_text('')", "f(str(tmp_path / 'data.txt'))"),
        ),
        ("import json\ndef f(x):\n    return json.loads(x)['name']", ('f(\'{"name": "a"}\')',)),
        (
            "import json\ndef f(x):\n    return json.load(x)['name']",
            ('f(io.StringIO(\'{"name": "a"}\'))',),
        ),
        ("def f(x):\n    return x['a']['b'].upper()", ("f({'a': {'b': 'a'}})",)),
        (
            "from pathlib import Path\ndef f(x: Path):\n    return (x / 'b').is_dir()",
            ("(tmp_path / 'b').mkdir()", "f(tmp_path)"),
        ),
        (
            "def f(x):\n    return x.getint('a', 'b') if x.has_section('a') else 0",
            (HELPERS["config_from"], "f(config_from('[a]\\nb = 1\\n'))"),
        ),
        (
            "def f(x):\n    return x.findtext('b')",
            ("f(ET.fromstring('<root><b>a</b></root>'))",),
        ),
    ],
)
def test_a_call_is_given_what_its_code_asks_for(
    read: Read, source: str, expected: tuple[str, ...]
) -> None:
    assert expected in codes(read(source), call())


@pytest.mark.parametrize(
    "source",
    [
        "def f(x: int):\n    return open(x)",
        "def f(x):\n    return x / 2",
        "def f(x: int):\n    return x.has_section('a')",
        "def f(x: int):\n    return x.findall('a')",
        "def f(x: str):\n    return x['a']['b']",
        "class Door:\n    def open(self):\n        return 1\ndef f(x: Door):\n    return x.open()",
    ],
)
def test_other_arguments_are_left(read: Read, source: str) -> None:
    assert codes(read(source), call()) == {("f('a')",)}


def test_a_file_that_no_call_is_given_any_more_is_not_written(read: Read) -> None:
    written = "(tmp_path / 'data.txt').write_text('abc')"
    found = codes(read(READS_JSON), call("f(tmp_path / 'data.txt')", written))
    assert all(written not in steps for steps in found if "data.txt" not in steps[-1])


def test_what_reached_new_code_is_varied(read: Read) -> None:
    keys = [f"'{letter}'" for letter in "bcdefghi"]
    module = read(f"def f(x):\n    return [{', '.join(f'x[{key}]' for key in keys)}]")

    def full(given: Given) -> int:
        """How often all keys are there in 80 calls, of which those are told to be finds."""
        count = 0
        for _ in range(80):
            filled = given.fill(call())
            if all(f"{key}: " in filled.steps[0].code for key in keys):
                count += 1
                arcs = frozenset({(1, count)})
                given.learn(Observation(filled, (), arcs, Label.CONFIDENTIAL))
        return count

    given = Given(module, random.Random(0))
    first = full(given)
    assert full(given) > 1.3 * first > 1


def test_code_behind_files_in_folders_is_reached(start: Start) -> None:
    source = """
        import configparser
        import os

        def find(folder):
            while True:
                path = os.path.join(folder, "tool.ini")
                if os.path.isfile(path):
                    return load(path)
                parent = os.path.dirname(folder)
                if parent == folder:
                    return None
                folder = parent

        def load(path):
            parser = configparser.ConfigParser()
            parser.read(path)
            if not parser.has_section("tool"):
                return "no section"
            if parser.getint("tool", "jobs", fallback=1) < 1:
                return "no jobs"
            mode = parser.get("tool", "mode", fallback="fast")
            return "slow" if mode == "slow" else "fast"
    """
    search, archive, _ = start(source)
    end = time.monotonic() + 60
    search.run(lambda: end if search.report.runs < 400 else 0.0)
    lines = {line for arc in archive.arcs for line in arc}
    source_lines = source.strip("\n").splitlines()
    wanted = [at for at, line in enumerate(source_lines, 1) if "return" in line]
    assert len(wanted) == 5
    assert lines >= set(wanted) - {next(at for at in wanted if "None" in source_lines[at - 1])}
