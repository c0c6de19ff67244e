"""Several prompts at once: each gets its own answer, and no request stays without an ending."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hybridgen.backends import FakeBackend, RemoteBackend, RoutedBackend
from hybridgen.backends.batching import ahead, at_once
from hybridgen.backends.caching import CachingBackend
from hybridgen.backends.fake_openai import FakeOpenai
from hybridgen.backends.fake_server import Received, Sent
from hybridgen.backends.replies import ReplyStore
from hybridgen.courier import Courier, Setup
from hybridgen.domain import Completion, Destination, Fragment, Label, Prompt, SourceFile
from hybridgen.errors import GateRefusal, RemoteError
from hybridgen.gate import FingerprintIndex, Gate, Ledger

AT_ONCE = 4
CODE = "def f(n):\n    return n // 2\n"
STEPS = {
    Label.PUBLIC: ("onprem", "local"),
    Label.INTERNAL: ("onprem", "local"),
    Label.CONFIDENTIAL: ("local",),
}


class Server(FakeOpenai):
    """Answers ``ask-3`` with ``3)``, once ``number`` requests are there.

    Attributes:
        number: so many requests have to be there at once before any is answered.
        is_last_first: the last one is answered first.
        kinds: the kind of step for some of the prompts, by number.
        then: called for each request when all are there.
    """

    number = AT_ONCE
    is_last_first = False
    kinds: Mapping[int, str] = {}
    then: Callable[[], None] | None = None

    def __init__(self) -> None:
        self._is_answered: dict[int, threading.Event] = defaultdict(threading.Event)
        super().__init__()

    def answer(self, received: Received, step: Mapping[str, Any]) -> Sent:
        self.gather(self.number, 30)
        if self.then is not None:
            self.then()
        found = re.search(rb"ask-(\d+)", received.body)
        assert found is not None
        number = int(found[1])
        if self.is_last_first and number < AT_ONCE:
            self._is_answered[number + 1].wait(10)
        self._is_answered[number].set()
        kind = self.kinds.get(number)
        return super().answer(received, {"kind": kind or "text", "text": f"{number})"})


@dataclass
class House:
    """A server in the building, the way to it, and a model on this machine."""

    server: Server
    courier: Courier
    destination: Destination
    ledger: Ledger
    remote: RemoteBackend
    local: FakeBackend
    replies: ReplyStore
    made: list[str]

    def routed(self, *names: str) -> RoutedBackend:
        return RoutedBackend(
            {name: partial(self._make, name) for name in names}, lambda label: STEPS[label]
        )

    def _make(self, name: str) -> Any:
        self.made.append(name)
        return self.remote if name == "onprem" else self.local

    def cached(self) -> CachingBackend:
        return CachingBackend(partial(self._make, "onprem"), self.replies, model="fake", options={})

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.ledger.entries()]

    def endings(self) -> dict[int, Any]:
        """By the number of its send: the entry that says how it ended."""
        return {
            entry.details["answers_entry"]: entry
            for entry in self.ledger.entries()
            if entry.kind in ("reply", "failure")
        }

    def sends(self) -> list[int]:
        return [entry.number for entry in self.ledger.entries() if entry.kind == "send"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with Server() as server, Courier.start(pause=0.01) as courier:
        where = Destination(
            "onprem", server.url, "fake", "openai-compatible", "onprem", Label.INTERNAL
        )
        courier.configure(Setup(where, trusted_hosts=("127.0.0.1",), parallel=AT_ONCE))
        ledger = Ledger(tmp_path / "ledger")
        gate = Gate(ledger, FingerprintIndex(tmp_path / "i"), lambda file: file, lambda text: True)
        remote = RemoteBackend(gate, courier, where)
        replies = ReplyStore(tmp_path / "replies")
        yield House(server, courier, where, ledger, remote, FakeBackend(["here)"]), replies, [])
        problem = ledger.verify().problem
        assert problem is None, problem


def prompt(number: int, label: Label = Label.INTERNAL) -> Prompt:
    file = SourceFile("m.py", hashlib.sha256(CODE.encode()).hexdigest(), label, ())
    code = Fragment(CODE, label, "m.py", "marked", (file,))
    return Prompt((), (code,), (replace(code, text=f"ask-{number}\n"),), replace(code, text="f("))


def prompts(*numbers: int) -> list[Prompt]:
    return [prompt(number) for number in numbers or range(1, AT_ONCE + 1)]


SAMPLING: dict[str, Any] = {"max_tokens": 20, "temperature": 0.0, "seed": 1}


def asked(backend: object, several: Sequence[Prompt]) -> AbstractContextManager[None]:
    return ahead(backend, several, **SAMPLING, deadline=time.monotonic() + 60)


def take(backend: Any, one: Prompt) -> Completion:
    return backend.complete(one, **SAMPLING, deadline=time.monotonic() + 60)


def outcome(backend: Any, one: Prompt) -> str:
    try:
        return take(backend, one).text
    except RemoteError as error:
        return type(error).__name__


@pytest.mark.parametrize("is_last_first", [False, True])
def test_several_are_in_flight_at_once_and_each_gets_its_own_answer(
    house: House, is_last_first: bool
) -> None:
    house.server.is_last_first = is_last_first
    several = prompts()
    with asked(house.remote, several):
        answers = [take(house.remote, one).text for one in several]
    assert answers == ["f(1)", "f(2)", "f(3)", "f(4)"]
    assert house.server.most_at_once == AT_ONCE
    assert house.kinds() == ["send"] * AT_ONCE + ["reply"] * AT_ONCE
    assert list(house.endings()) == house.sends()


def test_no_more_are_in_flight_than_the_settings_allow(house: House) -> None:
    several = prompts(*range(1, 11))
    with asked(house.remote, several):
        assert [take(house.remote, one).text for one in several][-1] == "f(10)"
    assert house.server.most_at_once == AT_ONCE


def test_all_but_the_waiting_is_done_by_the_thread_that_asks(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[threading.Thread] = set()
    append = house.ledger.append

    def watched(*arguments: Any, **options: Any) -> Any:
        threads.add(threading.current_thread())
        return append(*arguments, **options)

    monkeypatch.setattr(house.ledger, "append", watched)
    several = prompts()
    with asked(house.remote, several):
        take(house.remote, several[0])
    assert len(house.endings()) == AT_ONCE
    assert threads == {threading.current_thread()}


def test_where_no_thread_can_be_started_they_are_asked_one_after_the_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.server.number = 1
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "request":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    several = prompts()
    with asked(house.remote, several):
        assert [take(house.remote, one).text for one in several][-1] == "f(4)"
    assert house.kinds() == ["send"] * AT_ONCE + ["reply"] * AT_ONCE


def test_server_is_asked_once_for_its_models_by_several_requests(house: House) -> None:
    with asked(house.remote, prompts()):
        pass
    assert [one.method for one in house.server.requests].count("GET") == 1


def test_one_that_fails_fails_alone(house: House) -> None:
    house.server.kinds = {2: "blocked"}
    several = prompts()
    with asked(house.remote, several):
        answers = [outcome(house.remote, one) for one in several]
    assert answers == ["f(1)", "RemoteError", "f(3)", "f(4)"]
    assert [one.kind for one in house.endings().values()] == ["reply", "failure", "reply", "reply"]


def test_refused_one_ends_it_after_those_before_it(house: House) -> None:
    house.server.number = 2
    several = [*prompts(1, 2), prompt(3, Label.CONFIDENTIAL), prompt(4)]
    with pytest.raises(GateRefusal, match="confidential"), asked(house.remote, several):
        answers = []
        for one in several:
            answers.append(take(house.remote, one).text)
    assert answers == ["f(1)", "f(2)"]
    assert house.kinds() == ["send", "send", "refusal", "reply", "reply"]
    assert not any(b"ask-4" in request.body for request in house.server.requests)


def test_answers_that_nobody_takes_are_waited_for_and_written_down(house: House) -> None:
    with pytest.raises(ZeroDivisionError), asked(house.remote, prompts()):
        raise ZeroDivisionError
    assert list(house.endings()) == house.sends()[::-1]
    assert {one.kind for one in house.endings().values()} == {"reply"}


def test_an_interrupt_waits_for_nothing_and_leaves_no_request_without_an_ending(
    house: House,
) -> None:
    house.server.number = 99
    several = prompts()
    with pytest.raises(KeyboardInterrupt), asked(house.remote, several):
        while len(house.server.requests) < 1 + AT_ONCE:
            time.sleep(0.01)
        raise KeyboardInterrupt
    assert sorted(house.endings()) == house.sends()
    whys = {(one.details["why"], one.details["left"]) for one in house.endings().values()}
    assert whys == {("KeyboardInterrupt", "maybe")}


def test_an_interrupt_while_one_is_waited_for_ends_the_others_too(house: House) -> None:
    house.server.number = 99
    several = prompts()
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        while len(house.server.requests) < 1 + AT_ONCE:
            time.sleep(0.01)
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt), asked(house.remote, several):
        take(house.remote, several[0])
    thread.join()
    assert sorted(house.endings()) == house.sends()
    assert {one.details["why"] for one in house.endings().values()} == {"KeyboardInterrupt"}


def kill_once(house: House) -> Callable[[], None]:
    once = threading.Lock()

    def kill() -> None:
        if once.acquire(blocking=False):
            os.kill(house.courier.pid, signal.SIGKILL)

    return kill


def test_after_the_death_of_the_courier_the_rest_stays_on_this_machine(house: House) -> None:
    house.server.then = kill_once(house)
    routed = house.routed("onprem", "local")
    several = prompts()
    with asked(routed, several):
        answers = [take(routed, one) for one in several]
    assert [(one.text, one.backend) for one in answers] == [("f(here)", "fake")] * AT_ONCE
    assert len(house.local.prompts) == AT_ONCE
    assert [one.details["left"] for one in house.endings().values()] == ["maybe"] * AT_ONCE
    [note] = routed.notes
    assert "courier process ended" in note
    assert at_once(routed, Label.INTERNAL) == 1


def test_death_of_the_courier_is_told_where_nobody_stands_in(house: House) -> None:
    house.server.then = kill_once(house)
    routed = house.routed("onprem")
    several = prompts()
    with asked(routed, several):
        for one in several:
            with pytest.raises(RemoteError, match="courier process") as caught:
                take(routed, one)
            assert caught.value.is_final
    assert sorted(house.endings()) == house.sends()


def test_answer_that_came_is_taken_although_the_server_was_given_up_since(house: House) -> None:
    house.server.kinds = {1: "bad_key", 3: "blocked"}
    routed = house.routed("onprem", "local")
    several = prompts()
    with asked(routed, several):
        answers = [take(routed, one).text for one in several]
    assert answers == ["f(here)", "f(2)", "f(here)", "f(4)"]
    assert take(routed, prompt(5)).text == "f(here)"
    assert len(house.sends()) == AT_ONCE


def test_only_those_that_may_be_read_elsewhere_are_asked_ahead(house: House) -> None:
    house.server.number = 2
    routed = house.routed("onprem", "local")
    several = [prompt(1), prompt(2, Label.CONFIDENTIAL), prompt(3)]
    with asked(routed, several):
        answers = [take(routed, one).text for one in several]
    assert answers == ["f(1)", "f(here)", "f(3)"]
    assert len(house.sends()) == 2


def test_what_is_asked_first_says_how_many_it_takes(house: House) -> None:
    routed = house.routed("onprem", "local")
    assert at_once(routed, Label.CONFIDENTIAL) == 1
    assert house.made == []  # no model is loaded to say so
    assert at_once(routed, Label.INTERNAL) == AT_ONCE
    assert at_once(house.cached(), Label.INTERNAL) == AT_ONCE
    assert at_once(house.local, Label.INTERNAL) == 1
    with asked(house.local, prompts()):
        assert house.local.prompts == []


def test_what_was_answered_before_is_not_asked_again(house: House) -> None:
    first, several = prompts(1, 2), prompts(1, 2, 3)
    house.server.number = 1
    for batch in (first, several, several):
        cached = house.cached()
        with ExitStack() as stack:
            stack.callback(cached.close)
            stack.enter_context(asked(cached, batch))
            answers = [take(cached, one).text for one in batch]
    assert answers == ["f(1)", "f(2)", "f(3)"]
    assert len(house.sends()) == 3
    assert cached.cached_answers == 3
