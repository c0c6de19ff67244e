"""Reads what a model expects of calls: ``assert CALL == LITERAL``, line by line."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Final

from hybridgen.domain import Completion
from hybridgen.post.extract import code_segments
from hybridgen.post.syntax import parse, parse_expression
from hybridgen.post.values import literal

_LONGEST: Final = 400  # characters of a literal
_MOST_LINES: Final = 100


def expected(completion: Completion, calls: Sequence[str]) -> dict[str, object]:
    """The value that an answer expects of each of ``calls``, as far as it says so.

    Calls are known by what they mean, not by how they are spelt. Lines about other calls, or with
    anything but a literal, are left out; so is a call that is said to give two values, and the
    last line of an answer that was cut off. Never raises on any text.
    """
    asked = {ast.dump(node): call for call in calls if (node := parse_expression(call))}
    found: dict[str, object] = {}
    doubted: set[str] = set()
    for node in _assertions(completion):
        match node:
            case ast.Compare(left=left, ops=[ast.Eq() | ast.Is()], comparators=[right]):
                call, value = asked.get(ast.dump(left)), literal(right, _LONGEST)
            case _:
                continue
        if call is None or value is None:
            continue
        if call in found and repr(found[call]) != repr(value[0]):
            doubted.add(call)
        found[call] = value[0]
    return {call: value for call, value in found.items() if call not in doubted}


def _assertions(completion: Completion) -> Iterator[ast.expr]:
    """What is asserted, each on a line of its own."""
    for segment in code_segments(completion.text):
        lines = segment.split("\n")
        if completion.is_cut_off:
            lines.pop()
        for line in lines[:_MOST_LINES]:
            for node in parse(line.strip()) or ():
                if isinstance(node, ast.Assert):
                    yield node.test
