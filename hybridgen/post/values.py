"""Reads the values of a list that a model wrote: ``text = ['a', 'b', ...``, whole or cut off."""

from __future__ import annotations

import ast
from typing import Final

from hybridgen.domain import Completion
from hybridgen.post.extract import code_segments

_MOST_VALUES: Final = 40
_LONGEST: Final = 2_000  # characters of a value
_LONGEST_LIST: Final = 8_000
_MOST_TRIES: Final = 60
_DEEPEST: Final = 12


def values(completion: Completion) -> tuple[str, ...]:
    """Literals of the first list in an answer, as source text; each once, in order.

    What is no literal is left out. Of a list that was cut off, what is complete counts. Never
    raises on any text.
    """
    for segment in code_segments(completion.text):
        _, found, text = segment.partition("[")
        if found:
            return tuple(dict.fromkeys(_elements(text)))[:_MOST_VALUES]
    return ()


def _elements(text: str) -> list[str]:
    """Elements of a list whose bracket was opened before; as many as are complete."""
    text = text[:_LONGEST_LIST]
    ends = [at for at, character in enumerate(text) if character in ",]\n"]
    for end in [len(text), *reversed(ends)][:_MOST_TRIES]:
        try:
            node = ast.parse(f"[{text[:end].rstrip().removesuffix(']')}]", mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        if isinstance(node, ast.List) and node.elts:
            found = (literal(element, _LONGEST) for element in node.elts)
            return [item[1] for item in found if item is not None]
    return []


def literal(node: ast.expr, longest: int) -> tuple[object, str] | None:
    """The value of a literal and its source text, or None if it is none, long or deep."""
    try:
        value = ast.literal_eval(node)
        text = repr(value)  # of a number with thousands of digits there is none
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    is_plain = len(text) <= longest and text.count("[") + text.count("{") <= _DEEPEST
    return (value, text) if is_plain else None
