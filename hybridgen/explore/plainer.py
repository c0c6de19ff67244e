"""Makes the steps of a test plainer, one kind of change at a time, as long as they show the same.

What is tried, in this order: a step less, objects made as in the other tests, an argument of the
type that its parameter is meant for, an argument or an item less, a smaller number, a plain text.
Each kind of change is named, so that one that turns out to cost something can be left out and the
others made without it. As in delta debugging (Zeller, Hildebrandt 2002), what is asked
of the result is the caller's business.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from hybridgen.domain import Candidate, Step, StepKind, Target, TargetKind
from hybridgen.explore.around.circumstances import is_set_up
from hybridgen.explore.smaller import (
    FRACTION,
    is_number,
    is_plain,
    smaller_fractions,
    smaller_numbers,
    smaller_texts,
)

MOST_TRIES = 70
"""Versions that are run for one test at the most."""

HINTED = {
    "str": "'a'",
    "int": "1",
    "float": "1.5",
    "bool": "True",
    "bytes": "b'a'",
    "list": "[]",
    "dict": "{}",
    "set": "set()",
    "tuple": "()",
    "Decimal": "Decimal('1')",
}
"""A plain value for a parameter by its type hint."""

TEXT_KINDS = ("whole", "kind", "less")
NUMBER_KINDS = {"small": 0, FRACTION: 0, "above-1": 1, "above-9": 9, "above-99": 99}
"""Kinds of changes of a literal; those of a number with what they stay above."""

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_NUMERIC = ("Decimal", "Fraction")
_SETENV = re.compile(r"monkeypatch\.setenv\((?P<name>[^,]+), .+\)")
_ELSEWHERE = "monkeypatch.setenv({name}, '/elsewhere')"


@dataclass(frozen=True, slots=True)
class Version:
    """A candidate on its way to a plainer one.

    Attributes:
        places: for each of its steps, the place of the step that it was at the beginning.
    """

    candidate: Candidate
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What was made plainer, by a name that stays the same from run to run, and what came of it."""

    name: str
    version: Version


Shows = Callable[[Version], bool]


class Plainer:
    """Makes one test plainer.

    Args:
        shows: runs a version; True if it still shows what it has to.
        targets: of the module, whose type hints are followed.
        words: texts that stay as they are, because the code under test knows them.
        is_row: it is a row of a table, so its steps and arguments keep their number.
        is_written: it was written by somebody, who chose its values.
        common: how the other tests make their objects, see :func:`constructions`.
    """

    def __init__(
        self,
        shows: Shows,
        targets: Sequence[Target],
        words: Collection[str],
        *,
        is_row: bool,
        is_written: bool,
        common: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._shows = shows
        self._hints = _hints(targets)
        self._words = words
        self._is_row = is_row
        self._is_written = is_written
        self._common = common
        self._tried: set[tuple[str, ...]] = set()
        self._left = MOST_TRIES
        self._now: dict[str, object] = {}

    def changes(self, version: Version, but: Collection[str] = ()) -> list[Change]:
        """What can be made plainer, each change on top of the ones before.

        Args:
            but: names of changes to leave out.
        """
        made: list[Change] = []
        self._left = MOST_TRIES
        self._tried = {_key(version)}
        self._now = {}
        for name in self._names(version):
            if name in but:
                continue
            found = self._changed(version, name)
            if found is not version:
                version = found
                made.append(Change(name, version))
        return made

    def _names(self, version: Version) -> Iterator[str]:
        if not self._is_row:
            yield from (f"step {place}" for place in reversed(version.places[:-1]))
        if self._is_written:
            return
        yield "common"
        yield "types"
        if not self._is_row:
            yield "parts"
        for value in _literals(version.candidate, _is_movable):
            if not is_plain(value, self._words):
                kinds = TEXT_KINDS if isinstance(value, str) else ()
                yield from (f"{kind} {value!r}" for kind in (*kinds, *NUMBER_KINDS))

    def _changed(self, version: Version, name: str) -> Version:
        kind, _, rest = name.partition(" ")
        if kind == "step":
            return self._first(version, _without(version, int(rest)))
        if kind == "common":
            return self._all(version, lambda v: _as_others(v, self._common))
        if kind == "types":
            return self._all(version, lambda v: _as_hinted(v, self._hints))
        if kind == "parts":
            return self._all(version, _without_parts)
        old = self._now.get(rest, ast.literal_eval(rest))
        if is_plain(old, self._words):
            return version  # by now
        found, self._now[rest] = self._smaller(version, kind, old)
        return found

    def _smaller(self, version: Version, kind: str, old: object) -> tuple[Version, object]:
        """Puts smaller and smaller values in the place of a literal, as far as that works."""
        is_numeral = isinstance(old, str) and is_number(old) and old in _numerals(version.candidate)
        if is_numeral or not isinstance(old, str):
            if kind not in NUMBER_KINDS:
                return version, old
            is_fraction = kind == FRACTION
            above = NUMBER_KINDS[kind]
            values = smaller_fractions(old) if is_fraction else smaller_numbers(old, above)
        elif kind not in TEXT_KINDS:
            return version, old
        else:
            values = smaller_texts(old, kind, self._words)
        best: tuple[Version, object] = (version, old)
        is_kept: bool | None = None
        try:
            while True:
                new = next(values) if is_kept is None else values.send(is_kept)
                is_kept = self._try(found := _exchanged(version, old, new))
                best = (found, new) if is_kept else best
        except StopIteration:
            return best

    def _first(self, version: Version, others: Iterator[Version]) -> Version:
        return next((other for other in others if self._try(other)), version)

    def _all(self, version: Version, others: Callable[[Version], Iterator[Version]]) -> Version:
        """One change after the other, until none of them works."""
        while (found := self._first(version, others(version))) is not version:
            version = found
        return version

    def _try(self, version: Version) -> bool:
        key = _key(version)
        if self._left <= 0 or key in self._tried:
            return False
        self._tried.add(key)
        self._left -= 1
        return self._shows(version)


def _key(version: Version) -> tuple[str, ...]:
    return tuple(step.code for step in version.candidate.steps)


def _is_movable(step: Step) -> bool:
    """False for set-up of the world, and for functions and classes that a test defines."""
    nodes = ast.walk(ast.parse(step.code))
    return not is_set_up(step) and not any(isinstance(node, DEFINITIONS) for node in nodes)


def _literals(candidate: Candidate, is_meant: Callable[[Step], bool]) -> list[object]:
    """The texts, bytes and numbers in the steps, in order, without doubles."""
    found: dict[str, object] = {}
    for step in candidate.steps:
        tree = ast.parse(step.code)
        inside = {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.JoinedStr)
            for part in ast.walk(node)
        }
        for node in ast.walk(tree) if is_meant(step) else ():
            if isinstance(node, ast.Constant) and id(node) not in inside:
                is_value = isinstance(node.value, str | bytes | int | float)
                if is_value and not isinstance(node.value, bool):
                    found.setdefault(repr(node.value), node.value)
    return list(found.values())


def _numerals(candidate: Candidate) -> set[str]:
    """Texts that stand for numbers: ``"10.50"`` in ``Decimal("10.50")``."""
    return {
        argument.value
        for step in candidate.steps
        for node in ast.walk(ast.parse(step.code))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _NUMERIC
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def _exchanged(version: Version, old: object, new: object) -> Version:
    """Another value wherever a literal stands."""
    steps = []
    for step in version.candidate.steps:
        tree, is_changed = ast.parse(step.code), False
        for node in ast.walk(tree) if _is_movable(step) else ():
            if isinstance(node, ast.Constant) and repr(node.value) == repr(old):
                assert isinstance(new, str | bytes | int | float), "a literal for a literal"
                node.value, is_changed = new, True
        steps.append(replace(step, code=ast.unparse(tree)) if is_changed else step)
    return replace(version, candidate=replace(version.candidate, steps=tuple(steps)))


def _with_code(version: Version, index: int, code: str) -> Version:
    steps = list(version.candidate.steps)
    steps[index] = replace(steps[index], code=code)
    return replace(version, candidate=replace(version.candidate, steps=tuple(steps)))


def _without(version: Version, place: int) -> Iterator[Version]:
    """Without one step of set-up; one that sets the environment has to be worth nothing."""
    index = version.places.index(place)
    step = version.candidate.steps[index]
    if step.kind is not StepKind.SETUP or (is_set_up(step) and not _SETENV.match(step.code)):
        return
    steps = (*version.candidate.steps[:index], *version.candidate.steps[index + 1 :])
    code = "\n".join(item.code for item in steps)
    if (found := _SETENV.match(step.code)) and found["name"] in code:
        return
    fixtures = tuple(name for name in version.candidate.fixtures if name in code)
    candidate = replace(version.candidate, steps=steps, fixtures=fixtures)
    yield Version(candidate, (*version.places[:index], *version.places[index + 1 :]))


def elsewhere(candidate: Candidate) -> Candidate | None:
    """The candidate where variables of the environment mean nothing; None if it sets none.

    A test that shows the same there needs none of them.
    """
    steps = tuple(
        replace(step, code=_ELSEWHERE.format(name=found["name"]))
        if (found := _SETENV.match(step.code))
        else step
        for step in candidate.steps
    )
    return None if steps == candidate.steps else replace(candidate, steps=steps)


def _without_parts(version: Version) -> Iterator[Version]:
    """One argument or item less, last ones first."""
    for index, step in enumerate(version.candidate.steps):
        if _is_movable(step):
            for code in without_parts(step.code):
                yield _with_code(version, index, code)


def without_parts(code: str) -> Iterator[str]:
    """``code`` with one argument or item of a container less."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for at in reversed(range(len(node.keywords))):
                keyword = node.keywords.pop(at)
                yield ast.unparse(tree)
                node.keywords.insert(at, keyword)
            if node.args and not node.keywords and not _is_number_of(node):
                last = node.args.pop()
                yield ast.unparse(tree)
                node.args.append(last)
        elif isinstance(node, ast.List | ast.Set) and len(node.elts) > 1:
            for at in reversed(range(len(node.elts))):
                item = node.elts.pop(at)
                yield ast.unparse(tree)
                node.elts.insert(at, item)
        elif isinstance(node, ast.Dict) and len(node.keys) > 1:
            for at in reversed(range(len(node.keys))):
                key, value = node.keys.pop(at), node.values.pop(at)
                yield ast.unparse(tree)
                node.keys.insert(at, key)
                node.values.insert(at, value)


def _is_number_of(call: ast.Call) -> bool:
    """True for ``Decimal("0")``: ``Decimal()`` is shorter, and nobody writes it."""
    return ast.unparse(call.func).rpartition(".")[2] in _NUMERIC


# ---------------------------------------------------------------- type hints

Hints = Mapping[str, Sequence[tuple[str, str]]]


def _hints(targets: Sequence[Target]) -> Hints:
    """Name and annotation of the parameters of each function and class, by its short name.

    A name that several targets have says nothing.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    doubles: set[str] = set()
    for target in targets:
        is_meant = target.kind is TargetKind.CLASS or not target.name.startswith("__")
        if is_meant:
            doubles |= {target.name} & set(found)
            found[target.name] = [(p.name, p.annotation or "") for p in target.parameters]
    return {name: hints for name, hints in found.items() if name not in doubles}


def _as_hinted(version: Version, hints: Hints) -> Iterator[Version]:
    """Values of the type hint for arguments of another type; ``Decimal("0")`` for ``Decimal()``."""
    objects = _objects(version.candidate)
    for index, step in enumerate(version.candidate.steps):
        if not _is_movable(step):
            continue
        tree = ast.parse(step.code)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            if _is_number_of(node) and not node.args and not node.keywords:
                node.args.append(ast.Constant("0"))
                yield _with_code(version, index, ast.unparse(tree))
                node.args.pop()
            own = hints.get(ast.unparse(node.func).rpartition(".")[2], ())
            for place, argument in enumerate(node.args[: len(own)]):
                plain = _hinted(argument, own[place][1], objects)
                if plain is not None:
                    node.args[place] = plain
                    yield _with_code(version, index, ast.unparse(tree))
                    node.args[place] = argument
            for keyword in node.keywords:
                plain = _hinted(keyword.value, dict(own).get(keyword.arg or "", ""), objects)
                if plain is not None:
                    before, keyword.value = keyword.value, plain
                    yield _with_code(version, index, ast.unparse(tree))
                    keyword.value = before


def constructions(candidates: Iterable[Candidate]) -> dict[str, str]:
    """How most of the tests make an object: ``cart = Cart`` -> ``cart = Cart("a")``."""
    counts = Counter(
        (made, step.code)
        for candidate in candidates
        for step in candidate.steps
        if (made := _construction(step)) is not None
    )
    found: dict[str, str] = {}
    for (made, code), _ in sorted(counts.items(), key=lambda i: (-i[1], len(i[0][1]), i[0])):
        found.setdefault(made, code)
    return found


def _construction(step: Step) -> str | None:
    match ast.parse(step.code).body:
        case [ast.Assign(targets=[ast.Name(name)], value=ast.Call(func=function))]:
            kind = ast.unparse(function)
            return f"{name} = {kind}" if kind[:1].isupper() else None
    return None


def _as_others(version: Version, common: Mapping[str, str]) -> Iterator[Version]:
    """The object made as in most of the other tests, which then share a fixture."""
    for index, step in enumerate(version.candidate.steps):
        code = common.get(_construction(step) or "", step.code)
        if code != step.code:
            yield _with_code(version, index, code)


def _objects(candidate: Candidate) -> frozenset[str]:
    """Names of variables that hold an object of some class: ``cart = Cart("a")``."""
    found = set()
    for step in candidate.steps:
        match ast.parse(step.code).body:
            case [ast.Assign(targets=[ast.Name(name)], value=ast.Call(func=ast.Name(kind)))]:
                if kind[:1].isupper() and kind not in HINTED:
                    found.add(name)
    return frozenset(found)


def _hinted(argument: ast.expr, annotation: str, objects: Collection[str]) -> ast.expr | None:
    """A plain value for a parameter whose hint does not admit the argument, else None."""
    kinds = {re.split(r"[\[.]", part.strip())[0] for part in annotation.split("|")}
    if "Decimal" in annotation and annotation.endswith("Decimal"):
        kinds = {"Decimal"}
    if not kinds <= {*HINTED, "None"}:
        return None
    is_object = isinstance(argument, ast.Name) and argument.id in objects
    given = "object" if is_object else _type_of(argument)
    is_fitting = given in kinds or (given, "float") in [("int", k) for k in kinds]
    if not given or is_fitting:
        return None
    wanted = next((kind for kind in HINTED if kind in kinds), None)
    return None if wanted is None else ast.parse(HINTED[wanted], mode="eval").body


def _type_of(node: ast.expr) -> str:
    """The type of a literal, a container or a Decimal, "" for anything else."""
    match node:
        case ast.Constant(value=None):
            return "None"
        case ast.Constant(value=value):
            return type(value).__name__
        case ast.UnaryOp(operand=operand):
            return _type_of(operand)
        case ast.List():
            return "list"
        case ast.Dict():
            return "dict"
        case ast.Tuple():
            return "tuple"
        case ast.Set():
            return "set"
        case ast.Call(func=ast.Name(id="Decimal")):
            return "Decimal"
    return ""
