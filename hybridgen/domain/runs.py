"""Candidates, and what was observed when they ran."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from hybridgen.domain.labels import Label

AGREED = "model-agreed"
"""Origin of a candidate whose opinion more than one answer of a model holds."""


class StepKind(StrEnum):
    """What a step is for."""

    SETUP = "setup"
    PROBE = "probe"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a candidate.

    Attributes:
        kind: SETUP steps are statements to execute; PROBE steps are one expression to observe.
        code: source text, a statement or an expression.
        opinion: what its author expected of a probe, as source text of a condition on the
            name ``_`` (``_ == 90``, ``_ is None``) or ``raises ValueError``; never trusted.
    """

    kind: StepKind
    code: str
    opinion: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Statements plus probe points: a test without its expectations.

    Attributes:
        target: qualified name of what it wants to test.
        steps: in order; bare names of the module under test are usable as they are.
        imports: further import statements, standard library only.
        origin: ``"model"``, ``"docstring"``, ``"types"`` ...
        fixtures: pytest fixtures that its code names (``tmp_path``, ``monkeypatch``).
        name_hint: a name its author gave the test, or "".
    """

    target: str
    steps: tuple[Step, ...]
    label: Label
    origin: str
    imports: tuple[str, ...] = ()
    fixtures: tuple[str, ...] = ()
    name_hint: str = ""


class CheckKind(StrEnum):
    """How an observed value becomes an assertion."""

    EQUAL = "equal"  # assert value == expression
    IS = "is"  # assert value is expression (None, True, False, ...)
    APPROX = "approx"  # assert value == pytest.approx(expression)
    NAN = "nan"  # assert math.isnan(value)
    LENGTH = "length"  # assert len(value) == expression
    TYPE = "type"  # assert type(value).__name__ == expression


@dataclass(frozen=True, slots=True)
class Check:
    """One assertion about a probe's value, verified in the worker.

    Attributes:
        path: access path appended to the value (``""``, ``".total"``, ``"[0]"``).
        expression: the expected side as source text.
        imports: import statements that the expression needs.
    """

    kind: CheckKind
    path: str
    expression: str
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception that a step raised.

    Attributes:
        type_name: name of its class.
        type_import: import statement for it, or "" for a builtin.
        match: a regular expression for its message, or "" where none is stable.
        is_deliberate: raised by a ``raise`` or ``assert`` statement of the project, or of a type
            that callers commonly rely on, not an accident such as calling a method on None.
        is_inside: True if the project's code had been entered, and not only to make an argument.
        text: the start of its message as it was, for those that learn from accidents; never
            for a test, and no part of what an exception is compared by.
    """

    type_name: str
    type_import: str
    match: str
    is_deliberate: bool
    is_inside: bool
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step did.

    Attributes:
        status: ``"ok"``, ``"raised"`` or ``"skipped"`` (a step it depends on failed).
        checks: for probes that gave a value.
        output: what it printed to stdout.
        warnings: class names of warnings it caused.
        changed: names of arguments whose value differed afterwards, with their checks; and
            what differed below ``tmp_path``, see :mod:`hybridgen.domain.places`.
        opinion_holds: whether the author's opinion was true, None if it had none.
        logs: level and message of each record that the project logged (``("WARNING", "late")``).
        complaints: what it printed to stderr.
    """

    status: str
    checks: tuple[Check, ...] = ()
    raised: Raised | None = None
    output: str = ""
    warnings: tuple[str, ...] = ()
    changed: tuple[tuple[str, tuple[Check, ...]], ...] = ()
    opinion_holds: bool | None = None
    logs: tuple[tuple[str, str], ...] = ()
    complaints: str = ""


Arc = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Observation:
    """What a candidate did when it was run.

    Attributes:
        results: one for each step of the candidate.
        arcs: line transitions executed in the module under test, as coverage.py counts them.
    """

    candidate: Candidate
    results: tuple[StepResult, ...]
    arcs: frozenset[Arc]
    label: Label
