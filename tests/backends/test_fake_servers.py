"""The fakes are programs too: they print their address and play their script."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(url: str) -> tuple[int, dict[str, object]]:
    request = urllib.request.Request(url, data=b"{}", method="POST")
    try:
        with OPENER.open(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.mark.parametrize(
    ("module", "path", "key"),
    [
        ("fake_gemini", "/v1beta/models/m:generateContent", "candidates"),
        ("fake_openai", "/v1/chat/completions", "choices"),
    ],
)
def test_program_prints_its_address_and_plays_its_script_again_and_again(
    module: str, path: str, key: str, tmp_path: Path
) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps(["hello", {"kind": "unavailable"}]), encoding="utf-8")
    command = [sys.executable, "-m", f"hybridgen.backends.{module}", "--port", "0"]
    process = subprocess.Popen([*command, "--script", str(script)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout:
        try:
            url = process.stdout.readline().decode().strip()
            answers = [post(url + path) for _ in range(3)]
            assert post(f"{url}/elsewhere")[0] == 404
        finally:
            process.send_signal(signal.SIGINT)
            status = process.wait(timeout=20)
    assert [code for code, _ in answers] == [200, 503, 200]
    assert "hello" in str(answers[0][1][key])
    assert answers[2] == answers[0]
    assert status == 0
