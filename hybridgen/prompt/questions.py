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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hybridgen.domain import Fragment, Module, Parameter, ParameterKind, Prompt, Target, TargetKind
from hybridgen.prompt.build import CountTokens, answer_start, fragment_of, owner_of
from hybridgen.prompt.outline import signature
from hybridgen.prompt.templates import Value, render

MOST_TOKENS: Final = 200
"""Of the request: what differs from question to question."""

_ALWAYS: Final = 50  # tokens of a template's own words, and names
_LONGEST_CALL: Final = 120  # characters; longer calls teach little for what they cost
_LONGEST_PURPOSE: Final = 300  # characters of a docstring
_LONGEST_CONSTANT: Final = 300
_WORD: Final = re.compile(r"\w+")
_DECIDED: Final = ("bool", "Callable", "type", "Type")
"""Hints of parameters whose values a search finds as well as anybody."""


class QuestionKind(StrEnum):
    """What is asked for.

    ``values`` are arguments that come to several open places, ``scenario`` objects and calls that
    do; ``branch`` is either of them for a single place.
    """

    VALUES = "values"
    SCENARIO = "scenario"
    BRANCH = "branch"


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
    target: Target, missing: Sequence[Fragment], works: Fragment | None
) -> Iterator[Question]:
    """Everything that can be asked about ``target``, the broader questions first."""
    places = tuple(missing)
    if not places:
        return
    subjects = [*_parameters(target, places), *([None] if owner_of(target) else [])]
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
    most_tokens: int = MOST_TOKENS,
) -> Prompt | None:
    """The prompt, or None where no open place fits into it.

    Args:
        question: what is asked.
        module: the module of its target.
        import_name: the verified import name of the module.
        count_tokens: counts tokens of several texts at once.
        most_tokens: of the request.
    """
    target = question.target
    heads = list(_heads(module, target))
    ranked = [
        *(("given", part) for part in heads[:2]),
        *(("missing", part) for part in question.missing),
        *(("given", part) for part in _constants(module, target, question.missing)),
        *([("works", question.works)] if question.works is not None else ()),
        *(("given", part) for part in heads[2:]),
    ]
    kept, cut = _fitting(ranked, count_tokens, most_tokens - _ALWAYS)
    if not kept["missing"]:
        return None
    values: dict[str, Value] = {
        "name": fragment_of(module, target.name),
        "given": kept["given"],
        "missing": kept["missing"],
        "works": next(iter(kept["works"]), None),
    }
    if question.parameter is None:
        values["owner"] = fragment_of(module, owner_of(target) or target.name)
        request, answer = render("question_scenario", values), answer_start(target, import_name)
    else:
        values["parameter"] = fragment_of(module, question.parameter, target)
        request = render("question_values", values)
        answer = f"```python\n{question.parameter} = [\n    "
    return Prompt(
        system=render("question_system", {}),
        context=(),
        request=request,
        answer=fragment_of(module, answer, target),
        cut=cut,
    )


def _parameters(target: Target, places: Iterable[Fragment]) -> list[str]:
    """Parameters worth asking values for, first those that open conditions name."""
    names = _words(places)
    fitting = [p for p in target.parameters if p.kind not in _STARRED and not _is_decided(p)]
    return [p.name for p in sorted(fitting, key=lambda p: (p.name not in names, bool(p.default)))]


_STARRED: Final = (ParameterKind.VAR_POSITIONAL, ParameterKind.VAR_KEYWORD)


def _is_decided(parameter: Parameter) -> bool:
    words = _WORD.findall(parameter.annotation or "")
    return parameter.default in ("True", "False") or any(word in _DECIDED for word in words)


def _words(places: Iterable[Fragment]) -> set[str]:
    return set(_WORD.findall(" ".join(part.text for part in places)))


def _heads(module: Module, target: Target) -> Iterator[Fragment]:
    """How the target is called and what for; for a method, first how its object is made."""
    owner = owner_of(target)
    if owner is None or owner == target.qualname:
        yield fragment_of(module, _head(target), target)
    else:
        for other in module.targets:
            if other.qualname == owner:
                yield fragment_of(module, _head(other), other)
        yield fragment_of(module, _indented(_head(target)), target)
    for other in module.targets:
        is_known = other.qualname in (owner, target.qualname) or other.is_private
        if owner is not None and other.parent == owner and not is_known:
            yield fragment_of(module, _indented(signature(other)), other)


def _head(target: Target) -> str:
    """The signature, with the first lines of the docstring."""
    purpose = _purpose(target)
    if not purpose:
        return signature(target)
    if target.kind is TargetKind.CLASS:
        return f'{signature(target)}\n    """{purpose}"""'
    return f'{signature(target).removesuffix(" ...")}\n    """{purpose}"""'


def _purpose(target: Target) -> str:
    """The first paragraph of a docstring, where there is one."""
    text = (target.docstring or "").strip().split("\n\n")[0]
    lines = (line.strip() for line in text.split("\n"))
    return "\n    ".join(lines)[:_LONGEST_PURPOSE].replace('"', "'")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))


def _constants(module: Module, target: Target, places: Iterable[Fragment]) -> list[Fragment]:
    """Constants of the module that the target names, first those of open conditions."""
    in_places, in_source = _words(places), set(_WORD.findall(target.source))
    named = list(_assignments(module.source.text))
    chosen = [text for name, text in named if name in in_places]
    chosen += [text for name, text in named if name in in_source - in_places]
    return [fragment_of(module, text) for text in chosen if len(text) <= _LONGEST_CONSTANT]


def _assignments(source: str) -> Iterator[tuple[str, str]]:
    """Name and text of assignments at the top level of a module."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):  # cannot be, because the module was parsed before
        return
    for statement in body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            yield statement.targets[0].id, ast.unparse(statement)
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield statement.target.id, ast.unparse(statement)


def _fitting(
    ranked: Sequence[tuple[str, Fragment]], count_tokens: CountTokens, left: int
) -> tuple[dict[str, list[Fragment]], tuple[str, ...]]:
    """What fits, by its name in the template, and what was left out."""
    kept: dict[str, list[Fragment]] = {"given": [], "missing": [], "works": []}
    cut: list[str] = []
    costs = count_tokens([f"{part.text}\n" for _, part in ranked])
    for (name, part), cost in zip(ranked, costs, strict=True):
        is_long = name == "works" and ("\n" in part.text or len(part.text) > _LONGEST_CALL)
        if cost > left or is_long:
            cut.append(f"{name}: {part.text.partition(chr(10))[0][:40]}")
        else:
            left -= cost
            kept[name].append(part)
    return kept, tuple(cut)
