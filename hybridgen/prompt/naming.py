"""Asks for the name of one test: a few words on what it shows, beside a test that it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hybridgen.domain import Module, Prompt, Target
from hybridgen.prompt.build import CountTokens, fragment_of
from hybridgen.prompt.parts import fitting, heads, short_prompt
from hybridgen.prompt.templates import Value

MOST_TOKENS: Final = 240
"""Of the request."""

_ALWAYS: Final = 40  # tokens of the template's own words


@dataclass(frozen=True, slots=True)
class Naming:
    """What is asked.

    Attributes:
        target: what the test is about.
        start: how its name begins, ``test_parse_``.
        body: its statements.
        other: those of the test that has the plain name.
    """

    target: Target
    start: str
    body: str
    other: str


def build_naming(
    question: Naming,
    module: Module,
    *,
    count_tokens: CountTokens,
    most_tokens: int = MOST_TOKENS,
) -> Prompt | None:
    """The prompt, or None where there is no room for both tests.

    Args:
        question: what is asked.
        module: the module of its target.
        count_tokens: counts tokens of several texts at once.
        most_tokens: of the request.
    """
    target = question.target
    ranked = [
        ("body", fragment_of(module, question.body, target)),
        ("other", fragment_of(module, question.other, target)),
        *(("given", head) for head in list(heads(module, target))[:2]),
    ]
    kept, cut = fitting(ranked, count_tokens, most_tokens - _ALWAYS)
    if not kept["body"] or not kept["other"]:
        return None
    values: dict[str, Value] = {
        "given": kept["given"],
        "body": kept["body"][0],
        "other": kept["other"][0],
    }
    answer = fragment_of(module, f"```python\ndef {question.start}", target)
    return short_prompt("question_name", values, answer, cut)
