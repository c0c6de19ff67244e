"""The literal arguments of a genome, to be looked at and exchanged."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hybridgen.explore.calls import Call, Genome

BUILD = -1
LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Slot:
    """One argument of one call of a genome.

    Attributes:
        call: index of the call, or ``BUILD`` for the construction of the object.
        argument: index of the argument.
        value: its value; literals of built-in types only.
    """

    call: int
    argument: int
    value: object


def slots_of(genome: Genome) -> Iterator[Slot]:
    """The arguments that are literals, those of the last call first."""
    calls = [(BUILD, genome.build)] if genome.build is not None else []
    calls += enumerate(genome.calls)
    for index, call in reversed(calls):
        for at, (_, text) in enumerate(call.arguments):
            try:
                yield Slot(index, at, ast.literal_eval(text))
            except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
                continue


def call_at(genome: Genome, slot: Slot) -> Call:
    """The call that a slot belongs to."""
    if slot.call == BUILD:
        assert genome.build is not None
        return genome.build
    return genome.calls[slot.call]


def exchanged(genome: Genome, slot: Slot, value: object) -> Genome | None:
    """``genome`` with another value in a slot; None where it would be too long."""
    text = repr(value)
    if len(text) > LONGEST:
        return None
    old = call_at(genome, slot)
    arguments = list(old.arguments)
    arguments[slot.argument] = (arguments[slot.argument][0], text)
    call = replace(old, arguments=tuple(arguments))
    if slot.call == BUILD:
        return replace(genome, build=call)
    calls = list(genome.calls)
    calls[slot.call] = call
    return replace(genome, calls=tuple(calls))
