"""Small classes and functions that use what is under test as its own callers do.

A test of a descriptor or a decorator needs a class of its own, as small as it can be::

    class Sample:
        @cached("x")
        def value(self):
            return 1
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from hybridgen.domain import Target, TargetKind
from hybridgen.explore.genomes.arguments import Arguments
from hybridgen.explore.genomes.bodies import Bodies, attributes_set, is_counting, sample_of_class
from hybridgen.explore.genomes.catalogue import Catalogue
from hybridgen.explore.genomes.genome import MADE, RESULT, Call, Genome, Sample, call_text
from hybridgen.explore.genomes.operators import OPERATORS
from hybridgen.explore.genomes.roles import ACCESSED, ACCESSES, Role, Use, uses_of
from hybridgen.explore.values.literals import kind_of

SHARE, METHOD_SHARE = 0.5, 0.2
"""How often what can be used in a sample is, and what has methods of its own to be called; else it
is called like anything else."""

MANY_METHODS = 4
HEIRS = ("Sample", "Other")
"""What the names of classes begin with that fill in an abstract one."""


MOST_USES = (1, 2, 2, 3, 3, 4)
REPEAT_SHARE = 0.35
"""How often a use is repeated as it was: what is cached shows the second time."""

PLAIN_SHARE = 0.7
PLAIN = ("1", "2", "'a'", "[1, 2]")
"""What is passed through a decorator matters little, and is so often one of these."""

CLASS_NAMES = ("Sample", "Specimen", "SampleClass")


class Samples:
    """Makes genomes with samples for the targets of a module."""

    def __init__(self, catalogue: Catalogue, arguments: Arguments, chooser: random.Random) -> None:
        self._catalogue = catalogue
        self._arguments = arguments
        self._chooser = chooser
        taken = catalogue.module.names
        self._class = next((name for name in CLASS_NAMES if name not in taken), "TheSample")
        self._name = next((n for n in ("sample", "specimen") if n not in taken), "the_sample")
        self._heirs: dict[str, list[str]] = {}
        self._being_made: set[str] = set()
        arguments.heir = self.heir
        self._bodies = Bodies(arguments, chooser, self._class)
        self._uses: dict[str, tuple[Use, ...]] = {
            name: uses_of(target, catalogue, arguments.takes_function)
            for name, target in catalogue.own.items()
            if not (target.is_private and target.kind is TargetKind.FUNCTION)
        }

    def genome(self, target: Target) -> Genome | None:
        """A genome in which a sample uses a target, or None where it is better called."""
        name = target.parent or "" if target.kind is TargetKind.METHOD else target.qualname
        uses = self._uses.get(name, ())
        is_certain = target.name in ACCESSES or self._is_unreachable(target)
        if not uses or not (is_certain or self._chooser.random() < self._share(target)):
            return None
        owner = self._catalogue.targets[name]
        role, is_called = self._chooser.choice(uses)
        genome = self._made(owner, role, is_called)
        calls: list[Call] = []
        for _ in range(self._chooser.choice(MOST_USES)):
            call = self._call_of(target, role) if is_certain and not calls else None
            call = call or self.more(genome)
            if call is not None:
                calls += [call] * (2 if self._chooser.random() < REPEAT_SHARE else 1)
        if genome.sample is not None and is_counting(genome.sample.code):
            calls.append(self._formed(owner.qualname, _counted(genome.sample)))
        return Genome(genome.build, tuple(calls), genome.sample)

    def _share(self, target: Target) -> float:
        """How often a target is used in a sample: less where calls say as much."""
        if target.kind is TargetKind.METHOD:
            return METHOD_SHARE
        methods = self._catalogue.methods(target.qualname)
        return SHARE if len(methods) < MANY_METHODS else METHOD_SHARE

    def _is_unreachable(self, target: Target) -> bool:
        """Whether nothing but an heir of its class has a method."""
        parent = target.parent or target.qualname
        return (
            any(role is Role.BASE for role, _ in self._uses.get(parent, ()))
            and self._catalogue.is_abstract(parent)
            and target.binding not in ("class", "static")
        )

    def more(self, genome: Genome) -> Call | None:
        """One more use of what a genome builds."""
        sample, build = genome.sample, genome.build
        assert sample is not None and build is not None, "only of a genome with a sample"
        if sample.role == Role.BASE:
            methods = self._catalogue.methods(build.target)
            if not methods or self._chooser.random() < 0.05:
                return self._formed(build.target, self._about_class(build.target))
            return self._asked(self._chooser.choice(methods))
        if sample.role in (Role.FIELD, Role.PROPERTY):
            return self._access(build.target, sample)
        if sample.role in (Role.METHOD, Role.FUNCTION):
            return self._application(build.target, sample)
        return self._instance(build.target)

    # ---- what is defined

    def _made(self, owner: Target, role: Role, is_called: bool) -> Genome:
        construction = self._named(owner, self._arguments.construction(self._concrete(owner, role)))
        if role is Role.BASE:
            return self._heir(owner, construction)
        is_bare = not is_called
        source = owner.source
        if is_bare and role in (Role.METHOD, Role.PROPERTY) and self._has_options(owner):
            if construction.arguments and self._chooser.random() < 0.3:
                role, is_bare = Role.FIELD, False  # value = cached(lambda self: 1, key=2)
        build = Call(construction.target, () if is_bare else construction.arguments)
        made = f"{self._class}()"
        match role:
            case Role.FIELD:
                code = f"class {self._class}:\n    value = {MADE}"
            case Role.CLASS:
                code = f"@{MADE}\n{sample_of_class(source, self._class, self._chooser)}"
            case Role.FUNCTION:
                code, made = self._bodies.function(source, self._name), ""
            case _:
                code = self._bodies.class_with_method(source, is_property=role is Role.PROPERTY)
        if is_bare:
            code = code.replace(f"{MADE}", build.target)
        return Genome(build, (), Sample(role, code, made, self._name))

    def _named(self, owner: Target, call: Call) -> Call:
        """A call whose texts are now and then names of what a sample has."""
        if "attr(" not in owner.source and "__dict__" not in owner.source:
            return call
        given = [
            (keyword, self._chooser.choice(("'value'", "'calls'")))
            if kind_of(text) == "str" and self._chooser.random() < 0.5
            else (keyword, text)
            for keyword, text in call.arguments
        ]
        return Call(call.target, tuple(given))

    def _concrete(self, owner: Target, role: Role) -> Target:
        """A descriptor's class itself, or for an abstract one a class that inherits from it."""
        heirs = self._catalogue.heirs.get(owner.qualname, ())
        is_abstract = owner.kind is TargetKind.CLASS and self._catalogue.is_abstract(owner.qualname)
        if role is not Role.BASE and heirs and is_abstract:
            return self._catalogue.targets[self._chooser.choice(heirs)]
        return owner

    def _has_options(self, owner: Target) -> bool:
        return len(self._catalogue.target(owner.qualname).parameters) > 1

    def _heir(self, owner: Target, construction: Call) -> Genome:
        methods = list(self._catalogue.inherited(owner.qualname))
        keywords = ""
        hook = next((m for m in methods if m.name == "__init_subclass__"), None)
        if hook is not None and hook.parameters and self._chooser.random() < 0.6:
            given = self._arguments.call(hook).arguments
            named = zip(hook.parameters, given, strict=False)
            keywords = "".join(
                f", {keyword or parameter.name}={text}"
                for parameter, (keyword, text) in named
                if not parameter.kind.is_variadic
            )
        body = self._bodies.of_heir(owner.source, methods)
        fields = [name for name in self._catalogue.classes if self._describes(name)]
        if fields and "metaclass=" in owner.source.partition(":")[0]:
            made = self._arguments.instance(self._chooser.choice(fields))
            body = [f"    value = {made}", *body] if made else body
        code = "\n".join((f"class {self._class}({owner.qualname}{keywords}):", *body))
        made = f"{self._class}{MADE}"
        return Genome(construction, (), Sample(Role.BASE, code, made, self._name))

    def _describes(self, name: str) -> bool:
        return (Role.FIELD, True) in self._uses.get(name, ())

    def heir(self, name: str, depth: int) -> str | None:
        """Source text for an object of a class that inherits from an abstract one."""
        known = self._heirs.setdefault(name, [])
        if len(known) < len(HEIRS) and name not in self._being_made:
            self._being_made.add(name)
            methods = list(self._catalogue.inherited(name))
            body = self._bodies.of_heir(self._catalogue.targets[name].source, methods)
            self._being_made.discard(name)
            made = f"{HEIRS[len(known)]}{name}"
            if made not in self._catalogue.module.names:
                known.append(made)
                self._arguments.defined[made] = "\n".join((f"class {made}({name}):", *body))
        if not known:
            return None
        owner = self._catalogue.targets[name]
        given = self._arguments.construction(owner, depth + 1).arguments
        return call_text(self._chooser.choice(known), given)

    # ---- how it is used

    def _formed(self, target: str, form: str, arguments: Sequence[str] = ()) -> Call:
        return Call(f"{target}{RESULT}", tuple(("", text) for text in arguments), form=form)

    def _about_class(self, owner: str) -> str:
        """Something that a base, or its metaclass, may have given to the class itself."""
        source = self._catalogue.module.source.text
        found = [f"{self._class}.{name}" for name in attributes_set(source)]
        return self._chooser.choice(found or [f"issubclass({self._class}, {owner})"])

    def _call_of(self, target: Target, role: Role) -> Call | None:
        """The use of a sample that shows a method."""
        if role in (Role.FIELD, Role.PROPERTY) and target.name in ACCESSED:
            return self._accessed(target.parent or "", target.name)
        is_plain = target.binding in ("instance", "property") and target.name not in ACCESSES
        return self._asked(target) if is_plain and role is Role.BASE else None

    def _asked(self, method: Target) -> Call:
        """A call of a method of an heir; operators are mostly given another heir."""
        call = self._arguments.call(method)
        is_operator = method.name in OPERATORS and len(call.arguments) == 1
        if is_operator and self._chooser.random() < 0.6:
            return Call(call.target, (("", f"{self._class}()"),))
        return call

    def _accessed(self, owner: str, method: str) -> Call:
        found = next((m for m in self._catalogue.inherited(owner) if m.name == method), None)
        form = {"__get__": "{o}.value", "__delete__": "del {o}.value"}.get(method, "")
        if method == "__set__" and found is not None:
            given = self._arguments.call(self._catalogue.target(found.qualname)).arguments
            return Call(found.qualname, given, form="{o}.value = {}")
        return Call(found.qualname, (), form=form) if found else self._formed(owner, form)

    def _access(self, owner: str, sample: Sample) -> Call:
        names = {method.name for method in self._catalogue.inherited(owner)}
        weighted = [("get", 5), ("class", 2), ("delete", 1)]
        weighted += [("set", 4)] if "__set__" in names else [("any", 1)]
        weighted += [("calls", 2)] if "calls" in sample.code else []
        weighted += [("call", 2)] if "__get__" not in names or "partial" in sample.code else []
        kinds, weights = zip(*weighted, strict=True)
        kind = self._chooser.choices(kinds, weights)[0]
        if kind in ("get", "set", "delete"):
            return self._accessed(owner, f"__{kind}__")
        if kind == "any":
            return self._formed(owner, "{o}.value = {}", [self._any(owner)])
        forms = {"class": f"{self._class}.value", "calls": "{o}.calls", "call": "{o}.value()"}
        return self._formed(owner, forms[kind])

    def _any(self, owner: str) -> str:
        if self._chooser.random() < PLAIN_SHARE:
            return self._chooser.choice(PLAIN)
        target = self._catalogue.target(f"{owner}{RESULT}")
        return self._arguments.value(target.qualname, target.parameters[0])

    def _application(self, owner: str, sample: Sample) -> Call:
        used = "{o}" if sample.role == Role.FUNCTION else "{o}.method"
        forms = [f"{used}({{}})"] * 5
        if "calls" in sample.code:
            forms.append(_counted(sample))
        for name in attributes_set(self._catalogue.targets[owner].source):
            forms += [f"{used}.{name}", f"{used}.{name}()"]
            if sample.role == Role.METHOD:
                forms.append(f"{used}.{name}({{o}})")
        forms.append(f"{used}.__name__")
        if sample.role == Role.METHOD:
            forms.append(f"{self._class}.method({{o}})")
        form = self._chooser.choice(forms)
        count = _count(sample.code) if "{}" in form else 0
        return self._formed(owner, form, [self._any(owner) for _ in range(count)])

    def _instance(self, owner: str) -> Call:
        source = self._catalogue.targets[owner].source
        one = f"{self._class}({self._chooser.choice((1, 2, 3))})"
        forms = ["{o}.value", "{o}.value = {}", "repr({o})", f"{self._class}.__name__"]
        forms += [f"{one}.value", f"{self._class}() is {{o}}"]
        for name, form in OPERATORS.items():
            if name in source and "{1}" not in form:
                forms += [form.replace("{0}", one)] * 2
        for name in attributes_set(source):
            forms += [f"{{o}}.{name}", f"{{o}}.{name}()", f"{self._class}.{name}"]
        others = [
            t
            for t in self._catalogue.own.values()
            if t.kind is TargetKind.FUNCTION and t.parameters and not t.is_private
        ]
        if others and self._chooser.random() < 0.4:
            other = self._chooser.choice(others)
            call = self._arguments.call(other)
            given = self._chooser.choice((self._class, repr(self._class), self._name))
            return Call(call.target, (("", given), *call.arguments[1:]))
        form = self._chooser.choice(forms)
        return self._formed(owner, form, [self._any(owner)] if "{}" in form else [])


def _counted(sample: Sample) -> str:
    """How often the function of a sample was called."""
    return "len(calls)" if sample.role == Role.FUNCTION else "{o}.calls"


def _count(code: str) -> int:
    """How many arguments the decorated function of a sample takes."""
    head = code.rpartition("def ")[2].partition(")")[0].partition("(")[2]
    return len([part for part in head.split(",") if part.strip() not in ("", "self")])
