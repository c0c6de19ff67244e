"""How inputs lie to each other: which are ordinary, which are edges, which are neighbours."""

from __future__ import annotations

import ast
import math
import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from hybridgen.domain import Observation
from hybridgen.suite.shapes import call_in, construction

_UNKNOWN = object()  # not equal to anything else
_NUMBERS = (int, float, Decimal)
_SINGLETONS = {"True": 0, "False": 1, "None": 2}
_EMPTY_FILE = re.compile(r"\.(?:write_text\(''\)|write_bytes\(b''\)|touch\(\))$")


@lru_cache(maxsize=8192)
def literal(text: str) -> object:
    """The value of a literal or of ``Decimal("1.50")``; an object like no other for the rest."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
        match node:
            case ast.Call(
                func=ast.Name(id="Decimal") | ast.Attribute(attr="Decimal"),
                args=[ast.Constant(value=str() | int() as digits)],
                keywords=[],
            ):
                number = Decimal(digits)
                return number if number.is_finite() else _UNKNOWN
        value = ast.literal_eval(node)
        is_infinite = isinstance(value, float) and not math.isfinite(value)
        return _UNKNOWN if is_infinite else value
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, InvalidOperation):
        return _UNKNOWN


def inputs(observation: Observation) -> tuple[str, ...]:
    """The arguments of a case as source text: those of its object, then those of its call."""
    steps = observation.candidate.steps
    built = construction(steps[0].code) if len(steps) > 1 else None
    call = call_in(steps[-1].code)
    own = call.arguments if call is not None else ()
    return (*built[1].arguments, *own) if built is not None else own


def row_order(observation: Observation) -> tuple[object, ...]:
    """Sorts the rows of a table: ordinary inputs before edges, True before False, numbers up."""
    values = [literal(text) for text in inputs(observation)]
    last = observation.results[-1]
    outcome = _SINGLETONS.get(last.checks[0].expression, 0) if len(last.checks) == 1 else 0
    if last.raised is not None:
        outcome = 0
    numbers = tuple(value if isinstance(value, _NUMBERS) else 0 for value in values)
    text = ", ".join(inputs(observation))
    return outcome, edges(observation), numbers, len(text), text


def edges(observation: Observation) -> int:
    """How little there is in the inputs of a case: 0 where all of them are ordinary.

    A file that is prepared with nothing in it counts: moved or copied, it shows little.
    """
    files = sum(bool(_EMPTY_FILE.search(step.code)) for step in observation.candidate.steps[:-1])
    return sum(_edge(literal(text)) for text in inputs(observation)) + files


def _edge(value: object) -> int:
    """0 for an ordinary input, more the less there is in it."""
    if value is None:
        return 3
    if isinstance(value, str | bytes | list | tuple | dict | set):
        has_nothing = not value or (isinstance(value, str) and not value.strip())
        is_tiny = isinstance(value, str) and len(value) == 1
        return 2 if has_nothing else int(is_tiny)
    return 0


def are_neighbours(one: Observation, other: Observation) -> bool:
    """True if two calls differ in one argument, and in that by the smallest step."""
    pairs = list(zip(inputs(one), inputs(other), strict=False))
    different = [(a, b) for a, b in pairs if a != b]
    if len(different) != 1 or len(inputs(one)) != len(inputs(other)):
        return False
    first, second = (literal(text) for text in different[0])
    return _are_close(first, second)


def _are_close(first: object, second: object) -> bool:
    if isinstance(first, bool) or isinstance(second, bool):
        return isinstance(first, bool) and isinstance(second, bool)
    if isinstance(first, _NUMBERS) and isinstance(second, _NUMBERS):
        return abs(Decimal(str(first)) - Decimal(str(second))) <= 1
    if isinstance(first, str) and isinstance(second, str):
        short, long = sorted((first, second), key=len)
        if len(long) - len(short) == 1:
            return long.startswith(short) or long.endswith(short)
        return (
            len(long) == len(short) and sum(a != b for a, b in zip(long, short, strict=True)) == 1
        )
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) != len(second) and abs(len(first) - len(second)) == 1
    return False
