"""Real couriers and fake servers, shared by the tests of a file because an SDK loads slowly."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pytest

from hybridgen.backends.fake_gemini import FakeGemini
from hybridgen.backends.fake_openai import FakeOpenai
from hybridgen.courier import Answer, Courier, Setup
from hybridgen.domain import Destination, Label, Payload
from hybridgen.gate import cleared as cleared_module
from hybridgen.gate.cleared import Cleared, outgoing_bytes

PAYLOAD = Payload("You write tests.", "def half(n): ...", "```python\nfrom m import half\n\nhalf(")


class Clear(Protocol):
    """Stands in for the gate, which has tests of its own."""

    def __call__(self, destination: Destination, payload: Payload = PAYLOAD) -> Cleared: ...


@dataclass
class Asking:
    """A courier with one destination, and the server there."""

    courier: Courier
    server: FakeGemini | FakeOpenai
    setup: Setup
    clear: Clear

    def send(self, seconds: float = 30, max_tokens: int = 50, payload: Payload = PAYLOAD) -> Answer:
        return self.courier.send(
            self.clear(self.setup.destination, payload),
            max_tokens=max_tokens,
            temperature=0.5,
            seed=7,
            deadline=time.monotonic() + seconds,
        )


@pytest.fixture(scope="session")
def clear() -> Clear:
    def make(destination: Destination, payload: Payload = PAYLOAD) -> Cleared:
        data = outgoing_bytes(payload, destination.model)
        sha256 = hashlib.sha256(data).hexdigest()
        return Cleared(destination, payload, sha256, len(data), 1, seal=cleared_module._SEAL)

    return make


@pytest.fixture(scope="module")
def bad_environment() -> Iterator[None]:
    """What could lead a library astray, in the environment of the broker."""
    nobody = "http://127.0.0.1:9"
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    changes = dict.fromkeys(names, nobody)
    changes |= {"GOOGLE_GEMINI_BASE_URL": nobody, "GOOGLE_GENAI_USE_VERTEXAI": "true"}
    changes |= {"GOOGLE_API_KEY": "WRONG", "GEMINI_API_KEY": "WRONG"}
    saved = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    yield
    for name, value in saved.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@pytest.fixture(scope="module", params=["google-genai", "google-generativeai"])
def gemini(request: pytest.FixtureRequest, clear: Clear, bad_environment: None) -> Iterator[Asking]:
    """Gemini through each of the SDKs."""
    pytest.importorskip(request.param.replace("google-", "google."))
    with FakeGemini() as server, Courier.start(pause=0.02) as courier:
        destination = Destination(
            "gemini", server.url, "gemini-test", request.param, "paid", Label.PUBLIC
        )
        setup = Setup(destination, key="KEY-OF-THE-TEST", parallel=4)
        courier.configure(setup)
        yield Asking(courier, server, setup, clear)


@pytest.fixture(scope="module")
def onprem(clear: Clear, bad_environment: None) -> Iterator[Asking]:
    """A server in the building."""
    with FakeOpenai() as server, Courier.start(pause=0.02) as courier:
        destination = Destination(
            "onprem", server.url, "fake", "openai-compatible", "onprem", Label.INTERNAL
        )
        setup = Setup(destination, trusted_hosts=("127.0.0.1",), parallel=4)
        courier.configure(setup)
        yield Asking(courier, server, setup, clear)
