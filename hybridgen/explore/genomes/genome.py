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
        form: how it is written where it is no plain call, as ``{o}.value = {}``: the variable, and
            the arguments.
    """

    target: str
    arguments: tuple[tuple[str, str], ...]
    on: str = ""
    binds: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """A small class or function of a test, by which what a genome builds is used.

    Attributes:
        role: what is built is to it.
        code: its definition; ``MADE`` stands for what is built, or how.
        made: how an object of it is then made, empty for a function.
        name: the variable of that object, or the function's name.
    """

    role: str
    code: str
    made: str
    name: str


MADE = "{made}"


@dataclass(frozen=True, slots=True)
class Genome:
    """An object (or none, for functions) and calls in order.

    Attributes:
        sample: what uses the object, where that says more than calls of its methods.
    """

    build: Call | None
    calls: tuple[Call, ...]
    sample: Sample | None = None


def object_name(genome: Genome, taken: frozenset[str]) -> str:
    """The variable for the object of a genome, empty if it has none."""
    if genome.sample is not None:
        return genome.sample.name
    return variable_name(genome.build.target, taken) if genome.build is not None else ""


def call_text(function: str, arguments: Sequence[tuple[str, str]]) -> str:
    """``function(a, key=b)`` as source text."""
    parts = (f"{keyword}={text}" if keyword else text for keyword, text in arguments)
    return f"{function}({', '.join(parts)})"


def variable_name(class_name: str, taken: frozenset[str]) -> str:
    """A variable for an object of a class: ``ShoppingCart`` -> ``shopping_cart``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name.split(".")[-1]).lower().strip("_")
    return f"{words}_1" if words in taken or not words.isidentifier() else words
