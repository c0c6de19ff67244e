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
