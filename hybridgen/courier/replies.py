"""What comes back over HTTP, whoever fetched it: a bounded body, and what its status means."""

from __future__ import annotations

import json
import math
import ssl
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from hybridgen.courier.failures import Failure

MOST_BYTES: Final = 4 * 2**20
_TOO_LONG: Final = (
    "exceeds the maximum number of tokens",  # Gemini
    "maximum context length",  # vLLM, OpenAI
    "exceed context window",  # llama_cpp.server
    "context size",  # llama-server
)
_TOO_LONG_CODES: Final = ("context_length_exceeded", "exceed_context_size_error")


def read_body(chunks: Iterable[bytes], end: float) -> bytes:
    """All of ``chunks``, as long as they are small enough and in time.

    Args:
        chunks: as they come from the network, not decompressed.
        end: on the clock of ``time.monotonic``.

    Raises:
        Failure: ``huge`` or ``timeout``.
    """
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > MOST_BYTES:
            raise Failure("huge")
        if time.monotonic() > end:
            raise Failure("timeout")
    return bytes(body)


def check_head(status: int, headers: Mapping[str, str]) -> None:
    """Refuses what is not even looked into: another address, or a compressed body.

    We ask for no compression, since a small body may unfold to any size.

    Raises:
        Failure: ``redirect`` or ``malformed``.
    """
    if 300 <= status < 400:
        raise Failure("redirect", status=status)
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Failure("malformed", status=status)


def check_status(status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Turns every status but 200 into the failure that it means.

    Raises:
        Failure: the status is not 200.
    """
    if status == 200:
        return
    error = _error(body)
    said = str(error.get("message", "")).lower()
    details = error.get("details")
    details = [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []
    reason = next((one["reason"] for one in details if isinstance(one.get("reason"), str)), "")
    if not reason and isinstance(error.get("status"), str):
        reason = error["status"]
    kind = _kind(status, reason, said)
    is_long = error.get("code") in _TOO_LONG_CODES or error.get("type") in _TOO_LONG_CODES
    if status < 500 and (is_long or any(words in said for words in _TOO_LONG)):
        kind = "context"
    raise Failure(kind, status=status, reason=reason, pause=_pause(headers, details))


def _kind(status: int, reason: str, said: str) -> str:
    if status == 401 or reason == "API_KEY_INVALID":
        return "key"
    if status == 404:
        return "model" if "model" in said else "nothing"
    if status == 408 or status >= 500:
        return "server"
    return {403: "denied", 413: "context", 429: "quota"}.get(status, "request")


def _error(body: bytes) -> dict[str, Any]:
    """The error object of a body; ``{}`` if there is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if isinstance(found, list) and len(found) == 1:  # as Google's streams answer
        found = found[0]
    error = found.get("error", found) if isinstance(found, dict) else {}
    return error if isinstance(error, dict) else {"message": error}


def _pause(headers: Mapping[str, str], details: list[dict[str, Any]]) -> float | None:
    """How long the server wants us to wait: Google's RetryInfo, else the Retry-After header.

    https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto; the
    header's date form is not used by any of these servers.
    """
    delays = [one["retryDelay"] for one in details if isinstance(one.get("retryDelay"), str)]
    for text in [*(delay.removesuffix("s") for delay in delays), headers.get("retry-after", "")]:
        try:
            seconds = float(text)
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    return None


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of an answer.

    Raises:
        Failure: it is none.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Failure("malformed") from error
    if not isinstance(found, dict):
        raise Failure("malformed")
    return found


def context_of(ca: str | None) -> ssl.SSLContext:
    """What TLS connections are verified by: ``ca`` alone if given, else the system's trust.

    Raises:
        Failure: ``ca`` holds no certificate.
    """
    try:
        return ssl.create_default_context(cadata=ca)
    except (ssl.SSLError, ValueError) as error:
        raise Failure("ca") from error
