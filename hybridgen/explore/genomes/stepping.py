"""Generators that are asked step by step: what is sent to them, and raised in them.

``list(average())`` shows nothing of ``value = yield mean``; ``steps.send(3)`` does.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from dataclasses import dataclass

from hybridgen.domain import Parameter, ParameterKind, Target
from hybridgen.explore.genomes.arguments import Arguments
from hybridgen.explore.genomes.genome import RESULT, Call
from hybridgen.explore.syntax import tree_of
from hybridgen.explore.wanted.shapes import caught
from hybridgen.explore.wanted.uses import uses_in

SHARE = 0.6
COMPARED_SHARE = 0.3
"""How often what is sent is something that the code compares it with."""

MOST_STEPS = (1, 2, 3, 4, 6, 8)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a generator takes at its steps.

    Attributes:
        names: for what it is sent.
        errors: exceptions that it waits for, of those that Python itself has.
    """

    names: tuple[str, ...]
    errors: tuple[str, ...]


def asked_at_steps(target: Target) -> Asked | None:
    """What a generator function takes at its steps; None for what is better asked as a whole.

    That is also one which does something when it is thrown away half-way: where that fails, a test
    would warn long after its end.
    """
    if target.is_async or any("contextmanager" in name for name in target.decorators):
        return None
    names: dict[str, None] = {}
    errors: dict[str, None] = {}
    for node in ast.walk(tree_of(target.source)):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Yield()):
                names[name] = None
            case ast.NamedExpr(target=ast.Name(id=name), value=ast.Yield()):
                names[name] = None
            case ast.Try() if any(isinstance(part, ast.Yield) for part in _inside(node.body)):
                errors |= dict.fromkeys(e for h in node.handlers for e in caught(h.type))
                if node.finalbody:
                    return None
            case ast.With() if any(isinstance(part, ast.Yield) for part in _inside(node.body)):
                return None
    return Asked(tuple(names), tuple(errors)) if names or errors else None


def _inside(body: list[ast.stmt]) -> Iterator[ast.AST]:
    for statement in body:
        yield from ast.walk(statement)


class Stepping:
    """Makes the calls that ask a generator step by step."""

    def __init__(self, arguments: Arguments, chooser: random.Random) -> None:
        self._arguments = arguments
        self._chooser = chooser
        self._known: dict[str, Asked | None] = {}

    def calls(self, target: Target, name: str) -> tuple[Call, ...]:
        """Calls on a generator that a variable holds; none where it is asked as a whole."""
        if target.qualname not in self._known:
            self._known[target.qualname] = asked_at_steps(target)
        asked = self._known[target.qualname]
        if asked is None or self._chooser.random() > SHARE:
            return ()
        later = (self._step(target, asked, name) for _ in range(self._chooser.choice(MOST_STEPS)))
        first = self._formed(target, name, "next({o})")
        # A test that ends in StopIteration would not be kept.
        return (first, *later, self._formed(target, name, "{o}.close()"))

    def _step(self, target: Target, asked: Asked, name: str) -> Call:
        forms = ["next({o})"] + ["{o}.send({})"] * (4 if asked.names else 0)
        forms += [f"{{o}}.throw({error}('failed'))" for error in asked.errors]
        form = self._chooser.choice(forms)
        if "{}" not in form:
            return self._formed(target, name, form)
        sent = self._chooser.choice(asked.names)
        uses = uses_in(target.source)
        compared = list(uses.shapes[sent].literals) if sent in uses.shapes else []
        if compared and self._chooser.random() < COMPARED_SHARE:
            return self._formed(target, name, form, self._chooser.choice(compared))
        hints = tuple(uses.hints.get(sent, ()))
        hint = self._chooser.choice(hints) if hints else None
        parameter = Parameter(sent, ParameterKind.POSITIONAL, hint)
        value = self._arguments.value(target.qualname, parameter)
        return self._formed(target, name, form, value)

    def _formed(self, target: Target, name: str, form: str, *given: str) -> Call:
        arguments = tuple(("", text) for text in given)
        return Call(f"{target.qualname}{RESULT}", arguments, on=name, form=form)
