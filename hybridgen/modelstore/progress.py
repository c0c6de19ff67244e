"""The seam through which a pull reports; the command line decides how it looks."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives what a pull has to tell."""

    def note(self, message: str) -> None:
        """Take one sentence for people."""

    def start(self, label: str, done: int, total: int) -> None:
        """Begin a stretch of ``total`` bytes, ``done`` of which are there already."""

    def update(self, done: int) -> None:
        """Take the number of bytes that are there now; it can fall when a pull starts over."""


class RecordedProgress:
    """The fake: says nothing and remembers everything.

    Attributes:
        notes: the sentences, in order.
        done: the last number of bytes, or None before the first.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.done: int | None = None

    def note(self, message: str) -> None:
        """Remember the sentence."""
        self.notes.append(message)

    def start(self, label: str, done: int, total: int) -> None:
        """Remember the number of bytes."""
        self.done = done

    def update(self, done: int) -> None:
        """Remember the number of bytes."""
        self.done = done


def readable_bytes(count: int) -> str:
    """``491400064`` -> ``491 MB``, in powers of ten as disks are sold."""
    if count < 1_000_000:
        return f"{count:,} bytes"
    if count < 10_000_000_000:
        return f"{count / 1e6:,.0f} MB"
    return f"{count / 1e9:,.1f} GB"
