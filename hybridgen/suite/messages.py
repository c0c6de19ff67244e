"""The part of an exception's message that says what is wrong, without the input repeated in it."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Sequence

_LONGEST = 64  # characters of a message's pattern
_LONG_ECHO = 16  # characters of an input that make a message too special
_FEWEST = 8  # characters that still say something
_EDGES = " \t:;,-([{<'\"`="
_LOOSE = " \t\n:;,"  # at the end of a message that goes on with an empty input
_LOOSE_END = re.compile(r",\s*\w+$")  # ", got"
_SENTENCE = re.compile(r"([^.\n]{11,}\w)\. [A-Z]")
_VARIABLE_END = re.compile(r"[\w.'\"-]+$")  # the messages go on differently inside of it
_VARIABLE = re.compile(r"-?\d+(?:\.\d+)?|'[^']*'|\"[^\"]*\"")
_WORD = re.compile(r"[^\W\d_]{3,}")


def telling_part(pattern: str, code: str) -> str:
    """A pattern for one message: its beginning, and without long texts of the input.

    Args:
        pattern: an escaped message.
        code: the statements that raised; their literals are what the message may repeat.
    """
    text = _plain(pattern)
    has_long_echo = any(end - start > _LONG_ECHO for start, end in _echoes(text, code))
    return stable_part(pattern, code) if has_long_echo else _escaped(_beginning(text))


def stable_part(pattern: str, code: str) -> str:
    """A pattern for what a message says about any such input."""
    text = _plain(pattern)
    while (shorter := _cut(text, code)) != text:
        text = shorter
    return _escaped(_beginning(text))


def _cut(text: str, code: str) -> str:
    pieces = _without(text, sorted(set(_echoes(text, code))))
    if len(pieces) == 1:
        return text
    telling = [_LOOSE_END.sub("", piece.strip(_EDGES)) for piece in pieces]
    long = (p for p in telling if len(p) >= _FEWEST and " " in p and _WORD.search(p))
    return next(long, text)


def outline(pattern: str) -> str:
    """A message without the numbers and quotations in it."""
    return _VARIABLE.sub("#", _plain(pattern))


def common_part(patterns: Sequence[str]) -> str | None:
    """A pattern for what messages that differ in numbers and quotations share, or None."""
    if len(set(patterns)) == 1:
        return patterns[0]
    if len({outline(pattern) for pattern in patterns}) > 1:
        shortest = min(patterns, key=len)
        return shortest if all(shortest in pattern for pattern in patterns) else None
    texts = [_plain(pattern) for pattern in patterns]
    prefix = _VARIABLE_END.sub("", _common_prefix(texts))
    beginning = _LOOSE_END.sub("", prefix.strip(_EDGES))
    pieces = [piece.strip(_EDGES) for piece in _VARIABLE.split(texts[0])]
    for piece in (beginning, max(pieces, key=len)):
        if len(piece) >= _FEWEST and " " in piece:
            return _escaped(piece)
    return None


def _common_prefix(texts: Sequence[str]) -> str:
    columns = itertools.takewhile(lambda chars: len(set(chars)) == 1, zip(*texts, strict=False))
    return "".join(chars[0] for chars in columns)


def _plain(pattern: str) -> str:
    return re.sub(r"\\(.)", r"\1", pattern, flags=re.DOTALL)


def _escaped(text: str) -> str:
    telling = text.rstrip(_LOOSE) or text
    return re.escape(telling).replace("\\ ", " ")


def words_of(pattern: str) -> list[str]:
    """The words of a message in lower case."""
    text = _plain(pattern)
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
    negative: set[ast.AST] = set()
    for node in nodes:
        match node:
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                negative.add(node.operand)
                yield -value
            case ast.Constant(value=str() as text):
                yield text
            case ast.Constant(value=int() | float() as value) if node not in negative:
                if not isinstance(value, bool):
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
    sentence = _SENTENCE.match(text)
    if sentence is not None:
        return sentence[1]
    if len(text) <= _LONGEST:
        return text
    return text[:_LONGEST].rpartition(" ")[0].rstrip(_EDGES) or text
