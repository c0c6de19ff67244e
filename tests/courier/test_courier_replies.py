"""Bodies are bounded, and a status means the same whoever asks."""

from __future__ import annotations

import json
import time

import pytest

from hybridgen.courier.failures import Failure
from hybridgen.courier.replies import MOST_BYTES, check_status, read_body

INFO = "type.googleapis.com/google.rpc"


def test_body_is_read_no_further_than_the_cap() -> None:
    taken = []

    def chunks():
        while True:
            taken.append(1)
            yield b"x" * 2**20

    with pytest.raises(Failure, match="huge"):
        read_body(chunks(), time.monotonic() + 60)
    assert len(taken) == MOST_BYTES // 2**20 + 1


def test_body_that_comes_too_slowly_is_given_up() -> None:
    with pytest.raises(Failure, match="timeout"):
        read_body(iter([b"a", b"b"]), time.monotonic() - 1)


@pytest.mark.parametrize(
    ("details", "headers", "expected"),
    [
        ([{"@type": f"{INFO}.RetryInfo", "retryDelay": "3.5s"}], {}, 3.5),
        ([{"@type": f"{INFO}.RetryInfo", "retryDelay": "2s"}], {"retry-after": "9"}, 2),
        ([], {"retry-after": "9"}, 9),
        ([], {}, None),
        ([{"retryDelay": "soon"}], {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ([{"retryDelay": "nan"}], {"retry-after": "-1"}, None),
        (["x", {"retryDelay": 7}], {}, None),
    ],
)
def test_pause_is_what_the_server_asks_for(details, headers, expected) -> None:
    body = json.dumps({"error": {"message": "no", "details": details}}).encode()
    with pytest.raises(Failure) as caught:
        check_status(429, headers, body)
    assert (caught.value.kind, caught.value.pause) == ("quota", expected)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "no"}', b'{"detail": []}'])
def test_error_without_the_usual_body_is_told_by_its_status(body: bytes) -> None:
    with pytest.raises(Failure) as caught:
        check_status(503, {}, body)
    assert caught.value.kind == "server"


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"code": "context_length_exceeded"}, "context"),
        (400, {"type": "exceed_context_size_error"}, "context"),
        (400, {"message": "This model's maximum context length is 8 tokens"}, "context"),
        (404, {"message": "The model `x` does not exist."}, "model"),
        (404, {"message": "Not Found"}, "nothing"),
        (418, {}, "request"),
        (401, {}, "key"),
        (408, {}, "server"),
        (413, {}, "context"),
    ],
)
def test_status_and_body_tell_what_is_wrong(status: int, error: object, kind: str) -> None:
    with pytest.raises(Failure) as caught:
        check_status(status, {}, json.dumps({"error": error}).encode())
    assert caught.value.kind == kind
