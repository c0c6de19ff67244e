"""Pulls as a user starts them: processes that are killed, offline, at once, in odd folders."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybridgen.errors import UsageError
from hybridgen.modelstore.progress import RecordedProgress
from hybridgen.modelstore.pull import PullOptions, Source, pull
from hybridgen.modelstore.store import ModelStore

SLOW = 700_000  # bytes a second: a pull of the small model takes about four seconds


def run(
    command: list[str], *arguments: str, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


def wait_until(is_true: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while not is_true():
        assert process.poll() is None, "the pull ended before it could be interrupted"
        assert time.monotonic() < deadline
        time.sleep(0.02)


def processes_that_mention(text: str) -> list[str]:
    found = []
    for folder in Path("/proc").iterdir():
        try:
            command = (folder / "cmdline").read_bytes() if folder.name.isdigit() else b""
        except OSError:
            continue
        if text.encode() in command:
            found.append(command.decode())
    return found


def closed_endpoint() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_interrupted_pull_from_the_hub_fetches_only_the_rest(
    store: ModelStore, hub: Any, model: bytes, pull_script: list[str], how: signal.Signals
) -> None:
    arguments = ["pull", "tiny", "--source", "hub", "--hub-endpoint", hub.url]
    hub.bytes_per_second = SLOW
    process = subprocess.Popen([*pull_script, *arguments], stderr=subprocess.DEVNULL)
    wait_until(lambda: hub.sent > 900_000, process)
    process.send_signal(how)
    assert process.wait(10) != 0

    arrived = store.list()[0].arrived
    assert 500_000 < arrived < len(model)
    assert not store.file(store.manifest("tiny")).exists()
    time.sleep(0.2)  # the server notices the end at its next write
    hub.bytes_per_second, hub.sent = 0, 0
    hub.requests.clear()
    again = run(pull_script, *arguments)
    assert again.returncode == 0, again.stderr
    assert hub.requests[1:] == [f"GET /blob bytes={arrived}-"]
    assert hub.sent == len(model) - arrived
    assert store.verify("tiny").read_bytes() == model


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_interrupted_pull_from_the_mirror_fetches_only_the_rest(
    store: ModelStore, index: Any, model: bytes, pull_script: list[str], how: signal.Signals
) -> None:
    arguments = ["pull", "tiny", "--source", "mirror"]
    index.bytes_per_second = SLOW
    process = subprocess.Popen([*pull_script, *arguments], stderr=subprocess.DEVNULL)
    wait_until(lambda: store.list()[0].arrived == 1_000_000 and index.sent > 1_300_000, process)
    process.send_signal(how)
    assert process.wait(10) != 0

    assert store.list()[0].arrived == 1_000_000
    time.sleep(0.2)
    assert processes_that_mention(str(store.folder)) == []
    index.bytes_per_second = 0
    index.requests.clear()
    again = run(pull_script, *arguments)
    assert again.returncode == 0, again.stderr
    assert [request for request in index.requests if "/files/" in request] == [
        "GET /files/tiny_model_part2-1.0-py3-none-any.whl",
        "GET /files/tiny_model_part3-1.0-py3-none-any.whl",
    ]
    assert store.verify("tiny").read_bytes() == model
    assert sorted(path.name for path in store.folder.iterdir()) == [".tiny.lock", "tiny.gguf"]


def test_unreachable_hub_is_told_and_the_mirror_taken(
    store: ModelStore, index: Any, model: bytes
) -> None:
    say = RecordedProgress()
    began = time.monotonic()
    pull(store, "tiny", PullOptions(hub_endpoint=closed_endpoint()), say)
    assert time.monotonic() - began < 30
    assert "No luck with the hub" in say.notes[0]
    assert "Connection refused" in say.notes[0]
    assert store.verify("tiny").read_bytes() == model


def test_mirror_goes_on_where_the_hub_went_silent(
    store: ModelStore, hub: Any, index: Any, model: bytes
) -> None:
    store.folder.mkdir()
    store.partial_file(store.manifest("tiny")).write_bytes(model[:2_000_000])
    hub.break_after = 0
    pull(store, "tiny", PullOptions(hub_endpoint=hub.url), RecordedProgress())
    assert [request for request in index.requests if "/files/" in request] == [
        "GET /files/tiny_model_part3-1.0-py3-none-any.whl"
    ]
    assert store.verify("tiny").read_bytes() == model


def test_hub_is_taken_first_and_the_index_left_alone(
    store: ModelStore, hub: Any, index: Any
) -> None:
    pull(store, "tiny", PullOptions(hub_endpoint=hub.url), RecordedProgress())
    assert index.requests == []


def test_source_that_a_model_is_not_on_is_a_usage_error(
    tmp_path: Path, manifests: Path, rewrite: Callable[..., None]
) -> None:
    rewrite(hub=None)
    store = ModelStore(tmp_path / "store", manifests)
    with pytest.raises(UsageError, match="tiny is not on the hub"):
        pull(store, "tiny", PullOptions(Source.HUB), RecordedProgress())


AUDIT = """
import runpy, sys
def refuse(event, arguments):
    if event.startswith("socket.") or event in ("subprocess.Popen", "os.system"):
        raise RuntimeError(f"touched {event}")
sys.addaudithook(refuse)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_offline_pull_touches_no_socket_and_says_what_to_copy_where(
    store: ModelStore, pull_script: list[str]
) -> None:
    python, script = pull_script
    watched = [python, "-c", AUDIT, script, "pull", "tiny"]
    offline = run([*watched, "--offline"])
    assert offline.returncode == 1
    assert "the network is off" in offline.stderr
    assert f"to {store.folder / 'tiny.gguf'}, then run" in offline.stderr
    assert store.manifest("tiny").sha256 in offline.stderr
    # The watch itself works: without --offline the same pull is caught.
    assert "touched" in run(watched).stderr


def test_offline_pull_of_an_installed_model_succeeds(
    store: ModelStore, model: bytes, pull_script: list[str]
) -> None:
    store.folder.mkdir()
    (store.folder / "tiny.gguf").write_bytes(model)
    assert run(pull_script, "pull", "tiny", "--offline").returncode == 0


def test_planted_pip_is_not_run(
    tmp_path: Path, index: Any, pull_script: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = tmp_path / "repository"
    planted.mkdir()
    mark = tmp_path / "planted-code-was-run"
    code = f"open({str(mark)!r}, 'w').close()\n"
    for name in ("pip.py", "sitecustomize.py", "zipfile.py"):
        (planted / name).write_text(code, encoding="utf-8")
    result = run(pull_script, "pull", "tiny", "--source", "mirror", cwd=planted)
    assert result.returncode == 0, result.stderr
    assert not mark.exists()


def test_two_pulls_at_once_fetch_the_model_once(
    store: ModelStore, hub: Any, model: bytes, pull_script: list[str]
) -> None:
    arguments = ["pull", "tiny", "--hub-endpoint", hub.url]
    hub.bytes_per_second = 2 * SLOW
    first = subprocess.Popen([*pull_script, *arguments], stderr=subprocess.DEVNULL)
    wait_until(lambda: hub.sent > 100_000, first)
    second = run(pull_script, *arguments)
    assert first.wait(30) == 0
    assert second.returncode == 0, second.stderr
    assert "pulled by another process" in second.stderr
    assert len([request for request in hub.requests if request.startswith("GET")]) == 1
    assert store.verify("tiny").read_bytes() == model


def test_plain_lines_where_stderr_is_no_terminal(hub: Any, pull_script: list[str]) -> None:
    result = run(pull_script, "pull", "tiny", "--hub-endpoint", hub.url)
    assert "tiny from the hub: 0% of 3 MB\n" in result.stderr
    assert "tiny from the hub: 100% of 3 MB\n" in result.stderr
    assert "\x1b" not in result.stderr
    assert len(result.stderr.splitlines()) <= 14


def test_bar_where_stderr_is_a_terminal(
    store: ModelStore, hub: Any, pull_script: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    ours, theirs = pty.openpty()
    command = [*pull_script, "pull", "tiny", "--hub-endpoint", hub.url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # Linux gives EIO once the other side is closed
        pass
    os.close(ours)
    printed, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert b"tiny from the hub" in shown
    assert "━".encode() in shown
    assert printed.strip() == str(store.folder / "tiny.gguf")
