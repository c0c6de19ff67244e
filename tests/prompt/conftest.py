"""A small module with everything an outline can show, without the source room."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridgen.domain import (
    Fragment,
    Interpreter,
    Label,
    Module,
    Parameter,
    ParameterKind,
    Project,
    Target,
    TargetKind,
)

SOURCE = '''\
"""Accounts."""

from __future__ import annotations

from decimal import Decimal

LIMIT = 100


def fee(amount: int, *, rate: float = 0.5) -> float:
    """The fee of an amount.

    >>> fee(10)
    5.0
    """
    if amount > LIMIT:
        return _round(amount * rate)
    return 0.0


def _round(value: float) -> float:
    return round(value, 2)


async def fetch(name):
    return name


class Account(Base):
    """An account.

    It holds money.
    """

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.balance = 0

    def pay(self, amount: int) -> int:
        """Pay in."""
        if amount <= 0:
            raise ValueError("no money")
        self.balance += amount
        return self.balance

    @staticmethod
    def parse(text):
        return int(text)
'''


@pytest.fixture
def module() -> Module:
    """The module; INTERNAL, to see labels travel."""
    root = Path("/project")
    interpreter = Interpreter(root / "python", "test", ())
    targets = tuple(_targets(ast.parse(SOURCE).body, ""))
    return Module(
        path=root / "bank.py",
        display="bank.py",
        project=Project(root, interpreter, root / "tests", ()),
        source=Fragment(SOURCE, Label.INTERNAL, "bank.py", "marked in a test"),
        import_names=(),
        docstring="Accounts.",
        targets=targets,
        imports=("from __future__ import annotations", "from decimal import Decimal"),
        constants=("LIMIT = 100",),
        names=frozenset(),
    )


@pytest.fixture
def target(module: Module) -> Callable[[str], Target]:
    """A target of the module by name."""
    by_name = {target.qualname: target for target in module.targets}
    return by_name.__getitem__


def _targets(body: list[ast.stmt], parent: str) -> list[Target]:
    found: list[Target] = []
    for node in body:
        if isinstance(node, ast.ClassDef):
            found.append(_target(node, parent))
            found += _targets(node.body, f"{parent}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(_target(node, parent))
    return found


def _target(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, parent: str) -> Target:
    is_class = isinstance(node, ast.ClassDef)
    decorators = tuple(ast.unparse(decorator) for decorator in node.decorator_list)
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    lines = SOURCE.split("\n")[first - 1 : node.end_lineno]
    source = "\n".join(line[node.col_offset :] for line in lines)
    calls = {
        call.func.id
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    }
    parameters: tuple[Parameter, ...] = ()
    if not is_class:
        skipped = 1 if parent and not decorators else 0
        parameters = tuple(
            Parameter(arg.arg, kind, ast.unparse(arg.annotation) if arg.annotation else None, value)
            for kind, args, value in (
                (ParameterKind.POSITIONAL, node.args.args[skipped:], None),
                (ParameterKind.KEYWORD, node.args.kwonlyargs, "0.5"),
            )
            for arg in args
        )
    kind = TargetKind.CLASS if is_class else TargetKind.METHOD if parent else TargetKind.FUNCTION
    binding = ("static" if decorators else "instance") if kind is TargetKind.METHOD else ""
    return Target(
        qualname=f"{parent}{node.name}",
        kind=kind,
        is_async=isinstance(node, ast.AsyncFunctionDef),
        parameters=parameters,
        returns=ast.unparse(node.returns) if not is_class and node.returns else None,
        docstring=ast.get_docstring(node),
        decorators=decorators,
        binding=binding,
        bases=tuple(ast.unparse(base) for base in node.bases) if is_class else (),
        first_line=first,
        last_line=node.end_lineno or first,
        source=source,
        calls=tuple(sorted(calls)),
        raises=(),
        label=Label.INTERNAL,
    )
