"""What comes out: files, scores, suspects, outcomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from hybridgen.domain.labels import Label
from hybridgen.domain.prompts import Route
from hybridgen.domain.runs import Observation


@dataclass(frozen=True, slots=True)
class Coverage:
    """Coverage of one module in percent of its statements and branches."""

    line: float
    branch: float
    pooled: float


@dataclass(frozen=True, slots=True)
class TestFile:
    """A rendered test file, not yet written.

    Attributes:
        path: where it goes.
        text: the whole new content.
        previous: the content that was there, or None.
        test_names: the tests that hybridgen wrote, as pytest names them after the file (``test_a``,
            ``TestCart::test_add``).
        label: at least as strict as the strictest module it tests.
    """

    __test__ = False  # not a test class, whatever its name says to pytest

    path: Path
    text: str
    previous: str | None
    test_names: tuple[str, ...]
    label: Label


@dataclass(frozen=True, slots=True)
class MutationScore:
    """How many mutants of a module its new tests notice.

    Attributes:
        killed: mutants that make at least one kept test fail.
        total: mutants that were tried.
        survivors: one line each for people (``cart.py:12: a < b -> a <= b``).
        equivalent: survivors that no input told apart although their line was executed often, so
            that they may mean the same as the original.
        untried: about how many more there are, for which there was no time.
    """

    killed: int
    total: int
    survivors: tuple[str, ...] = ()
    equivalent: tuple[str, ...] = ()
    untried: int = 0


class Strength(StrEnum):
    """How sure it is that a suspect is a bug."""

    STRONG = "strong"
    WEAK = "weak"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A place where what the code does contradicts what somebody said that it does.

    Attributes:
        target: qualified name.
        call: the call as source text.
        expected: what was said, as source text or in words.
        observed: what happened, as source text or in words.
        evidence: who says so (``docstring example``, ``type hint``, ``exception``, ``round
            trip``, ``law`` ...), with the place.
        observation: what was run.
    """

    target: str
    call: str
    expected: str
    observed: str
    evidence: str
    strength: Strength
    observation: Observation


@dataclass(frozen=True, slots=True)
class Asked:
    """What one kind of question to the model brought.

    Attributes:
        times: how often it was asked.
        gained: lines and branches that were open before its answers and not after.
        seconds: what its answers took.
    """

    times: int = 0
    gained: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one module.

    Attributes:
        locks: which kernel locks hold on this machine: ``kernel``, ``boxed``, ``sockets``,
            ``best-effort``, ``files``, ``none``.
        error: a message, or None.
        exit_code: what this module alone would make the command exit with.
        tokens: prompt plus completion tokens.
        notes: further lines for people (interpreter, what was cut ...).
        stages: seconds that each stage of the work took, in order.
        questions: what short questions brought, by their kind; only kinds that were asked.
    """

    path: str
    label: Label
    why: str
    route: Route
    model: str | None
    interpreter: str
    locks: str = "none"
    test_file: str | None = None
    tests_kept: int = 0
    tests_dropped: dict[str, int] = field(default_factory=dict)
    coverage_before: Coverage | None = None
    coverage_after: Coverage | None = None
    tokens: int = 0
    seconds: float = 0.0
    error: str | None = None
    exit_code: int = 0
    notes: tuple[str, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    mutation: MutationScore | None = None
    diff: str | None = None
    stages: dict[str, float] = field(default_factory=dict)
    questions: dict[str, Asked] = field(default_factory=dict)
