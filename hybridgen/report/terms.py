"""What the receiver of a prompt may do with it, in one line of plain words.

Each line names the pages that say so and the day on which they were read: terms change, and a
reader has to be able to look. The whole of it, for a security officer: docs/data-use.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_GEMINI_PAGES: Final = (
    "Gemini API Additional Terms of Service; Abuse monitoring; Logs and datasets; read 2026-11-22"
)
_VERTEX_PAGES: Final = (
    "Vertex AI and zero data retention; Abuse monitoring; read 2026-11-23 in an archived copy"
)

_PAID: Final = "Google does not improve products with it, and logs it for abuse for up to 55 days"

_USES: Final[Mapping[str, tuple[str, str]]] = {
    "unpaid": (
        "people at Google may read it and Google improves its products with it, except in the "
        "EEA, Switzerland and the UK, where the terms of paid keys hold",
        _GEMINI_PAGES,
    ),
    "paid": (_PAID, _GEMINI_PAGES),
    "paid-no-storage": (f"{_PAID}; you said that your project stores nothing else", _GEMINI_PAGES),
    "vertex": (
        "Google trains no model with it without your permission, caches it for up to 24 hours, "
        "and may log what looks like abuse for up to 30 days",
        _VERTEX_PAGES,
    ),
    "onprem": ("it goes to a server that your settings trust, under your own rules", ""),
}


def terms_line(terms: str, sdk: str) -> str:
    """What may be done with what is sent, in one line with the pages that say so.

    Args:
        terms: the value of ``gemini.terms``, or ``onprem``.
        sdk: the value of ``gemini.sdk``.
    """
    pages = pages_of(terms)
    return use_of(terms, sdk) + (f" ({pages})" if pages else "")


def pages_of(terms: str) -> str:
    """The pages that say what :func:`use_of` says, and when they were read; "" without any."""
    return _USES.get(terms, ("", ""))[1]


def use_of(terms: str, sdk: str) -> str:
    """What may be done with what is sent, in one line; as :func:`terms_line` without pages."""
    parts = [_USES[terms][0] if terms in _USES else "nobody said which terms hold"]
    if sdk == "google-generativeai":
        parts.append(
            "google-generativeai, whose support ended on 2025-11-30, cannot switch storage off, so "
            "Google may also store it as the project is set"
        )
    elif sdk == "google-genai" and terms in ("unpaid", "paid", "paid-no-storage"):
        parts.append("each request says that it is not to be stored (store=false)")
    return "; ".join(parts)
