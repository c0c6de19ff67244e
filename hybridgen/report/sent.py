"""What a run sent out of this machine, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hybridgen.domain import Sent
from hybridgen.report.terms import terms_line


def sent_lines(sent: Sequence[Sent], head: str | None) -> Iterator[str]:
    """A line for each destination, and where to look what it was.

    Args:
        head: hash of the ledger's last entry; None if nothing was ever sent.
    """
    for one in sent:
        where = one.destination
        prompts = "1 prompt" if one.prompts == 1 else f"{one.prompts} prompts"
        if one.unanswered == one.prompts:
            prompts += " (without an answer: may have arrived)"
        elif one.unanswered:
            prompts += f" ({one.unanswered} of them without an answer: may have arrived)"
        yield (
            f"sent: {prompts}, {one.size:,} bytes, to {where.backend} ({where.url}, "
            f"{where.model}): {terms_line(where.terms, where.sdk)}"
        )
    if sent:
        yield f"sent: what it was shows hybridgen audit list; the ledger's head is {head}"


def sent_document(sent: Sequence[Sent], head: str | None) -> dict[str, Any]:
    """The same, JSON-ready: no text that was sent, only where and how much."""
    return {
        "destinations": [
            {
                "backend": one.destination.backend,
                "url": one.destination.url,
                "model": one.destination.model,
                "sdk": one.destination.sdk,
                "terms": one.destination.terms,
                "prompts": one.prompts,
                "unanswered": one.unanswered,
                "bytes": one.size,
            }
            for one in sent
        ],
        "ledger_head": head,
    }
