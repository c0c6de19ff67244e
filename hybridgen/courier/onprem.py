"""A model server in the building that speaks the OpenAI-compatible API.

llama-server, vLLM and llama_cpp.server do. What this asks for is the part that all of them know;
the two switches that make vLLM continue our text are ignored by the others.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from hybridgen.courier.adapters import Ask, Reply, Target
from hybridgen.courier.failures import Failure
from hybridgen.courier.http import make_client, timeout_of
from hybridgen.courier.replies import parsed

_VERSION: Final = "/v1"
_MOST_MODELS: Final = 1000


def make(target: Target) -> OnpremAdapter:
    """The adapter for ``target``."""
    return OnpremAdapter(target)


class OnpremAdapter:
    """One client with as many connections as requests may be in flight."""

    def __init__(self, target: Target) -> None:
        base = target.url.rstrip("/")
        self._base = base if base.endswith(_VERSION) else base + _VERSION
        self._model = target.model
        self._headers = {"authorization": f"Bearer {target.key}"} if target.key else {}
        self._client = make_client(target)

    def ask(self, request: Ask) -> Reply:
        """Sends one request for one chat completion, once."""
        messages = [
            {"role": "system", "content": request.system},
            {"role": "user", "content": request.user},
        ]
        body: dict[str, Any] = {
            "model": self._model,
            "messages": messages,
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed & 0x7FFFFFFF,
            "n": 1,
            "stream": False,
        }
        if request.answer_start:
            messages.append({"role": "assistant", "content": request.answer_start})
            body |= {"continue_final_message": True, "add_generation_prompt": False}
        return _reply(self._fetch("POST", "/chat/completions", request.seconds, body))

    def models(self, seconds: float) -> list[str]:
        """The names that the server lists."""
        listed = self._fetch("GET", "/models", seconds, None).get("data")
        if not isinstance(listed, list):
            raise Failure("malformed")
        names = [one.get("id") for one in listed[:_MOST_MODELS] if isinstance(one, dict)]
        return [name for name in names if isinstance(name, str)]

    def _fetch(
        self, method: str, path: str, seconds: float, body: dict[str, Any] | None
    ) -> dict[str, Any]:
        timeout = timeout_of(seconds)
        response = self._client.request(
            method, self._base + path, headers=self._headers, json=body, timeout=timeout
        )
        return parsed(response.content)


def _reply(answer: dict[str, Any]) -> Reply:
    usage = answer.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    prompt_tokens = _count(counts, "prompt_tokens")
    completion_tokens = _count(counts, "completion_tokens")
    failure = partial(Failure, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
    choices = answer.get("choices")
    if not isinstance(choices, list):
        raise failure("malformed")
    if not choices:
        raise failure("empty")
    choice = choices[0]
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise failure("malformed")
    text, reason = message.get("content"), choice.get("finish_reason")
    if reason == "content_filter":
        raise failure("blocked")
    if reason not in ("stop", "length"):
        raise failure("finish", reason=str(reason))
    if text is not None and not isinstance(text, str):
        raise failure("malformed")
    if not text or not text.strip():
        raise failure("empty" if reason == "stop" else "length")
    return Reply(text, reason == "length", prompt_tokens, completion_tokens)


def _count(counts: dict[str, Any], name: str) -> int:
    value = counts.get(name)
    return value if type(value) is int else 0
