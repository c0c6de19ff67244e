"""Gemini through google-generativeai, the SDK whose support ended on 2025-11-30.

It cannot switch storage off. Left alone it would retry for minutes, follow redirects and read
any amount; its transport is made here, so that it does none of that.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from hybridgen.courier.adapters import Ask, Reply, Target
from hybridgen.courier.asking import model_of_gemini
from hybridgen.courier.candidates import REASONS, Candidate, reply_of
from hybridgen.courier.failures import Failure
from hybridgen.courier.replies import check_head, check_status, context_of, parsed, read_body

_SERVICE: Final = "google.ai.generativelanguage_v1beta.services.generative_service.transports.rest"
_CHUNK_BYTES: Final = 65536


def make(target: Target) -> GenerativeaiAdapter:
    """The adapter for ``target``; imports the SDK.

    Raises:
        ImportError: it is not installed.
    """
    return GenerativeaiAdapter(target)


class GenerativeaiAdapter:
    """One configuration of the SDK's global state; this process has no other use for it."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._model = target.model
        self._genai: Any = importlib.import_module("google.generativeai")
        self._genai.configure(
            api_key=target.key,
            transport=_transport(target),
            client_options={"api_endpoint": target.url.rstrip("/")},
        )

    def ask(self, request: Ask) -> Reply:
        """Sends one request, once; no tools, grounding, files or caching."""
        model = self._genai.GenerativeModel(self._model, system_instruction=request.system)
        turns = [{"role": "user", "parts": [{"text": request.user}]}]
        if request.answer_start:
            turns.append({"role": "model", "parts": [{"text": request.answer_start}]})
        try:
            response = model.generate_content(
                turns,
                stream=False,
                generation_config={
                    "temperature": request.temperature,
                    "max_output_tokens": request.max_tokens,
                    "candidate_count": 1,
                },
                request_options={"timeout": request.seconds, "retry": None},
            )
        except Failure:
            raise
        except OSError as error:  # of requests'
            raise _failure(error) from None
        except ValueError as error:
            raise Failure("malformed") from error
        return _reply(response)

    def models(self, seconds: float) -> list[str]:
        """The one that is meant, if it is there; Gemini is not asked what else it serves."""
        return model_of_gemini(self._target, seconds)


def _transport(target: Target) -> Callable[..., Any]:
    """What makes the SDK's REST transport, with a session that reaches one address only."""
    rest: Any = importlib.import_module(_SERVICE)

    def make_transport(**options: Any) -> Any:
        transport = rest.GenerativeServiceRestTransport(
            **{**options, "url_scheme": urlsplit(target.url).scheme}
        )
        session = transport._session
        session.trust_env = False
        session.proxies = {} if target.proxy is None else {"all": target.proxy}
        session.headers["Accept-Encoding"] = "identity"
        session.hooks["response"] = [_check_response]
        adapter = session.get_adapter(target.url)
        adapter.max_retries = 0
        adapter.init_poolmanager(1, target.parallel + 1, ssl_context=context_of(target.ca))
        session.adapters.clear()
        session.mount(target.url.rstrip("/") + "/", adapter)  # no other address has an adapter
        return transport

    return make_transport


def _check_response(response: Any, **options: Any) -> None:
    """Called before the body is read, and before a redirect is followed or a status retried."""
    timeout = options.get("timeout") or 600.0
    end = time.monotonic() + timeout - response.elapsed.total_seconds()
    check_head(response.status_code, response.headers)
    body = read_body(response.iter_content(_CHUNK_BYTES), end)
    check_status(response.status_code, response.headers, body)
    response._content = json.dumps(_without_thoughts(parsed(body))).encode("ascii")


def _without_thoughts(answer: dict[str, Any]) -> dict[str, Any]:
    """``answer`` without the parts that are thoughts, which this SDK cannot tell from text."""
    for candidate in answer.get("candidates") or ():
        content = candidate.get("content") if isinstance(candidate, dict) else None
        parts = content.get("parts") if isinstance(content, dict) else None
        if isinstance(content, dict) and isinstance(parts, list):
            content["parts"] = [one for one in parts if not _is_thought(one)]
    return answer


def _is_thought(part: Any) -> bool:
    return isinstance(part, dict) and bool(part.get("thought"))


def _failure(error: OSError) -> Failure:
    """What a broken connection means, by the names of requests' errors (it is not imported)."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if "SSLError" in names:
        return Failure("tls")
    if "ConnectTimeout" in names or "ProxyError" in names:
        return Failure("refused")
    if "Timeout" in names:
        return Failure("timeout")
    if "InvalidSchema" in names:
        return Failure("address")
    if names & {"ChunkedEncodingError", "ContentDecodingError"}:
        return Failure("cut")
    is_refused = "NewConnectionError" in str(error) or "NameResolutionError" in str(error)
    return Failure("refused" if is_refused else "cut")


def _reply(response: Any) -> Reply:
    usage, feedback = response.usage_metadata, response.prompt_feedback
    block = int(feedback.block_reason)
    total = int(usage.total_token_count)
    prompt_tokens = int(usage.prompt_token_count)
    return reply_of(
        [_candidate(one) for one in response.candidates],
        prompt_block=feedback.block_reason.name if block else "",
        prompt_tokens=prompt_tokens,
        completion_tokens=max(int(usage.candidates_token_count), total - prompt_tokens),
    )


def _candidate(candidate: Any) -> Candidate:
    text = "".join(part.text for part in candidate.content.parts if "text" in part)
    return Candidate(text, REASONS.get(int(candidate.finish_reason), "UNKNOWN"))
