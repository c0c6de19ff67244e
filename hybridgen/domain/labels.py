"""Labels, and text that has one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Label(IntEnum):
    """How confidential a piece of text is; the order is the order of strictness."""

    PUBLIC = 0
    INTERNAL = 1
    CONFIDENTIAL = 2


def strictest(labels: Iterable[Label]) -> Label:
    """The strictest of ``labels``; nothing known means CONFIDENTIAL (invariant 1)."""
    return max(labels, default=Label.CONFIDENTIAL)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a label.

    Attributes:
        label: what it asks for.
        rule: the kind of rule that spoke (``mark``, ``header``, ``ignore file`` ...).
        detail: what it found and where, for people.
    """

    label: Label
    rule: str
    detail: str


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the project as it was when it was labelled.

    Attributes:
        path: relative to the project's root, with slashes.
        sha256: hexadecimal, of the very bytes that were labelled.
        label: how confidential they are.
        evidence: every reason that had a say, the deciding one first.
    """

    path: str
    sha256: str
    label: Label
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of text with its label: the only thing a prompt is made of.

    Attributes:
        text: the text itself.
        label: how confidential it is.
        origin: where it came from, for people (``src/shop/cart.py:12``).
        why: why it has this label, for people.
        sources: the files that it was made from; none for words of hybridgen's own.
    """

    text: str
    label: Label
    origin: str
    why: str
    sources: tuple[SourceFile, ...] = ()
