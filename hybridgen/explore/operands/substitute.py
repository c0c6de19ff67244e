"""From operands to inputs: puts what code compared its input with where the input has it.

The "input-to-state" of RedQueen (Aschermann et al., NDSS 2019): if one side of a comparison occurs
in the input, as it is or with other case, the other side in its place is worth a try, and for
numbers and lengths the neighbours of that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hybridgen.explore.values.patterns import Patterns
from hybridgen.observe.operands import Operands

MOST_ITEMS = 12
LONGEST_TEXT = 600
LARGEST_LENGTH = 200
MOST_GAPS = 6
GAP = re.compile(r"(?<=[^\w\s])(?=[^\w\s])|(?<=\n)(?=\n)|(?<=[^\w\s])(?=\s)")
"""Where an empty part of a text may stand: between two signs, between two lines."""

ORDER = ("<", "<=", ">", ">=")
SAMPLES: Mapping[str, tuple[str, ...]] = {
    "isdigit": ("1", "a"),
    "isdecimal": ("1", "a"),
    "isnumeric": ("1", "a"),
    "isalpha": ("a", "1"),
    "isalnum": ("a1", "-"),
    "isspace": (" ", "a"),
    "isupper": ("A", "a"),
    "islower": ("a", "A"),
    "istitle": ("Ab", "ab"),
    "isidentifier": ("a", "1"),
    "isascii": ("a", "é"),
    "int": ("1", "0", "-1", "12", "a", "99999"),
    "float": ("1.5", "0", "-1", "a", "1e5"),
    "complex": ("1j", "a"),
    "Decimal": ("1.5", "0", "-1", "a"),
}
OF_TYPE: Mapping[str, tuple[object, ...]] = {
    "str": ("a",),
    "bytes": (b"a",),
    "int": (1, 0),
    "float": (1.5,),
    "bool": (True, False),
    "list": ([1, 2], []),
    "tuple": ((1, 2),),
    "dict": ({"a": 1},),
    "set": ({1},),
    "NoneType": (None,),
}


@dataclass(frozen=True, slots=True)
class Length:
    """Stands for anything of that length."""

    size: int


@dataclass(frozen=True, slots=True)
class Keys:
    """Stands for a mapping with these keys."""

    keys: tuple[object, ...]


Pair = tuple[object, object]


def pairs_of(record: Operands, patterns: Patterns) -> Iterator[Pair]:
    """What to look for in the input, and what to try in its place."""
    kind, left, right = record.kind, record.left, record.right
    if kind.startswith("len "):
        yield from _lengths(left, right)
    elif kind in ("==", "!=", "is", "is not"):
        yield from _equal(left, right)
    elif kind in ORDER:
        yield from _near(left, right)
    elif kind in ("in", "not in"):
        yield from _inside(left, right)
    elif kind == "key" and isinstance(right, list):
        yield from ((left, key) for key in right[:MOST_ITEMS] if key != left)
        yield Keys(tuple(right)), left
    elif kind in SAMPLES:
        yield from ((left, sample) for sample in SAMPLES[kind])
    elif kind == "isinstance" and isinstance(right, list):
        yield from ((left, value) for name in right for value in OF_TYPE.get(name, ()))
    elif kind in ("match", "search", "fullmatch"):
        yield from _matched(kind, left, right, patterns)
    elif isinstance(left, str | bytes):
        yield from _searched(kind, left, right)


def _equal(left: object, right: object) -> Iterator[Pair]:
    yield left, right
    yield right, left
    if isinstance(left, str) and isinstance(right, str):
        yield from _unlike(left, right)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        yield from (pair for pair in zip(left, right, strict=False) if pair[0] != pair[1])
        if len(left) != len(right):
            yield Length(len(left)), len(right)
    yield from _near(left, right)


def _unlike(left: str, right: str) -> Iterator[Pair]:
    """What is left of two texts without a start or an end that both have."""
    start = _common(left, right)
    end = _common(left[start:][::-1], right[start:][::-1])
    if start or end:
        one, other = left[start : len(left) - end], right[start : len(right) - end]
        yield from ((one, other), (other, one))


def _common(one: str, other: str) -> int:
    """How many characters two texts have in common at their start."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _near(left: object, right: object) -> Iterator[Pair]:
    """Boundaries: each side at, just below and just above the other."""
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        for one, other in zip(left, right, strict=False):
            yield from _near(one, other)
    for one, other in ((left, right), (right, left)):
        if isinstance(one, int | float) and isinstance(other, int | float):
            yield from ((one, other + step) for step in (0, 1, -1))
        elif isinstance(one, str) and isinstance(other, str):
            yield one, other


def _lengths(left: object, right: object) -> Iterator[Pair]:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, int) and isinstance(other, int):
            yield from ((Length(one), other + step) for step in (0, 1, -1, 2))


def _inside(left: object, right: object) -> Iterator[Pair]:
    if isinstance(left, str) and isinstance(right, str):
        if left in right:
            yield right, right.replace(left, "")
        half = len(right) // 2
        yield right, right[:half] + left + right[half:]
        yield from ((right, left + right), (right, right + left), (right, left))
        yield from ((left, letter) for letter in right[:MOST_ITEMS] if len(left) <= 1)
    elif isinstance(right, list | tuple | set):
        items = sorted(right, key=repr) if isinstance(right, set) else right
        yield from ((left, item) for item in items[:MOST_ITEMS] if item != left)
        yield right, [*items, left]


def _matched(kind: str, left: object, right: object, patterns: Patterns) -> Iterator[Pair]:
    if not isinstance(left, str) or not isinstance(right, tuple) or len(right) != 2:
        return
    pattern, flags = right
    if not isinstance(pattern, str) or not isinstance(flags, int):
        return
    texts = patterns.matching(pattern, flags)
    for text in texts:
        yield left, text
    for text in texts[:4] if kind != "fullmatch" else ():
        yield left, text + " a"
        if kind == "search":
            yield left, f"{left} {text}"
            yield left, f"{left}{text}{left}"
    for text in patterns.near(pattern, flags):
        yield left, text
    for text in patterns.parts(pattern, flags):
        yield from ((left, text + left), (left, left + text))


def _searched(kind: str, left: str | bytes, right: object) -> Iterator[Pair]:
    if isinstance(left, bytes):
        if isinstance(right, bytes):
            for _, other in _searched(kind, left.decode("latin-1"), right.decode("latin-1")):
                yield left, str(other).encode("latin-1", "ignore")
        return
    if kind == "splitlines":
        yield from ((left, f"{left}\n{left}"), (left, f"{left}\n"), (left, left.split("\n")[0]))
    if kind in ("split", "rsplit") and right is None:
        yield from ((left, f"{left} {left}"), (left, left.partition(" ")[0]))
    for part in (right,) if isinstance(right, str) else right if isinstance(right, tuple) else ():
        if not isinstance(part, str):
            continue
        if kind in ("startswith", "removeprefix", "lstrip"):
            yield from ((left, part + left), (left, part), (left, part + left[len(part) :]))
            yield left, part + " " + left
            yield left, left.removeprefix(part)
        elif kind in ("endswith", "removesuffix", "rstrip"):
            yield from ((left, left + part), (left, part), (left, left[: -len(part)] + part))
            yield left, left.removesuffix(part)
        elif part:
            half = len(left) // 2
            yield from ((left, left + part + left), (left, left + part), (left, part + left))
            yield left, left[:half] + part + left[half:]
            if part in left:
                yield from ((left, left.replace(part, "", 1)), (left, left.replace(part, "")))
                yield left, left.replace(part, part + part, 1)


def replacements(value: object, seen: object, instead: object, depth: int = 0) -> Iterator[object]:
    """Values with ``instead`` where ``value`` has ``seen``, anywhere inside."""
    if isinstance(seen, Length):
        if isinstance(value, str | bytes | list | tuple) and len(value) == seen.size:
            yield from _resized(value, instead)
    elif isinstance(seen, Keys):
        is_same = isinstance(value, dict) and set(map(repr, value)) == set(map(repr, seen.keys))
        if is_same and isinstance(value, dict) and isinstance(instead, str | bytes | int | float):
            yield from ({**value, instead: other} for other in (1, "a"))
    elif type(value) is type(seen) and value == seen:
        yield instead
    elif isinstance(value, str):
        yield from _in_text(value, seen, instead)
    elif isinstance(value, float) and isinstance(seen, int | float) and value == seen:
        yield instead
    if depth > 2:
        return
    if isinstance(value, list | tuple):
        for at, item in enumerate(value[:MOST_ITEMS]):
            for new in replacements(item, seen, instead, depth + 1):
                yield type(value)([*value[:at], new, *value[at + 1 :]])
    elif isinstance(value, dict):
        for key, item in list(value.items())[:MOST_ITEMS]:
            for new in replacements(item, seen, instead, depth + 1):
                yield {**value, key: new}
            if type(key) is type(seen) and key == seen and isinstance(instead, str | int):
                yield {(instead if k == key else k): v for k, v in value.items()}


def _in_text(value: str, seen: object, instead: object) -> Iterator[str]:
    if isinstance(seen, bool) or isinstance(instead, bool):
        return
    if isinstance(seen, int | float) and isinstance(instead, int | float):
        number = re.escape(str(abs(seen)))
        for found in list(re.finditer(rf"(?<!\d)0*{number}(?!\d)", value))[:3]:
            digits = str(abs(instead)).rjust(found.end() - found.start(), "0")
            yield value[: found.start()] + digits + value[found.end() :]
    if not isinstance(seen, str) or not isinstance(instead, str):
        return
    if len(value) + len(instead) > LONGEST_TEXT:
        return
    if not seen:
        yield from (value + instead, instead + value)
        for gap in list(GAP.finditer(value))[:MOST_GAPS]:
            yield value[: gap.start()] + instead + value[gap.start() :]
        return
    within = value if seen in value else value.lower()
    part = seen if seen in value else seen.lower()
    first, last = within.find(part), within.rfind(part)
    for at in dict.fromkeys((last, first)):
        if at >= 0:
            yield value[:at] + instead + value[at + len(seen) :]
    if first != last:
        yield value.replace(seen, instead)


def _resized(
    value: str | bytes | list[object] | tuple[object, ...], size: object
) -> Iterator[object]:
    if not isinstance(size, int) or not 0 <= size <= LARGEST_LENGTH or size == len(value):
        return
    if size < len(value):
        yield value[:size]
        yield value[len(value) - size :]
        return
    filling: Sequence[object] = value or ("a" if isinstance(value, str) else [1])
    if isinstance(value, bytes):
        yield (value or b"a").ljust(size, (value or b"a")[-1:])
    elif isinstance(value, str):
        yield value.ljust(size, str(filling[-1]))
    else:
        yield type(value)([*value, *[filling[-1]] * (size - len(value))])
