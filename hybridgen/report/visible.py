"""Makes text safe for a terminal: names of files and tests may hold anything."""

from __future__ import annotations


def visible(text: str) -> str:
    """``text`` with every character that could steer a terminal written as an escape.

    Line ends and tabs stay. Escape sequences, lone surrogates and the marks that reorder
    text for the eye (bidirectional overrides) do not.
    """
    return "".join(
        mark if mark.isprintable() or mark in "\n\t" else mark.encode("unicode_escape").decode()
        for mark in text
    )


def one_line(text: str) -> str:
    """``text`` in one line, whatever a file is called."""
    return " ".join(text.split())
