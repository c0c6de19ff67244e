"""What the gate would refuse of the prompts for one file, each reason once.

::

      refused   the prompt for rounded: shop/money.py:4 seems to hold a secret: AWS access key
                take it out of the code, and change it where it is used; or let the model ...
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from hybridgen.domain.explanations import ExplainedPrompt, Objection
from hybridgen.report.visible import one_line

_NOTHING_FOUND: Final = (
    "no secret, and no copy of what is stricter, is in the prompts that source alone makes"
)


def gate_lines(prompts: Sequence[ExplainedPrompt]) -> Iterator[str]:
    """The same for people; nothing where the gate was not asked."""
    asked = [one for one in prompts if one.is_checked]
    objections = _objections(asked)
    for objection, targets in objections.items():
        yield f"  refused   {_prompts_for(targets, len(asked))}: {one_line(objection.why)}"
        yield f"            {one_line(objection.hint)}"
    if asked and not objections:
        yield f"  checked   {_NOTHING_FOUND}"


def refused_part(prompts: Sequence[ExplainedPrompt]) -> str:
    """How much of it is refused, behind the label of the file; "" for nothing."""
    asked = [one for one in prompts if one.is_checked]
    refused = [one for one in asked if one.objection is not None]
    if not refused:
        return ""
    return (
        ", but refused as it is"
        if len(refused) == len(asked)
        else ", but a part is refused, and a run ends there"
    )


def gate_document(prompts: Sequence[ExplainedPrompt]) -> dict[str, Any]:
    """The same, JSON-ready; empty where the gate was not asked."""
    asked = [one for one in prompts if one.is_checked]
    if not asked:
        return {}
    return {
        "asked_about": [one.target for one in asked],
        "refusals": [
            {
                "targets": targets,
                "reason": objection.reason,
                "why": objection.why,
                "next": objection.hint,
                **dict(objection.details),
            }
            for objection, targets in _objections(asked).items()
        ],
    }


def _objections(prompts: Sequence[ExplainedPrompt]) -> dict[Objection, list[str]]:
    """What the gate has against prompts, and the targets of these."""
    found: dict[Objection, list[str]] = {}
    for one in prompts:
        if one.objection is not None:
            found.setdefault(one.objection, []).append(one.target)
    return found


def _prompts_for(targets: Sequence[str], asked: int) -> str:
    if len(targets) == 1:
        return f"the prompt for {targets[0]}"
    if len(targets) == asked:
        return f"all {asked} prompts"
    return f"the prompts for {', '.join(targets[:-1])} and {targets[-1]}"
