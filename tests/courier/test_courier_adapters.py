"""What the adapters hold by themselves, even in a process that nobody scrubbed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

from hybridgen.backends.fake_gemini import FakeGemini
from hybridgen.backends.fake_openai import FakeOpenai
from hybridgen.courier.adapters import Target
from hybridgen.courier.failures import Failure
from hybridgen.courier.http import make_client

ASK = """
import sys
from hybridgen.courier.adapters import Ask, Target, make_adapter
backend, url, sdk = sys.argv[1:]
target = Target(backend=backend, url=url, model="m", sdk=sdk, terms="", parallel=1,
                key="RIGHT", proxy=None, ca=None)
request = Ask(system="s", user="u", answer_start="", max_tokens=5, temperature=0, seed=1,
              seconds=20)
sys.stdout.write(make_adapter(target).ask(request).text)
"""


@pytest.mark.parametrize("sdk", ["google-genai", "google-generativeai", "openai-compatible"])
def test_environment_changes_neither_address_nor_key_nor_way(sdk: str) -> None:
    if sdk.startswith("google") and importlib.util.find_spec("google.genai") is None:
        pytest.skip("the extra is not installed")
    is_gemini = sdk.startswith("google")
    make = FakeGemini if is_gemini else FakeOpenai
    with make(["right"]) as server, make(["wrong"]) as trap:
        names = ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy", "GOOGLE_GEMINI_BASE_URL")
        environment = {
            **os.environ,
            **dict.fromkeys(names, trap.url),
            "GOOGLE_GENAI_USE_VERTEXAI": "true",
            "GOOGLE_CLOUD_PROJECT": "theirs",
            "GOOGLE_API_KEY": "WRONG",
            "GEMINI_API_KEY": "WRONG",
            "OPENAI_API_KEY": "WRONG",
            "NO_PROXY": "",
            "no_proxy": "",
        }
        backend = "gemini" if is_gemini else "onprem"
        said = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", ASK, backend, server.url, sdk],
            env=environment,
            capture_output=True,
            check=True,
        )
        assert said.stdout == b"right"
        assert trap.requests == []
        assert "RIGHT" in str(server.requests[0].headers)
        assert "WRONG" not in str(server.requests[0].headers)


def test_client_asks_no_other_address_than_its_own() -> None:
    target = Target(
        backend="onprem",
        url="http://127.0.0.1:9",
        model="m",
        sdk="openai-compatible",
        terms="onprem",
        parallel=1,
        key="",
        proxy=None,
        ca=None,
    )
    with FakeOpenai(["1)"]) as elsewhere, make_client(target) as client:
        for url in (elsewhere.url, "http://localhost:9", "https://127.0.0.1:9"):
            with pytest.raises(Failure, match="address"):
                client.post(url, json={})
        assert elsewhere.requests == []
