"""A side list of what a search saw and what can become no test, but may point at a bug.

An archive keeps what tests can be made of. Exceptions that nobody raised on purpose, and answers of
a model that agree with each other and not with the code, are noted here: a few for each target.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace

from hybridgen.domain import AGREED, Candidate, Observation

BY_ACCIDENT = frozenset(
    {
        *("AttributeError", "IndexError", "UnboundLocalError", "NameError", "RecursionError"),
        *("TypeError", "ZeroDivisionError"),
    }
)
MOST_ALIKE = 2
"""Accidents of one target and type of exception, with arguments of the same types."""

MOST_OF_TARGET = 12

ODD = "odd"
"""Origin of calls with values that do not fit the hints: there are many, and they show little."""

MOST_ODD = 4
"""Of one target, so that they do not take the place of what the code asks for."""

LITERALS = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.Lambda)

Kind = tuple[str, str, tuple[str, ...]]


class Leads:
    """Takes observations as they come and keeps those worth another look."""

    def __init__(self) -> None:
        self._accidents: dict[Kind, list[Observation]] = {}
        self._count: Counter[str] = Counter()
        self._odd: Counter[str] = Counter()
        self._told: Counter[tuple[str, ...]] = Counter()
        self._agreed: dict[tuple[str, ...], Observation] = {}

    @property
    def observations(self) -> tuple[Observation, ...]:
        """What was seen once, in the order in which it was found; to be confirmed."""
        accidents = (item for items in self._accidents.values() for item in items)
        return (*accidents, *self._agreed.values())

    def note(self, observation: Observation) -> None:
        """Keeps what an observation points at, if anything."""
        candidate = observation.candidate
        for index, result in enumerate(observation.results):
            raised = result.raised
            if raised is None:
                continue
            is_stated = bool(raised.match) or raised.is_deliberate
            if raised.is_inside and not is_stated and raised.type_name in BY_ACCIDENT:
                self._keep(observation, index, raised.type_name)
            break
        if candidate.origin == "model":
            self._listen(observation)

    def _keep(self, observation: Observation, index: int, type_name: str) -> None:
        """Keeps the shortest of those that are alike."""
        found = _until(observation, index)
        target, steps = found.candidate.target, found.candidate.steps
        key = (target, type_name, _types(steps[-1].code))
        if key not in self._accidents and self._is_full(found.candidate):
            return
        held = self._accidents.setdefault(key, [])
        if any(item.candidate.steps == steps for item in held):
            return
        held.append(found)
        held.sort(key=_effort)
        del held[MOST_ALIKE:]
        of_target = [
            i for other, items in self._accidents.items() if other[0] == target for i in items
        ]
        self._count[target] = len(of_target)
        self._odd[target] = sum(item.candidate.origin == ODD for item in of_target)

    def _is_full(self, candidate: Candidate) -> bool:
        """True if its target has no room for another kind of accident."""
        is_odd = candidate.origin == ODD and self._odd[candidate.target] >= MOST_ODD
        return is_odd or self._count[candidate.target] >= MOST_OF_TARGET

    def _listen(self, observation: Observation) -> None:
        candidate = observation.candidate
        for index, (step, result) in enumerate(
            zip(candidate.steps, observation.results, strict=False)
        ):
            if result.opinion_holds is not False or not step.opinion:
                continue
            steps = candidate.steps[: index + 1]
            key = (*(item.code for item in steps), step.opinion)
            self._told[key] += 1
            if self._told[key] == 2:
                found = _until(observation, index)
                self._agreed[key] = replace(
                    found, candidate=replace(found.candidate, origin=AGREED)
                )


def _until(observation: Observation, index: int) -> Observation:
    """An observation without the steps after one of them."""
    candidate = replace(observation.candidate, steps=observation.candidate.steps[: index + 1])
    return replace(observation, candidate=candidate, results=observation.results[: index + 1])


def _types(code: str) -> tuple[str, ...]:
    """The types of the literals in a step: what it was called with, roughly."""
    nodes = ast.walk(ast.parse(code))
    return tuple(
        type(node.value).__name__ if isinstance(node, ast.Constant) else type(node).__name__
        for node in nodes
        if isinstance(node, LITERALS)
    )


def _effort(observation: Observation) -> tuple[bool, bool, int]:
    """What people wrote first, what fits its hints next, then what is short."""
    candidate = observation.candidate
    length = sum(len(step.code) for step in candidate.steps)
    return candidate.origin != "docstring", candidate.origin == ODD, length
