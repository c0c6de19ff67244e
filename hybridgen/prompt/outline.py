"""The outline of a module: what a model must know of it besides the one target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from hybridgen.domain import Fragment, Module, Parameter, ParameterKind, Target, TargetKind


class Rank(IntEnum):
    """What is kept first when not everything fits."""

    CLASS = 0
    PUBLIC = 1
    CONSTANT = 2
    PRIVATE = 3
    IMPORT = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an outline; ``owner`` is the class that must be there too."""

    name: str
    text: str
    rank: Rank
    owner: str | None = None


def outline(
    module: Module, count_tokens: Callable[[Sequence[str]], list[int]], limit: int
) -> tuple[tuple[Fragment, ...], tuple[str, ...]]:
    """The lines of a module's outline, and the names of what was left out.

    The same for all targets of a module, so that a backend reads it once.

    Args:
        module: the module.
        count_tokens: counts tokens of several texts at once.
        limit: the most tokens that the lines may have together.
    """
    entries = _entries(module)
    costs = count_tokens([f"{entry.text}\n" for entry in entries]) if entries else []
    kept = _choose(entries, costs, limit)
    source = module.source
    lines = tuple(
        replace(source, text=entry.text) for index, entry in enumerate(entries) if index in kept
    )
    cut = tuple(entry.name for index, entry in enumerate(entries) if index not in kept)
    return lines, cut


def _choose(entries: Sequence[Entry], costs: Sequence[int], limit: int) -> set[int]:
    kept: set[int] = set()
    classes: set[str] = set()
    left = limit
    for index in sorted(range(len(entries)), key=lambda index: (entries[index].rank, index)):
        entry = entries[index]
        if costs[index] > left or (entry.owner is not None and entry.owner not in classes):
            continue
        left -= costs[index]
        kept.add(index)
        if entry.rank is Rank.CLASS:
            classes.add(entry.name)
    return kept


def _entries(module: Module) -> list[Entry]:
    imports = (text for text in module.imports if "__future__" not in text)
    entries = [Entry(text, text, Rank.IMPORT) for text in imports]
    entries += [Entry(text.split(" ")[0], text, Rank.CONSTANT) for text in module.constants]
    classes = {target.qualname for target in module.targets if target.kind is TargetKind.CLASS}
    for target in module.targets:
        owner = target.parent if target.parent in classes else None
        if target.kind is TargetKind.CLASS:
            rank = Rank.CLASS
        else:
            rank = Rank.PRIVATE if target.is_private else Rank.PUBLIC
        indent = "    " * target.qualname.count(".")
        text = "\n".join(f"{indent}{line}" for line in signature(target).split("\n"))
        entries.append(Entry(target.qualname, text, rank, owner))
    return entries


def signature(target: Target) -> str:
    """The head of a definition, with the decorators that change how it is called."""
    if target.kind is TargetKind.CLASS:
        bases = f"({', '.join(target.bases)})" if target.bases else ""
        fields = _parameters(target.parameters)
        # The parameters of a class show how it is made, whether or not it has an __init__.
        return f"class {target.name}{bases}:  # {target.name}({fields})"
    receiver = {"instance": "self", "property": "self", "class": "cls"}.get(target.binding)
    parameters = ", ".join(filter(None, [receiver, _parameters(target.parameters)]))
    decorator = {"class": "@classmethod\n", "static": "@staticmethod\n", "property": "@property\n"}
    returns = f" -> {target.returns}" if target.returns else ""
    start = "async def" if target.is_async else "def"
    return f"{decorator.get(target.binding, '')}{start} {target.name}({parameters}){returns}: ..."


def _parameters(parameters: Sequence[Parameter]) -> str:
    parts: list[str] = []
    for index, parameter in enumerate(parameters):
        previous = parameters[index - 1].kind if index else None
        if previous is ParameterKind.POSITIONAL_ONLY and parameter.kind is not previous:
            parts.append("/")
        if parameter.kind is ParameterKind.KEYWORD and previous not in (
            ParameterKind.KEYWORD,
            ParameterKind.VAR_POSITIONAL,
        ):
            parts.append("*")
        parts.append(_parameter(parameter))
    if parameters and parameters[-1].kind is ParameterKind.POSITIONAL_ONLY:
        parts.append("/")
    return ", ".join(parts)


def _parameter(parameter: Parameter) -> str:
    stars = {ParameterKind.VAR_POSITIONAL: "*", ParameterKind.VAR_KEYWORD: "**"}
    text = stars.get(parameter.kind, "") + parameter.name
    if parameter.annotation:
        text += f": {parameter.annotation}"
    if parameter.default is not None:
        text += f" = {parameter.default}" if parameter.annotation else f"={parameter.default}"
    return text
