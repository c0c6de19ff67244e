"""Makes and varies genomes: build an object, change it, ask it; what comes back is used again."""

from __future__ import annotations

import ast
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hybridgen.domain import Target, TargetKind
from hybridgen.explore.genomes.arguments import Arguments, parameter_at, with_argument
from hybridgen.explore.genomes.catalogue import Catalogue, changes_state, setter_parameter
from hybridgen.explore.genomes.genome import (
    RESULT,
    Call,
    Genome,
    object_name,
    variable_name,
)
from hybridgen.explore.genomes.roles import Role
from hybridgen.explore.genomes.samples import Samples
from hybridgen.explore.genomes.slots import parts_of, put
from hybridgen.explore.genomes.stepping import Stepping
from hybridgen.explore.values.literals import mutate

LONGEST_SEQUENCE = 6
FOLLOW_SHARE = 0.3
"""How often a variation uses what a call gave, where it gave something to be used."""

PART_SHARE = 0.3
"""How often an argument that is built by a call is made afresh, not varied."""

ECHO_SHARE = 0.4
"""How often an argument repeats one of an earlier call on the same object."""

FILLED_SHARE = 0.4
"""How often a collection that an object holds is filled from outside."""

FOLLOW_UPS = (0, 0, 1, 1, 2, 3)
"""How many calls on what a function gave a fresh genome has."""

LONGEST_CHAIN = 3
"""So often the result of a result is called at most."""


class Sequences:
    """Genomes for the targets of a module."""

    def __init__(self, catalogue: Catalogue, arguments: Arguments, chooser: random.Random) -> None:
        self._catalogue = catalogue
        self._arguments = arguments
        self._chooser = chooser
        self._changing = {
            target.qualname: changes_state(target)
            for target in catalogue.targets.values()
            if target.kind is TargetKind.METHOD
        }
        self._samples = Samples(catalogue, arguments, chooser)
        self._stepping = Stepping(arguments, chooser)
        self._returned: dict[str, str] = {}
        self._usable: Counter[str] = Counter()  # how often more than a plain value was given

    def returned(self, target: str, kind: str) -> None:
        """Notes what a call of a target gave: the name of a class, or ``RESULT`` for a function."""
        if target.count(RESULT) < LONGEST_CHAIN:
            self._returned[target] = kind
            self._usable[target] += 1

    def returned_plainly(self, target: str) -> None:
        """Notes that a call gave a number or the like, of which nothing can be asked."""
        self._usable[target] -= 1

    def genome(self, target: Target) -> Genome:
        """A fresh genome for a function, a method or a class."""
        self._arguments.change_theme()
        in_sample = self._samples.genome(target)
        if in_sample is not None:
            return self._echoed(in_sample)
        if target.kind is TargetKind.FUNCTION or target.binding in ("class", "static"):
            around = self._around_object(target)
            if around is not None:
                return around
            genome = self._stepped(Genome(None, (self._arguments.call(target),)), target)
            if len(genome.calls) > 1:
                return genome
            for _ in range(self._chooser.choice(FOLLOW_UPS) if self._gives(target) else 0):
                genome = self._followed(genome) or genome
            return genome
        owner = target
        if target.kind is TargetKind.METHOD:
            owner = self._catalogue.targets[target.parent or ""]
        build = self._arguments.construction(self._concrete(owner))
        methods = [m for m in self._catalogue.methods(owner.qualname) if m.name != "__init__"]
        self._chooser.shuffle(methods)
        methods.sort(key=lambda m: not self._is_first(m))
        if target.kind is TargetKind.CLASS:
            others = methods[: self._chooser.randint(0, 3)]
        elif target.name == "__init__":
            others = methods[:1]
        else:
            others = [*methods[: self._chooser.choice((0, 0, 1, 2, 3))], target]
        calls = [*self._fillings(owner.qualname), *map(self._call, others)]
        return self._stepped(self._echoed(Genome(build, tuple(calls))), target)

    def _stepped(self, genome: Genome, target: Target) -> Genome:
        """``genome`` in which the generator that its last call gives is asked step by step."""
        taken = self._catalogue.module.names | {object_name(genome, self._catalogue.module.names)}
        name = next(name for name in ("steps", "generator", "the_steps") if name not in taken)
        later = self._stepping.calls(target, name)
        if not later or not genome.calls or genome.calls[-1].target != target.qualname:
            return genome
        last = replace(genome.calls[-1], binds=name)
        return replace(genome, calls=(*genome.calls[:-1], last, *later))

    def _around_object(self, target: Target) -> Genome | None:
        """A call with an object whose collections were filled; None where it wants no such."""
        wanted = self._arguments.objects_for(target)
        if not wanted or self._chooser.random() > FILLED_SHARE:
            return None
        parameter, kind = self._chooser.choice(list(wanted.items()))
        build = self._arguments.construction(self._catalogue.targets[kind])
        call = self._arguments.call(target)
        genome = Genome(build, (*self._fillings(kind), call))
        name = object_name(genome, self._catalogue.module.names)
        return with_argument(genome, target, parameter, name)

    def _fillings(self, kind: str) -> list[Call]:
        """Settings of collections that objects of a class hold, now and then."""
        return [
            Call(
                held.qualname,
                self._arguments.call(held).arguments,
                form=f"{{o}}.{held.name} = {{}}",
            )
            for held in self._catalogue.holdings.get(kind, ())
            if self._chooser.random() < FILLED_SHARE
        ]

    def _gives(self, target: Target) -> bool:
        """Whether a target gave something that can be called or asked."""
        return self._usable[target.qualname] > 0

    def _echoed(self, genome: Genome) -> Genome:
        """Later calls speak of what earlier ones did: the key that was set is asked for."""
        seen: list[tuple[str, str]] = []
        calls = []
        for call in (genome.build, *genome.calls):
            if call is None:
                continue
            target = self._catalogue.target(call.target)
            arguments = list(call.arguments)
            for at, (keyword, text) in enumerate(arguments):
                parameter = parameter_at(target, at, keyword)
                name = parameter.name if parameter is not None else ""
                known = [value for other, value in seen if other == name] or [
                    value for other, value in seen if not other
                ]
                if call is not genome.build and known and self._chooser.random() < ECHO_SHARE:
                    arguments[at] = (keyword, self._chooser.choice(known))
                else:
                    seen += [(name, text), *(("", item) for item in items_of(text))]
            calls.append(replace(call, arguments=tuple(arguments)))
        if genome.build is None:
            return replace(genome, calls=tuple(calls))
        return replace(genome, build=calls[0], calls=tuple(calls[1:]))

    def _is_first(self, method: Target) -> bool:
        """Whether a method goes first this time: those that change the object mostly do."""
        share = 0.7 if self._changing.get(method.qualname) else 0.3
        return self._chooser.random() < share

    def _concrete(self, owner: Target) -> Target:
        heirs = self._catalogue.heirs.get(owner.qualname, ())
        if heirs and self._catalogue.is_abstract(owner.qualname):
            return self._catalogue.targets[self._chooser.choice(heirs)]
        return owner

    def _call(self, target: Target) -> Call:
        """A call of a method; a property is set as often as it is read."""
        setter = setter_parameter(target)
        if setter is not None and self._chooser.random() < 0.5:
            return Call(target.qualname, (("", self._arguments.value(target.qualname, setter)),))
        return self._arguments.call(target)

    # ---- variation

    def vary(self, genome: Genome) -> Genome:
        """A genome near ``genome``: an argument changed, the sequence of calls, or what it uses."""
        choose = self._chooser
        self._arguments.change_theme()
        if choose.random() < FOLLOW_SHARE:
            followed = self._followed(genome)
            if followed is not None:
                return followed
        if genome.build is not None and choose.random() < 0.1:
            return _sound(self._shared(genome), genome)
        if genome.build is not None and choose.random() < 0.5:
            return _sound(self._reordered(genome), genome)
        everything = [*([genome.build] if genome.build else []), *genome.calls]
        at = choose.randrange(len(everything))
        changed = self._changed(everything[at])
        if genome.build is not None and at == 0:
            return replace(genome, build=changed)
        calls = list(genome.calls)
        calls[at - (1 if genome.build else 0)] = changed
        return replace(genome, calls=tuple(calls))

    def _reordered(self, genome: Genome) -> Genome:
        """A call more or less, or another order."""
        choose = self._chooser
        methods = self._methods(genome)
        calls = list(genome.calls)
        if genome.sample is not None and choose.random() < 0.6:
            more = self._samples.more(genome) if len(calls) < LONGEST_SEQUENCE else None
            return replace(genome, calls=(*calls, more) if more is not None else tuple(calls))
        if methods and (not calls or (choose.random() < 0.75 and len(calls) < LONGEST_SEQUENCE)):
            at = choose.randint(0, len(calls))
            method = choose.choice(methods)
            if choose.random() < 0.4:
                method = max(choose.sample(methods, min(3, len(methods))), key=self._is_first)
            calls.insert(at, self._call(method))
            return self._echoed(replace(genome, calls=tuple(calls)))
        elif calls and choose.random() < 0.5:
            del calls[choose.randrange(len(calls))]
        else:
            choose.shuffle(calls)
        return replace(genome, calls=tuple(calls))

    def _methods(self, genome: Genome) -> Sequence[Target]:
        """The methods that calls of a genome may have: those of its object."""
        is_heir = genome.sample is None or genome.sample.role == Role.BASE
        return self._catalogue.methods(genome.build.target) if genome.build and is_heir else ()

    def _shared(self, genome: Genome) -> Genome:
        """The object itself as an argument of one of its calls."""
        at = [
            index
            for index, call in enumerate(genome.calls)
            if call.arguments and not (call.on or call.form)
        ]
        if not at or genome.build is None:
            return genome
        index = self._chooser.choice(at)
        call = genome.calls[index]
        place = self._chooser.randrange(len(call.arguments))
        arguments = list(call.arguments)
        name = object_name(genome, self._catalogue.module.names)
        arguments[place] = (arguments[place][0], name)
        calls = list(genome.calls)
        calls[index] = replace(call, arguments=tuple(arguments))
        return replace(genome, calls=tuple(calls))

    def _changed(self, call: Call) -> Call:
        target = self._catalogue.target(call.target)
        if not call.arguments or self._chooser.random() < 0.2:
            return replace(call, arguments=self._call(target).arguments)
        arguments = list(call.arguments)
        for _ in range(self._chooser.choice((1, 1, 2))):
            at = self._chooser.randrange(len(arguments))
            keyword, text = arguments[at]
            parameter = parameter_at(target, at, keyword) or setter_parameter(target)
            changed = self._near(text, self._arguments.pool(call.target))
            if changed is None or self._chooser.random() < 0.15:
                changed = (
                    text if parameter is None else self._arguments.value(target.qualname, parameter)
                )
            arguments[at] = (keyword, changed)
        return replace(call, arguments=tuple(arguments))

    def _near(self, text: str, pool: Sequence[str]) -> str | None:
        """A value near ``text``: of what is built by a call, one of its arguments is changed."""
        parts = parts_of(text)
        if not parts or self._chooser.random() < PART_SHARE:
            return mutate(text, pool, self._chooser)
        _, place = self._chooser.choice(parts)
        changed = mutate(text[slice(*place)], pool, self._chooser)
        return put(text, place, changed) if changed is not None else None

    # ---- results

    def _followed(self, genome: Genome) -> Genome | None:
        """What one of the calls gives is kept, and called or asked; None if nothing can be."""
        places = [i for i, call in enumerate(genome.calls) if self._usable[call.target] > 0]
        if not places or len(genome.calls) >= LONGEST_SEQUENCE:
            return None
        index = self._chooser.choice(places)
        call = genome.calls[index]
        name = call.binds or self._name_for(genome, call)
        later = self._use_of(call, name)
        if later is None:
            return None
        calls = list(genome.calls)
        calls[index] = replace(call, binds=name)
        calls.append(later)
        return replace(genome, calls=tuple(calls))

    def _use_of(self, call: Call, name: str) -> Call | None:
        kind = self._returned[call.target]
        if kind == RESULT:
            target = self._catalogue.target(call.target + RESULT)
            count = _count_of(call.arguments)
            made = self._arguments.call(target).arguments
            if count is not None and self._chooser.random() < 0.7:
                value = self._arguments.value
                made = tuple(
                    ("", value(target.qualname, target.parameters[0])) for _ in range(count)
                )
            return Call(target.qualname, made, on=name)
        methods = self._catalogue.methods(kind)
        if not methods:
            return None
        return replace(self._call(self._chooser.choice(methods)), on=name)

    def _name_for(self, genome: Genome, call: Call) -> str:
        """A name for what a call gives, unlike all others of the genome."""
        kind = self._returned[call.target]
        takes_function = any(text.startswith("lambda") for _, text in call.arguments)
        name = "decorated" if takes_function else "function"
        if kind != RESULT:
            name = variable_name(kind, self._catalogue.module.names)
        taken = {other.binds for other in genome.calls} | self._catalogue.module.names
        if genome.build is not None:
            taken |= {object_name(genome, self._catalogue.module.names)}
        numbered = (f"{name}_{number}" for number in range(2, 20))
        return next(one for one in (name, *numbered) if one not in taken)


def items_of(text: str) -> tuple[str, ...]:
    """The items of a list, a set or a tuple in source form, the keys of a dictionary."""
    if text[:1] not in "[{(":
        return ()
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return ()
    if isinstance(node, ast.Dict):
        return tuple(ast.unparse(key) for key in node.keys[:8] if key is not None)
    if isinstance(node, ast.List | ast.Set | ast.Tuple):
        return tuple(ast.unparse(item) for item in node.elts[:8])
    return ()


def _count_of(arguments: Sequence[tuple[str, str]]) -> int | None:
    """How many arguments the first lambda among arguments takes."""
    for _, text in arguments:
        if text.startswith("lambda"):
            node = ast.parse(text, mode="eval").body
            if isinstance(node, ast.Lambda) and not node.args.vararg:
                return len(node.args.args)
    return None


def _sound(genome: Genome, before: Genome) -> Genome:
    """``genome`` without calls that use what is not bound before them any more."""
    names = [call.binds for call in before.calls if call.binds]
    if not names:
        return genome
    bound: set[str] = set()
    calls = []
    for call in genome.calls:
        text = " ".join((call.on, *(text for _, text in call.arguments)))
        missing = [n for n in names if n not in bound and re.search(rf"\b{n}\b", text)]
        if not missing:
            calls.append(call)
            bound.add(call.binds)
    return replace(genome, calls=tuple(calls))
