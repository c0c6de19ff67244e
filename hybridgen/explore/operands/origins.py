"""Where the value of a name comes from: parameters that a search can give a value to."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from hybridgen.domain import Target, TargetKind
from hybridgen.explore.genomes.catalogue import CHANGING, base_name
from hybridgen.explore.genomes.genome import RESULT
from hybridgen.explore.operands.conditions import Wanted, Wish
from hybridgen.explore.syntax import tree_of
from hybridgen.explore.wanted.uses import Uses, uses_in

DEEPEST = 4
"""How far a value is followed back from name to name and from function to caller."""

MOST_PLACES = 6
MOST_METHODS = 4
MOST_CLASSES = 12
FILLING = ("__setitem__", "__call__", "__ior__")
CHANGES = frozenset(
    {"append", "add", "update", "insert", "extend", "appendleft", "setdefault", "push", "put"}
)


@dataclass(frozen=True, slots=True)
class Place:
    """A parameter of a target; of a class for what its constructor takes."""

    target: str
    parameter: str


class Origins:
    """Follows names back through a module's targets.

    Args:
        targets: all of the module, by name.
    """

    def __init__(self, targets: Mapping[str, Target]) -> None:
        self._targets = targets
        self._uses: dict[str, Uses] = {
            name: uses_in(target.source)
            for name, target in targets.items()
            if target.kind is not TargetKind.CLASS
        }
        self._inner = {name: _inner_parameters(targets[name].source) for name in self._uses}
        self._known: dict[tuple[str, str], tuple[Place, ...]] = {}

    def of(self, name: str, subject: str) -> tuple[Place, ...]:
        """Where the value of a subject in a target may come in, what is nearest first."""
        key = (name, subject)
        if key not in self._known:
            found = dict.fromkeys(self._of(name, subject, 0))
            self._known[key] = tuple(found)[:MOST_PLACES]
        return self._known[key]

    def _of(self, name: str, subject: str, depth: int) -> Iterator[Place]:
        target, uses = self._targets[name], self._uses.get(name)
        if uses is None or depth > DEEPEST:
            return
        if subject.startswith("self."):
            yield from self._stored(target, subject, depth)
        elif any(parameter.name == subject for parameter in target.parameters):
            yield from self._given(target, subject, depth)
        elif subject in self._inner[name]:
            yield Place(name + RESULT * self._inner[name][subject], "args")
        for origin, aliases in uses.aliases.items():
            if subject in aliases and not origin.endswith("()"):
                yield from self._of(name, origin, depth + 1)
        for origin, items in uses.elements.items():
            if subject in items and not origin.endswith("()"):
                yield from self._of(name, origin, depth + 1)

    def _given(self, target: Target, parameter: str, depth: int) -> Iterator[Place]:
        """A parameter: of the target itself, of its class, or of those that call it."""
        if target.name in ("__init__", "__new__") and target.parent in self._targets:
            yield Place(target.parent or "", parameter)
        elif not target.is_private:
            yield Place(target.qualname, parameter)
            return
        at = next(i for i, p in enumerate(target.parameters) if p.name == parameter)
        for caller, uses in self._uses.items():
            for subject, handed in uses.handed.items():
                for function, where in handed:
                    if where in (at, parameter) and self._means(caller, function, target):
                        yield from self._of(caller, subject, depth + 1)

    def _stored(self, target: Target, subject: str, depth: int) -> Iterator[Place]:
        """What an object holds: what its methods, its constructor first, stored there."""
        for method in self._methods(target):
            uses = self._uses[method.qualname]
            for origin, aliases in uses.aliases.items():
                if subject in aliases and not origin.startswith("self."):
                    yield from self._of(method.qualname, origin, depth + 1)

    def _methods(self, target: Target) -> list[Target]:
        found = [self._targets[name] for name in self._uses if self._is_kin(name, target)]
        return sorted(found, key=lambda method: method.name != "__init__")

    def _is_kin(self, name: str, target: Target) -> bool:
        """Whether a method is of the same class as another, or of a base of it."""
        parent = self._targets[name].parent
        owner = self._targets.get(target.parent or "")
        if parent is None or owner is None:
            return False
        return parent == owner.qualname or parent in (b.rpartition(".")[2] for b in owner.bases)

    def _means(self, caller: str, function: str, target: Target) -> bool:
        """Whether a call of ``function`` in ``caller`` is one of ``target``, as far as is known."""
        first, _, last = function.rpartition(".")
        if target.name in ("__init__", "__new__"):
            return function == target.parent or (first == "super" and last == target.name)
        if target.kind is TargetKind.METHOD:
            return last == target.name and first in ("self", "cls", "super", target.parent)
        return function == target.qualname

    def is_state(self, name: str, subject: str) -> bool:
        """Whether a name in a method stands for its object or for what that holds."""
        uses = self._uses.get(name)
        if subject == "self" or subject.startswith("self."):
            return True
        return uses is not None and any(
            subject in aliases and origin.startswith("self.")
            for origin, aliases in uses.aliases.items()
        )

    def filling(self, class_name: str) -> list[Target]:
        """Public methods that put something into an object of a class, its own first."""
        found: dict[str, Target] = {}
        waiting = [class_name]
        for owner in waiting:
            if len(waiting) > MOST_CLASSES:
                break
            for target in self._targets.values():
                is_filling = target.name in FILLING or target.name.startswith(CHANGING)
                if target.parent == owner and target.parameters and is_filling:
                    found.setdefault(target.name, target)
            bases = self._targets[owner].bases if owner in self._targets else ()
            waiting += [base_name(base) for base in bases]
        return list(found.values())[:MOST_METHODS]

    def setting(self, name: str, attribute: str, wanted: Wanted) -> list[Target]:
        """Public methods that change an attribute of the object, those that fit a wish first."""
        fitting: dict[str, bool] = {}
        target = self._targets[name]
        for method in self._methods(target):
            if method.is_private or method.name in ("__init__", "__new__"):
                continue
            if method.qualname != name:
                for value in _assigned(method, attribute):
                    is_fitting = _may_be(value, wanted)
                    fitting[method.qualname] = fitting.get(method.qualname, False) or is_fitting
        ranked = sorted(fitting, key=lambda one: not fitting[one])
        return [self._targets[one] for one in ranked[:MOST_METHODS]]


def _inner_parameters(source: str) -> dict[str, int]:
    """First parameters of functions that a function makes, with how deep inside they are made."""
    found: dict[str, int] = {}
    waiting: list[tuple[ast.AST, int]] = [(tree_of(source), -1)]
    while waiting:
        node, depth = waiting.pop()
        if isinstance(node, ast.FunctionDef):
            depth += 1
            first = [*node.args.posonlyargs, *node.args.args][:1]
            if depth > 0 and first:
                found.setdefault(first[0].arg, depth)
        waiting += [(child, depth) for child in ast.iter_child_nodes(node)]
    return found


def _assigned(method: Target, attribute: str) -> tuple[ast.expr | None, ...]:
    """The values that a method gives to an attribute of its object; None for a change of it."""
    return _assignments(method.source).get(f"self.{attribute}", ())


@lru_cache(maxsize=1024)
def _assignments(source: str) -> dict[str, tuple[ast.expr | None, ...]]:
    """The values that are given to places like ``self.size``; None for a change."""
    found: dict[str, tuple[ast.expr | None, ...]] = {}
    for node in ast.walk(tree_of(source)):
        given: dict[str, ast.expr | None] = {}
        match node:
            case ast.Assign(targets=targets, value=value):
                given = {place: None for target in targets for place in _containers(target)}
                given |= {ast.unparse(target): value for target in targets}
            case ast.AnnAssign(target=one) | ast.AugAssign(target=one):
                given = {ast.unparse(one): None}
            case ast.Call(func=ast.Attribute(value=whole, attr=change)) if change in CHANGES:
                given = {ast.unparse(whole): None}
        for place, value_given in given.items():
            found[place] = (*found.get(place, ()), value_given)
    return found


def _containers(target: ast.expr) -> Iterator[str]:
    """``self.rows`` and ``self.rows[0]`` for ``self.rows[0][1]``: what an assignment changes."""
    while isinstance(target, ast.Attribute | ast.Subscript):
        if isinstance(target, ast.Subscript):
            yield ast.unparse(target.value)
        target = target.value


def _may_be(value: ast.expr | None, wanted: Wanted) -> bool:
    """Whether an assigned value may be what is wished."""
    if not isinstance(value, ast.Constant):
        return True
    if wanted.wish in (Wish.TRUE, Wish.FALSE):
        return bool(value.value) is (wanted.wish is Wish.TRUE)
    is_same = ast.unparse(value) == wanted.text
    return is_same if wanted.wish is Wish.VALUE else not is_same
