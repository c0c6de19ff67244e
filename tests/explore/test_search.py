"""The search on real code in a real worker: what it finds, learns and leaves alone."""

from __future__ import annotations

import time
from collections.abc import Callable

from hybridgen.domain import Candidate, Label, Module, Step, StepKind
from hybridgen.explore.archive import Archive
from hybridgen.explore.examples import docstring_candidates
from hybridgen.explore.search import Search
from hybridgen.observe.measure import measure

Start = Callable[..., tuple[Search, Archive, Module]]


def run(search: Search, module: Module, archive: Archive, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    search.run(lambda: deadline, plateau=1500)


def codes(archive: Archive, target: str) -> list[str]:
    return [c.steps[-1].code for c in archive.candidates if c.target == target]


BRANCHES = """
def grade(points: int) -> str:
    if points < 0 or points > 100:
        raise ValueError("points out of range")
    if points >= 90:
        return "A"
    return "B" if points > 49 else "C"


def words(text):
    if not isinstance(text, str):
        raise TypeError("text only")
    if text.startswith("#!"):
        return "script"
    return len(text.split())
"""


def test_every_branch_of_simple_functions_is_reached(start: Start) -> None:
    search, archive, module = start(BRANCHES)
    run(search, module, archive)
    assert measure(module.path, archive.arcs).coverage.pooled == 100


def test_same_seed_finds_the_same(start: Start) -> None:
    found = []
    for _ in range(2):
        search, archive, module = start(BRANCHES, seed=5)
        run(search, module, archive)
        found.append([c.steps for c in archive.candidates])
    assert found[0] == found[1]


STATE = """
class Account:
    def __init__(self, owner: str, limit: int = 0):
        self.owner = owner
        self.limit = limit
        self.balance = 0
        self.is_closed = False

    def deposit(self, amount: int) -> int:
        self._check()
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        return self.balance

    def withdraw(self, amount: int) -> int:
        self._check()
        if self.balance - amount < -self.limit:
            raise ValueError("not enough money")
        self.balance -= amount
        return self.balance

    def close(self):
        if self.balance:
            raise RuntimeError("not empty")
        self.is_closed = True

    def _check(self):
        if self.is_closed:
            raise RuntimeError("closed")
"""


def test_state_that_only_a_sequence_reaches_is_reached(start: Start) -> None:
    search, archive, module = start(STATE)
    run(search, module, archive)
    assert measure(module.path, archive.arcs).coverage.pooled >= 95
    assert any("withdraw" in code for code in codes(archive, "Account.withdraw"))


def test_target_is_what_the_last_step_calls(start: Start) -> None:
    search, archive, module = start(STATE)
    run(search, module, archive)
    for candidate in archive.candidates:
        name = candidate.target.rpartition(".")[2]
        calls = [step.code for step in candidate.steps if "(" in step.code]
        assert name in calls[-1]


def test_operators_are_targets_as_the_methods_behind_them(start: Start) -> None:
    search, archive, module = start(
        "class Bag:\n    def __init__(self, items=()):\n        self.items = list(items)\n\n"
        "    def __len__(self):\n        return len(self.items)\n\n"
        "    def __getitem__(self, index):\n        return self.items[index]\n\n"
        "    def __contains__(self, item):\n        return item in self.items\n"
    )
    run(search, module, archive)
    assert all("[" in code for code in codes(archive, "Bag.__getitem__"))
    assert all(" in " in code for code in codes(archive, "Bag.__contains__"))
    assert "len(bag)" in codes(archive, "Bag.__len__")


def test_private_methods_are_not_called_from_outside(start: Start) -> None:
    search, archive, module = start(STATE)
    run(search, module, archive)
    assert not [c for c in archive.candidates if any("_check" in s.code for s in c.steps)]


def test_hanging_target_costs_a_few_timeouts_and_not_the_search(start: Start) -> None:
    search, archive, module = start(
        "def hang(n: int):\n    while True:\n        pass\n\n\n"
        "def fine(n: int):\n    return n + 1\n"
    )
    run(search, module, archive, seconds=20)
    assert codes(archive, "fine")
    assert search.report.dropped["timeout"] <= 4


PARSING = '''
def parse(text):
    """Split a pair.

    >>> parse("key=value")
    ('key', 'value')
    >>> parse("none")
    Traceback (most recent call last):
    ValueError: no pair

    Also parse("a=b;c") is fine.
    """
    if "=" not in text:
        raise ValueError("no pair")
    key, value = text.split("=")
    return (key, value) if key != "unlikely" else None
'''


def test_docstring_examples_are_candidates_with_their_values_as_opinions(start: Start) -> None:
    _, _, module = start(PARSING)
    found = docstring_candidates(module, module.targets[0])
    steps = {c.steps[-1].code: c.steps[-1].opinion for c in found}
    assert steps["parse('key=value')"] == "_ == ('key', 'value')"
    assert "parse('none')" in steps
    assert "parse('a=b;c')" in steps


def test_arguments_of_given_candidates_become_seeds(start: Start) -> None:
    search, archive, module = start(PARSING)
    step = Step(StepKind.PROBE, "parse('unlikely=1')")
    given = Candidate("parse", (step,), Label.CONFIDENTIAL, "model")
    assert search.take([given], time.monotonic() + 5) == 1
    run(search, module, archive)
    assert measure(module.path, archive.arcs).coverage.pooled == 100


def test_texts_are_composed_from_literals_of_the_code(start: Start) -> None:
    search, archive, module = start(
        """
        def redeem(code: str) -> int:
            if not code.startswith("SAVE"):
                raise ValueError("no coupon")
            if code[4:] == "10":
                return 10
            return 0
        """
    )
    run(search, module, archive)
    assert measure(module.path, archive.arcs).coverage.pooled == 100


def test_what_looks_behind_the_public_side_of_an_object_is_left_out(start: Start) -> None:
    search, archive, _ = start(
        "class Box:\n    def __init__(self):\n        self._items = []\n\n"
        "    def put(self, item: str) -> int:\n"
        "        self._items.append(item)\n        return len(self._items)\n"
    )
    steps = (
        Step(StepKind.SETUP, "box = Box()"),
        Step(StepKind.PROBE, "box.put('a')"),
        Step(StepKind.PROBE, "box._items"),
    )
    search.take([Candidate("Box.put", steps, Label.CONFIDENTIAL, "model")], time.monotonic() + 5)
    [candidate] = archive.candidates
    assert [step.code for step in candidate.steps] == ["box = Box()", "box.put('a')"]


def test_accidental_crashes_are_not_kept(start: Start) -> None:
    search, archive, module = start("def shout(text):\n    return text.upper() + '!'\n")
    run(search, module, archive)
    results = [r for o in archive.observations for r in o.results]
    assert results
    assert not [r for r in results if r.raised is not None]


def test_texts_that_do_not_matter_are_simplified_and_numbers_are_not(start: Start) -> None:
    search, archive, module = start(
        "class Box:\n    def __init__(self, name: str):\n        self.name = name\n\n"
        "    def fits(self, size: int) -> bool:\n        return size < 77\n"
    )
    run(search, module, archive)
    search.simplify(time.monotonic() + 10)
    built = {s.code for c in archive.candidates for s in c.steps if "Box(" in s.code}
    assert "box = Box('a')" in built
    sizes = codes(archive, "Box.fits")
    assert any("77" in code or "76" in code or "78" in code for code in sizes)


STRUCTURED = """
import re


def weeks(text: str, factor: float = 1.0) -> float:
    match = re.fullmatch(r"P(\\d{2})-W-(\\d)!(?P<x>[aeiou]{6})", text)
    if match is None:
        return -1.0
    if match["x"] == "aeioua":
        return factor
    return 0.0


class Parser:
    def __init__(self, text):
        self.text = text

    def parts(self):
        if self.text.count("::=") == 3 and self.text.endswith("<eol>"):
            return self.text.split("::=")
        return []
"""


def test_value_that_somebody_knows_is_called_with_and_varied(start: Start) -> None:
    search, archive, module = start(STRUCTURED)
    target = next(t for t in module.targets if t.qualname == "weeks")
    new = search.suggest(target, "text", ["'nothing'", "'P12-W-3!ououia'"], time.monotonic() + 10)
    assert new == 2
    assert any("'P12-W-3!ououia'" in code for code in codes(archive, "weeks"))


def test_value_for_a_class_reaches_what_its_methods_do_with_it(start: Start) -> None:
    search, archive, module = start(STRUCTURED)
    target = next(t for t in module.targets if t.qualname == "Parser")
    search.suggest(target, "text", ["'a::=b::=c::=<eol>'"], time.monotonic() + 10)
    run(search, module, archive)
    assert any("<eol>" in step.code for c in archive.candidates for step in c.steps)


def test_values_come_too_late_after_the_deadline(start: Start) -> None:
    search, archive, module = start(STRUCTURED)
    target = next(t for t in module.targets if t.qualname == "weeks")
    assert search.suggest(target, "text", ["'P12-W-3!ououia'"], time.monotonic() - 1) == 0
    assert archive.candidates == ()
