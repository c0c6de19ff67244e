"""An OpenAI-compatible server for tests: ``python -m hybridgen.backends.fake_openai``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

from hybridgen.backends.fake_server import FakeServer, Received, Sent, serve

_ERRORS: Final = {
    "bad_key": (401, "invalid_api_key", "Invalid API Key"),
    "forbidden": (403, "forbidden", "Not for you"),
    "no_model": (404, "model_not_found", "The model `other` does not exist."),
    "no_path": (404, "", "Not Found"),
    "too_long": (
        400,
        "context_length_exceeded",
        "This model's maximum context length is 8 tokens.",
    ),
    "invalid": (422, "", "Unprocessable"),
    "quota": (429, "rate_limit_exceeded", "Too many requests"),
    "broken": (500, "internal_error", "out of memory"),
    "unavailable": (503, "", "Loading model"),
}


class FakeOpenai(FakeServer):
    """Answers as an OpenAI-compatible server does, by a script.

    Kinds of steps, besides those of every fake: ``text`` (``text``, ``finish``), ``empty``,
    ``max_tokens`` (``text``), ``blocked``, ``unknown_finish``, and the errors ``bad_key``,
    ``forbidden``, ``no_model``, ``no_path``, ``too_long``, ``invalid``, ``quota``
    (``retry_after`` seconds), ``broken``, ``unavailable``.
    """

    def answer(self, received: Received, step: Mapping[str, Any]) -> Sent:
        """One answer of ``chat/completions``."""
        if received.path != "/v1/chat/completions":
            return Sent(404, {"detail": "Not Found"})
        kind = step["kind"]
        if kind in _ERRORS:
            code, name, message = _ERRORS[kind]
            headers = {"retry-after": str(step["retry_after"])} if "retry_after" in step else {}
            return Sent(code, {"error": {"code": name, "message": message}}, headers)
        text = step.get("text", "")
        finish = {"max_tokens": "length", "blocked": "content_filter", "unknown_finish": "new"}
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": finish.get(kind, step.get("finish", "stop")),
        }
        usage = {"prompt_tokens": 100, "completion_tokens": len(text)}
        return Sent(200, {"choices": [choice], "usage": usage})

    def listing(self, received: Received) -> Sent:
        """The models, of which there is one."""
        if received.path != "/v1/models":
            return super().listing(received)
        return Sent(200, {"object": "list", "data": [{"id": "fake", "object": "model"}]})


if __name__ == "__main__":
    serve(FakeOpenai, sys.argv[1:])
