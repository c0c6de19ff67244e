"""Sequences become one test a question."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from hybridgen.domain import Module, Observation
from hybridgen.suite.splitting import split

SOURCE = """\
class Till:
    def __init__(self):
        self._open = True
        self.sums = []

    def put(self, amount):
        self.sums.append(amount)
        return len(self.sums)

    def close(self):
        self._open = False
        return sum(self.sums)

    def total(self):
        return sum(self.sums)

    def end(self):
        return self.close()
"""


@pytest.mark.parametrize(
    ("steps", "cases"),
    [
        (
            ["till = Till()", "= till.put(5)", "= till.total()"],
            [["till = Till()", "till.put(5)"], ["till = Till()", "till.put(5)", "till.total()"]],
        ),
        (
            ["till = Till()", "= till.total()", "= till.put(5)"],
            [["till = Till()", "till.total()"], ["till = Till()", "till.put(5)"]],
        ),
        (
            ["till = Till()", "= till.end()", "= till.total()"],
            [["till = Till()", "till.end()"], ["till = Till()", "till.end()", "till.total()"]],
        ),
        (["till = Till()", "= till.total()"], [["till = Till()", "till.total()"]]),
    ],
)
def test_questions_are_left_out_of_later_cases_and_changes_stay(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
    steps: list[str],
    cases: list[list[str]],
) -> None:
    module = make_module(SOURCE)
    observation = make_observe(module)("Till.total", *steps)
    parts = split(observation, module.targets)
    assert [[step.code for step in part.candidate.steps] for part in parts] == cases
    assert all(part.results[-1].checks for part in parts)
    assert not any(result.checks for part in parts for result in part.results[:-1])
    assert parts[-1].arcs == observation.arcs


def test_with_files_every_step_stays(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
) -> None:
    module = make_module(SOURCE)
    observation = make_observe(module)(
        "Till.total", "till = Till()", "= till.total()", "= till.put(5)"
    )
    candidate = dataclasses.replace(observation.candidate, fixtures=("tmp_path",))
    last = split(dataclasses.replace(observation, candidate=candidate), module.targets)[-1]
    assert [step.code for step in last.candidate.steps] == [
        "till = Till()",
        "till.total()",
        "till.put(5)",
    ]


def test_question_that_may_count_something_stays_where_it_is_asked_in_a_loop(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
) -> None:
    module = make_module(
        "class Cache:\n    def __init__(self):\n        self.hits = 0\n\n"
        "    def __getitem__(self, key):\n        self.hits += 1\n        return key\n"
    )
    steps = ["cache = Cache()", "= [cache[i] for i in range(3)][0]", "= cache.hits"]
    *_, last = split(make_observe(module)("Cache", *steps), module.targets)
    assert [step.code for step in last.candidate.steps] == [
        "cache = Cache()",
        "[cache[i] for i in range(3)][0]",
        "cache.hits",
    ]


def test_method_that_only_changes_a_list_of_its_own_is_a_question(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
) -> None:
    module = make_module(
        "class Span:\n    days = 3\n\n    def __str__(self):\n        parts = []\n"
        "        parts.append(str(self.days))\n        return ' '.join(parts)\n"
    )
    steps = ["span = Span()", "= str(span)", "= span.days"]
    *_, last = split(make_observe(module)("Span.__str__", *steps), module.targets)
    assert [step.code for step in last.candidate.steps] == ["span = Span()", "span.days"]


def test_a_long_text_is_not_repeated_for_each_question(
    make_module: Callable[..., Module], make_observe: Callable[[Module], Callable[..., Observation]]
) -> None:
    module = make_module(SOURCE, "till")
    observe = make_observe(module)
    text = "a long text " * 12
    steps = (f"till = Till(); till.put(len({text!r}))", "= till.total()", "= till.end()")
    found = observe("Till.end", *steps)
    assert split(found, module.targets) == (found,)


def test_looking_at_an_attribute_is_no_set_up(
    make_module: Callable[..., Module], make_observe: Callable[[Module], Callable[..., Observation]]
) -> None:
    module = make_module(SOURCE, "till")
    observe = make_observe(module)
    found = observe(
        "Till.total", "till = Till()", "till.put(5)", "= till.sums[0]", "= till.total()"
    )
    *_, last = split(found, module.targets)
    assert [step.code for step in last.candidate.steps] == [
        "till = Till()",
        "till.put(5)",
        "till.total()",
    ]
