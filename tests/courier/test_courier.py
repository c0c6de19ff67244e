"""The courier's process: what it gets of the user's, how it dies, and whom it believes."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hybridgen.backends.fake_openai import FakeOpenai
from hybridgen.backends.fake_server import Received, Sent
from hybridgen.courier import Answer, Courier, Setup, process
from hybridgen.domain import Destination, Label, Payload
from hybridgen.errors import RemoteError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

PAYLOAD = Payload("s", "u", "```python\nf(")


@pytest.fixture
def server() -> Iterator[FakeOpenai]:
    with FakeOpenai(["1)"]) as fake:
        yield fake


# A process that cannot be dumped shows these files to nobody but root.
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can look into the process")


def destination(url: str) -> Destination:
    return Destination("onprem", url, "fake", "openai-compatible", "onprem", Label.INTERNAL)


def setup(server: FakeOpenai, **changes: Any) -> Setup:
    return Setup(destination(server.url), trusted_hosts=("127.0.0.1",), **changes)


def send(courier: Courier, cleared: Any, seconds: float = 30) -> Answer:
    deadline = time.monotonic() + seconds
    return courier.send(cleared, max_tokens=10, temperature=0, seed=1, deadline=deadline)


def is_there(pid: int) -> bool:
    """Whether the process runs; one that nobody has reaped yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until(condition: Any) -> bool:
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(condition())


@as_root
def test_process_has_nothing_of_the_users_but_its_pipes(
    server: FakeOpenai, clear: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTPS_PROXY", "GEMINI_API_KEY", "SSL_CERT_FILE", "PYTHONPATH", "PYTHONSTARTUP"):
        monkeypatch.setenv(name, "theirs")
    monkeypatch.chdir(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("x", encoding="ascii")
    with secret.open("rb") as inherited:
        os.set_inheritable(inherited.fileno(), True)
        with Courier.start() as courier:
            courier.configure(setup(server, key="THE-KEY", proxy=None))
            send(courier, clear(destination(server.url), PAYLOAD))
            proc = Path(f"/proc/{courier.pid}")
            environment = (proc / "environ").read_bytes()
            arguments = (proc / "cmdline").read_bytes()
            links = [str(one.readlink()) for one in (proc / "fd").iterdir()]
            folder = str((proc / "cwd").readlink())
            session = os.getsid(courier.pid)
    assert server.requests[-1].headers["authorization"] == "Bearer THE-KEY"
    names = {entry.partition(b"=")[0] for entry in environment.split(b"\0") if entry}
    assert names <= {b"PATH", b"LANG", b"HOME", b"LD_LIBRARY_PATH"}
    assert b"theirs" not in environment
    assert b"THE-KEY" not in environment + arguments
    assert b"-I" in arguments.split(b"\0")
    kinds = {link.partition(":")[0] for link in links}
    assert kinds <= {"pipe", "/dev/null", "socket"}  # the socket leads to the server
    assert folder == "/"
    assert session == courier.pid


@as_root
def test_process_is_bare_until_the_first_send(server: FakeOpenai, clear: Any) -> None:
    threads = threading.active_count()
    with Courier.start() as courier:
        courier.configure(setup(server))
        proc = Path(f"/proc/{courier.pid}")
        # Descriptor 2 is moved last: who sleeps after that waits for a request.
        assert wait_until(lambda: _waits(proc))
        assert "_ssl" not in (proc / "maps").read_text(encoding="utf-8")
        assert len(list((proc / "task").iterdir())) == 1
        assert threading.active_count() == threads  # the broker can still be locked
        assert server.requests == []
        send(courier, clear(destination(server.url), PAYLOAD))
        assert "_ssl" in (proc / "maps").read_text(encoding="utf-8")


def _waits(proc: Path) -> bool:
    state = (proc / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    return state == "S" and (proc / "fd/2").readlink() == Path("/dev/null")


def test_process_cannot_be_dumped_or_debugged() -> None:
    code = (
        "import ctypes, os, resource\n"
        "from hybridgen.courier import child\n"
        "child._protect(os.getppid(), dies_with_parent=True)\n"
        "answer = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)\n"  # PR_GET_DUMPABLE
        "os.write(1, f'{answer} {resource.getrlimit(resource.RLIMIT_CORE)}'.encode())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert said == b"0 (0, 0)"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into every process")
def test_other_processes_of_the_user_cannot_look_into_it(server: FakeOpenai) -> None:
    with Courier.start() as courier:
        courier.configure(setup(server, key="THE-KEY"))
        environment = Path(f"/proc/{courier.pid}/environ")
        assert wait_until(lambda: not os.access(environment, os.R_OK))


@pytest.mark.parametrize("thread", ["main", "another"])
def test_process_dies_with_its_parent(thread: str, server: FakeOpenai) -> None:
    code = (
        "import os, sys, threading, time\n"
        "from hybridgen.courier import Courier\n"
        "def start():\n"
        "    sys.courier = Courier.start()\n"
        "    print(sys.courier.pid, flush=True)\n"
        "    time.sleep(60)\n"
        "if sys.argv[1] == 'main':\n"
        "    start()\n"
        "threading.Thread(target=start).start()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, thread], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    try:
        assert is_there(pid)
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
    assert wait_until(lambda: not is_there(pid))


def test_death_is_final_and_the_courier_is_not_started_again(
    server: FakeOpenai, clear: Any
) -> None:
    with Courier.start() as courier:
        courier.configure(setup(server))
        assert courier.is_alive
        os.kill(courier.pid, signal.SIGKILL)
        for _ in range(2):
            with pytest.raises(RemoteError, match="courier process ended") as caught:
                send(courier, clear(destination(server.url), PAYLOAD))
            assert caught.value.is_final
        assert not caught.value.may_have_left  # it was known to be gone
        assert not courier.is_alive
        assert server.requests == []


def test_death_in_the_middle_wakes_who_waits(server: FakeOpenai, clear: Any) -> None:
    server.play([{"kind": "slow", "seconds": 30}])
    with Courier.start() as courier:
        courier.configure(setup(server))
        killer = threading.Thread(
            target=lambda: (wait_until(lambda: server.requests), os.kill(courier.pid, 9))
        )
        killer.start()
        with pytest.raises(RemoteError, match="stays on this machine") as caught:
            send(courier, clear(destination(server.url), PAYLOAD))
        killer.join()
    assert caught.value.is_final
    assert caught.value.may_have_left


def test_closed_courier_is_gone_and_may_be_closed_again(server: FakeOpenai, clear: Any) -> None:
    courier = Courier.start()
    courier.configure(setup(server))
    pid = courier.pid
    courier.close()
    courier.close()
    assert not is_there(pid)
    with pytest.raises(RemoteError, match="was closed"):
        send(courier, clear(destination(server.url), PAYLOAD))


def test_only_what_the_gate_cleared_is_sent(server: FakeOpenai) -> None:
    forged = SimpleNamespace(destination=destination(server.url), payload=PAYLOAD)
    with Courier.start() as courier:
        courier.configure(setup(server))
        with pytest.raises(TypeError, match="only what the gate has cleared"):
            send(courier, forged)
    assert server.requests == []


def test_another_text_than_the_one_that_was_cleared_is_not_sent(
    server: FakeOpenai, clear: Any
) -> None:
    cleared = clear(destination(server.url), PAYLOAD)
    object.__setattr__(cleared, "payload", replace(PAYLOAD, user="another"))
    with Courier.start() as courier:
        courier.configure(setup(server))
        with pytest.raises(TypeError, match="this is another"):
            send(courier, cleared)
    assert server.requests == []


def test_no_other_address_than_the_configured_one_is_asked(server: FakeOpenai, clear: Any) -> None:
    with FakeOpenai(["1)"]) as elsewhere, Courier.start() as courier:
        courier.configure(setup(server))
        with pytest.raises(RemoteError, match="another address than the settings name") as caught:
            send(courier, clear(replace(destination(server.url), url=elsewhere.url), PAYLOAD))
        assert elsewhere.requests == []
    assert caught.value.is_final
    assert not caught.value.may_have_left
    assert server.requests == []


def test_courier_is_configured_once(server: FakeOpenai) -> None:
    with Courier.start() as courier:
        courier.configure(setup(server))
        with pytest.raises(ValueError, match="configured once"):
            courier.configure(setup(server))


def test_cap_on_requests_counts_every_try(server: FakeOpenai, clear: Any) -> None:
    server.play([{"kind": "unavailable"}, "1)", "2)"])
    with Courier.start(pause=0.01) as courier:
        courier.configure(setup(server, max_requests=2))
        send(courier, clear(destination(server.url), PAYLOAD))
        with pytest.raises(RemoteError, match="2 requests are used up") as caught:
            send(courier, clear(destination(server.url), PAYLOAD))
    assert caught.value.is_final
    assert "onprem.max_requests" in (caught.value.hint or "")
    assert not caught.value.may_have_left
    assert len(server.requests) == 2


def test_cap_that_stops_a_retry_does_not_hide_what_left(server: FakeOpenai, clear: Any) -> None:
    server.play([{"kind": "unavailable"}])
    with Courier.start(pause=0.01) as courier:
        courier.configure(setup(server, max_requests=1))
        with pytest.raises(RemoteError, match="1 requests are used up") as caught:
            send(courier, clear(destination(server.url), PAYLOAD))
    assert caught.value.may_have_left


def test_cap_on_tokens_counts_what_the_server_counted(server: FakeOpenai, clear: Any) -> None:
    with Courier.start() as courier:
        courier.configure(setup(server, max_tokens=110))
        send(courier, clear(destination(server.url), PAYLOAD))  # 102 by the server's count
        with pytest.raises(RemoteError, match="110 tokens are used up") as caught:
            send(courier, clear(destination(server.url), PAYLOAD))
    assert caught.value.is_final
    assert len(server.requests) == 1


class Uncounted(FakeOpenai):
    """Does not say how many tokens there were."""

    def answer(self, received: Received, step: Mapping[str, Any]) -> Sent:
        sent = super().answer(received, step)
        assert isinstance(sent.value, dict)
        return Sent(sent.status, {**sent.value, "usage": None})


def test_cap_on_tokens_holds_where_the_server_does_not_count(clear: Any) -> None:
    with Uncounted(["1)"]) as server, Courier.start() as courier:
        courier.configure(setup(server, max_tokens=20))
        send(courier, clear(destination(server.url), PAYLOAD))
        with pytest.raises(RemoteError, match="20 tokens are used up"):
            send(courier, clear(destination(server.url), PAYLOAD))
    assert len(server.requests) == 1


def test_cap_on_tokens_counts_answers_that_were_lost(server: FakeOpenai, clear: Any) -> None:
    server.play([{"kind": "cut"}])
    with Courier.start(pause=0.01) as courier:
        courier.configure(setup(server, max_tokens=20))
        with pytest.raises(RemoteError, match="20 tokens are used up"):
            send(courier, clear(destination(server.url), PAYLOAD))
    assert len(server.requests) == 1


def test_one_request_that_could_pass_the_cap_alone_is_not_sent(
    server: FakeOpenai, clear: Any
) -> None:
    with Courier.start() as courier:
        courier.configure(setup(server, max_tokens=10))
        with pytest.raises(RemoteError, match="used up"):
            send(courier, clear(destination(server.url), PAYLOAD))
    assert server.requests == []


@pytest.mark.parametrize(("size", "is_some"), [(10, False), (2**20, True)])
def test_courier_that_takes_nothing_is_ended_and_a_part_may_have_left(
    size: int, is_some: bool, server: FakeOpenai, clear: Any, stop: Callable[[int], None]
) -> None:
    payload = replace(PAYLOAD, user="u" * size)
    with Courier.start() as courier:
        courier.configure(setup(server))
        stop(courier.pid)
        with contextlib.suppress(BlockingIOError):
            while not is_some:  # until the pipe is full
                os.write(courier._process._out, bytes(4096))
        with pytest.raises(RemoteError, match="takes no requests") as caught:
            send(courier, clear(destination(server.url), payload), seconds=0.1)
        assert caught.value.may_have_left is is_some
        assert caught.value.is_final
        assert not courier.is_alive
    assert server.requests == []


HOSTILE = """
import json, os, struct, sys
def frame(value):
    body = json.dumps(value).encode()
    return struct.pack(">I", len(body)) + body
def read():
    size = struct.unpack(">I", sys.stdin.buffer.read(4))[0]
    return json.loads(sys.stdin.buffer.read(size))
read()
while True:
    number = read()["id"]
    good = {"event": "answered", "id": number, "text": "1)", "is_cut_off": False}
    sys.stdout.buffer.write(eval(sys.argv[1]))
    sys.stdout.buffer.flush()
"""


@pytest.mark.parametrize(
    "said",
    [
        "b'\\xff\\xff\\xff\\xff'",
        "struct.pack('>I', 3) + b'{}}'",
        "frame([1])",
        "frame({**good, 'text': 7})",
        "frame({**good, 'text': ''})",
        "frame({**good, 'text': 'x' * (5 * 2**20)})",
        "frame({**good, 'event': 'surprise'})",
    ],
    ids=["length", "no JSON", "no object", "no text", "empty", "long text", "event"],
)
def test_courier_that_talks_nonsense_is_ended(
    said: str, server: FakeOpenai, clear: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The package's folder, which follows the options, is the first argument of the hostile one.
    monkeypatch.setattr(process, "_OPTIONS", ("-I", "-c", HOSTILE, said))
    with Courier.start() as courier:
        courier.configure(setup(server))
        with pytest.raises(RemoteError, match="stays on this machine") as caught:
            send(courier, clear(destination(server.url), PAYLOAD))
        assert caught.value.is_final
        assert not courier.is_alive


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("'kind': 'rm -rf', 'reason': 'x y', 'status': 'z'", "could not be asked"),
        ("'kind': 'quota', 'pause': 1e308, 'status': 429", "quota is used up"),
        ("'kind': 'blocked', 'reason': 'see http://evil'", r"held its answer back\."),
    ],
)
def test_failure_told_by_a_hostile_courier_is_harmless(
    fields: str, expected: str, server: FakeOpenai, clear: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = f"frame({{'event': 'failed', 'id': number, {fields}}})"
    monkeypatch.setattr(process, "_OPTIONS", ("-I", "-c", HOSTILE, said))
    with Courier.start(pause=0.0) as courier:
        courier.configure(setup(server, seconds=1.0))
        with pytest.raises(RemoteError) as caught:
            send(courier, clear(destination(server.url), PAYLOAD))
    assert re.search(expected, caught.value.message)
    assert "evil" not in str(caught.value)
    assert "rm -rf" not in str(caught.value)


def test_counts_of_a_hostile_courier_are_bounded(
    server: FakeOpenai, clear: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "frame({**good, 'prompt_tokens': -5, 'completion_tokens': 10**30})"
    monkeypatch.setattr(process, "_OPTIONS", ("-I", "-c", HOSTILE, said))
    with Courier.start() as courier:
        courier.configure(setup(server))
        answer = send(courier, clear(destination(server.url), PAYLOAD))
    assert (answer.prompt_tokens, answer.completion_tokens) == (0, 0)


def test_key_and_proxy_are_not_shown_by_repr(server: FakeOpenai) -> None:
    shown = repr(setup(server, key="THE-KEY", proxy="http://user:PASSWORD@proxy"))
    assert "THE-KEY" not in shown
    assert "PASSWORD" not in shown
