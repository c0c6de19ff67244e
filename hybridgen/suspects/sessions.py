"""Doctests as they are: every example of a docstring in order, in one candidate.

The search takes examples apart for their inputs; here they run as doctest would run them, so that
an example that depends on the ones before it is judged in its own state. Prose that says what a
call gives is read as an example too. Each becomes

- ``_shown_3 = <expression>`` (its output is what it printed),
- ``repr(_shown_3)``, what an interpreter would show, and
- ``_shown_3`` with the opinion ``_ == (<wanted>)``, for values that are shown in another way now.
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hybridgen.domain import Candidate, Module, Step, StepKind, Target
from hybridgen.domain.prose import told_calls
from hybridgen.suspects.kinds import parsed, same_code

SESSION = "doctest session"
"""Origin of these candidates."""

MOST_EXAMPLES = 40
PROSE = "prose"
MODULE = "module"
MODULE_PROSE = "module prose"


@dataclass(frozen=True, slots=True)
class Shown:
    """One example in a session.

    Attributes:
        source: the expression or statement.
        want: what the docstring shows, "" for nothing.
        raises: name of the exception that the docstring shows, or "".
        at: index of its first step.
        is_value: True if it has the three steps of an expression with a value.
        line: where it stands in the file, or 0.
    """

    source: str
    want: str
    raises: str
    at: int
    is_value: bool
    line: int


@dataclass(frozen=True, slots=True)
class Session:
    """The examples of one docstring, and the candidate that runs them."""

    candidate: Candidate
    shown: tuple[Shown, ...]


def sessions(module: Module, targets: Sequence[Target]) -> Iterator[Session]:
    """Sessions for each docstring that says what calls give: one for doctests, one for prose."""
    for target in {target.qualname: target for target in targets}.values():
        text = target.docstring or ""
        yield from _session(module, target, _doctests(text))
        yield from _session(module, target, _prose(text, target.name), PROSE)
    names = {target.name: target for target in targets}
    text = module.docstring or ""
    named = list(dict.fromkeys(word for word in re.findall(r"\w+", text) if word in names))
    if named:
        prose = [example for name in named for example in _prose(text, name)]
        yield from _session(module, names[named[0]], _doctests(text), MODULE)
        yield from _session(module, names[named[0]], prose, MODULE_PROSE)


def _session(
    module: Module, target: Target, examples: Sequence[doctest.Example], hint: str = ""
) -> Iterator[Session]:
    """The session of ``examples``, if they show anything."""
    steps: list[Step] = []
    shown: list[Shown] = []
    lines = module.source.text.splitlines()
    place = 0 if hint in (MODULE, MODULE_PROSE) else target.first_line - 1
    for example in examples:
        if example.options.get(doctest.SKIP):
            continue
        first = example.source.strip().partition("\n")[0]
        place = next((n for n in range(place, len(lines)) if first in lines[n]), place)
        found = _steps(example, len(steps), place + 1)
        if found is not None:
            steps += found[0]
            shown.append(found[1])
    if not any(item.want or item.raises for item in shown):
        return
    # What ends without a value would be left out as nothing to assert.
    steps.append(Step(StepKind.PROBE, f"callable({target.qualname.partition('.')[0]})"))
    candidate = Candidate(
        target=target.qualname,
        steps=tuple(steps),
        label=module.label,
        origin=SESSION,
        name_hint=hint,
    )
    yield Session(candidate, tuple(shown))


def _doctests(text: str) -> list[doctest.Example]:
    try:
        found = doctest.DocTestParser().get_examples(text)
    except ValueError:  # broken indentation, say
        return []
    return found[:MOST_EXAMPLES]


def _prose(text: str, name: str) -> list[doctest.Example]:
    """Calls of ``name`` of which prose says what they give, as if they were doctests."""
    return [
        doctest.Example(told.call, told.value, f"{told.raises}\n" if told.raises else None)
        for told in told_calls(text, name)
        if told.value or told.raises
    ][:MOST_EXAMPLES]


def _steps(example: doctest.Example, at: int, line: int) -> tuple[list[Step], Shown] | None:
    try:
        body = ast.parse(example.source).body
    except (SyntaxError, ValueError):  # Python 2, or prose
        return None
    source = same_code(example.source)
    raises = _exception(example)
    want = "" if raises else example.want.strip("\n")
    is_expression = len(body) == 1 and isinstance(body[0], ast.Expr)
    if not is_expression and _shows_values(body):
        want = ""
    if not is_expression or raises or not want:
        code = "\n".join(ast.unparse(node) for node in body)
        step = Step(StepKind.SETUP, code)
        return [step], Shown(source, want, raises, at, False, line)
    name = f"_shown_{at}"
    opinion = f"_ == ({want.strip()})" if parsed(want) is not None else None
    steps = [
        Step(StepKind.SETUP, f"{name} = {source}"),
        Step(StepKind.PROBE, f"repr({name})"),
        Step(StepKind.PROBE, name, opinion),
    ]
    return steps, Shown(source, want, "", at, True, line)


def _shows_values(body: list[ast.stmt]) -> bool:
    """True if doctest would show values from inside of a block, which running it does not."""
    shown = [node.value for item in body for node in ast.walk(item) if isinstance(node, ast.Expr)]
    return not all(isinstance(v, ast.Call) and ast.unparse(v.func) == "print" for v in shown)


def _exception(example: doctest.Example) -> str:
    """The class name at the end of a traceback, without its module."""
    if not example.exc_msg:
        return ""
    name = re.match(r"[\w.]+", example.exc_msg.strip())
    return name[0].rpartition(".")[2] if name else ""
