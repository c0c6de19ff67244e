"""Observations of modules in files or texts, made in real locked workers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from hybridgen import suspects
from hybridgen.domain import Candidate, Module, Observation, Step, StepKind, Suspect
from hybridgen.observe.confirm import confirm
from hybridgen.observe.runner import Runner, Sandbox
from hybridgen.source import find_project, read_module, select

GOLD = Path(__file__).parent / "gold"


@dataclass(frozen=True)
class Looked:
    """What a module was seen to do."""

    module: Module
    observations: tuple[Observation, ...]
    suspects: tuple[Suspect, ...]

    def about(self, target: str) -> list[Suspect]:
        return [suspect for suspect in self.suspects if suspect.target == target]


Look = Callable[..., Looked]


@pytest.fixture(scope="session")
def look(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Look]:
    """Runs calls, and what follows from them, as the pipeline does.

    A call is ``f(1)``, or ``setup; call`` for one with a step before it, with an origin.
    """
    runners: list[Runner] = []

    def look(name: str, text: str, calls: Sequence[tuple[str, str]] = ()) -> Looked:
        root = tmp_path_factory.mktemp("project")
        (root / "pyproject.toml").write_text("[project]\nname = 'sample'\nversion = '1'\n")
        path = root / f"{name}.py"
        path.write_text(text)
        project = find_project(path, python=None, tests=None)
        module = read_module(select([str(path)])[0], project)
        runner = Runner(module, Sandbox(True, 2.0, 2 * 2**30), tmp_path_factory.mktemp("work"))
        runners.append(runner)
        runner.open()

        def run(candidates: Sequence[Candidate]) -> tuple[Observation, ...]:
            return confirm(runner, candidates, seed=0, deadline=time.monotonic() + 60)[0]

        observations = run([candidate(module, *call) for call in calls])
        targets = module.targets
        further = suspects.further_candidates(module, targets, observations, observations)
        observations += run(further)
        return Looked(module, observations, suspects.suspects_in(observations, module))

    yield look
    for runner in runners:
        runner.close()


def candidate(module: Module, text: str, origin: str) -> Candidate:
    """The candidate of a call; its target is the name that it starts with."""
    *before, last = text.split("; ")
    name = last.partition("(")[0]
    known = {target.qualname for target in module.targets}
    steps = [Step(StepKind.SETUP, code) for code in before]
    return Candidate(
        target=name if name in known else module.targets[0].qualname,
        steps=(*steps, Step(StepKind.PROBE, last)),
        label=module.label,
        origin=origin,
        imports=("import contextlib",) if "contextlib." in text else (),
        fixtures=("monkeypatch",) if "monkeypatch." in text else (),
    )


def searched(*calls: str) -> list[tuple[str, str]]:
    return [(call, "search") for call in calls]


@pytest.fixture(scope="session")
def broken(look: Look) -> Looked:
    calls = searched(
        *("name_of(1)", "name_of(2)", "ratio(1, 2)", "tags('abc')", "initial('abc')"),
        *("initial('')", "grade(95)", "grade(10)", "depth(3)", "depth(-1)", "mean([1.0])"),
        *("slug('A  b')", "percent(1, 0)", "percent(1, 2)", "middle([])", "longest([])"),
        *("joined([])", "joined(['a'])", "joined(['b', 'a'])"),
        *("to_roman(0)", "to_roman(2)", "root(-1)", "nth(12)", "nth(9)", "Stack() == 4"),
        *("mean([])", "encode('xyz')", "encode('qq')", "encode('xb')", "slugify('A--b')"),
        *("slugify('a----b')", "Money(1)", "Money(1, 'USD')", "Money(2)"),
    )
    return look("broken", (GOLD / "broken.py").read_text(), calls)


@pytest.fixture(scope="session")
def sound(look: Look) -> Looked:
    calls = searched(
        *("maybe(0)", "maybe(1)", "scale(2)", "flag(2)", "same(None)", "anything(1)"),
        *("stream(2)", "many(2)", "unhinted(3)", "upper(3)", "upper('a')", "pick(['a'], 4)"),
        *("first([])", "divide(1, 0)", "told([])", "stated('')", "quote('a')", "quote('\"')"),
        *("to_fraction(0.1)", "to_fraction(7.7)", "pack(3)", "pack('a')", "pack(None)"),
        *("format_name('ann lee')", "format_name(' a')", "normalize(' A  b')", "expand('a%')"),
        *("Version(1)", "Version(1, 2)", "Version(2, 1)", "expand('%s')"),
        *("store = Store(); store.flush()", "base = BaseStore(1); base.flush()"),
        *("told_in_prose(1)", "told_cases(-1)", "told_cases(0)", "kept([])", "kept([''])"),
        *("numbers_in('1')", "numbers_in('1 2')", "numbers_in('')"),
        *("limited(-1)", "limited(9)", "limited(2)"),
        "monkeypatch.setattr('sound.urllib.request.urlopen', contextlib.nullcontext); asked('a')",
        *("merged([2, 1], [3])", "snake_to_camel('a__b')", "camel_to_snake('AB')"),
    )
    odd = [("strict(3)", "odd"), ("scale('a')", "odd"), ("flag(None)", "odd")]
    return look("sound", (GOLD / "sound.py").read_text(), [*calls, *odd])
