"""The backends: one Protocol, the real local one, and the fake that ships."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hybridgen.backends import BACKENDS, Backend, FakeBackend, LocalBackend, RemoteBackend
from hybridgen.domain import Fragment, Label, Prompt
from hybridgen.errors import EngineError


def prompt(answer_start: str = "a") -> Prompt:
    fragment = Fragment("text\n", Label.CONFIDENTIAL, "test", "made by a test")
    return Prompt((fragment,), (fragment,), (fragment,), replace(fragment, text=answer_start))


def ask(backend: Backend, max_tokens: int = 50) -> str:
    return backend.complete(
        prompt(), max_tokens=max_tokens, temperature=0, seed=1, deadline=time.monotonic() + 30
    ).text


def test_every_way_out_of_this_machine_is_the_backend_with_the_gate() -> None:
    ways_out = {name: make for name, make in BACKENDS.items() if name not in ("local", "fake")}
    assert ways_out == {"gemini": RemoteBackend, "onprem": RemoteBackend}


def test_local_answer_ends_where_the_code_fence_closes(
    make_gguf: Callable[..., Path], tmp_path: Path
) -> None:
    # Says a, newline, then backticks for ever.
    model = make_gguf("fence", follows={b"a": b"b", b"b": b"\n", b"\n": b"`", b"`": b"`"})
    backend = BACKENDS["local"](model, model_name="tiny", log=tmp_path / "log", threads=1)
    try:
        assert backend.count_tokens(["abc", ""], deadline=time.monotonic() + 30) == [3, 0]
        assert ask(backend) == "ab"
    finally:
        backend.close()


def test_local_count_waits_for_the_model_no_longer_than_the_deadline(
    tiny_gguf: Path, tmp_path: Path
) -> None:
    backend = LocalBackend(tiny_gguf, model_name="tiny", log=tmp_path / "log", threads=1)
    try:
        with pytest.raises(EngineError, match="was not loaded within"):
            backend.count_tokens(["abc"], deadline=time.monotonic())
    finally:
        backend.close()


def test_fake_replays_answers_in_turn_and_remembers_prompts() -> None:
    fake = FakeBackend(["b", EngineError("gone"), "c"])
    assert ask(fake) == "ab"
    with pytest.raises(EngineError, match="gone"):
        ask(fake)
    assert [ask(fake), ask(fake)] == ["ac", "ab"]
    assert fake.prompts == [prompt()] * 4


def test_fake_obeys_the_token_cap_and_keeps_the_label() -> None:
    completion = FakeBackend(["x" * 100]).complete(
        prompt(), max_tokens=5, temperature=0, seed=1, deadline=0
    )
    assert completion.text == "a" + "x" * 20
    assert completion.is_cut_off
    assert completion.label is Label.CONFIDENTIAL
