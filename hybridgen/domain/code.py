"""What is under test, as its source says it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hybridgen.domain.labels import Fragment, Label


class ParameterKind(StrEnum):
    """The five kinds of Python parameters, named as in ``inspect``."""

    POSITIONAL_ONLY = "positional-only"
    POSITIONAL = "positional-or-keyword"
    VAR_POSITIONAL = "var-positional"
    KEYWORD = "keyword-only"
    VAR_KEYWORD = "var-keyword"

    @property
    def is_variadic(self) -> bool:
        """Whether it takes any number of arguments."""
        return self in (ParameterKind.VAR_POSITIONAL, ParameterKind.VAR_KEYWORD)


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
class Runtime:
    """All that code may read besides its project, where that is less than what is installed.

    Attributes:
        read: files and whole folders.
        standard: folders of the standard library, without the packages installed in them.
        libraries: folders of which the shared libraries directly inside may be read.
        packages: folders on ``sys.path`` in place of those that the interpreter has of its own
            for installed packages.
    """

    read: tuple[Path, ...]
    standard: tuple[Path, ...]
    libraries: tuple[Path, ...]
    packages: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python that runs the project's code.

    Attributes:
        path: the executable as given (a venv's ``bin/python`` is not resolved).
        why: the rule that chose it, for people (``--python``, ``$VIRTUAL_ENV`` ...).
        prefixes: folders that it has to read: its prefix and its base prefix.
        runtime: what may be read in place of the prefixes and of all that the system has.
    """

    path: Path
    why: str
    prefixes: tuple[Path, ...]
    runtime: Runtime | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """The project that a path belongs to.

    Attributes:
        label: the strictest of all that code can read while it runs in the project, and so the
            label of what was seen when it ran.
    """

    root: Path
    interpreter: Interpreter
    tests_folder: Path
    existing_tests: tuple[Path, ...]
    label: Label = Label.CONFIDENTIAL


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
        neighbours: classes of other files of the project that it imports by name, with their
            methods, under the names that it gives them: what its own code is called with.
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
    neighbours: tuple[Target, ...] = ()

    @property
    def label(self) -> Label:
        """The label of its source, and so of everything made from it."""
        return self.source.label
