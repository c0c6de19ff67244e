"""Genomes of the search: a call, or an object and a sequence of calls on it, and their text."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hybridgen.domain import (
    Candidate,
    Module,
    Parameter,
    ParameterKind,
    Step,
    StepKind,
    Target,
    TargetKind,
)
from hybridgen.explore.duck import hints_in, members_of
from hybridgen.explore.files import EXISTING, PATH_NAMES, content, writing
from hybridgen.explore.operators import OPERATORS, STATEMENTS
from hybridgen.explore.types import IMPORTS, TypeValues
from hybridgen.explore.values import composed, decimals, kind_of, literals_of, mutate

LONGEST_SEQUENCE = 6
COMPOSED_SHARE = 0.1
"""How often a text is put together from literals of the code: ``"SAVE" + "10"``."""

WRONG_TYPE_SHARE = 0.03
"""How often a value of another type than the hint is tried: code that checks types wants it."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one target; arguments are (keyword or "", source text)."""

    target: str
    arguments: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Genome:
    """An object (or none, for functions) and calls in order."""

    build: Call | None
    calls: tuple[Call, ...]


class CallMaker:
    """Makes and varies genomes for the targets of a module."""

    def __init__(self, module: Module, chooser: random.Random) -> None:
        self._module = module
        self._chooser = chooser
        self._targets = {target.qualname: target for target in module.targets}
        objects = {
            name: (lambda depth, name=name: self.instance(name, depth))
            for name, target in self._targets.items()
            if target.kind is TargetKind.CLASS
        }
        self._types = TypeValues(chooser, objects)
        self._shared = literals_of("\n".join(module.constants))
        self._literals = {name: literals_of(t.source) for name, t in self._targets.items()}
        members = {name: members_of(t) for name, t in self._targets.items() if not t.parent}
        self._hints = {name: hints_in(t, members) for name, t in self._targets.items()}
        self._words = literals_of(module.source.text)
        self._learned: dict[tuple[str, str], list[str]] = {}

    def target(self, qualname: str) -> Target:
        """The target of that name; a class with the parameters that its construction takes."""
        target = self._targets[qualname]
        return self._constructor(target) if target.kind is TargetKind.CLASS else target

    def by_short_name(self, name: str, near: str) -> Target | None:
        """The target that a call of ``name`` in a candidate for ``near`` means."""
        if name in self._targets:
            return self.target(name)
        owner = near.rpartition(".")[0] or near
        return self._targets.get(f"{owner}.{name}")

    def plain_call(self, target: Target, texts: Sequence[str]) -> Call:
        """A call with positional arguments only."""
        return Call(target.qualname, tuple(("", text) for text in texts))

    def learn(self, target: str, parameter: str, value: str) -> None:
        """Adds a value that led somewhere to a parameter's pool."""
        values = self._learned.setdefault((target, parameter), [])
        if value not in values:
            values.append(value)
            del values[:-40]

    def pool(self, target: str) -> tuple[str, ...]:
        """Literals of the target, of what it calls, and the module's constants."""
        found = self._targets.get(target)
        near = [self._literals.get(name, ()) for name in (found.calls if found else ())]
        return tuple(
            dict.fromkeys((*self._literals.get(target, ()), *self._shared[:20], *sum(near, ())))
        )

    def value(self, target: str, parameter: Parameter, depth: int = 0) -> str:
        """A fresh value for one parameter."""
        choose = self._chooser
        learned = self._learned.get((target, parameter.name), [])
        if learned and choose.random() < 0.35:
            return choose.choice(learned)
        hint = parameter.annotation or _hint_from_default(parameter)
        likely = self._hints[target].get(parameter.name, ())
        if parameter.annotation is None and likely and choose.random() < 0.6:
            hint = choose.choice(likely)
        if hint is None and parameter.name in PATH_NAMES and choose.random() < 0.7:
            hint = "Path"
        if choose.random() < WRONG_TYPE_SHARE:
            hint = None
        typed = self._types.of(hint, depth)
        literals = self.pool(target)
        takes_text = any(kind_of(text) == "str" for text in typed)
        if takes_text and literals and choose.random() < COMPOSED_SHARE:
            return composed(literals, choose)
        if parameter.annotation is None and literals and choose.random() < 0.4:
            return choose.choice(literals)
        if parameter.annotation is not None and literals and choose.random() < 0.3:
            kinds = set(map(kind_of, typed))
            fitting = [text for text in literals if kind_of(text) in kinds]
            if any(text.startswith("Decimal(") for text in typed):
                fitting += decimals(literals)
            if fitting:
                return choose.choice(fitting)
        return choose.choice(typed)

    def call(self, target: Target, depth: int = 0) -> Call:
        """A call with fresh arguments; optional ones are left out half of the time."""
        arguments: list[tuple[str, str]] = []
        by_keyword = False
        for parameter in target.parameters:
            kind = parameter.kind
            if kind is ParameterKind.VAR_POSITIONAL:
                count = 0 if by_keyword else self._chooser.choice((0, 1, 2, 3))
                arguments += [
                    ("", self.value(target.qualname, parameter, depth)) for _ in range(count)
                ]
                by_keyword = True
            elif kind is ParameterKind.VAR_KEYWORD:
                if self._chooser.random() < 0.3:
                    arguments.append(("key", self.value(target.qualname, parameter, depth)))
            elif parameter.default is not None and self._chooser.random() < 0.5:
                by_keyword = True
            else:
                value = self.value(target.qualname, parameter, depth)
                is_keyword = by_keyword or kind is ParameterKind.KEYWORD
                if is_keyword and kind is ParameterKind.POSITIONAL_ONLY:
                    break
                arguments.append((parameter.name if is_keyword else "", value))
        return Call(target.qualname, tuple(arguments))

    def instance(self, name: str, depth: int = 0) -> str | None:
        """Source text that builds an object of a class of the module, or None."""
        target = self._targets[name]
        members = enum_members(target)
        if members:
            return f"{name}.{self._chooser.choice(members)}"
        if depth > 3:
            return None
        return call_text(name, self.call(self._constructor(target), depth).arguments)

    def _constructor(self, target: Target) -> Target:
        """The class with the parameters that its construction takes, inherited ones too."""
        seen = target
        for _ in range(5):
            if seen.parameters or f"{seen.qualname}.__init__" in self._targets or not seen.bases:
                break
            base = self._targets.get(seen.bases[0].split(".")[-1].split("[")[0])
            if base is None:
                break
            seen = base
        return replace(target, parameters=seen.parameters)

    def genome(self, target: Target) -> Genome:
        """A fresh genome for a function, a method or a class."""
        if target.kind is TargetKind.FUNCTION:
            return Genome(None, (self.call(target),))
        owner = self._targets[target.parent or ""] if target.kind is TargetKind.METHOD else target
        if target.binding in ("class", "static"):
            return Genome(None, (self.call(target),))
        build = Call(owner.qualname, self.call(self._constructor(owner)).arguments)
        if target.kind is TargetKind.CLASS:
            others = [self.call(m) for m in self.methods(owner)]
            self._chooser.shuffle(others)
            return Genome(build, tuple(others[: self._chooser.randint(0, 3)]))
        before = [self.call(m) for m in self.methods(owner) if m.name != "__init__"]
        self._chooser.shuffle(before)
        count = self._chooser.choice((0, 0, 1, 2))
        calls = (
            before[:count] if target.name == "__init__" else [*before[:count], self.call(target)]
        )
        return Genome(build, tuple(calls))

    def methods(self, owner: Target) -> list[Target]:
        """Public methods and operators of a class that can be called on an object."""
        return [
            target
            for target in self._targets.values()
            if target.parent == owner.qualname
            and not target.is_private
            and target.binding in ("instance", "property")
            and (
                not _is_dunder(target.name) or target.name in {*OPERATORS, *STATEMENTS, "__call__"}
            )
        ]

    def vary(self, genome: Genome) -> Genome:
        """A genome near ``genome``: one argument changed, or the sequence of calls."""
        choose = self._chooser
        if genome.build is not None and choose.random() < 0.5:
            owner = self._targets.get(genome.build.target)
            methods = self.methods(owner) if owner else []
            calls = list(genome.calls)
            if methods and (
                not calls or (choose.random() < 0.75 and len(calls) < LONGEST_SEQUENCE)
            ):
                calls.insert(choose.randint(0, len(calls)), self.call(choose.choice(methods)))
            elif calls and choose.random() < 0.5:
                del calls[choose.randrange(len(calls))]
            else:
                choose.shuffle(calls)
            return replace(genome, calls=tuple(calls))
        everything = [*([genome.build] if genome.build else []), *genome.calls]
        at = choose.randrange(len(everything))
        changed = self._vary_call(everything[at])
        if genome.build is not None and at == 0:
            return replace(genome, build=changed)
        calls = list(genome.calls)
        calls[at - (1 if genome.build else 0)] = changed
        return replace(genome, calls=tuple(calls))

    def _vary_call(self, call: Call) -> Call:
        target = self._targets[call.target]
        if target.kind is TargetKind.CLASS:
            target = self._constructor(target)
        if not call.arguments or self._chooser.random() < 0.2:
            return Call(call.target, self.call(target).arguments)
        arguments = list(call.arguments)
        for _ in range(self._chooser.choice((1, 1, 2))):
            at = self._chooser.randrange(len(arguments))
            keyword, text = arguments[at]
            parameter = parameter_at(target, at, keyword)
            changed = mutate(text, self.pool(call.target), self._chooser)
            if changed is None or self._chooser.random() < 0.1:
                changed = text if parameter is None else self.value(target.qualname, parameter)
            arguments[at] = (keyword, changed)
        return Call(call.target, tuple(arguments))

    def is_odd(self, genome: Genome) -> bool:
        """True if an argument is of another type than its hint: a test that few would write."""
        for call in (*([genome.build] if genome.build else ()), *genome.calls):
            target = self.target(call.target)
            for at, (keyword, text) in enumerate(call.arguments):
                parameter = parameter_at(target, at, keyword)
                if parameter is not None and not self._fits(parameter, text):
                    return True
        return False

    def _fits(self, parameter: Parameter, text: str) -> bool:
        if parameter.annotation is None or text == parameter.default:
            return True
        kinds = {kind_of(value) for value in self._types.of(parameter.annotation)}
        kind = kind_of(text)
        return kind in kinds or (kind == "int" and "float" in kinds)

    def candidate(self, genome: Genome, target: Target) -> Candidate | None:
        """The candidate that runs a genome, or None where it cannot be written down."""
        steps: list[Step] = []
        name = ""
        if genome.build is not None:
            owner = self._targets[genome.build.target]
            members = enum_members(owner)
            name = variable_name(owner.qualname, self._module.names)
            built = (
                f"{owner.qualname}.{self._chooser.choice(members)}"
                if members
                else call_text(owner.qualname, genome.build.arguments)
            )
            steps.append(Step(StepKind.SETUP, f"{name} = {built}"))
            if not genome.calls:
                steps.append(Step(StepKind.PROBE, name))
        for call in genome.calls:
            step = self._step(call, name)
            if step is None:
                return None
            steps.append(step)
        text = "\n".join(step.code for step in steps)
        if EXISTING in text:
            inside = content(self._words, self._chooser)
            steps.insert(0, Step(StepKind.SETUP, writing(inside)))
        imports = tuple(line for word, line in IMPORTS.items() if re.search(rf"\b{word}[.(]", text))
        return Candidate(
            target=target.qualname,
            steps=tuple(steps),
            label=self._module.label,
            origin="odd" if self.is_odd(genome) else "search",
            imports=imports,
            fixtures=("tmp_path",) if "tmp_path" in text else (),
        )

    def _step(self, call: Call, name: str) -> Step | None:
        target = self._targets[call.target]
        if target.kind is TargetKind.FUNCTION or target.binding in ("class", "static"):
            return Step(StepKind.PROBE, call_text(target.qualname, call.arguments))
        if target.binding == "property":
            return Step(StepKind.PROBE, f"{name}.{target.name}")
        if target.name == "__call__":
            return Step(StepKind.PROBE, call_text(name, call.arguments))
        texts = [text for _, text in call.arguments]
        for table, kind in ((OPERATORS, StepKind.PROBE), (STATEMENTS, StepKind.SETUP)):
            if target.name in table:
                needed = len(set(re.findall(r"\{(\d)\}", table[target.name])))
                if len(texts) < needed:
                    return None
                return Step(kind, table[target.name].format(*(f"{t}" for t in texts), o=name))
        if _is_dunder(target.name):
            return None
        return Step(StepKind.PROBE, call_text(f"{name}.{target.name}", call.arguments))


def parameter_at(target: Target, at: int, keyword: str) -> Parameter | None:
    """The parameter that an argument goes to, None for what ``*args`` takes in."""
    if keyword:
        return next((p for p in target.parameters if p.name == keyword), None)
    return target.parameters[at] if at < len(target.parameters) else None


def enum_members(target: Target) -> tuple[str, ...]:
    """Members of an enumeration by its source, () for any other class."""
    if not any("Enum" in base or "Flag" in base for base in target.bases):
        return ()
    try:
        body = ast.parse(target.source).body[0]
    except (SyntaxError, ValueError, IndexError):
        return ()
    if not isinstance(body, ast.ClassDef):
        return ()
    names = [
        node.targets[0].id
        for node in body.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    ]
    return tuple(name for name in names if not name.startswith("_"))


def call_text(function: str, arguments: Sequence[tuple[str, str]]) -> str:
    """``function(a, key=b)`` as source text."""
    parts = (f"{keyword}={text}" if keyword else text for keyword, text in arguments)
    return f"{function}({', '.join(parts)})"


def variable_name(class_name: str, taken: frozenset[str]) -> str:
    """A variable for an object of a class: ``ShoppingCart`` -> ``shopping_cart``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name.split(".")[-1]).lower().strip("_")
    return f"{words}_1" if words in taken or not words.isidentifier() else words


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _hint_from_default(parameter: Parameter) -> str | None:
    """A type hint guessed from a default: ``sep=","`` is a str; None and names say nothing."""
    if parameter.default is None or parameter.default == "None":
        return None
    kind = kind_of(parameter.default)
    return None if kind in ("other", "NoneType") else kind
