"""The broker's end of the courier: hands over what the gate cleared, brings back the answer."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from hybridgen.courier import frames
from hybridgen.courier.account import Account
from hybridgen.courier.failures import Failure, failure_of, place_of, remote_error, tokens_of
from hybridgen.courier.process import CourierGoneError, CourierProcess
from hybridgen.courier.reconcile import reconcile
from hybridgen.courier.setup import Answer, Setup, check_setup
from hybridgen.domain import Destination, estimated_tokens
from hybridgen.errors import RemoteError

if TYPE_CHECKING:
    from hybridgen.gate.cleared import Cleared

_MOST_TRIES: Final = 4
_LONGEST_PAUSE: Final = 20.0
_SEND_SECONDS: Final = 10.0
_LIST_SECONDS: Final = 5.0
# Gemini's models think before they answer, and their thoughts count against the cap.
_THOUGHT_TOKENS: Final = {"gemini": 2048}
_FAIR_SECONDS: Final = 10.0  # who was given less and did not answer may be well
_GRACE_SECONDS: Final = 2.0  # the courier watches the time itself
_LONGEST_TEXT: Final = 4 * 2**20


class Courier:
    """One courier process; one per run, never started again: its death means the rest is local.

    ``start`` and ``configure`` make no thread, so that the broker can still take its locks after
    them. ``send`` and ``check`` may be called from several threads. ``close`` ends the process.

    Args:
        process: made by ``start``.
        pause: seconds before the second try, doubled for each further one.
    """

    def __init__(self, process: CourierProcess, *, pause: float = 0.5) -> None:
        self._process = process
        self._pause = pause
        self._lock = threading.Lock()  # of everything below
        self._write_lock = threading.Lock()
        self._setups: dict[Destination, Setup] = {}
        self._accounts: dict[Destination, Account] = {}
        self._slots: dict[Destination, threading.Semaphore] = {}
        self._waiting: dict[int, queue.SimpleQueue[frames.Message | None]] = {}
        self._last_id = 0
        self._listener: threading.Thread | None = None
        self._end: str | None = None

    @classmethod
    def start(cls, *, pause: float = 0.5) -> Self:
        """Spawns the bare process; it imports nothing heavy before the first send."""
        return cls(CourierProcess(), pause=pause)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The courier's process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can still be asked."""
        return self._end is None and self._process.is_alive

    def parallel(self, destination: Destination) -> int:
        """How many requests to ``destination`` may be in flight at once."""
        setup = self._setups.get(destination)
        return 1 if setup is None else max(1, setup.parallel)

    def configure(self, *setups: Setup) -> None:
        """Tells the courier once, in the first frame, all that it may ever reach.

        Raises:
            PolicyRefusal: an address that the settings do not vouch for; nothing was told.
            RemoteError: the process is gone.
        """
        for setup in setups:
            check_setup(setup)
        if self._setups or len({setup.destination.backend for setup in setups}) < len(setups):
            raise ValueError("a courier is configured once, with one setup for each backend")
        for setup in setups:
            self._setups[setup.destination] = setup
            self._accounts[setup.destination] = Account(setup)
            self._slots[setup.destination] = threading.BoundedSemaphore(max(1, setup.parallel))
        self._write(frames.encode({"op": "setup", "setups": [_fields(one) for one in setups]}))

    def send(
        self,
        cleared: Cleared,
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        deadline: float,
    ) -> Answer:
        """Sends what was cleared to the destination that it was cleared for, and waits.

        Args:
            cleared: made by the gate; there is no other way to send anything.
            max_tokens: the most tokens of the answer.
            temperature: 0 always takes the likeliest token.
            seed: equal seeds ask for equal answers; not every server can promise them.
            deadline: on the clock of ``time.monotonic``; retries end before it.

        Raises:
            RemoteError: no answer; ``is_final`` if asking it again in this run is pointless.
        """
        _require_cleared(cleared)
        destination, payload = cleared.destination, cleared.payload
        setup = self._setups.get(destination)
        if setup is None:
            raise remote_error(Failure("address"), destination)
        began = time.monotonic()
        end = min(deadline, began + setup.seconds)
        most = max_tokens + _THOUGHT_TOKENS.get(destination.backend, 0)
        request = {
            "op": "ask",
            "system": payload.system,
            "user": payload.user,
            "answer_start": payload.answer_start,
            "max_tokens": most,
            "temperature": temperature,
            "seed": seed,
        }
        asked = payload.system + payload.user + payload.answer_start
        cost = estimated_tokens(asked) + most
        failed: list[Failure] = []
        try:
            with self._slot(destination, end):
                reply = self._tried(destination, request, cost, end, failed)
        except RemoteError as error:  # whatever the last try did, an earlier one counts
            error.may_have_left |= any(failure.may_have_left for failure in failed)
            raise
        attempts = len(failed) + 1
        answer = _answer(reply, payload.answer_start, time.monotonic() - began, attempts)
        if answer is None:
            raise self._broken("sent something that is no answer", destination)
        return answer

    def check(self, destination: Destination, *, deadline: float) -> tuple[str, ...]:
        """The models that a server serves, of Gemini the one that is meant; sends no text.

        Raises:
            RemoteError: it cannot be reached, or does not speak the protocol.
        """
        end = min(deadline, time.monotonic() + self._setups[destination].seconds)
        with self._slot(destination, end):
            try:
                reply = self._exchange(destination, {"op": "check"}, end)
            except Failure as failure:
                raise remote_error(failure, destination) from None
        models = reply.get("models")
        if not isinstance(models, list) or not all(isinstance(name, str) for name in models):
            raise self._broken("sent something that is no answer", destination)
        return tuple(models)

    def require_model(self, destination: Destination, *, deadline: float) -> None:
        """Asks an on-prem server whether it serves the model; sends no text.

        One that lists nothing, or has other trouble, passes: the first request shows it.

        Raises:
            RemoteError: its list does not have the model; final.
        """
        end = min(deadline, time.monotonic() + _LIST_SECONDS)
        try:
            models = self.check(destination, deadline=end)
        except RemoteError:
            return
        if models and destination.model not in models:
            raise remote_error(Failure("model", is_unsent=True), destination)

    def close(self) -> None:
        """Ends the process at once; may be called twice."""
        self._ended("was closed")
        with contextlib.suppress(OSError):
            self._process.kill()
        if self._listener is not None:
            self._listener.join()
        self._process.close()

    def _tried(
        self,
        destination: Destination,
        request: frames.Message,
        cost: int,
        end: float,
        failed: list[Failure],
    ) -> frames.Message:
        """The reply to ``request``, asked again as often as that may help and time allows.

        Args:
            failed: gets the failure of each try.
        """
        account = self._accounts[destination]
        began = time.monotonic()
        is_fair = end - began >= _FAIR_SECONDS
        for number in range(_MOST_TRIES):
            account.book(cost)
            used = cost
            try:
                reply = self._exchange(destination, request, end)
                used = tokens_of(reply, "prompt_tokens") + tokens_of(reply, "completion_tokens")
                used = used or cost  # of a server that does not count
                account.is_hopeless(None, began)
                return reply
            except Failure as failure:
                used = failure.prompt_tokens + failure.completion_tokens
                if not used and failure.may_have_left and not failure.status:
                    used = cost  # it may have been answered, and nobody heard it
                failed.append(failure)
                pause = failure.pause
                if pause is None:
                    pause = min(self._pause * 2**number, _LONGEST_PAUSE)
                is_last = number == _MOST_TRIES - 1 or time.monotonic() + pause >= end
                if is_last or not failure.is_transient:
                    is_counted = is_fair or failure.kind != "timeout"
                    is_final = account.is_hopeless(failure if is_counted else None, began)
                    raise remote_error(failure, destination, is_final=is_final) from None
            finally:
                account.settle(cost, used)
            time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _exchange(
        self, destination: Destination, request: frames.Message, end: float
    ) -> frames.Message:
        """Sends one request and waits for what answers it.

        Raises:
            Failure: this try failed.
            RemoteError: the courier is gone.
        """
        inbox: queue.SimpleQueue[frames.Message | None] = queue.SimpleQueue()
        left = end - time.monotonic()
        if left <= 0:
            raise Failure("timeout", is_unsent=True)
        number = self._listen(inbox, destination)
        try:
            fields = {"id": number, "backend": destination.backend, "seconds": left}
            seconds = min(_SEND_SECONDS, left + _GRACE_SECONDS)
            self._write(frames.encode({**request, **fields}), seconds)
            reply = inbox.get(timeout=left + _GRACE_SECONDS)
        except frames.FrameError:
            raise Failure("context", is_unsent=True) from None
        except queue.Empty:
            raise Failure("timeout") from None
        finally:
            with self._lock:
                self._waiting.pop(number, None)
        if reply is None:
            raise self._gone(destination, may_have_left=True)
        if reply.get("event") == "failed":
            raise failure_of(reply)
        return reply

    @contextlib.contextmanager
    def _slot(self, destination: Destination, end: float) -> Iterator[None]:
        """Waits until fewer than ``parallel`` requests are in flight."""
        slot = self._slots[destination]
        if not slot.acquire(timeout=max(0.0, end - time.monotonic())):
            raise remote_error(Failure("timeout", is_unsent=True), destination)
        try:
            yield
        finally:
            slot.release()

    def _listen(
        self, inbox: queue.SimpleQueue[frames.Message | None], destination: Destination
    ) -> int:
        """A number for a new request; the first one starts the thread that reads answers."""
        with self._lock:
            if self._end is not None:
                raise self._gone(destination)
            self._last_id += 1
            self._waiting[self._last_id] = inbox
            if self._listener is None:
                self._listener = threading.Thread(target=self._read, name="courier", daemon=True)
                self._listener.start()
            return self._last_id

    def _read(self) -> None:
        """Hands each answer to who waits for it, until the courier ends."""
        try:
            while True:
                message = self._process.receive()
                with self._lock:
                    number = message.get("id")
                    inbox = self._waiting.pop(number, None) if type(number) is int else None
                if inbox is not None:  # who waited may have given up
                    inbox.put(message)
        except CourierGoneError as error:
            self._ended(str(error))

    def _write(self, frame: bytes, seconds: float = _SEND_SECONDS) -> None:
        try:
            with self._write_lock:
                self._process.send(frame, seconds)
        except CourierGoneError as error:
            self._ended(str(error))
            raise self._gone(None, may_have_left=error.has_some) from error

    def _ended(self, how: str) -> None:
        """Notes the end once, stops the process, and wakes everybody who waits."""
        with self._lock:
            if self._end is None:
                self._end = how
            waiting, self._waiting = self._waiting, {}
        with contextlib.suppress(OSError):
            self._process.kill()
        for inbox in waiting.values():
            inbox.put(None)

    def _broken(self, how: str, destination: Destination) -> RemoteError:
        self._ended(how)
        return self._gone(destination, may_have_left=True)

    def _gone(self, destination: Destination | None, *, may_have_left: bool = False) -> RemoteError:
        unasked = f"; {place_of(destination)} is not asked any more" if destination else ""
        return RemoteError(
            f"The courier process {self._end}{unasked}.",
            "The rest of this run stays on this machine; run it again to try once more.",
            is_final=True,
            may_have_left=may_have_left,
        )


def _require_cleared(cleared: object) -> None:
    """Raises TypeError for all but the gate's own, with the very text that it hashed."""
    from hybridgen.gate.cleared import Cleared as ClearedByGate
    from hybridgen.gate.cleared import outgoing_bytes

    if type(cleared) is not ClearedByGate:
        raise TypeError("only what the gate has cleared is sent")
    data = outgoing_bytes(cleared.payload, cleared.destination.model)
    if hashlib.sha256(data).hexdigest() != cleared.sha256:
        raise TypeError("only the text that the gate has cleared is sent, and this is another")


def _fields(setup: Setup) -> frames.Message:
    """What the courier needs of a setup; the caps stay here."""
    ca = None if setup.ca is None else base64.b64encode(setup.ca).decode("ascii")
    destination = asdict(setup.destination)
    names = ("backend", "url", "model", "sdk", "terms")
    return {
        **{name: destination[name] for name in names},
        "key": setup.key,
        "proxy": setup.proxy,
        "ca": ca,
        "parallel": setup.parallel,
    }


def _answer(
    reply: frames.Message, answer_start: str, seconds: float, attempts: int
) -> Answer | None:
    """The reply as an answer, None if it is none."""
    text = reply.get("text")
    is_text = isinstance(text, str) and 0 < len(text) <= _LONGEST_TEXT
    if reply.get("event") != "answered" or not is_text:
        return None
    return Answer(
        text=reconcile(answer_start, str(text)),
        prompt_tokens=tokens_of(reply, "prompt_tokens"),
        completion_tokens=tokens_of(reply, "completion_tokens"),
        seconds=seconds,
        is_cut_off=reply.get("is_cut_off") is True,
        attempts=attempts,
    )
