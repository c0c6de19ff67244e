"""A server in the building: a real one, and a fake for its faults."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybridgen.backends.fake_openai import FakeOpenai
from hybridgen.courier import Courier, Setup
from hybridgen.domain import Destination, Label, Payload
from hybridgen.errors import PolicyRefusal, RemoteError

START = "```python\nfrom m import half\n\nhalf("


def refused(asking: Any, step: Any, seconds: float = 30) -> RemoteError:
    asking.server.play([step])
    with pytest.raises(RemoteError) as caught:
        asking.send(seconds)
    return caught.value


def destination(url: str, model: str = "fake") -> Destination:
    return Destination("onprem", url, model, "openai-compatible", "onprem", Label.INTERNAL)


def test_prompt_arrives_as_three_messages(onprem: Any) -> None:
    onprem.server.play(["4) == 2"])
    assert onprem.send().text == START + "4) == 2"
    received = onprem.server.requests[-1]
    sent = json.loads(received.body)
    messages = [(one["role"], one["content"]) for one in sent["messages"]]
    assert messages == [
        ("system", "You write tests."),
        ("user", "def half(n): ..."),
        ("assistant", START),
    ]
    assert (sent["model"], sent["max_tokens"], sent["stream"]) == ("fake", 50, False)
    assert "authorization" not in received.headers


def test_health_check_lists_the_models_and_sends_no_text(onprem: Any) -> None:
    onprem.server.play(["unused"])
    deadline = time.monotonic() + 30
    assert onprem.courier.check(onprem.setup.destination, deadline=deadline) == ("fake",)
    assert [(one.method, one.path, one.body) for one in onprem.server.requests] == [
        ("GET", "/v1/models", b"")
    ]


@pytest.mark.parametrize(
    ("kind", "said", "is_final"),
    [
        ("bad_key", "does not accept the API key", True),
        ("forbidden", "does not allow this key", True),
        ("no_model", "has no model of this name", True),
        ("no_path", "does not speak the protocol at this address", True),
        ("too_long", "cannot take a prompt of this length", False),
        ("invalid", "refused the request (422)", False),
        ("blocked", "held its answer back", False),
        ("empty", "gave an empty answer", False),
        ("max_tokens", "used up its tokens", False),
        ("unknown_finish", "a reason that hybridgen does not know: new", False),
        ("malformed", "no answer of this protocol", False),
        ("not_json_object", "no answer of this protocol", False),
        ("huge", "sent more than any answer needs", False),
        ("compressed", "no answer of this protocol", False),
        ("slow", "did not answer in time", False),
    ],
)
def test_failure_is_told_in_plain_words_after_one_try(
    onprem: Any, kind: str, said: str, is_final: bool
) -> None:
    error = refused(onprem, {"kind": kind}, 0.6 if kind == "slow" else 30)
    assert said in error.message
    assert f"The on-prem server (model fake at {onprem.server.url})" in error.message
    assert error.hint
    assert error.is_final is is_final
    assert error.may_have_left
    assert len(onprem.server.requests) == 1


@pytest.mark.parametrize("kind", ["broken", "unavailable", "cut", "quota"])
def test_passing_trouble_is_tried_again_a_few_times(onprem: Any, kind: str) -> None:
    refused(onprem, {"kind": kind})
    assert len(onprem.server.requests) == 4


def test_retry_after_header_is_kept(onprem: Any) -> None:
    onprem.server.play([{"kind": "quota", "retry_after": 0.3}, "1)"])
    assert onprem.send().seconds >= 0.3


def test_server_that_stays_in_trouble_is_given_up(onprem: Any) -> None:
    onprem.server.play(["1)"])
    onprem.send()
    assert not refused(onprem, {"kind": "broken"}).is_final
    assert refused(onprem, {"kind": "broken"}).is_final


def test_redirect_is_refused_and_nothing_goes_there(onprem: Any) -> None:
    with FakeOpenai(["1)"]) as elsewhere:
        error = refused(onprem, {"kind": "redirect", "to": elsewhere.url})
        assert elsewhere.requests == []
    assert "which is not followed" in error.message
    assert error.is_final


def test_trouble_of_several_in_flight_together_counts_once(onprem: Any) -> None:
    onprem.server.play(["1)"])
    onprem.send()
    onprem.server.play([{"kind": "together", "number": 3, "then": {"kind": "broken"}}])
    errors: list[RemoteError] = []

    def ask() -> None:
        with pytest.raises(RemoteError) as caught:
            onprem.send()
        errors.append(caught.value)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [error.is_final for error in errors] == [False] * 3
    assert refused(onprem, {"kind": "broken"}).is_final


def test_server_that_is_not_there_cannot_be_reached(clear: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        there = destination(f"http://127.0.0.1:{free.getsockname()[1]}")
        with Courier.start(pause=0.01) as courier:
            courier.configure(Setup(there, trusted_hosts=("127.0.0.1",)))
            with pytest.raises(RemoteError, match="cannot be reached") as caught:
                courier.send(
                    clear(there),
                    max_tokens=5,
                    temperature=0,
                    seed=1,
                    deadline=time.monotonic() + 20,
                )
    assert caught.value.is_final
    assert not caught.value.may_have_left


def test_refused_connection_after_a_lost_answer_does_not_hide_what_left(clear: Any) -> None:
    class Leaving(FakeOpenai):
        """Answers once, and is gone."""

        def answer(self, received: Any, step: Any) -> Any:
            self._server.socket.close()
            return super().answer(received, step)

    with Leaving([{"kind": "unavailable"}]) as server, Courier.start(pause=0.01) as courier:
        there = destination(server.url)
        courier.configure(Setup(there, trusted_hosts=("127.0.0.1",)))
        with pytest.raises(RemoteError) as caught:
            courier.send(
                clear(there), max_tokens=5, temperature=0, seed=1, deadline=time.monotonic() + 20
            )
    assert caught.value.may_have_left


def test_tries_are_counted(onprem: Any) -> None:
    onprem.server.play([{"kind": "unavailable"}, {"kind": "unavailable"}, "1)"])
    assert onprem.send().attempts == 3
    assert len(onprem.server.requests) == 3


def test_model_that_the_server_does_not_list_is_refused_without_text(clear: Any) -> None:
    with FakeOpenai(["1)"]) as server, Courier.start() as courier:
        other = destination(server.url, "other")
        courier.configure(Setup(other, trusted_hosts=("127.0.0.1",)))
        with pytest.raises(RemoteError, match="has no model of this name") as caught:
            courier.require_model(other, deadline=time.monotonic() + 30)
        assert [(one.method, one.body) for one in server.requests] == [("GET", b"")]
    assert caught.value.is_final
    assert not caught.value.may_have_left


def test_listed_model_and_server_without_a_list_pass(clear: Any) -> None:
    class Unlisted(FakeOpenai):
        def listing(self, received: Any) -> Any:
            return replace(super().listing(received), status=404)

    for kind, model in ((FakeOpenai, "fake"), (Unlisted, "other")):
        with kind(["1)"]) as server, Courier.start() as courier:
            there = destination(server.url, model)
            courier.configure(Setup(there, trusted_hosts=("127.0.0.1",)))
            courier.require_model(there, deadline=time.monotonic() + 30)
            assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("parallel", "expected"), [(1, 1), (3, 3)], ids=["one after the other", "three at once"]
)
def test_as_many_requests_are_in_flight_as_allowed(
    clear: Any, parallel: int, expected: int
) -> None:
    in_flight, most, lock = 0, 0, threading.Lock()

    class Counting(FakeOpenai):
        def answer(self, received: Any, step: Any) -> Any:
            nonlocal in_flight, most
            with lock:
                in_flight += 1
                most = max(most, in_flight)
            self.pause(0.2)
            with lock:
                in_flight -= 1
            return super().answer(received, step)

    with Counting(["1)"]) as server, Courier.start() as courier:
        there = destination(server.url)
        courier.configure(Setup(there, trusted_hosts=("127.0.0.1",), parallel=parallel))

        def ask() -> None:
            deadline = time.monotonic() + 30
            courier.send(clear(there), max_tokens=5, temperature=0, seed=1, deadline=deadline)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.requests) == 3
    assert most == expected


@pytest.mark.parametrize(
    "trusted", [(), ("localhost",), ("127.0.0.1:1",)], ids=["none", "other name", "other port"]
)
def test_loopback_is_no_proof_of_trust(trusted: tuple[str, ...]) -> None:
    with FakeOpenai(["1)"]) as server, Courier.start() as courier:
        with pytest.raises(PolicyRefusal, match="is not a trusted host") as caught:
            courier.configure(Setup(destination(server.url), trusted_hosts=trusted))
        assert "onprem.trusted_hosts" in (caught.value.hint or "")
        assert server.requests == []


@pytest.fixture(scope="module")
def real_server(make_gguf: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """llama_cpp.server with a model that says ``4)`` after a line's end, and stops."""
    pytest.importorskip("fastapi")
    model = make_gguf("server", follows={b"\n": b"4", b"4": b")", b")": b""})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(model)]
    command += ["--port", str(port), "--n_ctx", "512", "--n_threads", "1", "--model_alias", "tiny"]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=dict(os.environ))
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_it_serves(url, process, log)
        yield url
    finally:
        process.kill()
        process.wait()


def _wait_until_it_serves(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            with opener.open(f"{url}/v1/models", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"llama_cpp.server does not serve: {log.read_text(encoding='utf-8')[-2000:]}")


def test_real_server_is_healthy_answers_and_refuses_what_is_too_long(
    real_server: str, clear: Any
) -> None:
    there = destination(real_server, "tiny")
    payload = Payload("You write tests.", "def half(n): ...", START)
    options: dict[str, Any] = {"max_tokens": 8, "temperature": 0, "seed": 1}
    with Courier.start(pause=0.02) as courier:
        courier.configure(Setup(there, trusted_hosts=("127.0.0.1",), parallel=2))
        assert courier.check(there, deadline=time.monotonic() + 60) == ("tiny",)
        answer = courier.send(clear(there, payload), **options, deadline=time.monotonic() + 60)
        assert answer.text == START + "4)"
        assert answer.prompt_tokens > 0
        assert answer.completion_tokens > 0
        long = Payload("You write tests.", "x" * 4000, START)
        with pytest.raises(RemoteError, match="cannot take a prompt of this length"):
            courier.send(clear(there, long), **options, deadline=time.monotonic() + 60)
