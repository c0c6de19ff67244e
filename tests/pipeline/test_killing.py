"""Questions about mutants that nothing noticed; only the model's words are made up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent

import pytest

from hybridgen.backends import FakeBackend
from hybridgen.cli.progress import SilentProgress
from hybridgen.domain import Asked, Candidate, Label, Observation, Prompt, Step, StepKind
from hybridgen.errors import EngineError
from hybridgen.label import Labeller
from hybridgen.observe.effort import Limit
from hybridgen.observe.mutants import Nursery
from hybridgen.observe.mutations import mutants_of
from hybridgen.observe.operands import Watcher
from hybridgen.observe.runner import Runner, Sandbox
from hybridgen.observe.verify import Verifier
from hybridgen.pipeline.consulting import Consultant
from hybridgen.pipeline.job import Job, Policy, Subject, Tally
from hybridgen.pipeline.killing import MOST_MISSES, MOST_SHOWN, Killing, Survivor
from hybridgen.pipeline.mutation import Judged, Mutation
from hybridgen.settings import load_settings
from hybridgen.source import find_project, read_module, select

GATE = '''
def gate(word: str) -> str:
    """Says who may pass: whoever knows the magic word."""
    total = sum(place * ord(letter) for place, letter in enumerate(word, 7))
    return ("shut", "open")[total == 13313]
'''
MAGIC = "abracadabra"
COUNTED = "".join(f"    total += len(word) == {n}\n" for n in range(40, 46))
LONG = f"def gate(word: str) -> int:\n    total = 0\n{COUNTED}    return total\n"


class Bench:
    """A module in real workers, and a model for questions about it."""

    def __init__(self, subject: Subject, nursery: Nursery) -> None:
        self.subject = subject
        self.nursery = nursery
        self.tally = Tally()

    def judge(self, model: FakeBackend | None, *codes: str, seconds: float = 8.0) -> Judged:
        """What these calls notice, and those that were found beyond."""
        found = [self.run(code) for code in codes]
        mutation = Mutation(self.consultant(model), self.nursery, self.limit(seconds))
        return mutation.judge(found, frozenset())

    def run(self, code: str) -> Observation:
        """What a call shows."""
        steps = (Step(StepKind.PROBE, code),)
        candidate = Candidate("gate", steps, Label.CONFIDENTIAL, "search")
        observation = self.subject.runner.run(candidate)
        assert isinstance(observation, Observation)
        return observation

    def consultant(self, model: FakeBackend | None) -> Consultant:
        """Asks that model."""
        settings = load_settings(None, {}, environment={})
        policy = Policy(models={"local": "made up"})
        sandbox = Sandbox(True, 2.0, 2 * 2**30)
        job = Job(settings, sandbox, model, SilentProgress(), False, policy)
        return Consultant(job, self.subject, self.tally)

    def limit(self, seconds: float) -> Limit:
        """A limit of work from now on."""
        effort = self.subject.runner.effort
        return Limit(effort, effort.seconds + seconds, time.monotonic() + 60)


Open = Callable[[str], Bench]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Open]:
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\npythonpath=['.']\n")
    folders = [tmp_path / name for name in ("run", "watch", "check", "nursery")]
    for folder in folders:
        folder.mkdir()
    path = tmp_path / "sample.py"
    with ExitStack() as closing:

        def bench(source: str) -> Bench:
            path.write_text(dedent(source))
            [selected] = select([str(path)])
            module = read_module(selected, find_project(path, python=None, tests=None))
            sandbox = Sandbox(True, 2.0, 2 * 2**30)
            runner = Runner(module, sandbox, folders[0])
            name = runner.open().name
            watcher = Watcher(module, runner, sandbox, folders[1])
            closing.callback(runner.close)
            closing.callback(watcher.close)
            verifier = Verifier(module, name, sandbox, folders[2])
            test_file, labeller = tmp_path / "tests" / "test_sample.py", Labeller(tmp_path)
            subject = Subject(
                *(module, name, module.targets, runner, watcher, verifier),
                *(test_file, None, None, labeller),
            )
            nursery = Nursery(module, runner, sandbox, folders[3])
            closing.callback(nursery.close)
            return Bench(subject, nursery)

        yield bench


def request(prompt: Prompt) -> str:
    return "".join(part.text for part in prompt.request)


def survivors(judged: Judged) -> set[str]:
    noticed = {i for checks in judged.kills.found.values() for n in checks.values() for i in n}
    return {m.describe() for i, m in enumerate(judged.kills.mutants) if i not in noticed}


def added(judged: Judged) -> list[Candidate]:
    return [o.candidate for o in judged.observations if MAGIC in o.candidate.steps[0].code]


def test_value_that_the_model_knows_notices_what_no_variation_did(bench: Open) -> None:
    opened = bench(GATE)
    alone = survivors(opened.judge(None, "gate('hello')"))
    model = FakeBackend([f"'sesame',\n    '{MAGIC}',\n]"])
    judged = opened.judge(model, "gate('hello')")
    assert any("open" in text for text in alone)
    assert survivors(judged) < alone
    assert not any("open" in text for text in survivors(judged))
    [candidate] = added(judged)
    assert candidate.steps[0].code == f"gate('{MAGIC}')"
    assert candidate.origin == "model"
    asked = opened.tally.questions["kill"]
    assert asked.gained == len(alone) - len(survivors(judged))


def test_mutant_that_looks_equivalent_is_asked_about_too(bench: Open) -> None:
    opened = bench(GATE)
    calls = ("gate('hello')", "gate('where is it')", "gate('')")
    alone = opened.judge(None, *calls)
    judged = opened.judge(FakeBackend([f"'{MAGIC}']"]), *calls)
    assert any("open" in alone.kills.mutants[i].after for i in alone.kills.equivalent)
    assert not any("open" in judged.kills.mutants[i].after for i in judged.kills.equivalent)


def test_question_shows_the_change_and_what_the_function_is_for(bench: Open) -> None:
    model = FakeBackend(["]"])
    bench(GATE).judge(model, "gate('hello')")
    told = "\n".join(map(request, model.prompts))
    assert "whoever knows the magic word" in told
    assert '- return ("shut", "open")[total == 13313]' in told
    assert '+ return ("shut", "open")[total == 13314]' in told
    assert "gate('hello')" in told
    assert model.prompts[0].answer_start == "```python\nword = [\n    "
    assert {prompt.label for prompt in model.prompts} == {Label.CONFIDENTIAL}


def test_questions_end_after_some_functions_where_they_notice_nothing(
    bench: Open,
) -> None:
    source = GATE + "".join(
        f'\n\ndef gate_{n}(word: str) -> str:\n    """Magic."""\n'
        f"    total = sum(place * ord(letter) for place, letter in enumerate(word, {n}))\n"
        f"    return ('shut', 'open')[total == 13313]\n"
        for n in range(3)
    )
    opened = bench(source)
    model = FakeBackend(["'sesame']"])
    opened.judge(model, "gate('hello')", *(f"gate_{n}('hello')" for n in range(3)), seconds=20.0)
    assert opened.tally.questions["kill"] == Asked(MOST_MISSES, 0, 0.0)
    assert len({request(prompt).split("\n")[1] for prompt in model.prompts}) == MOST_MISSES


def test_function_whose_answers_notice_nothing_is_not_asked_about_again(bench: Open) -> None:
    opened = bench(LONG)
    judged = opened.judge(FakeBackend(["'sesame']"]), "gate('hello')")
    assert len(survivors(judged)) > 6
    assert opened.tally.questions["kill"].times == 1


def test_mutant_is_shown_once_and_others_after_it(bench: Open) -> None:
    opened = bench(LONG)
    model, seen = FakeBackend(["'sesame']"]), [opened.run("gate('hello')")]
    mutants = mutants_of(LONG, frozenset(range(10)), seed=0)[: 2 * MOST_SHOWN + 1]
    left = [Survivor(index, mutant, seen, False) for index, mutant in enumerate(mutants)]
    killing = Killing(opened.consultant(model), opened.limit(20.0), lambda *found: 1)
    killing.ask(lambda: left)
    assert opened.tally.questions["kill"] == Asked(3, 3, 0.0)
    assert len({*map(request, model.prompts)}) == 3


def test_nothing_is_asked_where_all_is_noticed(bench: Open) -> None:
    model = FakeBackend([f"'{MAGIC}']"])
    opened = bench("def gate(word: str) -> str:\n    return word + 'x'\n")
    assert not survivors(opened.judge(model, "gate('hello')"))
    assert model.prompts == []


def test_code_in_an_answer_is_never_run(bench: Open) -> None:
    model = FakeBackend(["open('x', 'w'),\n    word.upper(),\n    f'{gate}',\n]"])
    judged = bench(GATE).judge(model, "gate('hello')")
    codes = [o.candidate.steps[0].code for o in judged.observations]
    assert model.prompts
    assert all("open(" not in code and "upper" not in code for code in codes)


def test_model_that_fails_ends_the_questions_only(bench: Open) -> None:
    opened = bench(GATE)
    model = FakeBackend([EngineError("the model's process ended", "look")])
    judged = opened.judge(model, "gate('hello')")
    assert judged.kills.found
    assert len(model.prompts) == 1
    assert any("the model's process ended" in note for note in opened.tally.notes)
