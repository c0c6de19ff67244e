"""Gemini through google-genai: the default, since it can switch storage off."""

from __future__ import annotations

import importlib
from typing import Any

from hybridgen.courier.adapters import Ask, Reply, Target
from hybridgen.courier.asking import model_of_gemini
from hybridgen.courier.candidates import Candidate, reply_of
from hybridgen.courier.failures import Failure
from hybridgen.courier.http import make_client


def make(target: Target) -> GenaiAdapter:
    """The adapter for ``target``; imports the SDK.

    Raises:
        ImportError: it is not installed.
    """
    return GenaiAdapter(target)


class GenaiAdapter:
    """One client, used by all requests; everything that the environment could set is set here."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._model = target.model
        # Vertex AI has addresses of its own and knows no field "store": its terms rule storage.
        self._is_vertex = target.terms == "vertex"
        genai: Any = importlib.import_module("google.genai")
        self._types = genai.types
        self._client = genai.Client(
            api_key=target.key,
            vertexai=self._is_vertex,
            http_options=self._types.HttpOptions(
                base_url=target.url,
                httpx_client=make_client(target),
                retry_options=self._types.HttpRetryOptions(attempts=1),
            ),
        )

    def ask(self, request: Ask) -> Reply:
        """Sends one request, once, not to be stored; no tools, grounding, files or caching."""
        types = self._types
        turns = [types.Content(role="user", parts=[types.Part(text=request.user)])]
        if request.answer_start:
            turns.append(types.Content(role="model", parts=[types.Part(text=request.answer_start)]))
        try:
            response = self._client.models.generate_content(
                model=self._model,
                contents=turns,
                config=types.GenerateContentConfig(
                    system_instruction=request.system,
                    store=None if self._is_vertex else False,
                    temperature=request.temperature,
                    seed=request.seed & 0x7FFFFFFF,
                    max_output_tokens=request.max_tokens,
                    candidate_count=1,
                    automatic_continuation=False,
                    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
                    http_options=types.HttpOptions(timeout=max(1, int(1000 * request.seconds))),
                ),
            )
        except ValueError as error:  # of pydantic's and json's: what came is not what it should be
            raise Failure("malformed") from error
        return _reply(response)

    def models(self, seconds: float) -> list[str]:
        """The one that is meant, if it is there; Gemini is not asked what else it serves."""
        return model_of_gemini(self._target, seconds)


def _reply(response: Any) -> Reply:
    usage, feedback = response.usage_metadata, response.prompt_feedback
    answered = 0
    if usage is not None:
        answered = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    block = feedback.block_reason if feedback is not None else None
    return reply_of(
        [_candidate(one) for one in response.candidates or ()],
        prompt_block="" if block is None else str(block.value),
        prompt_tokens=(usage.prompt_token_count or 0) if usage is not None else 0,
        completion_tokens=answered,
    )


def _candidate(candidate: Any) -> Candidate:
    parts = candidate.content.parts if candidate.content is not None else None
    texts = [part.text for part in parts or () if part.text and not part.thought]
    reason = candidate.finish_reason
    return Candidate("".join(texts), "NONE" if reason is None else str(reason.value))
