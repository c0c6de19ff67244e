"""What differs between processes, hash seeds, clocks, folders and orders is never asserted."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from types import SimpleNamespace

import pytest

from hybridgen.domain import Candidate, Observation
from hybridgen.observe.confirm import FIRST_BATCH, confirm
from hybridgen.observe.effort import START
from hybridgen.observe.runner import Dropped, Runner
from hybridgen.observe.trim import trim

UNSTABLE = """
import argparse, datetime, grp, os, pwd, random, shutil, sys, time, uuid
from socket import gethostname as host
from dataclasses import dataclass
from datetime import date
from datetime import datetime as moment

calls = []

class Order:
    def __init__(self, name):
        self.name = name
        self.created = moment.now()
        self.number = random.random()

def f(kind):
    if kind == "random":
        return random.random()
    if kind == "uuid":
        return str(uuid.uuid4())
    if kind == "clock":
        return time.time()
    if kind == "day":
        return date.today().isoformat()
    if kind == "weekday":
        return datetime.datetime.now().year
    if kind == "hash":
        return ",".join({"a", "b", "c", "d", "e"})
    if kind == "folder":
        return os.getcwd()
    if kind == "process":
        return os.getpid()
    if kind == "address":
        return repr(object())
    if kind == "arguments":
        return sys.argv[1:]
    if kind == "program":
        return argparse.ArgumentParser().prog
    if kind == "zone":
        return time.strftime("%H:%M", time.localtime(0))
    if kind == "width":
        return shutil.get_terminal_size().columns
    if kind == "user":
        return os.environ.get("USER")
    if kind == "nobody":
        try:
            return pwd.getpwuid(1).pw_name
        except KeyError:
            raise ValueError("no such user") from None
    if kind == "group":
        return "staff" in [entry.gr_name for entry in grp.getgrall()] or grp.getgrnam("staff")
    if kind == "id":
        return os.getuid()
    if kind == "cores":
        return os.cpu_count()
    if kind == "host":
        return host()
    if kind == "raise":
        raise ValueError(f"at {time.time()}")
    if kind == "name":
        return "stable"
"""


def confirmed(runner: Runner, candidate: Candidate) -> Observation | Dropped:
    kept, dropped = confirm(runner, [candidate], seed=0, deadline=time.monotonic() + 20)
    return kept[0] if kept else dropped[0]


@pytest.mark.parametrize(
    "kind",
    [
        *("random", "uuid", "clock", "day", "weekday", "hash", "folder", "process", "address"),
        *("arguments", "program", "zone", "width", "user"),
        *("nobody", "group", "id", "cores", "host"),
    ],
)
def test_value_that_depends_on_the_run_is_dropped_as_unstable(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate], kind: str
) -> None:
    result = confirmed(open_runner(UNSTABLE), candidate(f"?f({kind!r})"))
    assert isinstance(result, Dropped)
    assert result.reason == "unstable"


def test_stable_value_is_kept(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    result = confirmed(open_runner(UNSTABLE), candidate("?f('name')"))
    assert isinstance(result, Observation)
    assert result.results[0].checks[0].expression == "'stable'"


def test_only_the_stable_attributes_of_an_object_are_kept(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    result = confirmed(open_runner(UNSTABLE), candidate("?Order('a')"))
    assert isinstance(result, Observation)
    assert [check.path for check in result.results[0].checks] == ["", ".name"]


def test_exception_whose_message_differs_is_kept_without_it(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    result = confirmed(open_runner(UNSTABLE), candidate("?f('raise')"))
    assert isinstance(result, Observation)
    raised = result.results[0].raised
    assert raised is not None
    assert (raised.type_name, raised.match) == ("ValueError", "")


def test_candidate_out_of_time_is_dropped_as_budget(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    runner = open_runner(UNSTABLE)
    kept, dropped = confirm(runner, [candidate("?f('name')")], seed=0, deadline=0.0)
    assert not kept
    assert dropped[0].reason == "budget"


COUNTER = """
import time

count = 0

def f(number):
    global count
    count += 1
    return 2 * number

def g(seconds):
    time.sleep(seconds)
    return seconds
"""


def test_work_that_is_used_up_ends_confirming_after_a_first_batch(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    runner = open_runner(COUNTER)
    candidates = [candidate(f"?f({number})") for number in range(FIRST_BATCH + 2)]
    until = time.monotonic() + 120
    kept, dropped = confirm(runner, candidates, seed=0, deadline=until, work=0.0)
    assert [observation.candidate for observation in kept] == candidates[:FIRST_BATCH]
    assert [item.reason for item in dropped] == ["budget", "budget"]


def test_batches_are_small_where_each_call_costs_a_process(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    runner = open_runner(COUNTER)
    candidates = [candidate(f"?f({number})") for number in range(2 * FIRST_BATCH)]
    work = runner.effort.seconds + 3 * START * (FIRST_BATCH + 1)
    until = time.monotonic() + 120
    kept, _ = confirm(runner, candidates, seed=0, deadline=until, work=work)
    assert FIRST_BATCH < len(kept) < 2 * FIRST_BATCH


def test_what_was_begun_is_ended_first_where_time_is_short(
    open_runner: Callable[..., Runner],
    candidate: Callable[..., Candidate],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runner = open_runner(UNSTABLE)
    candidates = [candidate(f"?f('name') + '{number}'") for number in range(FIRST_BATCH)]
    ticks = count(1)  # a run takes one tick, so the 24 runs do not end in 20
    clock = SimpleNamespace(monotonic=lambda: next(ticks))
    monkeypatch.setattr("hybridgen.observe.confirm.time", clock)
    kept, dropped = confirm(runner, candidates, seed=0, deadline=20)
    assert len(kept) == 5
    assert [item.reason for item in dropped] == ["budget"] * 3


def test_slow_candidates_are_given_up_after_two_hangs_of_their_target(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    runner = open_runner(COUNTER)
    hanging = [candidate(f"?g({seconds})") for seconds in (60, 61)]
    slow, quick = candidate("?g(1.0)"), candidate("?g(0.0)")
    runner.run(slow)
    assert runner.slow == {slow}
    until = time.monotonic() + 120
    kept, dropped = confirm(runner, [*hanging, slow, quick], seed=0, deadline=until)
    assert [observation.candidate for observation in kept] == [quick]
    assert [item.reason for item in dropped] == ["timeout"] * 3


CART = """
class Cart:
    def __init__(self, limit=2):
        self.items = []
        self.limit = limit

    def add(self, item):
        if len(self.items) >= self.limit:
            raise ValueError("full")
        self.items.append(item)
        return len(self.items)
"""


def codes(candidate: Candidate) -> list[str]:
    return [step.code for step in candidate.steps]


def test_trim_keeps_state_and_gives_each_exception_its_own_candidate(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    runner = open_runner(CART)
    whole = candidate(
        "cart = Cart()", "other = Cart(0)", "?cart.add('a')", "?cart.nothing", "?cart.add('b')",
        "?cart.add('c')", "?cart.items",
    )  # fmt: skip
    observation = runner.run(whole)
    assert isinstance(observation, Observation)
    fine, failing = trim(observation)
    assert codes(fine) == [
        "cart = Cart()",
        "other = Cart(0)",
        "cart.add('a')",
        "cart.add('b')",
        "cart.items",
    ]
    assert codes(failing) == ["cart = Cart()", "cart.add('a')", "cart.add('b')", "cart.add('c')"]


def test_sequence_is_run_again_from_a_fresh_object(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    result = confirmed(
        open_runner(CART), candidate("cart = Cart()", "?cart.add('a')", "?cart.items")
    )
    assert isinstance(result, Observation)
    assert result.results[1].checks[0].expression == "1"
    assert result.results[2].checks[0].expression == "['a']"


def test_file_that_a_failing_step_reads_stays_with_it(
    open_runner: Callable[..., Runner], candidate: Callable[..., Candidate]
) -> None:
    runner = open_runner("import json\n\n\ndef f(path):\n    return json.loads(path.read_text())\n")
    steps = ("(tmp_path / 'a.txt').write_text('{')", "?f(tmp_path / 'a.txt')")
    observation = runner.run(candidate(*steps))
    assert isinstance(observation, Observation)
    [failing] = trim(observation)
    assert len(failing.steps) == 2
