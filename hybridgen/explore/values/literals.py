"""Values to call code with, as source text: from the code's own literals, and by mutation.

Values are literals in source form, because that is what crosses to the worker and what ends up in
a test file.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from hybridgen.explore.values.types import GENERIC

LOOKS_LIKE_PATTERN = re.compile(r"\\[dwsbDWSB1-9]|\(\?|[\])*][*+?]|\.[*+]|^\^|\$$")
"""Regular expressions and templates: texts that the code uses, but nobody passes in."""


@lru_cache(maxsize=256)
def literals_of(source: str) -> tuple[str, ...]:
    """Constants in ``source`` as source text, with neighbours of numbers.

    Docstrings, parts of f-strings and messages of exceptions are left out: they say something to
    people and decide nothing.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    prose: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr | ast.JoinedStr | ast.Raise):
            is_call = isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
            prose.update(() if is_call else map(id, ast.walk(node)))
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in prose:
            for text in _neighbours(node.value):
                found[text] = None
    return tuple(found)[:60]


def _neighbours(value: object) -> Iterable[str]:
    if value is None or isinstance(value, bool | bytes):
        yield repr(value)
    elif isinstance(value, int) and abs(value) < 10**12:
        yield from (repr(value), repr(value - 1), repr(value + 1))
    elif isinstance(value, float):
        yield from (repr(value), repr(value + 0.5))
    elif isinstance(value, str) and len(value) <= 60 and not LOOKS_LIKE_PATTERN.search(value):
        yield repr(value)


def composed(literals: Sequence[str], chooser: random.Random) -> str:
    """A text of two or three literals, a text of the code first, mostly without a separator."""
    words = [text for text in literals if kind_of(text) == "str"]
    parts = [chooser.choice(words or literals)]
    parts += [chooser.choice(literals) for _ in range(chooser.choice((1, 1, 2)))]
    separator = "" if chooser.random() < 0.6 else chooser.choice(" ,-:=/.@\n")
    return repr(separator.join(str(ast.literal_eval(part)) for part in parts)[:200])


def decimals(literals: Sequence[str]) -> list[str]:
    """The numbers among literals, and texts that are numbers, as ``Decimal``."""
    found = (re.fullmatch(r"'?(-?\d+(?:\.\d+)?)'?", text) for text in literals)
    return [f"Decimal('{match.group(1)}')" for match in found if match]


@lru_cache(maxsize=20_000)
def kind_of(text: str) -> str:
    """A coarse type of a value in source form: ``str``, ``int`` ... or ``other``."""
    try:
        return type(ast.literal_eval(text)).__name__
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return "other"


def mutate(text: str, pool: Sequence[str], chooser: random.Random) -> str | None:
    """A value near the literal ``text``, of the same type; None if it is no literal."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    if pool and chooser.random() < 0.15:
        same = [other for other in pool if kind_of(other) == type(value).__name__]
        if same:
            return chooser.choice(same)
    changed = repr(_mutated(value, pool, chooser))
    return changed if len(changed) <= 2_000 else None


def _mutated(value: object, pool: Sequence[str], chooser: random.Random) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        bounded = max(min(value, 10**9), -(10**9))
        steps = (bounded + 1, bounded - 1, -bounded, bounded * 2, bounded * 10, bounded // 2)
        return chooser.choice((*steps, bounded + chooser.randint(-20, 20)))
    if isinstance(value, float):
        return chooser.choice(
            (value + 1, value - 1, -value, value * 2, value / 2, float(round(value)))
        )
    if isinstance(value, str):
        return _mutated_text(value, pool, chooser)
    if isinstance(value, bytes):
        return _mutated_text(value.decode("latin-1"), (), chooser).encode("latin-1", "ignore")
    if isinstance(value, list | tuple):
        items = list(value)
        choice = chooser.randrange(4)
        if items and choice == 0:
            del items[chooser.randrange(len(items))]
        elif items and choice == 1:
            items.append(chooser.choice(items))
        elif items and choice == 2:
            at = chooser.randrange(len(items))
            items[at] = _mutated(items[at], pool, chooser)
        else:
            items.insert(chooser.randint(0, len(items)), _from_pool(pool, chooser))
        return type(value)(items[:20])
    if isinstance(value, dict):
        return _mutated_mapping(value, pool, chooser)
    return value


def _mutated_mapping(
    value: dict[object, object], pool: Sequence[str], chooser: random.Random
) -> object:
    result = dict(value)
    if result and chooser.random() < 0.5:
        key = chooser.choice(list(result))
        if chooser.random() < 0.4:
            del result[key]
        else:
            result[key] = _mutated(result[key], pool, chooser)
    else:
        key = _from_pool(pool, chooser)
        if isinstance(key, str | int):
            result[key] = _from_pool(pool, chooser)
    return result


def _from_pool(pool: Sequence[str], chooser: random.Random) -> object:
    for _ in range(4):
        text = chooser.choice(pool) if pool else chooser.choice(GENERIC)
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError):
            continue
    return 1


def _mutated_text(value: str, pool: Sequence[str], chooser: random.Random) -> str:
    at = chooser.randint(0, len(value))
    other = _from_pool(pool, chooser)
    piece = other if isinstance(other, str) else str(other)
    letter = chooser.choice("aZ09 _-.,:;@/()[]{}'\"\n\té+#%=")
    changes = (
        value[:at] + letter + value[at:],
        value[: max(at - 1, 0)] + value[at:],
        value[: max(at - 1, 0)] + letter + value[at:],
        value[:at] + piece + value[at:],
        value + piece,
        piece + value,
        value.upper(),
        value.lower(),
        value[::-1],
        value * 2,
        value.strip(),
        value.replace(" ", ""),
        value[:at],
        value.title(),
    )
    return chooser.choice(changes)[:400]
