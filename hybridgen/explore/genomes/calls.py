"""Makes, varies and writes down the genomes of a search, and learns from what they did."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hybridgen.domain import (
    Candidate,
    CheckKind,
    Module,
    Observation,
    StepResult,
    Target,
    TargetKind,
)
from hybridgen.explore.genomes.arguments import Arguments, parameter_at, with_argument
from hybridgen.explore.genomes.catalogue import Catalogue
from hybridgen.explore.genomes.genome import RESULT, Call, Genome
from hybridgen.explore.genomes.sequences import Sequences
from hybridgen.explore.genomes.steps import Writer
from hybridgen.explore.wanted.wants import ACCIDENTS, Argument

__all__ = ["Call", "CallMaker", "Genome"]

FUNCTIONS = ("function", "method", "partial", "builtin_function_or_method", "_lru_cache_wrapper")
"""Types whose values can be called."""


class CallMaker:
    """Makes and varies genomes for the targets of a module."""

    def __init__(self, module: Module, chooser: random.Random) -> None:
        self._catalogue = Catalogue(module)
        self._arguments = Arguments(self._catalogue, chooser)
        self._sequences = Sequences(self._catalogue, self._arguments, chooser)
        self._writer = Writer(self._catalogue, self._arguments.defined, chooser)

    def target(self, qualname: str) -> Target:
        """The target of that name; a class with the parameters that its construction takes."""
        return self._catalogue.target(qualname)

    def by_short_name(self, name: str, near: str) -> Target | None:
        """The target that a call of ``name`` in a candidate for ``near`` means."""
        own = self._catalogue.own
        if name in own:
            return self.target(name)
        owner = near.rpartition(".")[0] or near
        return own.get(f"{owner}.{name}")

    def with_argument(self, genome: Genome, target: Target, parameter: str, text: str) -> Genome:
        """``genome`` with a given value for a parameter of ``target``."""
        return with_argument(genome, self.target(target.qualname), parameter, text)

    def plain_call(self, target: Target, texts: Sequence[str]) -> Call:
        """A call with positional arguments only."""
        return Call(target.qualname, tuple(("", text) for text in texts))

    def learn(self, target: str, parameter: str, value: str) -> None:
        """Adds a value that led somewhere to a parameter's pool."""
        self._arguments.learn(target, parameter, value)

    def pool(self, target: str) -> tuple[str, ...]:
        """Literals of the target, of what it calls, and the module's constants."""
        return self._arguments.pool(target)

    def genome(self, target: Target) -> Genome:
        """A fresh genome for a function, a method or a class."""
        return self._sequences.genome(target)

    def vary(self, genome: Genome) -> Genome:
        """A genome near ``genome``."""
        return self._sequences.vary(genome)

    def candidate(self, genome: Genome, target: Target) -> Candidate | None:
        """The candidate that runs a genome, or None where it cannot be written down."""
        origin = "odd" if self.is_odd(genome) else "search"
        return self._writer.candidate(genome, target, origin)

    def is_odd(self, genome: Genome) -> bool:
        """True if an argument is of another type than its hint: a test that few would write."""
        for call in (*([genome.build] if genome.build else ()), *genome.calls):
            target = self.target(call.target)
            for at, (keyword, text) in enumerate(call.arguments):
                parameter = parameter_at(target, at, keyword)
                if parameter is not None and not self._arguments.fits(parameter, text):
                    return True
        return False

    def observe(self, observation: Observation) -> None:
        """Learns from a run of the latest candidate: which values went well, what calls gave."""
        before: list[Argument] = []
        for step, result in zip(observation.candidate.steps, observation.results, strict=False):
            code = step.code.removesuffix(")").partition("(")[2]
            written = self._writer.written
            entry = written.get(step.code) or written.get(code)  # list(...) was put around it
            if entry is None:
                continue
            call = entry[1]
            now = list(self._passed(call))
            if result.status == "ok":
                self._arguments.wants.succeeded(now)
            elif result.raised is None:
                continue
            elif result.raised.type_name in ACCIDENTS:
                self._arguments.wants.failed(now, before, result.raised)
            before += now
            kind = self._usable(call, result)
            if kind:
                self._sequences.returned(call.target, kind)
                if self._is_free(call):
                    self._arguments.made(kind, call)
            elif result.checks and result.checks[0].kind is CheckKind.EQUAL:
                self._sequences.returned_plainly(call.target)

    def _passed(self, call: Call) -> list[Argument]:
        target = self.target(call.target)
        found = []
        for at, (keyword, text) in enumerate(call.arguments):
            parameter = parameter_at(target, at, keyword)
            if parameter is not None:
                found.append(Argument(call.target, parameter.name, text))
        return found

    def _usable(self, call: Call, result: StepResult) -> str:
        """What the search can do with the value of a step: call it, or ask it as an object."""
        if result.status != "ok" or call.target in self._catalogue.classes:
            return ""
        for check in result.checks:
            if check.kind is CheckKind.TYPE and not check.path:
                name = check.expression.strip("'\"")
                if name in FUNCTIONS or "__call__" in self._called_by(name):
                    return RESULT
                return name if self._catalogue.methods(name) else ""
        return ""

    def _is_free(self, call: Call) -> bool:
        """Whether a call needs no object of its own."""
        target = self._catalogue.targets.get(call.target)
        return target is not None and not call.on and target.kind is TargetKind.FUNCTION

    def _called_by(self, name: str) -> tuple[str, ...]:
        return tuple(method.name for method in self._catalogue.methods(name))
