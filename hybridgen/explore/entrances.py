"""Calls that take a text and lead to open code elsewhere: a parser's way in.

What runs executed says which target leads where, through classes, tables and generators that no
reading of the source would follow.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hybridgen.domain import Observation, Parameter, Target, TargetKind

_NO_TEXT: Final = re.compile(
    r"\b(?:[Ll]ist|[Dd]ict|[Tt]uple|[Ss]et|Callable|Iterable|Sequence|IO)\b"
)


@dataclass(frozen=True, slots=True)
class Entrance:
    """A parameter that takes a text.

    Attributes:
        leads_to: targets with open code that calls of it reached, those with most of it first.
        weight: how many open lines and branches these have.
    """

    target: Target
    parameter: str
    leads_to: tuple[Target, ...]
    weight: int


def entrances(
    targets: Sequence[Target], counts: Mapping[str, int], observations: Sequence[Observation]
) -> list[Entrance]:
    """Those that lead to open code of others, to most of it first.

    Args:
        counts: open lines and branches of each target that has any.
        observations: runs of calls of the targets.
    """
    open_ = [t for t in targets if t.kind is not TargetKind.CLASS and counts.get(t.qualname)]
    reached: dict[str, set[str]] = {}
    texts: Counter[tuple[str, int]] = Counter()
    for observation in observations:
        lines = {line for arc in observation.arcs for line in arc}
        name = observation.candidate.target
        found = {t.qualname for t in open_ if _is_reached(t, lines)}
        reached.setdefault(name, set()).update(found)
        reached.setdefault(name.rpartition(".")[0], set()).update(found)  # how its object is made
        if all(result.raised is None for result in observation.results):
            texts.update(_text_places(observation))
    made = []
    for target in targets:
        others = [
            t for t in open_ if t.qualname in reached.get(target.qualname, ()) and t != target
        ]
        others.sort(key=lambda other: -counts[other.qualname])
        for index, parameter in enumerate(target.parameters):
            if others and _takes_text(parameter, texts[target.name, index]):
                weight = sum(counts[other.qualname] for other in others)
                made.append(Entrance(target, parameter.name, tuple(others), weight))
    return sorted(made, key=lambda entrance: -entrance.weight)


def _is_reached(target: Target, lines: set[int]) -> bool:
    """Whether something of its body ran."""
    return not lines.isdisjoint(range(target.first_line + 1, target.last_line + 1))


def _takes_text(parameter: Parameter, times: int) -> bool:
    if parameter.kind.is_variadic:
        return False
    if parameter.annotation is None:
        return times > 0
    hint = parameter.annotation
    return "str" in re.findall(r"\w+", hint) and not _NO_TEXT.search(hint)


def _text_places(observation: Observation) -> Iterator[tuple[str, int]]:
    """Short names of what was called with a text, and which argument it was."""
    for step in observation.candidate.steps:
        for call in ast.walk(ast.parse(step.code)):
            if isinstance(call, ast.Call):
                name = ast.unparse(call.func).rpartition(".")[2]
                for index, argument in enumerate(call.args):
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield name, index
