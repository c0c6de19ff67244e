"""The literal arguments of a genome, to be looked at and exchanged."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hybridgen.explore.genomes.genome import Call, Genome

BUILD = -1
MOST_PARTS = 8
"""Literals inside one argument that are looked at."""

LONGEST = 2_000

Place = tuple[int, int]
"""Start and end in a text, in characters."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One argument of one call of a genome.

    Attributes:
        call: index of the call, or ``BUILD`` for the construction of the object.
        argument: index of the argument.
        value: its value; literals of built-in types only.
        place: where in the argument's text it stands if it is a part of it, as the 3 in
            ``timedelta(days=3)``; None for the whole argument.
    """

    call: int
    argument: int
    value: object
    place: Place | None = None


def slots_of(genome: Genome) -> Iterator[Slot]:
    """The arguments that are literals, those of the last call first."""
    calls = [(BUILD, genome.build)] if genome.build is not None else []
    calls += enumerate(genome.calls)
    for index, call in reversed(calls):
        for at, (_, text) in enumerate(call.arguments):
            try:
                yield Slot(index, at, ast.literal_eval(text))
            except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
                yield from (Slot(index, at, value, place) for value, place in parts_of(text))


@functools.lru_cache(maxsize=4_096)
def parts_of(text: str) -> tuple[tuple[object, Place], ...]:
    """The literals that the calls in an argument are given, each with its place in the text."""
    if not text.isascii() or "\n" in text or "(" not in text:
        return ()  # places are told in bytes of a line
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return ()
    return tuple(_parts(tree))[:MOST_PARTS]


def _parts(node: ast.expr) -> Iterator[tuple[object, Place]]:
    if isinstance(node, ast.Call):
        values = [*node.args, *(word.value for word in node.keywords)]
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        values = node.elts
    elif isinstance(node, ast.Lambda):
        values = [node.body]
    else:
        return
    for value in values:
        try:
            yield ast.literal_eval(value), (value.col_offset, value.end_col_offset or 0)
        except (ValueError, TypeError):
            yield from _parts(value)


def call_at(genome: Genome, slot: Slot) -> Call:
    """The call that a slot belongs to."""
    if slot.call == BUILD:
        assert genome.build is not None
        return genome.build
    return genome.calls[slot.call]


def put(whole: str, place: Place | None, text: str) -> str:
    """``text`` at a place in an argument, or in place of all of it."""
    return whole[: place[0]] + text + whole[place[1] :] if place is not None else text


def exchanged(genome: Genome, slot: Slot, value: object) -> Genome | None:
    """``genome`` with another value in a slot; None where it would be too long."""
    text = repr(value)
    if len(text) > LONGEST:
        return None
    old = call_at(genome, slot)
    arguments = list(old.arguments)
    keyword, whole = arguments[slot.argument]
    arguments[slot.argument] = (keyword, put(whole, slot.place, text))
    call = replace(old, arguments=tuple(arguments))
    if slot.call == BUILD:
        return replace(genome, build=call)
    calls = list(genome.calls)
    calls[slot.call] = call
    return replace(genome, calls=tuple(calls))
