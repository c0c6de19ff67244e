"""What short questions are made of: heads of what is called, and what fits into their tokens."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from hybridgen.domain import END_OF_CODE, Fragment, Module, Parameter, Prompt, Target, TargetKind
from hybridgen.prompt.build import CountTokens, fragment_of, owner_of
from hybridgen.prompt.outline import signature
from hybridgen.prompt.templates import Value, render

END_OF_LIST: Final = ("\n]",)
"""What ends an answer that began with :func:`list_start`; models go on with code for it."""

_LONGEST_CALL: Final = 120  # characters; longer calls teach little for what they cost
_LONGEST_PURPOSE: Final = 300  # characters of a docstring
_WORD: Final = re.compile(r"\w+")
_DECIDED: Final = ("bool", "Callable", "type", "Type")
"""Hints of parameters whose values a search finds as well as anybody."""


def heads(module: Module, target: Target) -> Iterator[Fragment]:
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


def fitting(
    ranked: Sequence[tuple[str, Fragment]], count_tokens: CountTokens, left: int
) -> tuple[dict[str, list[Fragment]], tuple[str, ...]]:
    """What fits, by its name in the template, and what was left out.

    Args:
        ranked: what is wanted, the most important first, each with its name in the template.
        count_tokens: counts tokens of several texts at once.
        left: tokens that there is room for.
    """
    kept: defaultdict[str, list[Fragment]] = defaultdict(list)
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


def parameters(target: Target, places: Iterable[Fragment]) -> list[str]:
    """Parameters worth asking values for, first those that the code in question names."""
    names = words(places)
    open_ = [p for p in target.parameters if not p.kind.is_variadic and not _is_decided(p)]
    return [p.name for p in sorted(open_, key=lambda p: (p.name not in names, bool(p.default)))]


def words(places: Iterable[Fragment]) -> set[str]:
    """The names in code."""
    return set(_WORD.findall(" ".join(part.text for part in places)))


def _is_decided(parameter: Parameter) -> bool:
    hints = _WORD.findall(parameter.annotation or "")
    return parameter.default in ("True", "False") or any(hint in _DECIDED for hint in hints)


def list_start(parameter: str) -> str:
    """The start of an answer that lists values of ``parameter``."""
    return f"```python\n{parameter} = [\n    "


def short_prompt(
    template: str,
    values: Mapping[str, Value],
    answer: Fragment,
    cut: tuple[str, ...],
    stop: tuple[str, ...] = (),
) -> Prompt:
    """A question of a few words: one system text for all kinds, no context.

    Args:
        template: its name below ``templates/``.
        values: for the template.
        answer: how the answer begins.
        cut: what did not fit.
        stop: what ends the answer, besides the end of its code.
    """
    return Prompt(
        system=render("question_system", {}),
        context=(),
        request=render(template, values),
        answer=answer,
        cut=cut,
        stop=(END_OF_CODE, *stop),
    )
