"""What goes to a model elsewhere was cleared and written down first, and nothing else goes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybridgen.backends.fake_openai import FakeOpenai
from hybridgen.backends.remote import RemoteBackend
from hybridgen.courier import Courier, Setup
from hybridgen.domain import Completion, Destination, Fragment, Label, Prompt, SourceFile
from hybridgen.errors import GateRefusal, RemoteError
from hybridgen.gate import FingerprintIndex, Gate, Ledger

CODE = "def half(n):\n    return n // 2\n"
START = "```python\nfrom m import half\n\nhalf("


@pytest.fixture(scope="module")
def server() -> Iterator[FakeOpenai]:
    with FakeOpenai() as fake:
        yield fake


@pytest.fixture(scope="module")
def destination(server: FakeOpenai) -> Destination:
    return Destination("onprem", server.url, "fake", "openai-compatible", "onprem", Label.INTERNAL)


@pytest.fixture(scope="module")
def courier(destination: Destination) -> Iterator[Courier]:
    with Courier.start(pause=0.01) as started:
        started.configure(Setup(destination, trusted_hosts=("127.0.0.1",)))
        yield started


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger", keep_text=True)


@pytest.fixture
def backend(
    ledger: Ledger, courier: Courier, destination: Destination, tmp_path: Path
) -> RemoteBackend:
    index = FingerprintIndex(tmp_path / "index")
    gate = Gate(ledger, index, lambda file: file, lambda text: text == "You write tests.\n")
    return RemoteBackend(gate, courier, destination)


@pytest.fixture
def kinds(ledger: Ledger) -> Callable[[], list[str]]:
    return lambda: [entry.kind for entry in ledger.entries()]


def prompt(label: Label = Label.INTERNAL) -> Prompt:
    file = SourceFile("m.py", hashlib.sha256(CODE.encode()).hexdigest(), label, ())
    ours = Fragment("You write tests.\n", Label.PUBLIC, "template system", "ours")
    code = Fragment(CODE, label, "m.py", "marked", (file,))
    return Prompt((ours,), (code,), (code,), replace(code, text=START))


def ask(backend: RemoteBackend, asked: Prompt, **options: object) -> Completion:
    deadline = time.monotonic() + 30
    return backend.complete(
        asked, max_tokens=20, temperature=0.0, seed=1, deadline=deadline, **options
    )


def test_completion_has_the_prompts_label_and_the_destinations_names(
    backend: RemoteBackend, server: FakeOpenai, kinds: Callable[[], list[str]]
) -> None:
    server.play(["4) == 2\n```\nDone."])
    heard: list[str] = []
    completion = ask(backend, prompt(), on_text=heard.append)
    assert completion.text == START + "4) == 2"
    assert heard == ["4) == 2"]
    assert completion.label is Label.INTERNAL
    assert (completion.backend, completion.model) == ("onprem", "fake")
    assert completion.usage.prompt_tokens == 100
    assert completion.usage.completion_tokens == len("4) == 2\n```\nDone.")
    assert completion.usage.seconds > 0
    assert kinds() == ["send", "reply"]


def test_answer_that_was_cut_off_says_so(backend: RemoteBackend, server: FakeOpenai) -> None:
    server.play([{"kind": "max_tokens", "text": "4) ="}])
    assert ask(backend, prompt()).is_cut_off


def test_what_the_gate_refuses_reaches_nobody(
    backend: RemoteBackend, server: FakeOpenai, kinds: Callable[[], list[str]]
) -> None:
    server.play(["4) == 2"])
    with pytest.raises(GateRefusal):
        ask(backend, prompt(Label.CONFIDENTIAL))
    assert server.requests == []
    assert kinds() == ["refusal"]


def test_send_is_in_the_ledger_before_the_server_gets_it(
    backend: RemoteBackend,
    server: FakeOpenai,
    kinds: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.play(["4) == 2"])
    seen: list[list[str]] = []
    answer = server.answer

    def watch(received: object, step: object) -> object:
        seen.append(kinds())
        return answer(received, step)

    monkeypatch.setattr(server, "answer", watch)
    ask(backend, prompt())
    assert seen == [["send"]]


def test_failure_is_in_the_ledger_and_raised(
    backend: RemoteBackend, server: FakeOpenai, kinds: Callable[[], list[str]]
) -> None:
    server.play([{"kind": "blocked"}])
    with pytest.raises(RemoteError, match="held its answer back"):
        ask(backend, prompt())
    assert kinds() == ["send", "failure"]


def test_model_that_is_not_served_gets_no_text_and_the_ledger_says_so(
    ledger: Ledger, server: FakeOpenai, destination: Destination, tmp_path: Path
) -> None:
    server.play(["4) == 2"])
    other = replace(destination, model="other")
    gate = Gate(ledger, FingerprintIndex(tmp_path / "i"), lambda file: file, lambda text: True)
    with Courier.start(pause=0.01) as courier:
        courier.configure(Setup(other, trusted_hosts=("127.0.0.1",)))
        with pytest.raises(RemoteError, match="has no model of this name"):
            ask(RemoteBackend(gate, courier, other), prompt())
    assert [(one.method, one.body) for one in server.requests] == [("GET", b"")]
    assert [entry.details.get("left") for entry in ledger.entries()] == [None, "no"]


def test_server_is_asked_once_for_its_models(backend: RemoteBackend, server: FakeOpenai) -> None:
    server.play(["4) == 2"])
    for _ in range(2):
        ask(backend, prompt())
    assert [one.method for one in server.requests] == ["GET", "POST", "POST"]


def test_number_of_tries_is_in_the_ledger(
    backend: RemoteBackend, server: FakeOpenai, ledger: Ledger
) -> None:
    server.play([{"kind": "unavailable"}, "4) == 2"])
    ask(backend, prompt())
    assert [entry.details.get("attempts") for entry in ledger.entries()] == [None, 2]


def test_interrupt_is_in_the_ledger_too(
    backend: RemoteBackend,
    courier: Courier,
    kinds: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(courier, "send", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ask(backend, prompt())
    assert kinds() == ["send", "failure"]


def test_tokens_are_estimated_without_asking_anybody(
    backend: RemoteBackend, server: FakeOpenai
) -> None:
    server.play([""])
    assert backend.count_tokens(["", "abcd", "abcde"], deadline=0) == [0, 1, 2]
    assert server.requests == []


def test_closing_it_leaves_the_courier_to_its_owner(
    backend: RemoteBackend, courier: Courier
) -> None:
    backend.close()
    backend.close()
    assert courier.is_alive
