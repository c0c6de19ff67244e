"""The frozen dataclasses that flow from room to room.

Every type that carries text of a project, or something made from it, carries a
:class:`Label`. A label is decided once, in ``label/``, and after that only rises.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from pathlib import Path


class Label(IntEnum):
    """How confidential a piece of text is; the order is the order of strictness."""

    PUBLIC = 0
    INTERNAL = 1
    CONFIDENTIAL = 2


def strictest(labels: Iterable[Label]) -> Label:
    """The strictest of ``labels``; nothing known means CONFIDENTIAL (invariant 1)."""
    return max(labels, default=Label.CONFIDENTIAL)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of text with its label: the only thing a prompt is made of.

    Attributes:
        text: the text itself.
        label: how confidential it is.
        origin: where it came from, for people (``src/shop/cart.py:12``).
        why: why it has this label, for people.
    """

    text: str
    label: Label
    origin: str
    why: str


class ParameterKind(StrEnum):
    """The five kinds of Python parameters, named as in ``inspect``."""

    POSITIONAL_ONLY = "positional-only"
    POSITIONAL = "positional-or-keyword"
    VAR_POSITIONAL = "var-positional"
    KEYWORD = "keyword-only"
    VAR_KEYWORD = "var-keyword"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; annotation and default are source text."""

    name: str
    kind: ParameterKind
    annotation: str | None = None
    default: str | None = None


class TargetKind(StrEnum):
    """What kind of definition a target is."""

    FUNCTION = "function"
    METHOD = "method"
    CLASS = "class"


@dataclass(frozen=True, slots=True)
class Target:
    """Something to test: a function, a method or a class, read from source only.

    Attributes:
        qualname: dotted name inside the module (``Cart.add``).
        parameters: without ``self`` or ``cls``; for a class those of ``__init__``
            (or its fields, for a dataclass or NamedTuple).
        binding: ``"instance"``, ``"class"``, ``"static"`` or ``"property"`` for methods, else "".
        bases: base classes as source text (classes only).
        first_line: 1-based, the first decorator's line if there is one.
        last_line: 1-based, inclusive.
        source: dedented source text of the definition.
        calls: names of definitions of the same module that its body calls directly.
        raises: exception names in its ``raise`` statements.
    """

    qualname: str
    kind: TargetKind
    is_async: bool
    parameters: tuple[Parameter, ...]
    returns: str | None
    docstring: str | None
    decorators: tuple[str, ...]
    binding: str
    bases: tuple[str, ...]
    first_line: int
    last_line: int
    source: str
    calls: tuple[str, ...]
    raises: tuple[str, ...]
    label: Label

    @property
    def parent(self) -> str | None:
        """The qualified name of the enclosing class, or None."""
        return self.qualname.rpartition(".")[0] or None

    @property
    def name(self) -> str:
        """The last part of the qualified name."""
        return self.qualname.rpartition(".")[2]

    @property
    def is_private(self) -> bool:
        """True if any part of the name starts with an underscore (dunders are not private)."""
        return any(
            part.startswith("_") and not (part.startswith("__") and part.endswith("__"))
            for part in self.qualname.split(".")
        )


@dataclass(frozen=True, slots=True)
class ImportName:
    """One way by which Python could import a file; verified by trying in the runner.

    Attributes:
        name: dotted import name (``shop.pricing``).
        root: the folder that has to be on ``sys.path``.
        why: the rule that gave it, for people.
    """

    name: str
    root: Path
    why: str


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python that runs the project's code.

    Attributes:
        path: the executable as given (a venv's ``bin/python`` is not resolved).
        why: the rule that chose it, for people (``--python``, ``$VIRTUAL_ENV`` ...).
        prefixes: folders that it has to read: its prefix and its base prefix.
    """

    path: Path
    why: str
    prefixes: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Project:
    """The project that a path belongs to."""

    root: Path
    interpreter: Interpreter
    tests_folder: Path
    existing_tests: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Module:
    """One file under test, read once.

    Attributes:
        path: absolute path of the file.
        display: the path shown to people, relative to the working folder where possible.
        source: its text with label.
        import_names: the ways it could be imported, best first.
        targets: its definitions in source order; methods follow their class.
        imports: source text of its top-level import statements.
        constants: source text of its top-level simple assignments, without long values cut.
        names: all names bound at its top level.
        only: the qualified name asked for (``file.py::NAME``), or None for all.
    """

    path: Path
    display: str
    project: Project
    source: Fragment
    import_names: tuple[ImportName, ...]
    docstring: str | None
    targets: tuple[Target, ...]
    imports: tuple[str, ...]
    constants: tuple[str, ...]
    names: frozenset[str]
    only: str | None = None

    @property
    def label(self) -> Label:
        """The label of its source, and so of everything made from it."""
        return self.source.label


@dataclass(frozen=True, slots=True)
class Route:
    """Where a module's prompts go, and why."""

    backend: str
    why: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt for any backend: fragments in one fixed order.

    Attributes:
        system: instructions (ours).
        context: the module's outline; byte-equal for all targets of a module.
        request: the target and what is missing.
        answer_start: the start of the model's answer, written by us.
        cut: names of the parts left out to stay within the token budget.
    """

    system: tuple[Fragment, ...]
    context: tuple[Fragment, ...]
    request: tuple[Fragment, ...]
    answer_start: str
    cut: tuple[str, ...] = ()

    @property
    def label(self) -> Label:
        """The strictest label of its fragments."""
        return strictest(part.label for part in (*self.system, *self.context, *self.request))


@dataclass(frozen=True, slots=True)
class Usage:
    """What a completion cost: tokens and wall seconds."""

    prompt_tokens: int
    completion_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's answer; ``text`` includes the prompt's ``answer_start``.

    Attributes:
        is_cut_off: True if the token cap or the deadline ended it.
    """

    text: str
    label: Label
    backend: str
    model: str
    usage: Usage
    is_cut_off: bool = False


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
        fixtures: pytest fixtures that it uses (``tmp_path`` only).
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
        is_inside: True if the project's code had been entered.
    """

    type_name: str
    type_import: str
    match: str
    is_deliberate: bool
    is_inside: bool


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step did.

    Attributes:
        status: ``"ok"``, ``"raised"`` or ``"skipped"`` (a step it depends on failed).
        checks: for probes that gave a value.
        output: what it printed to stdout.
        warnings: class names of warnings it caused.
        changed: names of arguments whose value differed afterwards, with their checks.
        opinion_holds: whether the author's opinion was true, None if it had none.
    """

    status: str
    checks: tuple[Check, ...] = ()
    raised: Raised | None = None
    output: str = ""
    warnings: tuple[str, ...] = ()
    changed: tuple[tuple[str, tuple[Check, ...]], ...] = ()
    opinion_holds: bool | None = None


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
        test_names: names of the test functions that hybridgen wrote.
        label: at least as strict as the strictest module it tests.
    """

    __test__ = False  # not a test class, whatever its name says to pytest

    path: Path
    text: str
    previous: str | None
    test_names: tuple[str, ...]
    label: Label


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one module.

    Attributes:
        error: a message, or None.
        exit_code: what this module alone would make the command exit with.
        tokens: prompt plus completion tokens.
        notes: further lines for people (interpreter, what was cut, suspects ...).
    """

    path: str
    label: Label
    why: str
    route: Route
    model: str | None
    interpreter: str
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
    diff: str | None = None
