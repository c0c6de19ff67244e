"""Short questions about what a search left open; each has few tokens and one aim.

A small model knows what real inputs look like: a duration, an address, a header. It finds them
where it is told what an input is for, and asked for nothing else. What it need not know costs time
and attention, so a question has a bound of tokens, and what fits is chosen by rank: the head and
the purpose of what is called, open places with the conditions that lead there, constants and
patterns that these name, a call that works. Calls that do not come to a place are not shown: told
what not to write, the models of our list write just that.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from hybridgen.domain import Breadth, Fragment, Module, Prompt, Target
from hybridgen.prompt.build import (
    CountTokens,
    answer_start,
    build_prompt,
    definition,
    fragment_of,
    owner_of,
)
from hybridgen.prompt.parts import (
    END_OF_LIST,
    fitting,
    heads,
    list_start,
    parameters,
    short_prompt,
    words,
)
from hybridgen.prompt.templates import Value


@dataclass(frozen=True, slots=True)
class QuestionLimits:
    """How much a question may hold.

    Attributes:
        request_tokens: of what differs from question to question.
        answer_tokens: of an answer; None: what the settings allow.
        has_source: whether the source of what is called is shown.
    """

    request_tokens: int
    answer_tokens: int | None
    has_source: bool


LIMITS: Final[Mapping[Breadth, QuestionLimits]] = MappingProxyType(
    {
        # An answer of 128 tokens holds some ten calls; what comes later mostly repeats them.
        Breadth.NARROW: QuestionLimits(200, 128, has_source=False),
        Breadth.MIDDLE: QuestionLimits(400, 192, has_source=False),
        Breadth.WIDE: QuestionLimits(1000, None, has_source=True),
    }
)
_ALWAYS: Final = 50  # tokens of a template's own words, and names
_LONGEST_CONSTANT: Final = 300
_WORD: Final = re.compile(r"\w+")


class QuestionKind(StrEnum):
    """What is asked for.

    ``text`` is a whole text in some format, for a call that leads to open places elsewhere.
    ``values`` are arguments that come to several open places, ``scenario`` objects and calls that
    do; ``branch`` is either of them for a single place. ``kill`` are arguments that tell a mutant
    from the code, ``expectation`` what calls should give by the docstring alone, ``name`` what a
    test shows, in a few words.
    """

    TEXT = "text"
    VALUES = "values"
    SCENARIO = "scenario"
    BRANCH = "branch"
    KILL = "kill"
    EXPECTATION = "expectation"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        target: what is called.
        missing: open places, the most valuable first, each with the conditions that lead there.
        parameter: whose values are wanted; None asks for a scenario.
        works: a call that works, plain.
    """

    kind: QuestionKind
    target: Target
    missing: tuple[Fragment, ...]
    parameter: str | None = None
    works: Fragment | None = None


def questions(
    target: Target, missing: Sequence[Fragment], works: Fragment | None, breadth: Breadth
) -> Iterator[Question]:
    """Everything that can be asked about ``target``, the broader questions first."""
    places = tuple(missing)
    if not places:
        return
    has_source = LIMITS[breadth].has_source
    scenario = [None] if has_source or owner_of(target) else []
    values = parameters(target, places)
    subjects = [*scenario, *values] if has_source else [*values, *scenario]
    for parameter in subjects:
        kind = QuestionKind.SCENARIO if parameter is None else QuestionKind.VALUES
        yield Question(kind, target, places, parameter, works)
    for place in places if len(places) > 1 else ():
        for parameter in subjects[:1]:
            yield Question(QuestionKind.BRANCH, target, (place,), parameter, works)


def build_question(
    question: Question,
    module: Module,
    *,
    import_name: str,
    count_tokens: CountTokens,
    limits: QuestionLimits = LIMITS[Breadth.NARROW],
) -> Prompt | None:
    """The prompt, or None where no open place fits into it.

    A scenario with source is the whole of what :func:`build_prompt` tells.

    Args:
        question: what is asked.
        module: the module of its target.
        import_name: the verified import name of the module.
        count_tokens: counts tokens of several texts at once.
        limits: how much it may hold.
    """
    target = question.target
    if limits.has_source and question.parameter is None:
        return build_prompt(
            module,
            target,
            import_name=import_name,
            missing=question.missing,
            examples=(),
            count_tokens=count_tokens,
        )
    told = list(heads(module, target))
    if limits.has_source:
        told = [definition(module, target), *told]
    ranked = [
        *(("given", part) for part in told[:2]),
        *(("missing", part) for part in question.missing),
        *(("given", part) for part in _constants(module, target, question.missing)),
        *([("works", question.works)] if question.works is not None else ()),
        *(("given", part) for part in told[2:]),
    ]
    kept, cut = fitting(ranked, count_tokens, limits.request_tokens - _ALWAYS)
    if not kept["missing"]:
        return None
    values: dict[str, Value] = {
        "name": fragment_of(module, target.name),
        "given": kept["given"],
        "missing": kept["missing"],
        "works": next(iter(kept["works"]), None),
    }
    if question.kind is QuestionKind.TEXT:
        template, answer = "question_text", _text_start(question, import_name)
        stop: tuple[str, ...] = ('"""',)
    elif question.parameter is None:
        values["owner"] = fragment_of(module, owner_of(target) or target.name)
        template, answer = "question_scenario", answer_start(target, import_name)
        stop = ()
    else:
        values["parameter"] = fragment_of(module, question.parameter, target)
        template, answer = "question_values", list_start(question.parameter)
        stop = END_OF_LIST
    return short_prompt(template, values, fragment_of(module, answer, target), cut, stop)


def _text_start(question: Question, import_name: str) -> str:
    """A test up to the text: so models write one of many lines, where a list has only words."""
    target = question.target
    root = target.qualname.partition(".")[0]
    name = target.name.strip("_").lower()
    head = f"```python\nfrom {import_name} import {root}\n\n\ndef test_{name}():\n"
    return f'{head}    {question.parameter} = """'


def _constants(module: Module, target: Target, places: Iterable[Fragment]) -> list[Fragment]:
    """Constants of the module that the target names, first those of open conditions."""
    in_places, in_source = words(places), set(_WORD.findall(target.source))
    named = _assignments(module.source.text)
    chosen = [text for name, text in named if name in in_places]
    chosen += [text for name, text in named if name in in_source - in_places]
    return [fragment_of(module, text) for text in chosen if len(text) <= _LONGEST_CONSTANT]


@lru_cache(maxsize=2)
def _assignments(source: str) -> tuple[tuple[str, str], ...]:
    """Name and text of assignments at the top level of a module, which many questions ask for."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):  # cannot be, because the module was parsed before
        return ()
    found: list[tuple[str, str]] = []
    for statement in body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            found.append((statement.targets[0].id, ast.unparse(statement)))
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            found.append((statement.target.id, ast.unparse(statement)))
    return tuple(found)
