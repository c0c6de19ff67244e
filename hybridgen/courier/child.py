"""The courier's process: takes cleared text through a pipe, sends it, gives the answer back.

What this process covers: nobody but the broker speaks to it; its environment, folder and
descriptors are not the user's; it is not dumpable, so no core and no debugger of the same user
reads the key out of it; it dies with its parent; nothing it or a library prints goes anywhere.
It asks no other address than those of its first frame, and the kernel holds it to their ports, to
reading what hybridgen is made of, and to starting no program (``lockdown/``). The kernel fixes
ports, not hosts: to these ports it could speak to anybody.

Only the standard library is imported here; SDKs and HTTP clients come with the first request.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import os
import resource
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from hybridgen.courier import frames
from hybridgen.courier.adapters import Adapter, Ask, Target, make_adapter
from hybridgen.courier.failures import Failure, message_of
from hybridgen.domain.egress import port_of

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_LONGEST_WAIT: Final = 3600.0


def main() -> None:
    """Serves one broker: ``argv`` is the package's folder, the broker's pid, ``dies``/``stays``."""
    try:
        _protect(int(sys.argv[2]), dies_with_parent=sys.argv[3] == "dies")
        requests, replies = _pipes()
        setup = _receive(requests)
        _take_locks(setup)
        _Service(_targets(setup), replies).serve(requests)
    except (_ClosedError, BrokenPipeError):
        pass
    except BaseException:
        os._exit(70)  # not a word: a traceback may show what was to be sent
    os._exit(0)


class _ClosedError(Exception):
    """The broker is gone."""


def _protect(parent: int, *, dies_with_parent: bool) -> None:
    """No dumps, no debugger, no Ctrl-C of the terminal's, no life after the broker's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        if prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
            os._exit(71)
        if dies_with_parent:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def _take_locks(setup: frames.Message) -> None:
    """Takes the kernel's locks: one thread, the ports are known, nothing was sent yet.

    Without them nothing is sent: whatever fails here ends the process.
    """
    from hybridgen.lockdown import courier_profile, hide_other_packages, lock_down

    addresses = (one[name] for one in setup["setups"] for name in ("url", "proxy"))
    ports = {port_of(address) for address in addresses if address}
    lock_down(courier_profile(sorted(ports)))
    hide_other_packages()


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """The two pipes to the broker, out of reach of whatever a library prints."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    return requests, replies


def _receive(requests: BinaryIO) -> frames.Message:
    head = requests.read(frames.HEAD_BYTES)
    if len(head) < frames.HEAD_BYTES:
        raise _ClosedError
    size = frames.size_of(head)
    body = requests.read(size)
    if len(body) < size:
        raise _ClosedError
    return frames.decode(body)


def _targets(setup: frames.Message) -> dict[str, Target]:
    targets = {}
    for fields in setup["setups"]:
        ca = fields.pop("ca")
        text = None if ca is None else base64.b64decode(ca).decode("ascii", "ignore")
        target = Target(ca=text, **fields)
        targets[target.backend] = target
    return targets


@dataclass(slots=True)
class _Line:
    """A destination: its adapter is made by whoever asks first."""

    target: Target
    lock: threading.Lock
    adapter: Adapter | None = None

    def ready(self) -> Adapter:
        with self.lock:
            if self.adapter is None:
                self.adapter = make_adapter(self.target)
            return self.adapter


class _Service:
    """Answers each request in a thread of its own; the broker bounds how many there are."""

    def __init__(self, targets: dict[str, Target], replies: BinaryIO) -> None:
        self._lines = {name: _Line(one, threading.Lock()) for name, one in targets.items()}
        self._replies = replies
        self._lock = threading.Lock()

    def serve(self, requests: BinaryIO) -> None:
        """Takes requests until the broker closes its end."""
        while True:
            message = _receive(requests)
            threading.Thread(target=self._answer, args=(message,), daemon=True).start()

    def _answer(self, message: frames.Message) -> None:
        try:
            fields = self._done(message)
        except Failure as failure:
            fields = message_of(failure)
        except BaseException as error:  # a library may raise anything; its words stay here
            fields = message_of(Failure("internal", reason=type(error).__name__))
        self._send({**fields, "id": message["id"]})

    def _done(self, message: frames.Message) -> frames.Message:
        line = self._lines[message["backend"]]
        end = time.monotonic() + min(float(message["seconds"]), _LONGEST_WAIT)
        adapter = line.ready()
        left = end - time.monotonic()
        if left <= 0:
            raise Failure("timeout")
        if message["op"] == "check":
            return {"event": "checked", "models": adapter.models(left)}
        reply = adapter.ask(_ask(message, left))
        return {
            "event": "answered",
            "text": reply.text,
            "is_cut_off": reply.is_cut_off,
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": reply.completion_tokens,
        }

    def _send(self, message: frames.Message) -> None:
        try:
            frame = frames.encode(message)
        except frames.FrameError:
            frame = frames.encode({**message_of(Failure("huge")), "id": message["id"]})
        with contextlib.suppress(BrokenPipeError), self._lock:
            self._replies.write(frame)
            self._replies.flush()


def _ask(message: dict[str, Any], seconds: float) -> Ask:
    return Ask(
        system=message["system"],
        user=message["user"],
        answer_start=message["answer_start"],
        max_tokens=message["max_tokens"],
        temperature=message["temperature"],
        seed=message["seed"],
        seconds=seconds,
    )
