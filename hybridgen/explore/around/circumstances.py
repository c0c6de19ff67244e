"""The world that a target reads beside its arguments, and set-up that fixes it for a test.

Found in the source of a target and of what it calls in its module: the clock, chance, the
environment, the command line, standard input, the working folder, other programs and machines.
What differs from run to run, or reaches outside, is always replaced; the rest now and then.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from hybridgen.domain import Candidate, Module, Observation, Step, StepKind, Target, TargetKind
from hybridgen.explore.around import world
from hybridgen.explore.around.contexts import in_context
from hybridgen.explore.around.foreign import outside_values
from hybridgen.explore.around.given import Given
from hybridgen.explore.around.imported import dotted, imported_names
from hybridgen.explore.syntax import tree_of
from hybridgen.explore.values.literals import kind_of, literals_of
from hybridgen.outside import is_outside

MOST_CHOICES = 24
"""Set-ups that are tried for one thing that is read."""

SCRIPT = "__main__"
"""Stands for what a module does when it is run as a script."""

SCRIPT_RUNS = 16

_SET_UP = re.compile(r"monkeypatch\.|random\.seed|runpy\.|ticks = |class Fixed|async def scenario")

SetUp = tuple[str, ...]
"""Statements, in order."""


@dataclass(frozen=True, slots=True)
class Circumstance:
    """Something outside of a call on which its result depends.

    Attributes:
        reads: what the code reads, by its full name, for people (``time.time``).
        lines: where in the file.
        choices: set-ups to choose from; an empty one leaves the world as it is.
        is_outside: True if it reaches other programs or machines.
    """

    reads: str
    lines: frozenset[int]
    choices: tuple[SetUp, ...]
    is_outside: bool = False


class Circumstances:
    """Finds circumstances of candidates for one module, and puts set-up around them.

    Args:
        import_name: how tests import the module.
        chooser: where choices come from; asked only for code that reads the world.
    """

    def __init__(self, module: Module, import_name: str, chooser: random.Random) -> None:
        self._module = module
        self._import_name = import_name
        self._chooser = chooser
        self._targets = {target.qualname: target for target in module.targets}
        self._targets.update((SCRIPT, target) for target in script_of(module))
        self._imported = imported_names(module)
        self._found: dict[tuple[str, ...], tuple[Circumstance, ...]] = {}
        self._readers: dict[str, bool] = {}
        self._given = Given(module, chooser)

    def of(self, candidate: Candidate) -> tuple[Circumstance, ...]:
        """What a candidate's targets read, in the order of the source."""
        names = self._reached(candidate)
        if names not in self._found:
            merged: dict[str, Circumstance] = {}
            sources = [self._targets[name] for name in names]
            reading = [target for target in sources if self._reads(target)]
            for item in (i for target in reading for i in self._read_by(target, sources)):
                held = merged.get(item.reads, item)
                merged[item.reads] = replace(held, lines=held.lines | item.lines)
            self._found[names] = tuple(merged.values())
        return self._found[names]

    def around(self, candidate: Candidate) -> Candidate:
        """``candidate`` with set-up for the world that its targets read.

        Examples from docstrings say what happens in the real world, so they stay as they are.
        """
        if candidate.origin == "docstring" or _is_prepared(candidate):
            return candidate
        if candidate.steps:
            candidate = self._given.fill(candidate)
            candidate = in_context(candidate, self._targets, self._chooser)
        found = self.of(candidate)
        statements = [line for item in found for line in self._chooser.choice(item.choices)]
        statements += self._tree(candidate)
        text = "\n".join(statements)
        if not statements or _bound(text) & (self._module.names | _words(candidate)):
            return candidate
        imports = [line for pattern, line in world.IMPORTS.items() if re.search(pattern, text)]
        names = [name for name in ("tmp_path", "monkeypatch") if name in text]
        steps = [Step(StepKind.SETUP, line) for line in dict.fromkeys(statements)]
        return replace(
            candidate,
            steps=(*steps, *candidate.steps),
            imports=tuple(dict.fromkeys((*candidate.imports, *imports))),
            fixtures=tuple(dict.fromkeys((*candidate.fixtures, *names))),
        )

    def _tree(self, candidate: Candidate) -> SetUp:
        """Now and then a file or two below ``tmp_path``, where that is what a call is given."""
        text = "\n".join(step.code for step in candidate.steps)
        is_made = any(step.code.startswith("(tmp_path / ") for step in candidate.steps)
        if is_made or not re.search(r"\btmp_path\b(?! /)", text) or self._chooser.random() < 0.3:
            return ()
        target = self._targets.get(candidate.target)
        literals = literals_of(target.source if target is not None else "")
        names = [name for name in map(_suffix, literals) if name]
        suffix = self._chooser.choice(names or [".txt"])
        inside = self._chooser.choice(("", "abc\n", "first line\nsecond line\n"))
        first = f"(tmp_path / {f'a{suffix}'!r}).write_text({inside!r})"
        if self._chooser.random() < 0.5:
            return (first,)
        second = f"(tmp_path / 'folder' / {f'b{suffix}'!r}).write_text('abc\\n')"
        return (first, "(tmp_path / 'folder').mkdir()", second)

    def scripts(self) -> Iterator[Candidate]:
        """Candidates that run the module as a script, if it has a part for that."""
        target = self._targets.get(SCRIPT)
        if target is None:
            return
        name = self._import_name
        code = f"runpy.run_module({name!r}, run_name='__main__')"
        steps = [Step(StepKind.SETUP, code)]
        if "." in name:  # runpy warns where it finds a part of a package imported already
            steps.insert(0, Step(StepKind.SETUP, f"monkeypatch.delitem(sys.modules, {name!r})"))
        fixtures = ("monkeypatch",) if len(steps) > 1 else ()
        imports = ("import runpy", "import sys")[: len(steps)]
        subject = next((n for n in target.calls if n in self._targets), target.qualname)
        candidate = Candidate(
            subject, tuple(steps), self._module.label, "search", imports, fixtures
        )
        yield from [candidate] * SCRIPT_RUNS

    def used_by(self, observation: Observation) -> Candidate:
        """What ran, without set-up for parts of the world that this run did not come to."""
        self._given.learn(observation)
        candidate = observation.candidate
        reached = {line for arc in observation.arcs for line in arc}
        found = self.of(candidate)
        needed = {line for i in found if i.lines & reached for s in i.choices for line in s}
        made = {line for i in found for s in i.choices for line in s}
        steps = tuple(
            step for step in candidate.steps if step.code in needed or step.code not in made
        )
        if len(steps) == len(candidate.steps):
            return candidate
        text = "\n".join(step.code for step in steps)
        fixtures = tuple(name for name in candidate.fixtures if name in text)
        return replace(candidate, steps=steps, fixtures=fixtures)

    def _reached(self, candidate: Candidate) -> tuple[str, ...]:
        """The targets that a candidate calls, and what those call in the module."""
        words = _words(candidate)
        waiting = [candidate.target] if candidate.target in self._targets else []
        for name, target in self._targets.items():
            owner = target.parent
            is_built = owner in words and target.name in ("__init__", "__post_init__", "__new__")
            is_called = target.name in words and (owner is None or owner in words)
            if is_built or is_called:
                waiting.append(name)
        found: dict[str, None] = {}
        if "run_module" in words and SCRIPT in self._targets:
            waiting.append(SCRIPT)
        while waiting:
            name = waiting.pop(0)
            target = self._targets[name]
            if name not in found and f"{name}.__init__" not in self._targets:
                found[name] = None
                waiting += [called for called in target.calls if called in self._targets]
            elif name not in found:
                found[name] = None  # a class: its methods are looked at one by one
        plain = (n for n in found if not any(t.parent == n for t in self._targets.values()))
        return tuple(plain)

    def _reads(self, target: Target) -> bool:
        """Whether a target reads anything of the world, wherever it is called from."""
        if target.qualname not in self._readers:
            found = next(self._read_by(target, [target]), None)
            self._readers[target.qualname] = found is not None
        return self._readers[target.qualname]

    def _read_by(self, target: Target, sources: Sequence[Target]) -> Iterator[Circumstance]:
        reader = _Reader(self._import_name, self._module, self._imported, sources, self._given)
        for node in ast.walk(tree_of(target.source)):
            if isinstance(node, ast.expr):
                for item in reader.read(node):
                    if not item.choices:
                        continue
                    first = target.first_line - 1
                    end = node.end_lineno or node.lineno
                    lines = frozenset(range(first + node.lineno, first + end + 1))
                    yield replace(item, lines=lines)


class _Reader:
    """Knows for an expression of the source what of the world it reads."""

    def __init__(
        self,
        import_name: str,
        module: Module,
        imported: dict[str, str],
        sources: Sequence[Target],
        given: Given,
    ) -> None:
        self.import_name = import_name
        self.module = module
        self.imported = imported
        self.given = given
        self.targets = [source.qualname for source in sources]
        self.text = "\n".join(source.source for source in sources)
        self.literals = literals_of(self.text)

    def read(self, node: ast.expr) -> Iterator[Circumstance]:
        """The circumstances that this very expression reads; not those of its parts."""
        written = dotted(node.func if isinstance(node, ast.Call) else node)
        full = self.full(written)
        if isinstance(node, ast.Call):
            yield from self._call(node, written, full)
        if isinstance(node, ast.Subscript) and self.full(dotted(node.value)) == "os.environ":
            yield from self._variable(node.slice)
        if isinstance(node, ast.Compare) and self.full(dotted(node.comparators[0])) == "os.environ":
            yield from self._variable(node.left)
        if full == "sys.argv":
            yield self._arguments()
        elif full == "sys.stdin":
            yield self._input()
        elif full in world.ATTRIBUTES:
            values = world.ATTRIBUTES[full]
            yield _made(full, [(), *(self._patch(written, value) for value in values)])

    def _call(self, node: ast.Call, written: str, full: str) -> Iterator[Circumstance]:
        texts = [a.value for a in node.args[:1] if isinstance(a, ast.Constant)]
        if full in ("os.getenv", "os.environ.get", "os.environ.pop", "os.environ.setdefault"):
            yield from self._variable(node.args[0] if node.args else node)
        elif full in world.FIXED:
            values = [v for v in world.FIXED[full] if "os." not in v or "os" in self.imported]
            yield _made(full, [self._patch(written, value) for value in values])
        elif re.fullmatch(r"datetime\.(?:datetime\.(?:now|utcnow|today)|date\.today)", full):
            yield from self._moment(written, full)
        elif full.startswith("random.") and "." not in full.removeprefix("random."):
            if full not in ("random.Random", "random.SystemRandom", "random.seed"):
                yield _made("random", [(line,) for line in world.FROM_RANDOM])
        elif is_outside(full):
            values = outside_values(node, full, self.text, self.literals, self.full)
            yield replace(
                _made(full, [self._patch(written, value) for value in values]), is_outside=True
            )
        elif full == "input":
            yield self._input()
        elif full.endswith(".parse_args") and (not node.args or self._takes_none(node.args[0])):
            yield self._arguments()
        elif full in ("os.getcwd", "pathlib.Path.cwd"):
            yield _made("the working folder", [("monkeypatch.chdir(tmp_path)",)])
        elif full in ("pathlib.Path.home", "os.path.expanduser") or full.endswith(".expanduser"):
            yield _made("the home folder", [("monkeypatch.setenv('HOME', str(tmp_path))",)])
        elif texts and isinstance(texts[0], str) and _opens(full) and _is_file(texts[0]):
            yield self._file(texts[0])

    def full(self, written: str) -> str:
        """``datetime.datetime.now`` for ``datetime.now`` where the class was imported."""
        root, dot, rest = written.partition(".")
        return f"{self.imported.get(root, root)}{dot}{rest}"

    def _patch(self, written: str, value: str) -> SetUp:
        line = f"monkeypatch.setattr({f'{self.import_name}.{written}'!r}, {value})"
        return (world.TICKS, line) if "ticks" in value else (line,)

    def _texts(self) -> list[str]:
        return [text for text in self.literals if kind_of(text) == "str" and len(text) < 40]

    def _variable(self, name: ast.expr) -> Iterator[Circumstance]:
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            key = repr(name.value)
            values = [t for t in self._texts() if t != key and not t[1:-1].isupper()]
            values = list(dict.fromkeys((*values, *map(repr, world.ENVIRONMENT))))
            setting = [(f"monkeypatch.setenv({key}, {value})",) for value in values]
            missing = (f"monkeypatch.delenv({key}, raising=False)",)
            yield _made(f"os.environ[{key}]", [missing, missing, *setting])

    def _arguments(self) -> Circumstance:
        words = [t for t in self._texts() if t[1:2] == "-" or t[1:-1].isidentifier()]
        words = list(dict.fromkeys((*words, "'1'", "'abc'", "'25'")))
        rows = [[], *([word] for word in words)]
        rows += [[first, second] for first in words for second in words[-3:]]
        rows += [[*row, "'2'"] for row in rows[-3:]]
        lines = [f"['program'{''.join(f', {word}' for word in row)}]" for row in rows]
        return _made("sys.argv", [(f"monkeypatch.setattr('sys.argv', {line})",) for line in lines])

    def _input(self) -> Circumstance:
        words = [ast.literal_eval(text) + "\n" for text in self._texts()]
        lines = dict.fromkeys((*world.LINES, *words))
        values = [f"io.StringIO({line!r})" for line in lines]
        return _made("sys.stdin", [(f"monkeypatch.setattr('sys.stdin', {v})",) for v in values])

    def _file(self, name: str) -> Circumstance:
        inside = "monkeypatch.chdir(tmp_path)"
        parents = name.rpartition("/")[0]
        folder = (f"(tmp_path / {parents!r}).mkdir(parents=True)",) if parents else ()
        texts = dict.fromkeys(self.given.texts_for(self.targets, name))
        written = [(inside, *folder, f"(tmp_path / {name!r}).write_text({t!r})") for t in texts]
        return _made(f"the file {name}", [(inside,), *written])

    def _moment(self, written: str, full: str) -> Iterator[Circumstance]:
        kind, _, method = written.rpartition(".")
        is_date = full == "datetime.date.today"
        name = "FixedDate" if is_date else "FixedDatetime"
        form = world.FIXED_DATE if is_date else world.FIXED_DATETIME
        has_zone = method == "now"
        choices = []
        for moment in world.MOMENTS:
            text = form.format(
                kind=kind,
                method=method,
                moment=", ".join(moment.split(", ")[:3]) if is_date else moment,
                parameter=", tz=None" if has_zone else "",
                argument=", tzinfo=tz" if has_zone else "",
            )
            choices.append((text, *self._patch(kind, name)))
        yield _made(full, choices)

    def _takes_none(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) or (isinstance(node, ast.Constant) and node.value is None)


def script_of(module: Module) -> Iterator[Target]:
    """The part under ``if __name__ == "__main__":``, as if it were a function without a head."""
    for node in tree_of(module.source.text).body:
        if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test):
            last = node.end_lineno or node.lineno
            lines = module.source.text.splitlines()[node.lineno - 1 : last]
            calls = [n.func.id for n in ast.walk(node) if _is_plain_call(n)]
            yield Target(
                SCRIPT, TargetKind.FUNCTION, False, (), None, None, (), "", (), node.lineno, last,
                "\n".join(lines), tuple(calls), (), module.label,
            )  # fmt: skip
            return


def _made(reads: str, choices: Sequence[SetUp]) -> Circumstance:
    return Circumstance(reads, frozenset(), tuple(choices[:MOST_CHOICES]))


def _opens(full: str) -> bool:
    return full in ("open", "io.open", "pathlib.Path") or full.startswith("os.path.")


def _is_file(name: str) -> bool:
    """True for a relative path that looks like a file: it has an extension."""
    return bool(re.fullmatch(r"(?:[\w-]+/)*[\w-]*\.\w{1,8}", name))


def _is_plain_call(node: ast.AST) -> TypeGuard[Any]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


def is_set_up(step: Step) -> bool:
    """True for set-up of the kinds made here: another text in it would mean another thing."""
    return step.kind is StepKind.SETUP and _SET_UP.match(step.code) is not None


def _is_prepared(candidate: Candidate) -> bool:
    """True if somebody thought of the world already."""
    return any(re.search(r"\bmonkeypatch\.(?!delitem)", step.code) for step in candidate.steps)


def _suffix(literal: str) -> str:
    """``.csv`` for the literal ``'.csv'`` or ``'*.csv'``, else ""."""
    found = re.fullmatch(r"'\*?(\.[a-z]\w{0,5})'", literal)
    return found[1] if found else ""


def _words(candidate: Candidate) -> frozenset[str]:
    return frozenset(w for step in candidate.steps for w in re.findall(r"\w+", step.code))


def _bound(text: str) -> frozenset[str]:
    """The names that set-up gives to things of its own."""
    return frozenset(re.findall(r"^(?:class )?(\w+)(?= =|\()", text, re.MULTILINE))
