"""Modules under test for the post-processing layer, read from source text with ast only."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridgen.domain import (
    Candidate,
    Completion,
    Fragment,
    Interpreter,
    Label,
    Module,
    Parameter,
    ParameterKind,
    Project,
    Target,
    TargetKind,
    Usage,
)
from hybridgen.post import candidates

CORPUS = Path(__file__).parent / "corpus"
_BINDINGS = {"property": "property", "staticmethod": "static", "classmethod": "class"}


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[Parameter, ...]:
    arguments = function.args.args
    defaults: list[ast.expr | None] = [None] * (len(arguments) - len(function.args.defaults))
    defaults.extend(function.args.defaults)
    return tuple(
        Parameter(
            item.arg,
            ParameterKind.POSITIONAL,
            ast.unparse(item.annotation) if item.annotation else None,
            ast.unparse(default) if default else None,
        )
        for item, default in zip(arguments, defaults, strict=True)
        if item.arg not in ("self", "cls")
    )


def _target(node: ast.stmt, source: str, parent: str = "") -> Target:
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    decorators = tuple(ast.unparse(item) for item in node.decorator_list)
    kind = TargetKind.METHOD if parent else TargetKind.FUNCTION
    parameters: tuple[Parameter, ...] = ()
    if isinstance(node, ast.ClassDef):
        kind = TargetKind.CLASS
        for item in node.body:
            if isinstance(item, ast.FunctionDef) and item.name == "__init__":
                parameters = _parameters(item)
            elif isinstance(item, ast.AnnAssign) and "dataclass" in decorators:
                default = ast.unparse(item.value) if item.value else None
                field = Parameter(ast.unparse(item.target), ParameterKind.POSITIONAL, None, default)
                parameters += (field,)
    else:
        parameters = _parameters(node)
    return Target(
        qualname=f"{parent}.{node.name}" if parent else node.name,
        kind=kind,
        is_async=isinstance(node, ast.AsyncFunctionDef),
        parameters=parameters,
        returns=None,
        docstring=ast.get_docstring(node),
        decorators=decorators,
        binding=next((_BINDINGS[d] for d in decorators if d in _BINDINGS), "instance")
        if parent
        else "",
        bases=(),
        first_line=node.lineno,
        last_line=node.end_lineno or node.lineno,
        source=ast.get_source_segment(source, node) or "",
        calls=(),
        raises=(),
        label=Label.CONFIDENTIAL,
    )


def _module(source: str, path: Path) -> Module:
    targets: list[Target] = []
    names: set[str] = set()
    imports: list[str] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.append(ast.unparse(node))
            names |= {(item.asname or item.name).split(".")[0] for item in node.names}
        elif isinstance(node, ast.Assign):
            names |= {item.id for item in node.targets if isinstance(item, ast.Name)}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            targets.append(_target(node, source))
            if isinstance(node, ast.ClassDef):
                methods = [
                    n for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
                ]
                targets.extend(_target(method, source, node.name) for method in methods)
    return Module(
        path=path,
        display=path.name,
        project=Project(path.parent, Interpreter(Path("python"), "test", ()), path.parent, ()),
        source=Fragment(source, Label.CONFIDENTIAL, path.name, "test"),
        import_names=(),
        docstring=None,
        targets=tuple(targets),
        imports=tuple(imports),
        constants=(),
        names=frozenset(names),
    )


@pytest.fixture(scope="session")
def make_module() -> Callable[[str], Module]:
    """Builds a module under test from source text."""
    return lambda source: _module(source, Path("/nowhere/under_test.py"))


@pytest.fixture(scope="session")
def sample_module() -> Callable[[str], Module]:
    """Reads one of the sample modules that the corpus is about."""

    def read(name: str) -> Module:
        path = CORPUS / f"{name}.py"
        return _module(path.read_text(encoding="utf-8"), path)

    return read


Recover = Callable[..., tuple[Candidate, ...]]


@pytest.fixture(scope="session")
def recover(make_module: Callable[[str], Module]) -> Recover:
    """Recovers candidates: ``recover(source, qualname, text, is_cut_off=False)``."""

    def call(
        source: str, qualname: str, text: str, is_cut_off: bool = False
    ) -> tuple[Candidate, ...]:
        module = make_module(source)
        target = next(item for item in module.targets if item.qualname == qualname)
        usage = Usage(0, 0, 0.0)
        completion = Completion(text, Label.INTERNAL, "fake", "fake", usage, is_cut_off)
        return candidates(completion, module, target)

    return call


@pytest.fixture(scope="session")
def double(recover: Recover) -> Callable[..., list[list[str]]]:
    """The step codes recovered from a text about ``def double(x)``."""
    source = "LIMIT = 3\ndef double(x, y=0):\n    return x * 2\ndef triple(x):\n    return x * 3\n"

    def call(text: str, is_cut_off: bool = False) -> list[list[str]]:
        found = recover(source, "double", text, is_cut_off)
        return [[step.code for step in candidate.steps] for candidate in found]

    return call
