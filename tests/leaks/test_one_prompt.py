"""Every backend is asked the same words, and what it answers goes the same way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hybridgen.backends import Backend, LocalBackend
from hybridgen.backends.fake_gemini import FakeGemini
from hybridgen.backends.fake_openai import FakeOpenai
from hybridgen.backends.remote import RemoteBackend
from hybridgen.courier import Courier, Setup
from hybridgen.domain import Candidate, Completion, Destination, Label, Module, Prompt, Target
from hybridgen.engine import wire
from hybridgen.gate import FingerprintIndex, Gate, Ledger
from hybridgen.label import Labeller, Mark, Rules
from hybridgen.post import candidates
from hybridgen.prompt import build_prompt, is_ours
from hybridgen.source import find_project, missing_fragments, read_module, select

GOLD = Path(__file__).with_name("gold") / "one_prompt.json"
CODE = '''\
"""Fees of a shop that anybody may read."""

LIMIT = 100


def fee(amount: int) -> int:
    """The fee of an amount."""
    if amount > LIMIT:
        return rest(amount)
    return 0


def rest(amount: int) -> int:
    return amount - LIMIT
'''
SAID = "7)"
TEXT = [{"kind": "text", "text": SAID}]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "fees.py").write_text(CODE)
    (folder / "pyproject.toml").write_text("[project]\nname = 'fees'\nversion = '1'\n")
    return folder


@pytest.fixture
def labeller(project: Path) -> Labeller:
    mark = Mark("fees.py", Label.PUBLIC, "user file", needs_trust=False)
    return Labeller(project, Rules((mark,), (), Label.PUBLIC, ""))


@pytest.fixture
def module(project: Path, labeller: Labeller) -> Module:
    path = project / "fees.py"
    found = find_project(path, python=None, tests=None)
    return read_module(select([str(path)])[0], found, labeller)


@pytest.fixture
def target(module: Module) -> Target:
    return next(target for target in module.targets if target.name == "fee")


@pytest.fixture
def prompt(module: Module, target: Target) -> Prompt:
    return build_prompt(
        module,
        target,
        import_name="fees",
        missing=missing_fragments(module, target, frozenset({9})),
        examples=(),
        count_tokens=lambda texts: [len(text) // 4 for text in texts],
    )


@pytest.fixture
def gate(labeller: Labeller, tmp_path: Path) -> Gate:
    index = FingerprintIndex(tmp_path / "prints", labeller.root)
    ledger = Ledger(tmp_path / "ledger")
    return Gate(ledger, index, lambda source: labeller.look(Path(source.path)), is_ours)


def ask(backend: Backend, prompt: Prompt) -> Completion:
    deadline = time.monotonic() + 60
    return backend.complete(prompt, max_tokens=2, temperature=0.0, seed=1, deadline=deadline)


def gold() -> dict[str, str]:
    words: dict[str, str] = json.loads(GOLD.read_text())
    return words


@pytest.fixture
def courier() -> Iterator[Courier]:
    with Courier.start() as courier:
        yield courier


@pytest.mark.parametrize("sdk", ["google-genai", "google-generativeai"])
def test_gemini_is_asked_the_words_of_the_gold_file(
    sdk: str, courier: Courier, gate: Gate, prompt: Prompt, parsed: Callable[[Completion], Any]
) -> None:
    with FakeGemini(TEXT) as server:
        destination = Destination("gemini", server.url, "m", sdk, "paid", Label.PUBLIC)
        courier.configure(Setup(destination, key="k"))
        completion = ask(RemoteBackend(gate, courier, destination), prompt)
        [received] = server.requests
    body = json.loads(received.body)
    [user, model] = body["contents"]
    system = body["systemInstruction"]
    words = [item["parts"][0]["text"] for item in (system, user, model)]
    assert words == [gold()["system"], gold()["user"], gold()["answer_start"]]
    assert parsed(completion) == parsed_gold(parsed)


def test_server_in_the_building_is_asked_the_words_of_the_gold_file(
    courier: Courier, gate: Gate, prompt: Prompt, parsed: Callable[[Completion], Any]
) -> None:
    with FakeOpenai(TEXT) as server:
        destination = Destination(
            "onprem", server.url, "fake", "openai-compatible", "onprem", Label.INTERNAL
        )
        courier.configure(Setup(destination, trusted_hosts=("127.0.0.1",)))
        completion = ask(RemoteBackend(gate, courier, destination), prompt)
        received = server.requests[-1]
    turns = [turn["content"] for turn in json.loads(received.body)["messages"]]
    assert turns == [gold()["system"], gold()["user"], gold()["answer_start"]]
    assert parsed(completion) == parsed_gold(parsed)


def test_model_on_this_machine_is_asked_the_words_of_the_gold_file(
    make_gguf: Any,
    prompt: Prompt,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    parsed: Callable[[Completion], Any],
) -> None:
    asked: list[wire.CompleteRequest] = []
    encode = wire.encode_complete

    def noted(request: wire.CompleteRequest) -> Any:
        asked.append(request)
        return encode(request)

    monkeypatch.setattr(wire, "encode_complete", noted)
    speaking = make_gguf("fees", follows={b"(": b"7", b"7": b")"})
    backend = LocalBackend(speaking, model_name="tiny", log=tmp_path / "log", threads=1)
    try:
        completion = ask(backend, prompt)
    finally:
        backend.close()
    [request] = asked
    words = [request.system, "".join(request.user), request.answer_start]
    assert words == [gold()["system"], gold()["user"], gold()["answer_start"]]
    assert parsed(completion) == parsed_gold(parsed)


@pytest.fixture
def parsed(module: Module, target: Target) -> Callable[[Completion], tuple[Candidate, ...]]:
    """What the shared post-processing makes of a completion."""
    return lambda completion: candidates(completion, module, target)


def parsed_gold(parsed: Callable[[Completion], Any]) -> Any:
    """What it makes of the same answer in one piece: one call."""
    from hybridgen.domain import Usage

    usage = Usage(0, 0, 0.0)
    text = gold()["answer_start"] + SAID
    found = parsed(Completion(text, Label.PUBLIC, "any", "any", usage))
    assert [step.code for step in found[0].steps] == ["fee(7)"]
    assert found[0].label is Label.PUBLIC
    return found
