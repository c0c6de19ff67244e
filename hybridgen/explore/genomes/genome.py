"""Genomes of the search: an object and a sequence of calls, whose results may be used by others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

RESULT = "()"
"""The target of a call of what an earlier call returned: nobody knows its name."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one target; arguments are (keyword or "", source text).

    Attributes:
        on: the variable that it is made on, empty for the genome's own object or for none.
        binds: a variable that keeps what it gives for later calls; then nothing is asserted of
            it, and empty where it is.
    """

    target: str
    arguments: tuple[tuple[str, str], ...]
    on: str = ""
    binds: str = ""


@dataclass(frozen=True, slots=True)
class Genome:
    """An object (or none, for functions) and calls in order."""

    build: Call | None
    calls: tuple[Call, ...]


def call_text(function: str, arguments: Sequence[tuple[str, str]]) -> str:
    """``function(a, key=b)`` as source text."""
    parts = (f"{keyword}={text}" if keyword else text for keyword, text in arguments)
    return f"{function}({', '.join(parts)})"


def variable_name(class_name: str, taken: frozenset[str]) -> str:
    """A variable for an object of a class: ``ShoppingCart`` -> ``shopping_cart``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name.split(".")[-1]).lower().strip("_")
    return f"{words}_1" if words in taken or not words.isidentifier() else words
