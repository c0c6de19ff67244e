"""Gives calls the files, texts and data that their code asks for, and learns which led somewhere.

The search knows an argument as a text that it may change; what a file has to hold, and where, is
kept here beside it, and varied as the search varies arguments: what reached new code comes again.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hybridgen.domain import Arc, Candidate, Module, Observation, Parameter, Step, StepKind, Target
from hybridgen.explore.around import world
from hybridgen.explore.around.asking import Asking
from hybridgen.explore.values.asked import Asked
from hybridgen.explore.values.documents import Document, Documents
from hybridgen.explore.values.files import EXISTING
from hybridgen.explore.values.formats import format_of
from hybridgen.explore.values.literals import literals_of
from hybridgen.explore.values.standins import HELPERS
from hybridgen.explore.values.stateful import CONFIG
from hybridgen.explore.values.texts import texts_in
from hybridgen.explore.values.trees import Tree, Trees, below, statements

SHARES = {"path": 0.9, "text": 0.6, "stream": 0.7, "lines": 0.5, "data": 0.4} | {
    "parser": 0.8,
    "element": 0.8,
}
"""How often an argument is exchanged, by what the code does with it."""

AGAIN_SHARE = 0.6
"""How often something near what led somewhere is given, not something fresh."""

MOST_KEPT = 40
MOST_BROKEN = 8
TEXTS_FOR_ONE = 20
STRING_HINT = re.compile(r"\bstr\b")
PATH_HINT = re.compile(r"Path")
ANY_HINT = r"\b(?:Any|object|AnyStr)\b"
HINTS = {
    "path": rf"\bstr\b|Path|{ANY_HINT}",
    "text": rf"\bstr\b|{ANY_HINT}",
    "stream": rf"IO\b|Iter|{ANY_HINT}",
    "lines": rf"IO\b|Iter|[Ll]ist|Sequence|{ANY_HINT}",
    "parser": rf"ConfigParser|{ANY_HINT}",
    "element": rf"Element\b|{ANY_HINT}",
    "data": rf"[Dd]ict|Mapping|[Ll]ist|Sequence|Iter|JSON|{ANY_HINT}",
}
"""Hints that go with what the code does with an argument; no hint does as well."""

Place = tuple[str, str]
"""A target, and one of its parameters."""


@dataclass(frozen=True, slots=True)
class Data:
    """A dictionary or list."""

    value: object


Gift = Tree | Document | Data


class Given:
    """Exchanges arguments of calls for what their code asks for."""

    def __init__(self, module: Module, chooser: random.Random) -> None:
        self._targets = {target.qualname: target for target in module.targets}
        self._methods: dict[str, list[Target]] = {}
        for target in module.targets:
            if target.parent is not None:
                self._methods.setdefault(target.name, []).append(target)
        self._asking = Asking(module)
        self._chooser = chooser
        self._words = texts_in(literals_of(module.source.text))
        self._documents = Documents(self._words, chooser)
        self._trees = Trees(self._documents, chooser)
        self._kept: dict[Place, list[Gift]] = {}
        self._latest: list[tuple[Place, Gift]] = []
        self._reached: set[Arc] = set()
        self._paths: set[frozenset[Arc]] = set()

    def fill(self, candidate: Candidate) -> Candidate:
        """``candidate`` with what its calls ask for."""
        self._latest = []
        steps = [self._filled(step, candidate) for step in candidate.steps]
        if not self._latest:
            return candidate
        rest = "\n".join(step.code for step in steps if not step.code.startswith(f"({EXISTING})"))
        if EXISTING not in rest:
            steps = [step for step in steps if not step.code.startswith(f"({EXISTING})")]
        trees = [gift for _, gift in self._latest if isinstance(gift, Tree)]
        made = [Step(StepKind.SETUP, line) for line in statements(trees)]
        if f"{CONFIG}(" in rest and f"def {CONFIG}(" not in rest:
            made.append(Step(StepKind.SETUP, HELPERS[CONFIG]))
        text = "\n".join(step.code for step in (*made, *steps))
        imports = [line for pattern, line in world.IMPORTS.items() if re.search(pattern, text)]
        fixtures = [name for name in ("tmp_path",) if name in text]
        return replace(
            candidate,
            steps=(*made, *steps),
            imports=tuple(dict.fromkeys((*candidate.imports, *imports))),
            fixtures=tuple(dict.fromkeys((*candidate.fixtures, *fixtures))),
        )

    def learn(self, observation: Observation) -> None:
        """Notes what reached new code, or went through it in another way."""
        is_new = not observation.arcs <= self._reached or observation.arcs not in self._paths
        if is_new:
            self._reached |= observation.arcs
            self._paths.add(observation.arcs)
            for place, gift in self._latest:
                kept = self._kept.setdefault(place, [])
                kept.append(gift)
                del kept[:-MOST_KEPT]

    def texts_for(self, targets: Sequence[str], name: str) -> list[str]:
        """Texts for a file in the working folder that targets know by name, plain ones first."""
        files = [self._asking.of(target).here.keys.get(name) for target in targets]
        asked = next((file for file in files if file is not None and file.inside is not None), None)
        inside = asked.inside if asked is not None and asked.inside is not None else Asked()
        documents = Documents(self._words, random.Random(1))
        kind = format_of(name)
        made = [documents.fresh(inside, kind).text for _ in range(TEXTS_FOR_ONE)]
        return ["", *sorted(made, key=len)]

    def _filled(self, step: Step, candidate: Candidate) -> Step:
        tree = ast.parse(step.code)
        is_changed = False
        for node in ast.walk(tree):
            target = self._called(node, candidate) if isinstance(node, ast.Call) else None
            if target is None or not isinstance(node, ast.Call):
                continue
            needs = self._asking.of(target.qualname).parameters
            for at, parameter, value in _arguments(node, target):
                asked = needs.get(parameter.name)
                if asked is None or not _fits(asked.role, parameter):
                    continue
                if self._chooser.random() > SHARES[asked.role]:
                    continue
                given = self._given(target, parameter, asked)
                if ast.unparse(value) != given:
                    is_changed = True
                    new = ast.parse(given, mode="eval").body
                    if isinstance(at, int):
                        node.args[at] = new
                    else:
                        at.value = new
        return replace(step, code=ast.unparse(tree)) if is_changed else step

    def _called(self, node: ast.Call, candidate: Candidate) -> Target | None:
        """The target that a call in a candidate means."""
        if isinstance(node.func, ast.Name):
            return self._targets.get(node.func.id)
        if not isinstance(node.func, ast.Attribute):
            return None
        own = self._methods.get(node.func.attr)
        if own is None:
            return None
        words = re.findall(r"\w+", "\n".join(step.code for step in candidate.steps))
        return next((target for target in own if target.parent in words), None)

    def _given(self, target: Target, parameter: Parameter, asked: Asked) -> str:
        """An argument as source text."""
        place = (target.qualname, parameter.name)
        kept = self._kept.get(place)
        gift = self._fresh(asked)
        if kept and self._chooser.random() < AGAIN_SHARE:
            gift = self._near(self._chooser.choice(kept), asked)
        self._latest.append((place, gift))
        if isinstance(gift, Tree):
            return _path(gift, parameter, asked, self._chooser)
        if isinstance(gift, Data):
            return repr(gift.value)
        if asked.role in ("parser", "element"):
            made = CONFIG if asked.role == "parser" else "ET.fromstring"
            return f"{made}({self._sound(gift, asked).text!r})"
        if asked.role == "text":
            return repr(gift.text)
        if asked.role == "lines" and self._chooser.random() < 0.5:
            return repr(gift.text.splitlines())
        is_binary = "binary" in asked.uses
        return f"io.BytesIO({gift.text.encode()!r})" if is_binary else f"io.StringIO({gift.text!r})"

    def _sound(self, gift: Document, asked: Asked) -> Document:
        """A document that can be read: a test itself reads it."""
        for _ in range(MOST_BROKEN):
            if gift.broken is None:
                return gift
            gift = self._documents.fresh(asked)
        return Document(asked.format, {})

    def _fresh(self, asked: Asked) -> Gift:
        if asked.role == "path":
            return self._trees.fresh(asked)
        if asked.role == "data":
            return Data(self._documents.data(asked))
        return self._documents.fresh(asked)

    def _near(self, gift: Gift, asked: Asked) -> Gift:
        if isinstance(gift, Tree):
            return self._trees.changed(gift, asked)
        if isinstance(gift, Data):
            return Data(self._documents.changed_data(gift.value, asked))
        return self._documents.changed(gift, asked)


def _arguments(
    node: ast.Call, target: Target
) -> list[tuple[int | ast.keyword, Parameter, ast.expr]]:
    """The arguments of a call that go to a parameter with a name."""
    found: list[tuple[int | ast.keyword, Parameter, ast.expr]] = []
    for at, (parameter, value) in enumerate(zip(target.parameters, node.args, strict=False)):
        if parameter.kind.startswith("var") or isinstance(value, ast.Starred):
            return found
        found.append((at, parameter, value))
    by_name = {parameter.name: parameter for parameter in target.parameters}
    for word in node.keywords:
        if word.arg in by_name:
            found.append((word, by_name[word.arg], word.value))
    return found


def _fits(role: str, parameter: Parameter) -> bool:
    """Whether what an argument is used for goes with its type hint."""
    hint = parameter.annotation
    return role in SHARES and (hint is None or bool(re.search(HINTS[role], hint)))


def _path(tree: Tree, parameter: Parameter, asked: Asked, chooser: random.Random) -> str:
    """A path as the parameter wants it: a text where its hint says so."""
    hint = parameter.annotation or ""
    takes_text, takes_path = bool(STRING_HINT.search(hint)), bool(PATH_HINT.search(hint))
    if not takes_text and not takes_path:
        takes_text = "text path" in asked.uses
    is_text = takes_text and not (takes_path and chooser.random() < 0.5)
    return f"str({below(tree.at)})" if is_text else below(tree.at)
