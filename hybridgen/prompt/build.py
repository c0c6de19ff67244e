"""Builds the prompt for one target: instructions, module context, target, what is missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hybridgen.domain import Fragment, Module, Prompt, Target, TargetKind
from hybridgen.prompt.outline import outline
from hybridgen.prompt.shorten import without_long_docstrings
from hybridgen.prompt.templates import Value, render

CountTokens = Callable[[Sequence[str]], list[int]]


@dataclass(frozen=True, slots=True)
class PromptLimits:
    """The most tokens for each part; reading is what costs time on a processor.

    At 42 prompt tokens a second (1.5B model, two cores) 1,000 tokens take 24 of a module's
    120 seconds.
    """

    context_tokens: int = 400
    target_tokens: int = 600


DEFAULT_LIMITS = PromptLimits()


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the request that may be left out; ``name`` says in ``Prompt.cut`` what it was."""

    name: str
    fragment: Fragment


def build_prompt(
    module: Module,
    target: Target,
    *,
    import_name: str,
    missing: Sequence[Fragment],
    examples: Sequence[Fragment],
    count_tokens: CountTokens,
    limits: PromptLimits = DEFAULT_LIMITS,
) -> Prompt:
    """The prompt for ``target``; all before the target is byte-equal for a module's targets.

    What does not fit is left out by rank (callees, examples, the constructor, what is missing,
    then the end of the target's own source) and named in ``Prompt.cut``.

    Args:
        module: the module of the target.
        target: what is to be tested.
        import_name: the verified import name of the module.
        missing: source text that nothing has reached yet.
        examples: calls that are known to work.
        count_tokens: counts tokens of several texts at once.
        limits: budgets of the module's and the target's part.
    """
    lines, cut_lines = outline(module, count_tokens, limits.context_tokens)
    name = fragment_of(module, import_name)
    request, cut_parts = _request(module, target, missing, examples, count_tokens, limits)
    return Prompt(
        system=render("system", {}),
        context=render("context", {"module": name, "outline": lines}),
        request=request,
        answer=fragment_of(module, answer_start(target, import_name), target),
        cut=(*cut_lines, *cut_parts),
    )


def _request(
    module: Module,
    target: Target,
    missing: Sequence[Fragment],
    examples: Sequence[Fragment],
    count_tokens: CountTokens,
    limits: PromptLimits,
) -> tuple[tuple[Fragment, ...], tuple[str, ...]]:
    source = definition(module, target)
    needed = [_Part(f"missing: {part.origin}", part) for part in missing]
    maker = _constructor(module, target)
    known = [_Part(f"example: {part.text}", part) for part in examples]
    callees = _callees(module, target)
    ranked = [*needed, *maker, *known, *callees]
    source_lines = source.text.split("\n")
    texts = [*(part.fragment.text for part in ranked), *source_lines]
    costs = count_tokens([f"{text}\n" for text in texts])
    kept_lines = _fitting(costs[len(ranked) :], limits.target_tokens)
    cut: list[str] = []
    if kept_lines < len(source_lines):
        cut.append(f"{target.qualname}: lines after {kept_lines} of {len(source_lines)}")
        source = replace(source, text="\n".join([*source_lines[:kept_lines], "    ..."]))
    left = limits.target_tokens - sum(costs[len(ranked) : len(ranked) + kept_lines])
    kept: list[_Part] = []
    for part, cost in zip(ranked, costs, strict=False):
        if cost <= left:
            left -= cost
            kept.append(part)
        else:
            cut.append(part.name)
    values: dict[str, Value] = {
        "name": fragment_of(module, target.name),
        "source": source,
        "around": [part.fragment for part in (*callees, *maker) if part in kept],
        "missing": [part.fragment for part in needed if part in kept],
        "examples": [part.fragment for part in known if part in kept],
    }
    owner = owner_of(target)
    if owner is None:
        return render("request_function", values), tuple(cut)
    return render("request_class", {**values, "owner": fragment_of(module, owner)}), tuple(cut)


def _fitting(costs: Sequence[int], limit: int) -> int:
    """How many lines from the top fit."""
    for index, cost in enumerate(costs):
        limit -= cost
        if limit < 0:
            return index
    return len(costs)


def owner_of(target: Target) -> str | None:
    """The class that a test has to make, or None if the target is called as it is."""
    if _is_class(target):
        return target.qualname
    return target.parent if target.binding in {"instance", "property"} else None


def definition(module: Module, target: Target) -> Fragment:
    """The source of ``target``, without long docstrings and what is asked about by itself."""
    text = _without_methods(module, target) if _is_class(target) else target.source
    text = without_long_docstrings(text)
    if target.parent is not None and not _is_class(target):
        body = "\n".join(f"    {line}" if line else line for line in text.split("\n"))
        text = f"class {target.parent}:\n{body}"
    return fragment_of(module, text, target)


def _without_methods(module: Module, target: Target) -> str:
    """A class without the methods that are asked for one by one; the outline has their heads."""
    lines: list[str | None] = [*target.source.split("\n")]
    for other in module.targets:
        if other.parent == target.qualname and not other.name.startswith("__"):
            start = other.first_line - target.first_line
            end = other.last_line - target.first_line + 1
            lines[start:end] = [None] * (end - start)
    kept = "\n".join(line for line in lines if line is not None)
    return re.sub(r"\n{3,}", "\n\n", kept).rstrip()


def _is_class(target: Target) -> bool:
    return target.kind is TargetKind.CLASS


def _constructor(module: Module, target: Target) -> list[_Part]:
    """``__init__`` of a method's class: how to make what the method needs."""
    wanted = f"{target.parent}.__init__"
    if target.kind is not TargetKind.METHOD or target.qualname == wanted:
        return []
    return [
        _Part(f"source: {other.qualname}", definition(module, other))
        for other in module.targets
        if other.qualname == wanted
    ]


def _callees(module: Module, target: Target) -> list[_Part]:
    own = f"{target.qualname}."
    return [
        _Part(f"source: {other.qualname}", definition(module, other))
        for other in module.targets
        if other.qualname in target.calls
        and not _is_class(other)
        and other.qualname != target.qualname
        and other.name != "__init__"
        and not other.qualname.startswith(own)
    ]


def answer_start(target: Target, import_name: str) -> str:
    """The first lines of the answer: they cost nothing and keep a small model on its task."""
    root = target.qualname.partition(".")[0]
    head = f"```python\nfrom {import_name} import {root}\n\n"
    owner = owner_of(target)
    if owner is not None:
        test = f"def test_{target.name.strip('_').lower()}_1():"
        variable = owner.rpartition(".")[2].strip("_").lower()
        return f"{head}\n{test}\n    {variable} = {owner}("
    if target.is_async:
        return f"{head}\nasync def test_{target.name.strip('_')}_1():\n    await {target.qualname}("
    return f"{head}{target.qualname}("


def fragment_of(module: Module, text: str, target: Target | None = None) -> Fragment:
    """Text made from a module: as confidential as the module, or the target if that is more."""
    source = module.source
    label = source.label if target is None else max(source.label, target.label)
    line = "" if target is None else f":{target.first_line}"
    return Fragment(text, label, f"{module.display}{line}", source.why, source.sources)
