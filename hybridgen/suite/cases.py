"""A case: an observation with what selection needs to know about it."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from hybridgen.domain import Arc, Check, CheckKind, Observation, StepResult
from hybridgen.domain.mutants import Finding, findings
from hybridgen.suite.edges import edges, inputs
from hybridgen.suite.shapes import Shape, assertions, outcome_text, shape_of
from hybridgen.suite.tidying import tidy

_PREFERRED = frozenset({"docstring", "example", "model"})  # written to be read
_LONG = 60  # characters of code that a reader takes in at a glance
_EFFORT_OF_ORIGIN = {"docstring": 0.0, "example": 0.0, "model": 0.0, "odd": 1.0}
_EFFORT_OF_SEARCHED = 0.4
_EFFORT_OF_EDGE = 0.1  # of an input with nothing in it: it needs a reason to be there
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """An observation, as it was made and tidied, with what selection needs to know about it."""

    raw: Observation
    observation: Observation
    arcs: frozenset[Arc]
    effort: float
    tie: tuple[int, int, int, str]
    shape: Shape | None
    outcome: str
    noticing: Mapping[Finding, frozenset[int]]
    kills: frozenset[int]

    @property
    def key(self) -> tuple[str, ...]:
        """The code of all its steps."""
        return tuple(step.code for step in self.observation.candidate.steps)

    @property
    def family(self) -> tuple[object, ...]:
        """What the rows of one function have in common, whether they return or raise."""
        return () if self.shape is None else (self.shape.wrappers, self.shape.function)


def make_case(
    observation: Observation,
    possible: frozenset[Arc],
    seed: int,
    noticing: Mapping[Finding, frozenset[int]] | None = None,
) -> Case:
    """The case for an observation.

    Args:
        observation: as it was made.
        possible: the arcs that count.
        seed: breaks ties.
        noticing: the mutants that each of its assertions notices, where that is known.
    """
    tidied = tidy(observation)
    known = noticing or {}
    return Case(
        observation,
        tidied,
        tidied.arcs & possible,
        _effort(tidied),
        _tie(tidied, seed),
        shape_of(tidied),
        outcome_text(tidied),
        known,
        frozenset[int]().union(*(known.get(item, ()) for item in asserted(observation, tidied))),
    )


def asserted(raw: Observation, tidied: Observation) -> list[Finding]:
    """What a tidied observation asserts, in the words in which it was found out."""
    pairs = zip(raw.candidate.steps, tidied.results, strict=True)
    return [item for step, result in pairs for item in findings(step, result)]


def _effort(observation: Observation) -> float:
    """How much there is to read, 1 for a short call with one simple expectation."""
    steps = observation.candidate.steps
    length = sum(len(step.code) for step in steps)
    expected = [
        item.expression
        for result in observation.results
        for item in assertions(_without_files(result))
        if isinstance(item, Check)
    ]
    length += sum(map(len, expected))
    odd = sum(not char.isprintable() or ord(char) > 126 for step in steps for char in step.code)
    return (
        1.0
        + _EFFORT_OF_ORIGIN.get(observation.candidate.origin, _EFFORT_OF_SEARCHED)
        + _EFFORT_OF_EDGE * edges(observation)
        + 0.25 * (len(steps) - 1)
        + 0.1 * max(0, len(expected) - 1)
        + max(0, length - _LONG) / 80
        + odd / 10
    )


def _without_files(result: StepResult) -> StepResult:
    """The same without what was done to files: it makes a case better, not harder to read."""
    changed = tuple(item for item in result.changed if item[0].isidentifier())
    return dataclasses.replace(result, changed=changed)


def _tie(observation: Observation, seed: int) -> tuple[int, int, int, str]:
    candidate = observation.candidate
    disagrees = any(result.opinion_holds is False for result in observation.results)
    code = "\n".join(step.code for step in candidate.steps)
    digest = hashlib.sha256(f"{seed}:{code}".encode("utf-8", "surrogatepass")).hexdigest()
    return int(candidate.origin not in _PREFERRED), int(disagrees), len(code), digest


def is_error(case: Case) -> bool:
    """True for an exception with a message of the project's own: it may open a new test."""
    raised = case.observation.results[-1].raised
    return raised is not None and bool(raised.match)


def raises(case: Case) -> bool:
    """True if it ends with an exception."""
    return case.observation.results[-1].raised is not None


def is_boolean(case: Case) -> bool:
    """True if it ends with True or False."""
    checks = case.observation.results[-1].checks
    return any(c.kind is CheckKind.IS and c.expression in ("True", "False") for c in checks)


def features_of(case: Case) -> set[str]:
    """What is particular about a case: its way through the code, its outcome, its inputs."""
    found = {f"arcs {hash(case.observation.arcs)}", f"outcome {case.outcome}"}
    for index, text in enumerate(inputs(case.observation)):
        found.add(f"{index} {_sketch(text)}")
    return found


def _sketch(text: str) -> str:
    """A literal in outline: its type, sign, size, and the kinds of its characters."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return "expression"
    kind = type(value).__name__
    if isinstance(value, bool) or value is None:
        return f"{kind} {value}"
    if isinstance(value, int | float):
        sign = (value > 0) - (value < 0)
        size = len(str(abs(int(value)))) if abs(value) < 1e18 else 19
        return f"{kind} {sign} {size}"
    if isinstance(value, str):
        tests = (str.isalpha, str.isdigit, str.isspace, str.isupper)
        kinds = "".join(str(int(any(test(char) for char in value))) for test in tests)
        return f"{kind} {min(len(value), 8)} {kinds}"
    if isinstance(value, bytes | list | tuple | dict | set):
        return f"{kind} {min(len(value), 4)}"
    return kind
