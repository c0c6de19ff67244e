"""Reads literals that a model wrote: those of a list, whole or cut off, or one long text."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from typing import Final

from hybridgen.domain import Completion
from hybridgen.post.extract import code_segments
from hybridgen.post.syntax import parse_expression

_QUOTES: Final = '"""'
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


def texts(completion: Completion) -> tuple[str, ...]:
    """The first text in triple quotes of an answer, as source text; of one cut off, whole lines.

    An answer that was stopped at the closing quotes does not hold them. Models indent it as the
    code around it: without the indentation it is another text. Never raises on any text.
    """
    for segment in code_segments(completion.text):
        _, opening, rest = segment.partition(_QUOTES)
        if opening:
            body, closing, _ = rest.partition(_QUOTES)
            is_whole = bool(closing) or not completion.is_cut_off
            return tuple(_forms(body if is_whole else body.rpartition("\n")[0]))
    return ()


def _forms(body: str) -> Iterator[str]:
    node = parse_expression(f"{_QUOTES}{body}{_QUOTES}")
    if node is None:
        return
    found = literal(node, _LONGEST)
    if found is None or not isinstance(found[0], str) or not found[0].strip():
        return
    first, second, rest = found[0].partition("\n")
    plain = first.lstrip(" ") + second + textwrap.dedent(rest)
    for text in dict.fromkeys([plain.removeprefix("\n"), found[0]]):
        yield repr(text)


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
