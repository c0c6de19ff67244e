"""Whole runs with several requests in flight: what arrived, and that the ledger has it all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hybridgen.backends.fake_openai import FakeOpenai

AT_ONCE = 3
LOCK = """\
def giraffe_lock_{number}(word: str) -> int:
    if sha256(word.encode()).hexdigest().startswith("{number}00000"):
        return {number}
    return 0
"""
HIDDEN = """\
def zebra_margin(order, suppliers, ledger):
    rebates = {name: terms.rebate for name, terms in suppliers.items() if terms.tier == 1}
    cost = sum(line.amount * line.unit_cost for line in order.lines)
    hidden = sum(rebates.get(line.supplier, 0) * line.amount for line in order.lines)
    booked = ledger.total(order.number, account="freight") + cost - hidden
    return (order.revenue - booked) / order.revenue
"""
COPY = HIDDEN.replace("zebra_margin", "giraffe_lock_copy")
COPIES_OFF = """
import hybridgen.gate.clear as clear
clear.Gate._about_copies = lambda self, prompt, destination: None
"""
FIRST_ALONE = {"kind": "text", "text": "'')\n```"}
TOGETHER = {"kind": "together", "number": AT_ONCE, "then": "'')\n```", "seconds": 30}


@pytest.fixture
def onprem() -> Iterator[FakeOpenai]:
    with FakeOpenai() as server:
        yield server


@pytest.fixture
def locks(world: Any, onprem: FakeOpenai) -> Any:
    """A world with an internal module that only answers open, and a server for it."""
    world.settings.append(
        f"[onprem]\nurl = '{onprem.url}'\nmodel = 'fake'\ntrusted_hosts = ['127.0.0.1']\n"
        f"parallel = {AT_ONCE}\n[labels]\ninternal = ['shop/locks.py']\n"
    )
    write_locks(world, "")
    world.write("shop/zebra_margins.py", HIDDEN)
    return world


def write_locks(world: Any, more: str) -> None:
    numbered = [LOCK.format(number=number) for number in range(1, AT_ONCE + 2)]
    world.write("shop/locks.py", "\n\n".join(["from hashlib import sha256\n", *numbered, more]))


def bodies(server: FakeOpenai) -> list[str]:
    return [one.body.decode() for one in server.requests if one.method == "POST"]


def entries(world: Any) -> list[dict[str, Any]]:
    ledger = world.home / ".local/state/hybridgen/ledger/ledger.jsonl"
    return [json.loads(line) for line in ledger.read_text().splitlines()]


def unended(world: Any) -> set[int]:
    """Numbers of sends that nothing says of how they ended."""
    found = entries(world)
    ended = {entry["answers_entry"] for entry in found if "answers_entry" in entry}
    return {entry["n"] for entry in found if entry["kind"] == "send"} - ended


def test_each_of_several_in_flight_is_cleared_and_in_the_ledger(
    locks: Any, onprem: FakeOpenai, tiny_gguf: Path
) -> None:
    onprem.play([FIRST_ALONE, *[TOGETHER] * AT_ONCE])
    done = locks.ask("shop/locks.py", "--model", str(tiny_gguf), "--no-cache")
    assert onprem.most_at_once == AT_ONCE, done
    received = bodies(onprem)
    assert len(received) > AT_ONCE
    assert not any("zebra" in text for text in received)
    assert Counter(entry["kind"] for entry in entries(locks)) == {
        "send": len(received),
        "reply": len(received),
    }
    assert unended(locks) == set()
    assert locks.run("audit", "verify").code == 0


def test_copy_in_one_of_several_is_refused_and_the_others_end(
    locks: Any, onprem: FakeOpenai
) -> None:
    onprem.play([{"kind": "text", "text": "'')\n```"}])
    write_locks(locks, COPY)
    done = locks.ask("shop/locks.py", "--no-cache")
    assert done.code == 4, done
    assert "zebra_margins.py" in done.out
    assert not any("rebates" in text for text in bodies(onprem))
    found = Counter(entry["kind"] for entry in entries(locks))
    assert found["refusal"] == 1
    assert unended(locks) == set()
    assert locks.run("audit", "verify").code == 0
    red = locks.ask("shop/locks.py", "--no-cache", without=COPIES_OFF)
    assert any("rebates" in text for text in bodies(onprem)), red


def test_interrupt_with_several_in_flight_ends_at_once_and_the_ledger_says_so(
    locks: Any, onprem: FakeOpenai
) -> None:
    onprem.play([FIRST_ALONE, *[{"kind": "slow", "seconds": 600}] * AT_ONCE])
    locks.ask("shop/locks.py::nothing")  # the user's settings are written
    kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    command = [sys.executable, "-m", "hybridgen", "generate", "shop/locks.py", "--no-cache"]
    with subprocess.Popen(
        [*command, "--budget", "600"],
        cwd=locks.root,
        env={**kept, "HOME": str(locks.home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        end = time.monotonic() + 300
        while len(bodies(onprem)) < 1 + AT_ONCE and process.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=50)  # each answer would have been waited for longer
    assert process.returncode == 130, out
    whys = [entry["why"] for entry in entries(locks) if entry["kind"] == "failure"]
    assert whys == ["KeyboardInterrupt"] * AT_ONCE
    assert unended(locks) == set()
    assert locks.run("audit", "verify").code == 0
