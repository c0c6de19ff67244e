"""Questions to a server in the building: several at once, and what comes of it is the same."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

import pytest

from hybridgen import pipeline
from hybridgen.backends import Backend, FakeBackend, RemoteBackend, RoutedBackend
from hybridgen.backends.fake_openai import FakeOpenai
from hybridgen.backends.fake_server import Received, Sent
from hybridgen.cli.progress import SilentProgress
from hybridgen.courier import Courier, Setup
from hybridgen.domain import Completion, Destination, Label, Outcome, Prompt, Target
from hybridgen.errors import RunnerError
from hybridgen.gate import FingerprintIndex, Gate, Ledger
from hybridgen.label import Labeller, Mark, Rules
from hybridgen.pipeline.answers import Answers
from hybridgen.prompt import is_ours
from hybridgen.route import Remotes, steps
from hybridgen.settings import load_settings

LOCKS = 6
WORDS = {number: f"sesame-{7919 * number}" for number in range(1, LOCKS + 1)}
LOCK = """\
def lock_{number}(word: str) -> str:
    if sha256(word.encode()).hexdigest() == "{digest}":
        return "open {number}"
    return "closed {number}"
"""
KEY = "AKIA" + "Q3EXAMPLEKEY7XYZ"


def source(comments: Mapping[int, str] | None = None) -> str:
    """Locks that no search opens; a model that is told the word does."""
    locks = []
    for number, word in WORDS.items():
        lock = LOCK.format(number=number, digest=sha256(word.encode()).hexdigest())
        if comments and number in comments:
            lock = lock.replace("\n", f"\n    # {comments[number]}\n", 1)
        locks.append(lock)
    return "\n\n".join(["from hashlib import sha256\n", *locks])


class Server(FakeOpenai):
    """Knows the words for each lock and the next; all but the first question wait for company.

    Args:
        number: how many of these have to be there before any is answered.
        who: of those that are there, the lock that is answered next.

    Attributes:
        answered: the locks, in this order.
        first_company: how many questions were there with the first one.
        pause_seconds: how long each answer takes.
        then: called when all are there.
    """

    def __init__(self, number: int, who: Callable[[Iterable[int]], int] = min) -> None:
        self.number = number
        self.who = who
        self.answered: list[int] = []
        self.first_company = 0
        self.pause_seconds = 0.0
        self.then: Callable[[], None] | None = None
        self._present: set[int] = set()
        self._next = threading.Condition()
        super().__init__()

    def answer(self, received: Received, step: Mapping[str, Any]) -> Sent:
        lock = asked_about(received.body.decode())
        with self._next:
            self._present.add(lock)
        if self.answered:
            self.gather(self.number, 20)
            if self.then is not None:
                self.then()
        else:
            self.gather(2, 0.5)
            self.first_company = self.most_at_once
        self.pause(self.pause_seconds)
        with self._next:
            self._next.wait_for(lambda: self.who(self._present) == lock, 20)
            self.answered.append(lock)
            self._present.remove(lock)
            self._next.notify_all()
        other = lock % LOCKS + 1
        text = f"{WORDS[lock]!r})\nlock_{other}({WORDS[other]!r})"
        return super().answer(received, {"kind": "text", "text": text})

    @property
    def open_questions(self) -> int:
        """How many told of code that nothing had reached."""
        return sum("Not executed yet" in question for question in self.questions)

    @property
    def questions(self) -> list[str]:
        """What was asked, in the order in which it came."""
        return [one.body.decode() for one in self.requests if one.method == "POST"]


def asked_about(body: str) -> int:
    calls = re.search(r"Write calls of `lock_(\d)`", body)
    found = calls or re.search(r"def lock_(\d)", body)
    assert found is not None, body
    return int(found[1])


@dataclass
class Run:
    """One run of the pipeline, and what it left."""

    outcome: Outcome
    server: Server
    ledger: Ledger
    notes: list[str]
    text: str
    threads: set[str]

    @property
    def kinds(self) -> Counter[str]:
        return Counter(entry.kind for entry in self.ledger.entries())


class Local(FakeBackend):
    """Answers as the model on this machine does."""

    def complete(self, prompt: Prompt, **options: Any) -> Completion:
        return replace(super().complete(prompt, **options), backend="local")


class Watcher(SilentProgress):
    """Notes which threads there are."""

    def __init__(self) -> None:
        self.threads: set[str] = set()

    def advance(self, done: int | None = None, total: int | None = None) -> None:
        self.threads |= {thread.name for thread in threading.enumerate()}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends a search early that will never reach all of a module."""
    monkeypatch.setattr("hybridgen.explore.search.OPEN_PLATEAU", 0.2)


@pytest.fixture
def only_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends the work where nothing more is asked."""

    def enough(*_: object) -> NoReturn:
        raise RunnerError("all was asked")

    monkeypatch.setattr("hybridgen.explore.search.Search.simplify", lambda *_: None)
    monkeypatch.setattr("hybridgen.pipeline.unit.Writer.rehearse", lambda _: None)
    monkeypatch.setattr("hybridgen.pipeline.unit.Writer.confirm", enough)


@pytest.fixture
def generate(tmp_path: Path) -> Callable[..., Run]:
    """Writes tests for the locks, asking ``server``; each call in a project of its own."""

    def generate(
        server: Server,
        *,
        parallel: int = 4,
        code: str | None = None,
        local: Backend | None = None,
        budget: float = 120.0,
    ) -> Run:
        number = len(list(tmp_path.iterdir()))
        root = tmp_path / str(number) / "project"
        root.mkdir(parents=True)
        (root / "pyproject.toml").write_text(
            "[project]\nname = 'locks'\nversion = '1'\n"
            "[tool.pytest.ini_options]\npythonpath = ['.']\n"
        )
        (root / "locks.py").write_text(code or source())
        labeller = Labeller(root, Rules((Mark("/locks.py", Label.INTERNAL, "mine", False),)))
        where = Destination(
            "onprem", server.url, "fake", "openai-compatible", "onprem", Label.INTERNAL
        )
        ledger = Ledger(root.parent / "ledger")
        index = FingerprintIndex(root.parent / "prints", root)
        gate = Gate(ledger, index, lambda file: labeller.look(Path(file.path)), is_ours)
        remotes, watcher = Remotes(onprem=where), Watcher()
        with server, Courier.start(pause=0.01) as courier, closing(index):
            courier.configure(Setup(where, trusted_hosts=("127.0.0.1",), parallel=parallel))
            server.then = server.then and partial(os.kill, courier.pid, signal.SIGKILL)
            makers: dict[str, Callable[[], Backend]] = {
                "onprem": lambda: RemoteBackend(gate, courier, where)
            }
            if local is not None:
                makers["local"] = lambda: local
            routed = RoutedBackend(makers, partial(steps, backend="auto", remotes=remotes))
            [outcome] = pipeline.generate(
                [str(root / "locks.py")],
                load_settings(None, {"budget": budget}, environment={}),
                lambda: routed,
                watcher,
                is_dry_run=False,
                policy=pipeline.Policy(
                    labeller=lambda _: labeller,
                    remotes=remotes,
                    models=dict.fromkeys(makers, "fake"),
                    failures=lambda: routed.notes,
                ),
            )
        written = root / "tests/test_locks.py"
        text = written.read_text() if written.exists() else ""
        assert ledger.verify().problem is None
        return Run(outcome, server, ledger, routed.notes, text, watcher.threads)

    return generate


@pytest.mark.long
def test_first_question_goes_alone_and_then_several_at_once(
    generate: Callable[..., Run],
) -> None:
    run = generate(Server(4))
    assert run.outcome.error is None
    assert run.server.first_company == 1
    assert run.server.most_at_once == 4
    assert len(run.server.questions) == 1 + LOCKS - 2  # the first answers open two
    assert run.server.open_questions == len(run.server.questions)
    assert all(word in run.text for word in WORDS.values())
    assert run.kinds == {"send": LOCKS - 1, "reply": LOCKS - 1}
    assert "request" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.long
def test_what_comes_of_it_does_not_depend_on_who_answers_first(
    generate: Callable[..., Run],
) -> None:
    first, last = generate(Server(4, min)), generate(Server(4, max))
    assert first.server.answered != last.server.answered
    assert sorted(first.server.questions) == sorted(last.server.questions)
    assert first.text == last.text
    assert first.outcome.tokens == last.outcome.tokens


@pytest.mark.usefixtures("only_finding")
def test_answers_that_came_at_once_cost_what_the_last_of_them_took(
    generate: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[float, float]] = []
    take = Answers.take

    def noted(
        self: Answers,
        completions: Sequence[Completion],
        target: Target,
        seconds: float,
        *how: Any,
    ) -> int:
        taken.append((completions[0].usage.seconds, seconds))
        return take(self, completions, target, seconds, *how)

    monkeypatch.setattr(Answers, "take", noted)
    server = Server(4, max)
    server.pause_seconds = 0.3
    generate(server)
    alone, *together = taken[:5]
    assert alone[0] == alone[1]
    assert sum(cost for _, cost in together) == pytest.approx(max(took for took, _ in together))


@pytest.mark.usefixtures("only_finding")
def test_one_at_a_time_needs_no_thread_and_tells_what_the_last_answer_reached(
    generate: Callable[..., Run],
) -> None:
    run = generate(Server(1), parallel=1)
    assert run.server.most_at_once == 1
    assert run.server.answered == [asked_about(question) for question in run.server.questions]
    assert "request" not in run.threads
    assert run.server.answered[:2] == [1, 3]  # the first answers open two
    assert run.server.open_questions == len(run.server.questions)


@pytest.mark.usefixtures("only_finding")
def test_refusal_of_one_ends_the_module_once_the_others_ended(
    generate: Callable[..., Run],
) -> None:
    run = generate(Server(1), code=source({4: f"the key is {KEY}"}))
    assert run.outcome.exit_code == 4
    assert "locks.py" in (run.outcome.error or "")
    assert run.text == ""
    sent = len(run.server.questions)
    assert sent > 1
    assert run.kinds == {"send": sent, "reply": sent, "refusal": 1}


@pytest.mark.long
def test_after_the_death_of_the_courier_the_model_on_this_machine_goes_on(
    generate: Callable[..., Run],
) -> None:
    server = Server(4)
    server.then = lambda: None
    local = Local(["'sesame')"])
    run = generate(server, local=local)
    assert run.outcome.error is None
    assert run.kinds == {"send": 5, "reply": 1, "failure": 4}
    assert len(local.prompts) >= LOCKS - 1
    [note] = [note for note in run.outcome.notes if "courier process ended" in note]
    assert "local was asked instead" in note


@pytest.mark.usefixtures("only_finding")
def test_death_of_the_courier_is_one_note_where_no_other_model_is(
    generate: Callable[..., Run],
) -> None:
    server = Server(4)
    server.then = lambda: None
    run = generate(server)
    assert "all was asked" in (run.outcome.error or "")
    assert run.kinds == {"send": 5, "reply": 1, "failure": 4}
    [note] = [note for note in run.outcome.notes if "courier process" in note]
    assert "lock_" in note


@pytest.mark.usefixtures("only_finding")
def test_slow_server_is_asked_no_more_at_once_than_there_is_time_for(
    generate: Callable[..., Run],
) -> None:
    server = Server(1)
    server.pause_seconds = 3.0
    run = generate(server, budget=40.0)
    assert run.kinds["reply"] >= 1
    assert run.server.most_at_once < 4
