"""A Gemini server for tests: ``python -m hybridgen.backends.fake_gemini --script FILE``.

It speaks the wire of both SDKs: ``POST /v1/models/X:generateContent`` and the same under
``/v1beta``, with enumerations as numbers where ``$alt`` asks for them, and that of Vertex AI, under
``/v1beta1/publishers/google``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from hybridgen.backends.fake_server import FakeServer, Received, Sent, serve

_PATH: Final = re.compile(
    r"/(v1|v1beta|v1beta1/publishers/google)/models/(?P<model>[^/:]+):generateContent"
)
BAD_KEY: Final = "BAD-KEY"
"""A key that is not accepted where there is no script to say so."""

_FINISH: Final = {"STOP": 1, "MAX_TOKENS": 2, "SAFETY": 3, "RECITATION": 4, "A_NEW_REASON": 99}
_BLOCK: Final = {"SAFETY": 1, "OTHER": 2, "PROHIBITED_CONTENT": 4}
_INFO: Final = "type.googleapis.com/google.rpc"
_ERRORS: Final = {
    "bad_key": (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    "invalid": (400, "INVALID_ARGUMENT", "Invalid value at 'contents[0]'."),
    "too_long": (
        400,
        "INVALID_ARGUMENT",
        "The input token count (9) exceeds the maximum number of tokens allowed (8).",
    ),
    "forbidden": (403, "PERMISSION_DENIED", "The caller does not have permission"),
    "no_model": (404, "NOT_FOUND", "models/old is not found for API version v1beta"),
    "quota": (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota"),
    "broken": (500, "INTERNAL", "An internal error has occurred"),
    "unavailable": (503, "UNAVAILABLE", "The model is overloaded"),
}


class FakeGemini(FakeServer):
    """Answers as Gemini does, by a script.

    Kinds of steps, besides those of every fake: ``text`` (``text``, ``finish``, ``thoughts``),
    ``candidates`` (``texts``), ``safety``, ``prompt_block``, ``empty``, ``no_candidates``,
    ``max_tokens`` (``text``, may be empty), ``unknown_finish``, ``bad_key``, ``invalid``,
    ``too_long``, ``forbidden``, ``no_model``, ``quota`` (``retry_after`` seconds), ``broken``,
    ``unavailable``.
    """

    def answer(self, received: Received, step: Mapping[str, Any]) -> Sent:
        """One answer of ``generateContent``."""
        parts = urlsplit(received.path)
        if _PATH.fullmatch(unquote(parts.path)) is None:
            return Sent(404, {"error": {"code": 404, "message": "no such method"}})
        kind = step["kind"]
        if kind in _ERRORS:
            return _error(kind, step)
        asked = ";".join(parse_qs(parts.query).get("$alt", []))
        value = _answer(step)
        return Sent(200, _numbered(value) if "enum-encoding=int" in asked else value)

    def listing(self, received: Received) -> Sent:
        """What is known of a model; there is every one whose name begins with ``gemini-``."""
        found = re.fullmatch(r"/v1beta/models/([^/:]+)", urlsplit(received.path).path)
        if found is None:
            return super().listing(received)
        if received.headers.get("x-goog-api-key") == BAD_KEY:
            return _error("bad_key", {})
        if not found[1].startswith("gemini-"):
            return _error("no_model", {})
        return Sent(200, {"name": f"models/{found[1]}", "inputTokenLimit": 1_048_576})


def _answer(step: Mapping[str, Any]) -> dict[str, Any]:
    kind = step["kind"]
    texts = step.get("texts", [step.get("text", "")])
    finish = step.get("finish", "STOP")
    if kind == "prompt_block":
        return {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": _usage(0)}
    if kind == "no_candidates":
        return {"usageMetadata": _usage(0)}
    if kind == "unknown_finish":
        finish, texts = "A_NEW_REASON", ["half of an answ"]
    elif kind == "max_tokens":
        finish = "MAX_TOKENS"
    elif kind == "safety":
        finish, texts = "SAFETY", [""]
    candidates = []
    for index, text in enumerate(texts):
        thoughts = [{"text": step["thoughts"], "thought": True}] if "thoughts" in step else []
        said = [{"text": text}] if text else []
        content = {"role": "model", **({"parts": thoughts + said} if thoughts + said else {})}
        candidates.append({"content": content, "finishReason": finish, "index": index})
    return {"candidates": candidates, "usageMetadata": _usage(sum(map(len, texts)))}


def _usage(answered: int) -> dict[str, int]:
    """As Gemini counts: a hundred tokens in, one for each character out."""
    return {
        "promptTokenCount": 100,
        "candidatesTokenCount": answered,
        "totalTokenCount": 100 + answered,
    }


def _numbered(value: dict[str, Any]) -> dict[str, Any]:
    """``value`` with numbers for the names of enumerations."""
    for candidate in value.get("candidates", ()):
        candidate["finishReason"] = _FINISH[candidate["finishReason"]]
    feedback = value.get("promptFeedback")
    if feedback is not None:
        feedback["blockReason"] = _BLOCK[feedback["blockReason"]]
    return value


def _error(kind: str, step: Mapping[str, Any]) -> Sent:
    code, status, message = _ERRORS[kind]
    details: list[dict[str, Any]] = []
    if kind == "bad_key":
        reason = {"reason": "API_KEY_INVALID", "domain": "googleapis.com"}
        details.append({"@type": f"{_INFO}.ErrorInfo", **reason})
    if "retry_after" in step:
        delay = f"{step['retry_after']}s"
        details.append({"@type": f"{_INFO}.RetryInfo", "retryDelay": delay})
    error = {"code": code, "message": message, "status": status}
    return Sent(code, {"error": {**error, **({"details": details} if details else {})}})


if __name__ == "__main__":
    serve(FakeGemini, sys.argv[1:])
