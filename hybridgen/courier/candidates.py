"""From Gemini's candidates to one answer: the same rules for both SDKs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from hybridgen.courier.adapters import Reply
from hybridgen.courier.failures import Failure

# https://ai.google.dev/api/generate-content#FinishReason; numbers as in the protocol buffers.
REASONS: Final = {
    0: "FINISH_REASON_UNSPECIFIED",
    1: "STOP",
    2: "MAX_TOKENS",
    3: "SAFETY",
    4: "RECITATION",
    5: "OTHER",
    6: "LANGUAGE",
    7: "BLOCKLIST",
    8: "PROHIBITED_CONTENT",
    9: "SPII",
    10: "MALFORMED_FUNCTION_CALL",
}
_HELD_BACK: Final = frozenset(
    {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"}
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One candidate: its text without thoughts, and the name of the reason why it ended."""

    text: str
    reason: str


def reply_of(
    candidates: Sequence[Candidate],
    *,
    prompt_block: str,
    prompt_tokens: int,
    completion_tokens: int,
) -> Reply:
    """The first candidate that can be used, as a reply.

    Args:
        candidates: in the server's order.
        prompt_block: why the prompt itself was blocked, or "".
        prompt_tokens: as the server counted.
        completion_tokens: likewise.

    Raises:
        Failure: none can be used; the first one says why.
    """
    failure = partial(Failure, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
    for one in candidates:
        if one.reason in ("STOP", "MAX_TOKENS") and one.text.strip():
            is_cut_off = one.reason == "MAX_TOKENS"
            return Reply(one.text, is_cut_off, prompt_tokens, completion_tokens)
    if not candidates:
        raise failure("prompt_blocked" if prompt_block else "empty", reason=prompt_block)
    reason = candidates[0].reason
    if reason in ("STOP", "MAX_TOKENS"):
        raise failure("empty" if reason == "STOP" else "length")
    raise failure("blocked" if reason in _HELD_BACK else "finish", reason=reason)
