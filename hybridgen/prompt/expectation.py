"""What calls should give by the docstring alone: the source is not shown, so it persuades nobody.

Only a docstring that says something is worth a question, and calls that stand in it are not asked
about: a model would copy what is written there, and examples are judged by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from hybridgen.domain import Fragment, Module, Prompt, Target
from hybridgen.prompt.build import CountTokens, fragment_of
from hybridgen.prompt.outline import signature
from hybridgen.prompt.parts import fitting, short_prompt

MOST_TOKENS: Final = 400
"""Of the request: a docstring is all that there is to go by."""

FEWEST_WORDS: Final = 6
"""Of a docstring that says what a function gives."""

_ALWAYS: Final = 50  # tokens of the template's own words
_LONGEST_DOCSTRING: Final = 700  # characters


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is asked.

    Attributes:
        target: a documented function.
        calls: of it, one line each.
    """

    target: Target
    calls: tuple[Fragment, ...]


def is_documented(target: Target) -> bool:
    """Whether the docstring says enough to work out by it what a call gives."""
    return len(re.findall(r"[A-Za-z]{2,}", target.docstring or "")) >= FEWEST_WORDS


def build_expectation(
    question: Expectation,
    module: Module,
    *,
    count_tokens: CountTokens,
    most_tokens: int = MOST_TOKENS,
) -> Prompt | None:
    """The prompt, or None where there is no room for the docstring and a call.

    Args:
        question: what is asked.
        module: the module of its target.
        count_tokens: counts tokens of several texts at once.
        most_tokens: of the request.
    """
    target = question.target
    ranked = [
        ("given", fragment_of(module, _head(target), target)),
        *(("calls", call) for call in question.calls),
    ]
    kept, cut = fitting(ranked, count_tokens, most_tokens - _ALWAYS)
    if not kept["given"] or not kept["calls"]:
        return None
    first = kept["calls"][0]
    answer = replace(first, text=f"```python\nassert {first.text} ==")
    return short_prompt("question_expectation", kept, answer, cut)


def _head(target: Target) -> str:
    """The signature with the docstring, its end left out where it is long."""
    text = "\n\n".join(_paragraphs((target.docstring or "").strip()))
    text = text.replace('"""', "'''").replace("\n", "\n    ")
    lines = (line.rstrip() for line in text.split("\n"))
    docstring = "\n".join(lines)
    return f'{signature(target).removesuffix(" ...")}\n    """{docstring}"""'


def _paragraphs(text: str) -> Iterator[str]:
    """The first paragraph, and of the others those that fit."""
    first, *others = text.split("\n\n")
    yield first[:_LONGEST_DOCSTRING]
    left = _LONGEST_DOCSTRING - len(first)
    for part in others:
        if len(part) <= left:
            left -= len(part)
            yield part
