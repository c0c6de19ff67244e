"""What both Gemini SDKs do behind the courier, against a fake that speaks the wire of both."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from hybridgen.backends.fake_gemini import FakeGemini
from hybridgen.courier import Courier, Setup
from hybridgen.domain import Destination, Label, Payload
from hybridgen.errors import RemoteError

START = "```python\nfrom m import half\n\nhalf("


def body(asking: Any) -> dict[str, Any]:
    return json.loads(asking.server.requests[-1].body)


def refused(asking: Any, step: Any, seconds: float = 30) -> RemoteError:
    asking.server.play([step])
    with pytest.raises(RemoteError) as caught:
        asking.send(seconds)
    return caught.value


def test_prompt_arrives_as_instruction_user_turn_and_begun_model_turn(gemini: Any) -> None:
    gemini.server.play(["4) == 2"])
    gemini.send()
    sent = body(gemini)
    turns = [(turn["role"], turn["parts"]) for turn in sent["contents"]]
    assert turns == [("user", [{"text": "def half(n): ..."}]), ("model", [{"text": START}])]
    assert sent["systemInstruction"]["parts"] == [{"text": "You write tests."}]


def test_request_has_no_tools_files_or_caches_and_one_candidate(gemini: Any) -> None:
    gemini.server.play(["4) == 2"])
    gemini.send()
    sent = body(gemini)
    allowed = {"contents", "systemInstruction", "generationConfig", "store"}
    assert set(sent) <= allowed
    assert sent["generationConfig"]["candidateCount"] == 1
    assert sent["generationConfig"]["maxOutputTokens"] == 50 + 2048  # room for thoughts


def test_storage_is_switched_off_where_the_sdk_can(gemini: Any) -> None:
    gemini.server.play(["4) == 2"])
    gemini.send()
    is_new = gemini.setup.destination.sdk == "google-genai"
    assert body(gemini).get("store") is (False if is_new else None)


def test_key_travels_in_a_header_and_no_other_key_does(gemini: Any) -> None:
    gemini.server.play(["4) == 2"])
    gemini.send()
    received = gemini.server.requests[-1]
    assert received.headers["x-goog-api-key"] == "KEY-OF-THE-TEST"
    assert "KEY" not in received.path
    assert "WRONG" not in str(received)


def test_answer_goes_on_from_our_start_and_ends_with_the_code(gemini: Any) -> None:
    gemini.server.play(["4) == 2\n```\nThat was a test."])
    answer = gemini.send()
    assert answer.text == START + "4) == 2"
    assert (answer.prompt_tokens, answer.is_cut_off) == (100, False)
    assert answer.completion_tokens == len("4) == 2\n```\nThat was a test.")


def test_first_of_several_candidates_is_taken(gemini: Any) -> None:
    gemini.server.play([{"kind": "candidates", "texts": ["1)", "2)"]}])
    assert gemini.send().text == START + "1)"


def test_thoughts_are_no_part_of_the_answer(gemini: Any) -> None:
    gemini.server.play([{"kind": "text", "text": "1)", "thoughts": "Let me think. "}])
    assert gemini.send().text == START + "1)"


def test_answer_that_the_token_cap_ended_is_cut_off(gemini: Any) -> None:
    gemini.server.play([{"kind": "max_tokens", "text": "1)\nhal"}])
    answer = gemini.send()
    assert answer.text == START + "1)\nhal"
    assert answer.is_cut_off


@pytest.mark.parametrize(
    ("kind", "said", "hint", "is_final"),
    [
        ("safety", "held its answer back: SAFETY", "--backend local", False),
        ("prompt_block", "refused to read the prompt: SAFETY", "--backend local", False),
        ("empty", "gave an empty answer", "gemini.model", False),
        ("no_candidates", "gave an empty answer", "gemini.model", False),
        ("max_tokens", "used up its tokens before it said anything", "max_tokens", False),
        ("unknown_finish", "for a reason that hybridgen does not know", "gemini.model", False),
        ("bad_key", "does not accept the API key", "key", True),
        ("invalid", r"refused the request \(400: INVALID_ARGUMENT\)", "gemini.model", False),
        ("too_long", "cannot take a prompt of this length", "smaller targets", False),
        ("forbidden", "does not allow this key", "console", True),
        ("no_model", "has no model of this name", "Models come and go.*gemini.model", True),
        ("malformed", "no answer of this protocol", "gemini.url", False),
        ("not_json_object", "no answer of this protocol", "gemini.url", False),
        ("huge", "sent more than any answer needs", "gemini.url", False),
        ("compressed", "no answer of this protocol", "gemini.url", False),
    ],
)
def test_failure_is_told_in_plain_words_after_one_try(
    gemini: Any, kind: str, said: str, hint: str, is_final: bool
) -> None:
    error = refused(gemini, {"kind": kind})
    assert _matches(said, error.message)
    assert _matches(hint, error.hint or "")
    assert error.is_final is is_final
    assert len(gemini.server.requests) == 1


@pytest.mark.parametrize(
    ("kind", "said", "is_final"),
    [
        ("quota", r"quota is used up \(429\)", True),
        ("broken", r"failed \(500\)", False),
        ("unavailable", r"failed \(503\)", False),
        ("cut", "closed the connection", False),
    ],
)
def test_passing_trouble_is_tried_again_a_few_times(
    gemini: Any, kind: str, said: str, is_final: bool
) -> None:
    gemini.server.play(["1)"])
    gemini.send()  # what failed before does not count against this one
    error = refused(gemini, {"kind": kind})
    assert _matches(said, error.message)
    assert error.is_final is is_final
    assert len(gemini.server.requests) == 4


def test_second_try_that_works_is_the_answer(gemini: Any) -> None:
    gemini.server.play([{"kind": "unavailable"}, {"kind": "cut"}, "1)"])
    assert gemini.send().text == START + "1)"
    assert len(gemini.server.requests) == 3


def test_pause_that_the_server_asks_for_is_kept(gemini: Any) -> None:
    gemini.server.play([{"kind": "quota", "retry_after": 0.4}, "1)"])
    assert gemini.send().seconds >= 0.4


def test_pause_beyond_the_deadline_is_not_waited_for(gemini: Any) -> None:
    error = refused(gemini, {"kind": "quota", "retry_after": 3000})
    assert len(gemini.server.requests) == 1
    assert error.is_final


def test_redirect_is_refused_and_nothing_goes_there(gemini: Any) -> None:
    with FakeGemini(["1)"]) as elsewhere:
        error = refused(gemini, {"kind": "redirect", "to": elsewhere.url})
        assert elsewhere.requests == []
    assert "another address (307), which is not followed" in error.message
    assert error.is_final
    assert len(gemini.server.requests) == 1


@pytest.mark.parametrize("kind", ["slow", "dribble"])
def test_deadline_ends_the_waiting(gemini: Any, kind: str) -> None:
    error = refused(gemini, {"kind": kind, "seconds": 0.2 if kind == "dribble" else 20}, 0.6)
    assert "did not answer in time" in error.message
    assert not error.is_final


def test_answers_of_requests_in_flight_are_not_mixed_up(gemini: Any) -> None:
    gemini.server.play([{"kind": "slow", "seconds": 0.3, "then": "echo"}] * 4)
    gemini.server.answer = lambda received, step: _echo(gemini.server, received, step)
    texts: dict[int, str] = {}

    def ask(number: int) -> None:
        texts[number] = gemini.send(payload=Payload("s", f"number {number}", "")).text

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        del gemini.server.answer
    assert texts == {number: f"number {number}" for number in range(4)}


def test_server_words_and_the_prompt_are_in_no_error(gemini: Any) -> None:
    for kind in ("invalid", "bad_key", "broken"):
        error = refused(gemini, {"kind": kind})
        for secret in ("KEY-OF-THE-TEST", "half", "contents[0]", "internal error"):
            assert secret not in str(error)


def _matches(pattern: str, text: str) -> bool:
    import re

    return re.search(pattern, text, re.DOTALL) is not None


def _echo(server: FakeGemini, received: Any, step: Any) -> Any:
    said = json.loads(received.body)["contents"][0]["parts"][0]["text"]
    return FakeGemini.answer(server, received, {**step, "text": said})


def test_vertex_is_asked_at_its_own_address_and_has_no_storage_field(clear: Any) -> None:
    pytest.importorskip("google.genai")
    with FakeGemini(["4) == 2"]) as server, Courier.start(pause=0.02) as courier:
        destination = Destination(
            "gemini", server.url, "gemini-test", "google-genai", "vertex", Label.PUBLIC
        )
        courier.configure(Setup(destination, key="KEY-OF-THE-TEST"))
        answer = courier.send(
            clear(destination),
            max_tokens=50,
            temperature=0.5,
            seed=7,
            deadline=time.monotonic() + 30,
        )
        [request] = server.requests
    assert request.path == "/v1beta1/publishers/google/models/gemini-test:generateContent"
    assert "store" not in json.loads(request.body)
    assert answer.text.endswith("half(4) == 2")
