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
class Fragment:
    """A piece of text with its label: the only thing a prompt is made of.

    Attributes:
        text: the text itself.
        label: how confidential it is.
        origin: where it came from, for people (``src/shop/cart.py:12``).
        why: why it has this label, for people.
    """

    text: str
    label: Label
    origin: str
    why: str
