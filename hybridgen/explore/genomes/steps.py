"""Writes genomes down as the steps of candidates."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterable, Mapping, Sequence

from hybridgen.domain import Candidate, Step, StepKind, Target, TargetKind
from hybridgen.explore.genomes.catalogue import Catalogue, is_dunder, setter_parameter
from hybridgen.explore.genomes.genome import (
    MADE,
    RESULT,
    Call,
    Genome,
    Sample,
    call_text,
    object_name,
    variable_name,
)
from hybridgen.explore.genomes.operators import OPERATORS, STATEMENTS
from hybridgen.explore.values.files import EXISTING, content, writing
from hybridgen.explore.values.literals import literals_of
from hybridgen.explore.values.plain import IMPORTS
from hybridgen.explore.values.standins import HELPERS

FAILING_BLOCK_SHARE = 0.25
"""How often the block of a ``with`` statement raises."""


class Writer:
    """Writes genomes of a module's targets.

    Args:
        defined: classes that a test has to define where a value names them, by name.
    """

    def __init__(
        self, catalogue: Catalogue, defined: Mapping[str, str], chooser: random.Random
    ) -> None:
        self._catalogue = catalogue
        self._defined = defined
        self._chooser = chooser
        self._words = literals_of(catalogue.module.source.text)
        self._names = catalogue.module.names
        self._imports = {word: IMPORTS[word] for word in IMPORTS if word not in catalogue.own}
        self.written: dict[str, tuple[int, Call]] = {}

    def candidate(self, genome: Genome, target: Target, origin: str) -> Candidate | None:
        """The candidate that runs a genome, or None where it cannot be written down."""
        self.written = {}
        steps: list[Step] = []
        name = ""
        if genome.build is not None:
            steps += self._construction(genome)
            name = object_name(genome, self._names)
        for number, call in enumerate(genome.calls):
            made = self._steps(call, name)
            if made is None:
                return None
            for step in made:
                self.written[step.code] = (number, call)
            steps += made
        text = "\n".join(step.code for step in steps)
        used = _names_in(text)
        before = self._before(text, used)
        steps = [*before, *steps]
        used |= {name: None for step in before for name in _names_in(step.code)}
        return Candidate(
            target=target.qualname,
            steps=tuple(steps),
            label=self._catalogue.module.label,
            origin=origin,
            imports=tuple(line for word, line in self._imports.items() if word in used),
            fixtures=("tmp_path",) if "tmp_path" in used else (),
        )

    def _before(self, text: str, used: dict[str, None]) -> list[Step]:
        """What has to stand before: a file, and the functions that values name."""
        found = []
        if EXISTING in text:
            inside = content(self._words, self._chooser)
            found.append(Step(StepKind.SETUP, writing(inside)))
        found += [
            Step(StepKind.SETUP, HELPERS[name])
            for name in used
            if name in HELPERS and name not in self._names
        ]
        return [*found, *self._classes(used)]

    def _classes(self, used: Iterable[str]) -> list[Step]:
        """The classes that values name, each after those that it names itself."""
        found: dict[str, None] = {}
        for name in used:
            code = self._defined.get(name)
            if code is not None:
                inner = (other for other in _names_in(code) if other != name)
                found.update((step.code, None) for step in self._classes(inner))
                found[code] = None
        return [Step(StepKind.SETUP, code) for code in found]

    def _construction(self, genome: Genome) -> list[Step]:
        build = genome.build
        assert build is not None
        if genome.sample is not None:
            return self._sample(genome.sample, build, genome.calls)
        members = self._catalogue.members(build.target)
        if members:
            built = f"{build.target}.{self._chooser.choice(members)}"
        else:
            built = call_text(build.target, build.arguments)
        name = variable_name(build.target, self._names)
        steps = [Step(StepKind.SETUP, f"{name} = {built}")]
        self.written[steps[0].code] = (-1, build)
        if not genome.calls:
            steps.append(Step(StepKind.PROBE, name))
        return steps

    def _sample(self, sample: Sample, build: Call, calls: Sequence[Call]) -> list[Step]:
        """A small class or function around what is built, and an object of it."""
        code = sample.code.replace(MADE, call_text(build.target, build.arguments))
        *before, code = code.split("\n\n\n")
        steps = [Step(StepKind.SETUP, text) for text in (*before, code)]
        is_object_used = MADE in sample.made or any("{o}" in (c.form or "{o}") for c in calls)
        if sample.made and is_object_used:
            made = sample.made.replace(MADE, call_text("", build.arguments))
            steps.append(Step(StepKind.SETUP, f"{sample.name} = {made}"))
            self.written[steps[-1].code] = (-1, build)
        self.written[code] = (-1, build)
        if not calls:
            name = code.partition("class ")[2].partition("(")[0].partition(":")[0]
            steps.append(Step(StepKind.PROBE, f"{name or sample.name}.__name__"))
        return steps

    def _steps(self, call: Call, name: str) -> list[Step] | None:
        """The steps of one call on the object ``name``, or on what an earlier call gave."""
        step = self._step(call, call.on or name)
        if step is None:
            return None
        if call.binds and step.kind is StepKind.PROBE:
            return [Step(StepKind.SETUP, f"{call.binds} = {step.code}")]
        decorators = self._catalogue.target(call.target).decorators
        if any(d.endswith("contextmanager") and "async" not in d for d in decorators):
            return self._block(step.code)
        if call.target.endswith(".__enter__"):
            return self._block(call.on or name)
        return [step]

    def _block(self, code: str) -> list[Step]:
        """``with`` around nothing, or around a failure; what was entered is looked at."""
        is_failing = self._chooser.random() < FAILING_BLOCK_SHARE
        inside = "raise ValueError('failed')" if is_failing else "pass"
        name = next(n for n in ("entered", "inside", "held") if n not in self._names)
        return [
            Step(StepKind.SETUP, f"with {code} as {name}:\n    {inside}"),
            Step(StepKind.PROBE, name),
        ]

    def _step(self, call: Call, name: str) -> Step | None:
        if call.form:
            return _formed(call, name)
        if call.target.endswith(RESULT):
            return Step(StepKind.PROBE, call_text(call.on, call.arguments))
        target = self._catalogue.targets[call.target]
        if target.kind is TargetKind.FUNCTION or target.binding in ("class", "static"):
            return Step(StepKind.PROBE, call_text(target.qualname, call.arguments))
        if target.kind is TargetKind.CLASS:
            return Step(StepKind.PROBE, call_text(target.qualname, call.arguments))
        if target.binding == "property":
            if call.arguments and setter_parameter(target) is not None:
                return Step(StepKind.SETUP, f"{name}.{target.name} = {call.arguments[0][1]}")
            return Step(StepKind.PROBE, f"{name}.{target.name}")
        if target.name == "__call__":
            return Step(StepKind.PROBE, call_text(name, call.arguments))
        texts = [text for _, text in call.arguments]
        for table, kind in ((OPERATORS, StepKind.PROBE), (STATEMENTS, StepKind.SETUP)):
            if target.name in table:
                return _operation(table[target.name], texts, name, kind)
        if is_dunder(target.name):
            return None
        return Step(StepKind.PROBE, call_text(f"{name}.{target.name}", call.arguments))


def _formed(call: Call, name: str) -> Step | None:
    """A use of a sample: a probe, or a statement that sets or deletes an attribute."""
    is_set = " = " in call.form
    if is_set and len(call.arguments) != 1:
        return None
    given = call.arguments[0][1] if is_set else call_text("", call.arguments)[1:-1]
    text = call.form.replace("{o}", name).replace("{}", given)
    is_statement = is_set or call.form.startswith("del ")
    return Step(StepKind.SETUP if is_statement else StepKind.PROBE, text)


def _operation(form: str, texts: list[str], name: str, kind: StepKind) -> Step | None:
    needed = len(set(re.findall(r"\{(\d)\}", form)))
    if len(texts) < needed:
        return None
    return Step(kind, form.format(*map(_operand, texts), o=name))


def _operand(text: str) -> str:
    """A value as part of an expression: a lambda would swallow what follows."""
    return f"({text})" if text.startswith("lambda") else text


def _names_in(text: str) -> dict[str, None]:
    """The names that code reads, in order."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    return {
        node.id: None
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
