"""Genomes that the source of open conditions asks for: one argument or one call more or other.

A branch that nothing takes has a condition; its source says what its names would have to be, and
where their values come from: a parameter, a parameter of a public caller, an object's constructor,
another method that sets the state. What came to that condition before is changed there only.
"""

from __future__ import annotations

import ast
import random
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hybridgen.domain import Arc, Module, Parameter, ParameterKind, Target, TargetKind
from hybridgen.explore.genomes.arguments import parameter_at
from hybridgen.explore.genomes.calls import Call, CallMaker, Genome
from hybridgen.explore.genomes.genome import RESULT, object_name
from hybridgen.explore.operands.conditions import OWN_CLASS, Wanted, Way, Wish, ways
from hybridgen.explore.operands.origins import Origins, Place
from hybridgen.explore.operands.wishes import LEFT_OUT, Wishes
from hybridgen.explore.syntax import tree_of

MOST_OF_BRANCH = 24
"""Genomes made for one branch."""

MOST_AT_ONCE = 10
MOST_BASES = 2
"""How many of the finds that came to a condition are changed, at a time."""

MOST_SHORT = 6
"""They are chosen among so many of the shortest."""

MOST_LOOKS = 4
"""How often genomes are made for one branch, from what came to its condition."""

MOST_BLIND_LOOKS = 2
"""The same while nothing came to it."""

MOST_WAITING = 600


@dataclass(frozen=True, slots=True)
class Decision:
    """A statement that decides: its condition, and where it goes on if that holds."""

    target: str
    test: ast.expr
    body: range


class Reached(Protocol):
    """A genome with its size and the lines that it came to."""

    target: Target
    genome: Genome
    size: int
    lines: frozenset[int]


class Demands:
    """A queue of genomes to try because of what open conditions say.

    Args:
        targets: what may be called.
        maker: makes genomes and values.
    """

    def __init__(
        self,
        module: Module,
        targets: Sequence[Target],
        maker: CallMaker,
        chooser: random.Random,
    ) -> None:
        self._maker = maker
        self._chooser = chooser
        self._callable = {target.qualname: target for target in targets}
        self._targets: Mapping[str, Target] = {t.qualname: t for t in module.targets}
        self._origins = Origins(self._targets)
        self._wishes = Wishes(module, maker, chooser)
        self._decisions: dict[int, Decision] = {}
        for target in module.targets:
            if target.kind is not TargetKind.CLASS:
                for line, decision in _decisions(target):
                    self._decisions.setdefault(line, decision)
        self._names = module.names
        self._made: Counter[Arc] = Counter()
        self._looks: Counter[tuple[Arc, bool]] = Counter()
        self._known: set[str] = set()
        self._waiting: deque[tuple[Arc, Target, Genome]] = deque()

    def take(self, open_branches: frozenset[Arc]) -> tuple[Target, Genome] | None:
        """The next genome, for a branch that is still open."""
        while self._waiting:
            branch, target, genome = self._waiting.popleft()
            if branch in open_branches:
                return target, genome
        return None

    def look(self, open_branches: frozenset[Arc], finds: Sequence[Reached]) -> None:
        """Queues what the conditions of open branches ask for.

        Args:
            finds: what reached something before.
        """
        for branch in sorted(open_branches):
            decision = self._decisions.get(branch[0])
            if decision is None or self._made[branch] >= MOST_OF_BRANCH:
                continue
            bases = [find for find in finds if branch[0] in find.lines]
            bases = sorted(bases, key=lambda find: find.size)[:MOST_SHORT]
            looks = (branch, bool(bases))
            self._looks[looks] += 1
            if self._looks[looks] > (MOST_LOOKS if bases else MOST_BLIND_LOOKS):
                continue
            count = 0
            for target, genome in self._genomes(decision, branch[1] in decision.body, bases):
                key = repr(genome)
                if key in self._known or self._made[branch] >= MOST_OF_BRANCH:
                    continue
                self._known.add(key)
                self._made[branch] += 1
                self._waiting.append((branch, target, genome))
                count += 1
                if count >= MOST_AT_ONCE:
                    break
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()

    def _genomes(
        self, decision: Decision, outcome: bool, finds: Sequence[Reached]
    ) -> Iterator[tuple[Target, Genome]]:
        """Genomes for one outcome; those of different ways take turns."""
        made = [
            self._of_way(decision, way, find)
            for way in ways(decision.test, outcome)
            for find in self._bases(decision, way, finds)
        ]
        yield from _in_turns(made)

    def _bases(
        self, decision: Decision, way: Way, finds: Sequence[Reached]
    ) -> list[tuple[Target, Genome]]:
        """What to change: short finds that came to the condition, or calls made for it."""
        if finds:
            some = self._chooser.sample(finds, min(MOST_BASES, len(finds)))
            return [(find.target, find.genome) for find in some]
        places = (place for subject in way for place in self._origins.of(decision.target, subject))
        names = dict.fromkeys((decision.target, *(place.target for place in places)))
        found = (self._callable.get(name.rstrip(RESULT)) for name in names)
        known = [target for target in found if target is not None][:MOST_BASES]
        return [(target, self._maker.genome(target)) for target in known]

    def _of_way(
        self, decision: Decision, way: Way, base: tuple[Target, Genome]
    ) -> Iterator[tuple[Target, Genome]]:
        target, genome = base
        found: list[Genome] = [genome]
        for subject, wanted in way.items():
            changed = [
                new for one in found for new in self._changed(decision.target, one, subject, wanted)
            ]
            found = changed or found
            if len(found) > MOST_AT_ONCE:
                found = self._chooser.sample(found, MOST_AT_ONCE)
        yield from ((target, new) for new in found if new is not genome)

    def _changed(self, name: str, genome: Genome, subject: str, wanted: Wanted) -> Iterator[Genome]:
        """``genome`` with what is wished of a subject, at each place where its value comes in."""
        if wanted.wish is Wish.SHARES:
            yield from self._shared(name, genome, subject, wanted.text)
            return
        if subject == "self" and wanted.wish is Wish.TRUE:
            yield from self._filled(genome, "")
        if wanted.text in OWN_CLASS:
            wanted = replace(wanted, text=self._targets[name].parent or "")
        for place in self._origins.of(name, subject):
            calls = [(index, call) for index, call in _calls(genome) if call.target == place.target]
            parameter = self._parameter(place) if calls else None
            for text in self._wishes.values(wanted, parameter) if parameter is not None else ():
                for index, call in calls:
                    value = object_name(genome, self._names) or "None" if text == "self" else text
                    new = _given(call, self._maker.target(call.target), place.parameter, value)
                    if new is not None and new != call:
                        yield _with(genome, index, new)
        if subject.startswith("self."):
            yield from self._prepared(name, genome, subject.removeprefix("self."), wanted)

    def _shared(self, name: str, genome: Genome, subject: str, other: str) -> Iterator[Genome]:
        """``genome`` with the value of a subject inside another: an argument, or the object."""
        value = self._value(name, genome, other)
        if self._origins.is_state(name, subject):
            yield from self._filled(genome, value)
        for wanted in (f"[{value}]", f"{{{value}: 1}}") if value else ():
            yield from self._changed(name, genome, subject, Wanted(Wish.VALUE, wanted))
        if not value:
            yield from self._changed(name, genome, subject, Wanted(Wish.VALUE, "self"))

    def _value(self, name: str, genome: Genome, subject: str) -> str:
        """The argument that a subject has its value from, "" where that is not known."""
        for place in self._origins.of(name, subject):
            for _, call in reversed(list(_calls(genome))):
                target = self._maker.target(call.target)
                for at, (keyword, text) in enumerate(call.arguments):
                    found = parameter_at(target, at, keyword)
                    if call.target == place.target and found and found.name == place.parameter:
                        return text
        return ""

    def _filled(self, genome: Genome, value: str) -> Iterator[Genome]:
        """``genome`` with calls before its last that put something into the object: ``value``."""
        if genome.build is None:
            return
        for method in self._origins.filling(genome.build.target):
            call = self._maker.genome(method).calls[-1:]
            if call and call[0].target == method.qualname and call[0].arguments:
                (keyword, text), *rest = call[0].arguments
                new = replace(call[0], arguments=((keyword, value or text), *rest))
                yield replace(genome, calls=(*genome.calls[:-1], new, *genome.calls[-1:]))

    def _prepared(
        self, name: str, genome: Genome, attribute: str, wanted: Wanted
    ) -> Iterator[Genome]:
        """``genome`` with a call before its last of a method that changes an attribute."""
        if genome.build is None:
            return
        for method in self._origins.setting(name, attribute, wanted):
            call = self._maker.genome(method).calls[-1:]
            if call and call[0].target == method.qualname:
                yield replace(genome, calls=(*genome.calls[:-1], *call, *genome.calls[-1:]))

    def _parameter(self, place: Place) -> Parameter | None:
        parameters = self._maker.target(place.target).parameters
        return next((p for p in parameters if p.name == place.parameter), None)


def _calls(genome: Genome) -> Iterator[tuple[int, Call]]:
    if genome.build is not None:
        yield -1, genome.build
    yield from enumerate(genome.calls)


def _with(genome: Genome, index: int, call: Call) -> Genome:
    if index < 0:
        return replace(genome, build=call)
    return replace(genome, calls=(*genome.calls[:index], call, *genome.calls[index + 1 :]))


def _given(call: Call, target: Target, name: str, text: str) -> Call | None:
    """``call`` with a value for a parameter; None where it cannot be put there."""
    arguments = list(call.arguments)
    for at, (keyword, _) in enumerate(arguments):
        found = parameter_at(target, at, keyword)
        if found is not None and found.name == name:
            if text != LEFT_OUT:
                arguments[at] = (keyword, text)
            elif keyword or at == len(arguments) - 1:
                del arguments[at]
            else:
                return None
            return replace(call, arguments=tuple(arguments))
    if text == LEFT_OUT:
        return None
    for at, parameter in enumerate(target.parameters):
        if parameter.name == name:
            if parameter.kind is ParameterKind.VAR_KEYWORD:
                keyword = "key"
            elif parameter.kind is ParameterKind.VAR_POSITIONAL:
                keyword = ""
            else:
                keyword = name
            by_place = at == len(arguments) and all(not word for word, _ in arguments)
            if parameter.kind in (ParameterKind.POSITIONAL_ONLY, ParameterKind.VAR_POSITIONAL):
                if not by_place:
                    return None
                keyword = ""
            return replace(call, arguments=(*arguments, (keyword, text)))
    return None


def _decisions(target: Target) -> Iterator[tuple[int, Decision]]:
    """The statements of a target that decide, by line of the module."""
    before = target.first_line - 1
    for node in ast.walk(tree_of(target.source)):
        match node:
            case ast.If(test=test, body=body) | ast.While(test=test, body=body):
                pass
            case ast.For(iter=test, body=body):
                pass
            case _:
                continue
        last = body[-1].end_lineno or body[-1].lineno
        lines = range(before + body[0].lineno, before + last + 1)
        yield before + node.lineno, Decision(target.qualname, test, lines)


def _in_turns(
    many: Iterable[Iterator[tuple[Target, Genome]]],
) -> Iterator[tuple[Target, Genome]]:
    waiting = deque(many)
    while waiting:
        one = waiting.popleft()
        item = next(one, None)
        if item is not None:
            yield item
            waiting.append(one)
