"""What tells a mutant from the code: each change is shown as a diff of two lines.

Values are asked for, not calls: the rest of the call is one that is known to execute the line.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from hybridgen.domain import Fragment, Module, Prompt, Target
from hybridgen.domain.mutants import Mutant
from hybridgen.prompt.build import CountTokens, fragment_of
from hybridgen.prompt.parts import END_OF_LIST, fitting, heads, list_start, parameters, short_prompt
from hybridgen.prompt.templates import Value

MOST_TOKENS: Final = 200
"""Of the request."""

MOST_CHANGES: Final = 3
"""In one question: more of them hide what each is about."""

_ALWAYS: Final = 60  # tokens of the template's own words, and names


@dataclass(frozen=True, slots=True)
class Kill:
    """What is asked.

    Attributes:
        target: what is called.
        parameter: of it, whose values are wanted.
        mutants: those that nothing noticed, the most valuable first.
        works: a call that executes their lines.
    """

    target: Target
    parameter: str
    mutants: tuple[Mutant, ...]
    works: Fragment | None = None


def changing(module: Module, target: Target, mutant: Mutant) -> list[str]:
    """Parameters of ``target`` that may tell a mutant, first those that its lines name."""
    return parameters(target, [fragment_of(module, difference(module.source.text, mutant))])


def difference(source: str, mutant: Mutant) -> str:
    """The lines that a mutant changes: ``- if a < b:`` and ``+ if a <= b:``."""
    first, last = mutant.line - 1, mutant.last_line
    old = source.split("\n")[first:last]
    new = mutant.source(source.encode()).split("\n")[first:last]
    pairs = [pair for pair in zip_longest(old, new, fillvalue="") if pair[0] != pair[1]]
    lines = [f"- {line.strip()}" for line, _ in pairs if line.strip()]
    return "\n".join([*lines, *(f"+ {line.strip()}" for _, line in pairs if line.strip())])


def build_kill(
    question: Kill,
    module: Module,
    *,
    count_tokens: CountTokens,
    most_tokens: int = MOST_TOKENS,
) -> Prompt | None:
    """The prompt, or None where no change fits into it.

    Args:
        question: what is asked.
        module: the module of its target.
        count_tokens: counts tokens of several texts at once.
        most_tokens: of the request.
    """
    target, source = question.target, module.source.text
    told = list(heads(module, target))
    changes = dict.fromkeys(difference(source, mutant) for mutant in question.mutants)
    changes.pop("", None)
    ranked = [
        *(("given", part) for part in told[:2]),
        *(("changes", fragment_of(module, text, target)) for text in [*changes][:MOST_CHANGES]),
        *([("works", question.works)] if question.works is not None else ()),
        *(("given", part) for part in told[2:]),
    ]
    kept, cut = fitting(ranked, count_tokens, most_tokens - _ALWAYS)
    if not kept["changes"]:
        return None
    values: dict[str, Value] = {
        "given": kept["given"],
        "changes": kept["changes"],
        "works": next(iter(kept["works"]), None),
        "parameter": fragment_of(module, question.parameter, target),
    }
    answer = fragment_of(module, list_start(question.parameter), target)
    return short_prompt("question_kill", values, answer, cut, END_OF_LIST)
