"""An HTTP server on loopback that answers by a script and keeps what it received.

What is the same for every fake: faults of the connection. The fakes for each protocol say what an
answer looks like.
"""

from __future__ import annotations

import itertools
import json
import signal
import ssl
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

Step = str | Mapping[str, Any]
_HUGE_BYTES: Final = 12 * 2**20
_SLOW_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Received:
    """One request, as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """What is answered: a status and a JSON value."""

    status: int
    value: object
    headers: Mapping[str, str] = field(default_factory=dict)


class FakeServer:
    """Takes the next step of ``script`` for each POST, from the first again after the last.

    A step is a text to answer with, or an object with a ``kind``. These kinds every fake knows:
    ``slow`` (waits ``seconds``, then goes on with ``then``), ``dribble`` (a byte at a time),
    ``cut``, ``malformed``, ``not_json_object``, ``huge``, ``compressed``, ``redirect`` (``to``),
    ``together`` (waits until ``number`` requests were there at once, for ``seconds`` at most, then
    goes on with ``then``).

    Args:
        script: the steps; a text is an answer.
        port: 0 takes a free one.
        tls: serves over TLS with this certificate.

    Attributes:
        url: base address.
        requests: what was received, in order.
        most_at_once: the most requests for an answer that were there at the same time.
    """

    def __init__(
        self,
        script: Sequence[Step] = ("",),
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[Received] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._came = threading.Condition(self._lock)
        self._stopped = threading.Event()
        self.play(script)
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = _QuietServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def play(self, script: Sequence[Step]) -> None:
        """Starts another script and forgets what was received."""
        with self._lock:
            self._steps = itertools.cycle(script)
            self.requests.clear()
            self.most_at_once = self._at_once

    def close(self) -> None:
        """Stops serving."""
        self._stopped.set()
        with self._came:
            self._came.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self) -> None:
        """Serves until somebody else ends it."""
        self._thread.join()

    def answer(self, received: Received, step: Mapping[str, Any]) -> Sent:
        """What the protocol answers to ``received`` in this step; each fake has its own."""
        raise NotImplementedError

    def listing(self, received: Received) -> Sent:
        """What anything but a POST is answered with."""
        return Sent(404, {"error": {"code": 404, "message": "nothing here"}})

    def taken(self, received: Received) -> Mapping[str, Any]:
        """Notes the request and gives the step that is to be played for it."""
        with self._lock:
            self.requests.append(received)
            step = next(self._steps) if received.method == "POST" else {"kind": "listing"}
        return {"kind": "text", "text": step} if isinstance(step, str) else step

    @contextmanager
    def present(self, received: Received) -> Iterator[None]:
        """Counts a request for an answer for as long as it is there."""
        number = int(received.method == "POST")
        with self._came:
            self._at_once += number
            self.most_at_once = max(self.most_at_once, self._at_once)
            self._came.notify_all()
        try:
            yield
        finally:
            with self._came:
                self._at_once -= number

    def gather(self, number: int, seconds: float) -> None:
        """Waits until ``number`` requests were there at once, but not beyond ``close``."""
        with self._came:
            self._came.wait_for(
                lambda: self.most_at_once >= number or self._stopped.is_set(), seconds
            )

    def pause(self, seconds: float) -> None:
        """Waits, but not beyond ``close``."""
        self._stopped.wait(seconds)


class _QuietServer(ThreadingHTTPServer):
    """Says nothing of clients that go away: half of the scripts make them."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    fake: FakeServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name in the base
        """Says nothing."""

    def do_GET(self) -> None:
        """A question."""
        self._serve()

    def do_CONNECT(self) -> None:
        """A request for a tunnel, as to a proxy; it is refused."""
        self._serve()

    def do_POST(self) -> None:
        """A request for an answer."""
        self._serve()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.command, self.path, headers, body)
        step = self.fake.taken(received)
        try:
            with self.fake.present(received):
                self._play(received, step)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True  # whoever asked has had enough

    def _play(self, received: Received, step: Mapping[str, Any]) -> None:
        kind = step["kind"]
        if kind in ("slow", "together"):
            seconds = step.get("seconds", _SLOW_SECONDS)
            if kind == "slow":
                self.fake.pause(seconds)
            else:
                self.fake.gather(step["number"], seconds)
            then = step.get("then", "")
            self._play(received, {"kind": "text", "text": then} if isinstance(then, str) else then)
        elif kind == "dribble":
            self._head(200, 10_000)
            for _ in range(10_000):
                self.wfile.write(b" ")
                self.fake.pause(step.get("seconds", 0.1))
        elif kind == "cut":
            self._head(200, 10_000)
            self.wfile.write(b'{"')
            self.close_connection = True
        elif kind == "malformed":
            self._body(200, b'{"candidates": [{"content": ')
        elif kind == "not_json_object":
            self._body(200, b"[1, 2]")
        elif kind == "huge":
            self._head(200, _HUGE_BYTES)
            for _ in range(_HUGE_BYTES // 65536):
                self.wfile.write(b" " * 65536)
        elif kind == "compressed":
            self._body(200, b"\x1f\x8b", {"content-encoding": "gzip"})
        elif kind == "redirect":
            self._body(307, b"", {"location": step["to"] + self.path})
        else:
            is_listing = kind == "listing"
            sent = self.fake.listing(received) if is_listing else self.fake.answer(received, step)
            self._body(sent.status, json.dumps(sent.value).encode("ascii"), sent.headers)

    def _head(self, status: int, size: int, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(size))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def _body(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self._head(status, len(body), headers)
        self.wfile.write(body)


def serve(make: type[FakeServer], arguments: Sequence[str]) -> None:
    """A fake as a program: prints its address and serves until it is stopped.

    Args:
        make: which fake.
        arguments: ``--port N`` (0 takes a free one), ``--script FILE`` (a JSON list of steps).
    """
    import argparse

    parser = argparse.ArgumentParser(description=make.__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path)
    chosen = parser.parse_args(arguments)
    script = json.loads(chosen.script.read_text(encoding="utf-8")) if chosen.script else [""]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    with make(script, port=chosen.port) as fake:
        sys.stdout.write(f"{fake.url}\n")
        sys.stdout.flush()
        try:
            fake.wait()
        except KeyboardInterrupt:
            return
