"""The part of an exception's message that says what is wrong, without the input repeated in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

_LONGEST = 64  # characters of a message's pattern
_FEWEST = 8  # characters that still say something
_EDGES = " \t:;,-([{<'\"`="
_LOOSE_END = re.compile(r",\s*\w+$")  # ", got"
_WORD = re.compile(r"[^\W\d_]{3,}")


def stable_part(pattern: str, code: str) -> str:
    """A pattern for the telling part of a message, see ``match`` of ``pytest.raises``.

    Args:
        pattern: an escaped message.
        code: the statement that raised; its literals are what the message may repeat.
    """
    text = re.sub(r"\\(.)", r"\1", pattern, flags=re.DOTALL)
    while (shorter := _cut(text, code)) != text:
        text = shorter
    return re.escape(_beginning(text)).replace("\\ ", " ")


def _cut(text: str, code: str) -> str:
    pieces = _without(text, sorted(set(_echoes(text, code))))
    if len(pieces) == 1:
        return text
    telling = [_LOOSE_END.sub("", piece.strip(_EDGES)) for piece in pieces]
    long = (p for p in telling if len(p) >= _FEWEST and " " in p and _WORD.search(p))
    return next(long, text)


def words_of(pattern: str) -> list[str]:
    """The words of a message in lower case."""
    text = re.sub(r"\\(.)", r"\1", pattern, flags=re.DOTALL)
    return [word.lower() for word in re.findall(r"[^\W_]+", text.replace("'", ""))]


def _echoes(text: str, code: str) -> Iterator[tuple[int, int]]:
    """The places of a message that repeat a literal of the code."""
    for value in _literals(code):
        if isinstance(value, str):
            spellings = {repr(value), f'"{value}"', f"`{value}`"}
            found = [m.span() for s in spellings for m in re.finditer(re.escape(s), text)]
            if not found and value.strip():
                # "a" in the middle may well be the article.
                after = r"(?!\w)" if len(value) > 2 else r"(?=\s*(?:[,;:)]|$))"
                bare = re.finditer(rf"(?<!\w){re.escape(value)}{after}", text, re.IGNORECASE)
                found = [m.span() for m in bare]
                at_start = re.match(rf"{re.escape(value)}(?!\w)", text)
                found += [at_start.span()] if at_start else []
            yield from found
        else:
            # A number in the middle is more often the limit than the input.
            at_end = re.search(rf"(?<![\w.-]){re.escape(repr(value))}(?=\W*$)", text)
            at_start = re.match(rf"\W*{re.escape(repr(value))}(?![\w.])", text)
            yield from (match.span() for match in (at_end, at_start) if match)


def _literals(code: str) -> Iterator[str | int | float]:
    try:
        nodes = list(ast.walk(ast.parse(code.strip())))
    except (SyntaxError, ValueError):
        return
    for node in nodes:
        match node:
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                yield -value
            case ast.Constant(value=str() as text):
                yield text
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                yield value


def _without(text: str, spans: list[tuple[int, int]]) -> list[str]:
    pieces, end = [], 0
    for start, stop in spans:
        if start >= end:
            pieces.append(text[end:start])
        end = max(end, stop)
    return [*pieces, text[end:]]


def _beginning(text: str) -> str:
    """The first words of a long message; ``match`` looks for a part anyway."""
    line = next((line for line in text.splitlines() if line.strip()), text)
    if len(line) < len(text) and _WORD.search(line):
        text = line
    if len(text) <= _LONGEST:
        return text
    return text[:_LONGEST].rpartition(" ")[0] or text
