"""Chosen tests become plainer in real workers, and lose no line and no mutant."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent

import pytest

from hybridgen import suite
from hybridgen.cli.progress import SilentProgress
from hybridgen.domain import Candidate, Label, Observation, Step, StepKind
from hybridgen.label import Labeller
from hybridgen.observe.effort import Limit
from hybridgen.observe.mutants import Nursery
from hybridgen.observe.operands import Watcher
from hybridgen.observe.runner import Runner, Sandbox
from hybridgen.observe.verify import Verifier
from hybridgen.pipeline.consulting import Consultant
from hybridgen.pipeline.job import NOTHING_LEAVES, Job, Subject, Tally
from hybridgen.pipeline.mutation import Judged, Mutation
from hybridgen.pipeline.polishing import Polishing
from hybridgen.settings import load_settings
from hybridgen.source import find_project, read_module, select

SOURCE = '''
import os


def shares(total: int, parts: int) -> list[int]:
    """Divides a total."""
    if parts < 1:
        raise ValueError(f"at least one part is needed, not {parts}")
    return [total // parts] * parts


def fee(total: int) -> int:
    """What a transfer costs."""
    return 5 if total >= 300 else 9


def code_of(text: str) -> str:
    """The three letters at the start of a text."""
    if not text[:3].isupper():
        raise ValueError("no code")
    return text[:3]


def home() -> int:
    """How long the name of something is."""
    return len(os.environ.get("HOME", "")) * 0 + 7


class Cart:
    """What a customer buys."""

    def __init__(self, owner: str = "guest") -> None:
        self.items: list[str] = []

    def add(self, name: str) -> None:
        """Adds an item."""
        self.items.append(name)

    def size(self) -> int:
        """How many items there are."""
        return len(self.items)
'''


@dataclass
class Bench:
    """A module in real workers."""

    subject: Subject
    nursery: Nursery

    def judge(self, *cases: tuple[str, ...]) -> Judged:
        """Observations of cases, ``=`` before a probe, and what these notice."""
        found: list[Observation] = []
        for codes in cases:
            steps = tuple(
                Step(StepKind.PROBE, code[1:]) if code[0] == "=" else Step(StepKind.SETUP, code)
                for code in codes
            )
            fixtures = ("monkeypatch",) if "monkeypatch" in codes[0] else ()
            candidate = Candidate("fee", steps, Label.CONFIDENTIAL, "search", (), fixtures)
            observation = self.subject.runner.run(candidate)
            assert isinstance(observation, Observation)
            found.append(observation)
        settings = load_settings(None, {}, environment={})
        sandbox = Sandbox(True, 2.0, 2 * 2**30)
        job = Job(settings, sandbox, None, SilentProgress(), False, NOTHING_LEAVES)
        consultant = Consultant(job, self.subject, Tally())
        mutation = Mutation(consultant, self.nursery, self.limit(4.0))
        return mutation.judge(found, frozenset())

    def limit(self, seconds: float) -> Limit:
        """A limit of work from now on."""
        effort = self.subject.runner.effort
        return Limit(effort, effort.seconds + seconds, time.monotonic() + 60)

    def choice(self, judged: Judged) -> suite.Choice:
        """What is chosen of it."""
        return suite.select(
            judged.observations,
            covered=self.subject.runner.import_arcs,
            targets=self.subject.module.targets,
            seed=0,
            kills=judged.kills,
        )

    def polished(self, judged: Judged, seconds: float = 20.0) -> list[tuple[str, ...]]:
        """The code of what is chosen, made plainer."""
        polishing = Polishing(self.subject, self.nursery, self.limit(seconds), seed=0)
        found = polishing.polish(self.choice(judged), judged.kills)
        return [tuple(step.code for step in o.candidate.steps) for o in found.observations]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\npythonpath=['.']\n")
    path = tmp_path / "sample.py"
    path.write_text(dedent(SOURCE))
    module = read_module(select([str(path)])[0], find_project(path, python=None, tests=None))
    sandbox = Sandbox(True, 2.0, 2 * 2**30)
    folders = [tmp_path / name for name in ("run", "watch", "check", "nursery")]
    for folder in folders:
        folder.mkdir()
    runner = Runner(module, sandbox, folders[0])
    name = runner.open().name
    watcher = Watcher(module, runner, sandbox, folders[1])
    verifier = Verifier(module, name, sandbox, folders[2])
    test_file = tmp_path / "tests" / "test_sample.py"
    subject = Subject(
        module,
        name,
        module.targets,
        runner,
        watcher,
        verifier,
        test_file,
        None,
        None,
        Labeller(tmp_path),
    )
    nursery = Nursery(module, runner, sandbox, folders[3])
    yield Bench(subject, nursery)
    nursery.close()
    watcher.close()
    runner.close()


def test_numbers_become_small_and_texts_plain(bench: Bench) -> None:
    judged = bench.judge(
        ("=shares(1, 385885)",), ("=code_of('ZKA,700: x')",), ("=code_of('!? a: 1s')",)
    )
    found = bench.polished(judged)
    assert not any("385885" in code for codes in found for code in codes)
    codes = {code for steps in found for code in steps}
    assert codes.isdisjoint({"code_of('!? a: 1s')", "code_of('ZKA,700: x')"})
    assert "code_of('a')" in codes


def test_a_number_that_mutants_need_stays(bench: Bench) -> None:
    judged = bench.judge(("=fee(299)",), ("=fee(300)",))
    choice = bench.choice(judged)
    assert len(choice.noticed) >= 4
    codes = {code for codes in bench.polished(judged) for code in codes}
    assert {"fee(299)", "fee(300)"} <= codes


def test_set_up_that_is_for_nothing_goes(bench: Bench) -> None:
    judged = bench.judge(
        ("cart = Cart({})", "cart.add('x-1')", "cart.items[0].title", "cart.size", "=cart.size()"),
        ("monkeypatch.setenv('HOME', '/x')", "=home()"),
    )
    found = bench.polished(judged)
    assert ("home()",) in found
    assert any(codes[1:] == ("cart.add('a')", "cart.size()") for codes in found)


def test_without_time_everything_stays(bench: Bench) -> None:
    judged = bench.judge(("=shares(1, 4711)",))
    before = [tuple(s.code for s in o.candidate.steps) for o in bench.choice(judged).observations]
    assert bench.polished(judged, 0.0) == before


def test_the_same_comes_out_twice(bench: Bench) -> None:
    judged = bench.judge(("=shares(1, 385885)",), ("=fee(4711)",), ("=code_of('ZKA,7')",))
    assert bench.polished(judged) == bench.polished(judged)


def test_a_case_that_guards_nothing_goes_where_others_are_about_the_same(bench: Bench) -> None:
    judged = bench.judge(("=fee(299)",), ("=fee(300)",))
    choice = bench.choice(judged)
    extra = bench.judge(("=fee(298)",)).observations[0]
    doubled = replace(
        choice,
        observations=(*choice.observations, extra),
        cases=(*choice.cases, replace(choice.cases[0], raw=extra, observation=extra,
                                      arcs=frozenset(), kills=frozenset(), effort=9.0)),
    )  # fmt: skip
    kills = replace(judged.kills, is_complete=True)
    polishing = Polishing(bench.subject, bench.nursery, bench.limit(20.0), seed=0)
    found = polishing.polish(doubled, kills)
    assert len(found.observations) == len(choice.observations)
