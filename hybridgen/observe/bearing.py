"""Which steps of a candidate have to do with the module under test at all.

``money = Money(0); assert bool() is False`` passes whatever becomes of the module.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Set

from hybridgen.domain import Candidate, StepKind

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def idle_steps(candidate: Candidate, known: Set[str]) -> frozenset[int]:
    """Places of the steps that use nothing of the module and nothing that it was given.

    In doubt a step is not idle: what is imported may lead to the module, unless it is a class,
    a fixture holds what an earlier step did, and so may a variable that another one leads to.

    Args:
        candidate: what was run.
        known: the names of the module.
    """
    plain = (_classes(candidate.imports) | vars(builtins).keys()) - known
    fixtures = set(candidate.fixtures)
    own: set[str] = set()  # variables that hold nothing but what literals say
    has_begun = False
    idle: list[int] = []
    for index, step in enumerate(candidate.steps):
        used, bound = _names(step.code)
        if used - own - fixtures - plain or (has_begun and used & fixtures):
            has_begun = True
            own -= used | bound
            plain -= bound
            continue
        idle.append(index)
        if step.kind is StepKind.SETUP:
            own = own - used if used & (own | fixtures) else own | bound
    return frozenset(idle)


def _names(code: str) -> tuple[set[str], set[str]]:
    """The names that a step reads, and those that it binds; none of what only it can see."""
    used: set[str] = set()
    bound: set[str] = set()
    inside: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, _DEFINITIONS):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            inside.add(node.arg)
        elif isinstance(node, ast.comprehension):
            inside |= {name.id for name in ast.walk(node.target) if isinstance(name, ast.Name)}
    return used - inside, bound - inside


def _classes(imports: tuple[str, ...]) -> frozenset[str]:
    """Names like ``Decimal`` that imports of the candidate bind."""
    nodes = (node for line in imports for node in ast.walk(ast.parse(line)))
    names = (a.asname or a.name for n in nodes if isinstance(n, ast.ImportFrom) for a in n.names)
    return frozenset(name for name in names if name[:1].isupper())
