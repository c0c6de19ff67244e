"""Arguments for calls: fresh values for parameters, and objects of the project built from them."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Mapping
from dataclasses import replace

from hybridgen.domain import Parameter, ParameterKind, Target
from hybridgen.explore.genomes.catalogue import Catalogue, is_protocol, keyword_names
from hybridgen.explore.genomes.doubles import Doubles
from hybridgen.explore.genomes.genome import RESULT, Call, Genome, call_text
from hybridgen.explore.genomes.holdings import holdings_of
from hybridgen.explore.syntax import tree_of
from hybridgen.explore.values.drawn import Drawn
from hybridgen.explore.values.files import PATH_NAMES
from hybridgen.explore.values.literals import composed, decimals, kind_of, literals_of
from hybridgen.explore.values.types import TypeValues
from hybridgen.explore.wanted.duck import FUNCTION_NAMES, Ducks, members_of
from hybridgen.explore.wanted.wants import Wants

COMPOSED_SHARE = 0.1
"""How often a text is put together from literals of the code: ``"SAVE" + "10"``."""

WRONG_TYPE_SHARE = 0.06
"""How often a value of another type than the hint is tried: code that checks types wants it."""

DRAWN_SHARE = 0.06
"""How often a value of a built-in type is one that hypothesis drew: variety, but hard to read."""

SWITCH_SHARE = 0.8
"""How often a switch that is given is given the other way than by default."""

SAID_SHARE = 0.2
"""How often an annotation is followed that names no type that values are made for."""

LEARNED_SHARE = 0.35
LARGEST_SIZE = 5_000
MOST_MADE = 12
MADE_SHARE = 0.2
"""How often an object of a public class is built as an earlier call came by one."""

SWITCHED = {"True": "False", "False": "True"}
THEMES = ("int", "int", "int", "str", "str", "tuple", "float", "any", "any")


class Arguments:
    """Makes arguments for the targets of a module.

    Attributes:
        heir: builds an object of an abstract class that nothing in the module inherits from.
        defined: classes that values name and a test has to define, by name.
    """

    def __init__(self, catalogue: Catalogue, chooser: random.Random) -> None:
        self._catalogue = catalogue
        self._chooser = chooser
        objects = {
            name: (lambda depth, name=name: self.instance(name, depth))
            for name in catalogue.classes
        }
        ducks = Ducks(catalogue.targets)
        for name in catalogue.classes:
            catalogue.holdings[name] = holdings_of(catalogue.targets[name], ducks)
        self.defined: dict[str, str] = {}
        doubles = Doubles(ducks.doubles, self.defined, chooser)
        self._types = TypeValues(
            chooser, objects, catalogue.definitions, catalogue.heirs, doubles.of
        )
        doubles.types = self._types
        module = catalogue.module
        self._shared = literals_of("\n".join(module.constants))
        self._literals = {n: literals_of(t.source) for n, t in catalogue.targets.items()}
        self._types.sizes = _sizes(module.source.text)
        self._hints = {name: ducks.hints(catalogue.target(name)) for name in catalogue.targets}
        members: Mapping[str, frozenset[str]] = {
            name: members_of(catalogue.targets[name]) for name in catalogue.classes
        }
        self.wants = Wants(members, chooser)
        self._drawn = Drawn(chooser.getrandbits(32))
        self._learned: dict[tuple[str, str], list[str]] = {}
        self.heir: Callable[[str, int], str | None] | None = None
        self._made = {name: list(texts) for name, texts in catalogue.singletons.items()}

    def objects_for(self, target: Target) -> dict[str, str]:
        """Parameters that seem to want an object of a class that holds collections, with it."""
        found: dict[str, str] = {}
        for parameter in target.parameters:
            likely = self._hints.get(target.qualname, {}).get(parameter.name, ())
            for hint in (parameter.annotation or "", *likely):
                if self._catalogue.holdings.get(hint.strip("'\"")):
                    found.setdefault(parameter.name, hint.strip("'\""))
        return found

    def takes_function(self, target: Target, parameter: Parameter) -> bool:
        """Whether a parameter seems to want something that can be called."""
        if "Callable" in (parameter.annotation or ""):
            return True
        likely = self._hints.get(target.qualname, {}).get(parameter.name, ())
        is_said = any(hint.startswith("Callable") for hint in likely)
        return is_said or parameter.name in FUNCTION_NAMES

    def change_theme(self) -> None:
        """Chooses the kind of values that containers hold from now on."""
        self._types.theme = self._chooser.choice(THEMES)

    def learn(self, target: str, parameter: str, value: str) -> None:
        """Adds a value that led somewhere to a parameter's pool."""
        values = self._learned.setdefault((target, parameter), [])
        if value not in values:
            values.append(value)
            del values[:-40]

    def made(self, kind: str, call: Call) -> None:
        """Notes a call that gave an object of a class: another way to build one."""
        known = self._made.setdefault(kind, [])
        text = call_text(call.target, call.arguments)
        is_plain = all(kind_of(value) != "other" for _, value in call.arguments)
        if is_plain and len(known) < MOST_MADE and text not in known:
            known.append(text)

    def pool(self, target: str) -> tuple[str, ...]:
        """Literals of the target, of what it calls, and the module's constants."""
        qualname = target.removesuffix(RESULT)
        found = self._catalogue.targets.get(qualname)
        near = [self._literals.get(name, ()) for name in (found.calls if found else ())]
        return tuple(
            dict.fromkeys((*self._literals.get(qualname, ()), *self._shared[:20], *sum(near, ())))
        )

    def value(self, target: str, parameter: Parameter, depth: int = 0) -> str:
        """A fresh value for one parameter."""
        learned = self._learned.get((target, parameter.name), [])
        if learned and self._chooser.random() < LEARNED_SHARE:
            return self._chooser.choice(learned)
        return self.wants.pick(
            target, parameter.name, lambda: self._fresh(target, parameter, depth)
        )

    def _fresh(self, target: str, parameter: Parameter, depth: int) -> str:
        choose = self._chooser
        if parameter.default in SWITCHED and choose.random() < SWITCH_SHARE:
            return SWITCHED[parameter.default]
        hint = self._hint(target, parameter)
        if hint is not None and choose.random() < DRAWN_SHARE:
            drawn = self._drawn.of(hint)
            if drawn:
                return choose.choice(drawn)
        typed = self._types.of(hint, depth)
        literals = self.pool(target)
        if not literals:
            return choose.choice(typed)
        takes_text = any(kind_of(text) == "str" for text in typed)
        if takes_text and choose.random() < COMPOSED_SHARE:
            return composed(literals, choose)
        if hint is None and choose.random() < 0.3:
            return choose.choice(literals)
        if hint is not None and choose.random() < 0.3:
            kinds = set(map(kind_of, typed))
            fitting = [text for text in literals if kind_of(text) in kinds]
            if any(text.startswith("Decimal(") for text in typed):
                fitting += decimals(literals)
            if fitting:
                return choose.choice(fitting)
        return choose.choice(typed)

    def _hint(self, target: str, parameter: Parameter) -> str | None:
        """The type to make a value of: as annotated, or as the code seems to want it."""
        choose = self._chooser
        if choose.random() < WRONG_TYPE_SHARE:
            return None
        likely = (
            *self._hints.get(target, {}).get(parameter.name, ()),
            *self.wants.hints(target, parameter.name),
        )
        if parameter.annotation is not None:
            if self._is_said(parameter) or choose.random() < SAID_SHARE or not likely:
                return parameter.annotation
            return choose.choice(likely)
        default = _hint_from_default(parameter)
        if default is not None and (not likely or choose.random() < 0.5):
            return default
        if likely and choose.random() < 0.85:
            # What was found near counts for more than what was followed from afar.
            return choose.choices(likely, [1 / (2 + at) for at in range(len(likely))])[0]
        if parameter.name in PATH_NAMES and choose.random() < 0.7:
            return "Path"
        if target.endswith(RESULT) and choose.random() < 0.35:
            return "Callable[..., Any]"  # what a decorator's factory returned
        return None

    def _is_said(self, parameter: Parameter) -> bool:
        """Whether an annotation names a type that values are made for."""
        return parameter.annotation is not None and self._types.is_known(parameter.annotation)

    def call(self, target: Target, depth: int = 0, optional: float = 0.5) -> Call:
        """A call with fresh arguments.

        Args:
            optional: how often an optional argument is given.
        """
        arguments: list[tuple[str, str]] = []
        by_keyword = False
        for parameter in target.parameters:
            kind = parameter.kind
            if kind is ParameterKind.VAR_POSITIONAL:
                count = 0 if by_keyword else self._chooser.choice((0, 1, 1, 2, 3))
                arguments += [
                    ("", self.value(target.qualname, parameter, depth)) for _ in range(count)
                ]
                by_keyword = True
            elif kind is ParameterKind.VAR_KEYWORD:
                arguments += self._keywords(target, parameter, arguments, depth)
            elif parameter.default is not None and self._chooser.random() > optional:
                by_keyword = True
            else:
                value = self.value(target.qualname, parameter, depth)
                is_keyword = by_keyword or kind is ParameterKind.KEYWORD
                if is_keyword and kind is ParameterKind.POSITIONAL_ONLY:
                    break
                arguments.append((parameter.name if is_keyword else "", value))
        return Call(target.qualname, tuple(arguments))

    def _keywords(
        self,
        target: Target,
        parameter: Parameter,
        given: list[tuple[str, str]],
        depth: int,
    ) -> list[tuple[str, str]]:
        """Arguments for ``**kwargs``: the names that the code looks up, or any."""
        names = keyword_names(target, parameter.name) or ("key",)
        taken = {keyword for keyword, _ in given}
        return [
            (name, self.value(target.qualname, parameter, depth))
            for name in names
            if name not in taken and self._chooser.random() < 0.35
        ]

    def instance(self, name: str, depth: int = 0) -> str | None:
        """Source text that builds an object of a class, or None."""
        members = self._catalogue.members(name)
        if members:
            return f"{name}.{self._chooser.choice(members)}"
        if depth > 3:
            return None
        target = self._catalogue.targets[name]
        made = self._made.get(name)
        if made and (target.is_private or self._chooser.random() < MADE_SHARE):
            return self._chooser.choice(made)
        if any("TypedDict" in base for base in target.bases):
            return self._typed_dictionary(target, depth)
        if self._catalogue.is_abstract(name):
            heirs = self._catalogue.heirs[name]
            if heirs:
                return self.instance(self._chooser.choice(heirs), depth + 1)
            if is_protocol(target):
                return self._stand_in(name, depth)
            return self.heir(name, depth) if self.heir is not None else None
        factories = self._catalogue.factories(name)
        if factories and self._chooser.random() < 0.25:
            factory = self._chooser.choice(factories)
            return call_text(factory.qualname, self.call(factory, depth).arguments)
        return call_text(name, self.construction(target, depth).arguments)

    def construction(self, target: Target, depth: int = 0) -> Call:
        """A call of a class."""
        return self.call(self._catalogue.constructor(target), depth, optional=0.65)

    def _typed_dictionary(self, target: Target, depth: int) -> str:
        is_total = "total=False" not in target.source
        pairs = [
            f"{parameter.name!r}: {self.value(target.qualname, parameter, depth)}"
            for parameter in target.parameters
            if "NotRequired" not in (parameter.annotation or "")
            and (is_total or self._chooser.random() < 0.6)
        ]
        return "{" + ", ".join(pairs) + "}"

    def _stand_in(self, name: str, depth: int) -> str | None:
        """An object with the methods that a protocol asks for, which nothing here implements."""
        parts = []
        for method in self._catalogue.methods(name):
            names = [parameter.name for parameter in method.parameters]
            result = self._chooser.choice(self._types.of(method.returns, depth + 1))
            head = f"lambda {', '.join(names)}" if names else "lambda"
            is_value = method.binding == "property"
            parts.append(f"{method.name}={result if is_value else f'{head}: {result}'}")
        return f"types.SimpleNamespace({', '.join(parts)})" if parts else None

    def fits(self, parameter: Parameter, text: str) -> bool:
        """True if a value is of the type that a parameter's hint names, or it has none."""
        if text == parameter.default or not self._is_said(parameter):
            return True
        kinds = {kind_of(value) for value in self._types.of(parameter.annotation)}
        kind = kind_of(text)
        return kind in kinds or (kind == "int" and "float" in kinds)


def parameter_at(target: Target, at: int, keyword: str) -> Parameter | None:
    """The parameter that an argument goes to, None for what nobody declared."""
    if keyword:
        named = next((p for p in target.parameters if p.name == keyword), None)
        last = target.parameters[-1:]
        return named or (last[0] if last and last[0].kind is ParameterKind.VAR_KEYWORD else None)
    for place, parameter in enumerate(target.parameters):
        if parameter.kind is ParameterKind.VAR_POSITIONAL or place == at:
            return parameter
    return None


def with_argument(genome: Genome, target: Target, parameter: str, text: str) -> Genome:
    """``genome`` with ``text`` for a parameter of ``target``, where it is called last."""

    def changed(call: Call) -> Call:
        for at, (keyword, _) in enumerate(call.arguments):
            found = parameter_at(target, at, keyword)
            if found is not None and found.name == parameter:
                arguments = (*call.arguments[:at], (keyword, text), *call.arguments[at + 1 :])
                return replace(call, arguments=arguments)
        return replace(call, arguments=(*call.arguments, (parameter, text)))

    for at in reversed(range(len(genome.calls))):
        if genome.calls[at].target == target.qualname:
            calls = (*genome.calls[:at], changed(genome.calls[at]), *genome.calls[at + 1 :])
            return replace(genome, calls=calls)
    if genome.build is not None and genome.build.target == target.qualname:
        return replace(genome, build=changed(genome.build))
    return genome


def _sizes(source: str) -> tuple[int, ...]:
    """Sizes that collections may have to exceed: a little more than numbers of the code."""
    nodes = ast.walk(tree_of(source))
    values = [node.value for node in nodes if isinstance(node, ast.Constant)]
    large = dict.fromkeys(v for v in values if type(v) is int and 8 < v <= LARGEST_SIZE)
    return tuple(dict.fromkeys(n for v in list(large)[:6] for n in (v + 1, 2 * v + 1)))


def _hint_from_default(parameter: Parameter) -> str | None:
    """A type hint guessed from a default: ``sep=","`` is a str; None and names say nothing."""
    if parameter.default is None or parameter.default == "None":
        return None
    kind = kind_of(parameter.default)
    return None if kind in ("other", "NoneType") else kind
