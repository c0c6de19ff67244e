"""How a condition can come out one way, read from its source: what its names would have to be.

Operands seen at run time say what a condition was given, but not what it never saw: a value of
another type, nothing at all, an object's state. Its source says that, one name at a time.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hybridgen.explore.wanted.uses import subject_of

MOST_WAYS = 12
MOST_CHOICES = 6


class Wish(StrEnum):
    """What is wished of a name; ``text`` of a :class:`Wanted` says more."""

    VALUE = "value"  # to be this value, as source text
    OTHER = "other"  # to be another value than this
    KIND = "kind"  # to be of this type, as a hint
    NO_KIND = "no kind"  # to be of any other
    TRUE = "true"
    FALSE = "false"
    LENGTH = "length"  # to have so many items
    HOLDS = "holds"  # to contain this
    SHARES = "shares"  # to contain what another subject stands for
    HAS = "has"  # to have an attribute of this name


@dataclass(frozen=True, slots=True)
class Wanted:
    """One wish."""

    wish: Wish
    text: str = ""


Way = Mapping[str, Wanted]
"""For each subject (``key``, ``self.key``) what is wished of it, so that a condition comes out."""

TRUTHS = {True: Wanted(Wish.TRUE), False: Wanted(Wish.FALSE)}
ORDERS: Mapping[type[ast.cmpop], tuple[tuple[int, ...], tuple[int, ...]]] = {
    ast.Lt: ((-1,), (0, 1)),
    ast.LtE: ((0, -1), (1,)),
    ast.Gt: ((1,), (0, -1)),
    ast.GtE: ((0, 1), (-1,)),
}
"""How far from the other side a number holds, and does not."""

TURNED: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
    ast.Is: ast.Is,
    ast.IsNot: ast.IsNot,
}
EQUAL = (ast.Eq, ast.Is)
UNEQUAL = (ast.NotEq, ast.IsNot)


def ways(test: ast.expr, outcome: bool) -> tuple[Way, ...]:
    """Ways by which a condition may come out as asked; none where its source says nothing."""
    found: dict[tuple[tuple[str, Wanted], ...], Way] = {}
    for way in _ways(test, outcome):
        if way:
            found.setdefault(tuple(way.items()), way)
    return tuple(itertools.islice(found.values(), MOST_WAYS))


def _ways(test: ast.expr, outcome: bool) -> Iterator[Way]:
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            yield from _ways(inner, not outcome)
        case ast.NamedExpr(value=inner):
            yield from _ways(inner, outcome)
        case ast.BoolOp(op=operator, values=parts):
            if isinstance(operator, ast.And) is outcome:
                yield from _together(parts, outcome)
            else:
                for part in parts:
                    yield from _ways(part, outcome)
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            yield from _compared(left, operator, right, outcome)
        case ast.Compare(left=left, ops=operators, comparators=rights):
            yield from _chained([left, *rights], operators, outcome)
        case ast.Call():
            yield from _called(test, outcome)
        case ast.BinOp(op=ast.BitAnd(), left=left, right=right):
            for one, other in ((left, right), (right, left)):
                if subject_of(one) and _is_fixed(other):
                    wish = Wish.VALUE if outcome else Wish.FALSE
                    yield {subject_of(one): Wanted(wish, ast.unparse(other) if outcome else "")}
        case ast.Subscript(value=whole) if subject_of(whole):
            yield {subject_of(whole): TRUTHS[outcome]}
        case _ if subject_of(test):
            yield {subject_of(test): TRUTHS[outcome]}


def _together(parts: list[ast.expr], outcome: bool) -> Iterator[Way]:
    """Ways for all of several conditions; what a later one wishes of a name counts more."""
    choices = [list(itertools.islice(_ways(part, outcome), MOST_CHOICES)) or [{}] for part in parts]
    for chosen in itertools.islice(itertools.product(*choices), MOST_WAYS):
        whole: dict[str, Wanted] = {}
        for way in chosen:
            for subject, wanted in way.items():
                if subject not in whole or wanted.wish not in (Wish.TRUE, Wish.OTHER):
                    whole[subject] = wanted
        yield whole


def _chained(sides: list[ast.expr], operators: list[ast.cmpop], outcome: bool) -> Iterator[Way]:
    pairs = zip(sides, operators, sides[1:], strict=False)
    singles: list[ast.expr] = [ast.Compare(left, [op], [right]) for left, op, right in pairs]
    yield from _ways(ast.BoolOp(ast.And(), singles), outcome)


def _compared(left: ast.expr, operator: ast.cmpop, right: ast.expr, outcome: bool) -> Iterator[Way]:
    if isinstance(operator, ast.In | ast.NotIn):
        yield from _contained(left, right, isinstance(operator, ast.In) is outcome)
        return
    if isinstance(operator, UNEQUAL) and ast.dump(left) == ast.dump(right) and outcome:
        if subject_of(left):
            yield {subject_of(left): Wanted(Wish.VALUE, "float('nan')")}
        return
    for one, op, other in ((left, operator, right), (right, TURNED[type(operator)](), left)):
        yield from _beside(one, op, other, outcome)


def _beside(one: ast.expr, operator: ast.cmpop, other: ast.expr, outcome: bool) -> Iterator[Way]:
    """What is wished of a name that is compared with something known."""
    subject = _counted(one) or _asked_for_type(one) or subject_of(one)
    if not subject or not _is_fixed(other):
        return
    is_equal = isinstance(operator, EQUAL) is outcome
    if _asked_for_type(one):
        yield {subject: Wanted(Wish.KIND if is_equal else Wish.NO_KIND, ast.unparse(other))}
    elif isinstance(operator, (*EQUAL, *UNEQUAL)):
        if _counted(one):
            yield from _lengths(subject, other, (0,) if is_equal else (1, -1))
        else:
            wish = Wish.VALUE if is_equal else Wish.OTHER
            yield {subject: Wanted(wish, ast.unparse(other))}
    else:
        steps = ORDERS[type(operator)][0 if outcome else 1]
        if _counted(one):
            yield from _lengths(subject, other, steps)
            return
        number = _number(other)
        for step in steps if number is not None else ():
            yield {subject: Wanted(Wish.VALUE, repr((number or 0) + step))}


def _lengths(subject: str, other: ast.expr, steps: tuple[int, ...]) -> Iterator[Way]:
    number = _number(other)
    for step in steps:
        if isinstance(number, int) and 0 <= number + step <= 40:
            yield {subject: Wanted(Wish.LENGTH, str(number + step))}


def _contained(left: ast.expr, right: ast.expr, is_inside: bool) -> Iterator[Way]:
    subject = subject_of(left)
    items = right.elts if isinstance(right, ast.Tuple | ast.List | ast.Set) else []
    if isinstance(left, ast.Call) and _asked_for_type(left):
        kinds = ast.unparse(right)
        for item in items if is_inside else ():
            yield {_asked_for_type(left): Wanted(Wish.KIND, ast.unparse(item))}
        if not is_inside:
            yield {_asked_for_type(left): Wanted(Wish.NO_KIND, kinds)}
    elif subject and items and is_inside:
        for item in items:
            if _is_fixed(item):
                yield {subject: Wanted(Wish.VALUE, ast.unparse(item))}
    elif subject and items:
        yield {subject: Wanted(Wish.OTHER, ast.unparse(items[0]))}
    elif subject_of(right) and isinstance(left, ast.Constant) and is_inside:
        yield {subject_of(right): Wanted(Wish.HOLDS, ast.unparse(left))}
    elif subject_of(right) and subject and is_inside:
        yield {subject_of(right): Wanted(Wish.SHARES, subject)}
    elif subject_of(right) and not is_inside:
        yield {subject_of(right): Wanted(Wish.FALSE)}


def _called(test: ast.Call, outcome: bool) -> Iterator[Way]:
    name = ast.unparse(test.func).rpartition(".")[2]
    subject = subject_of(test.args[0]) if test.args else ""
    match name, test.args[1:]:
        case "isinstance", [kinds] if subject:
            if not outcome:
                yield {subject: Wanted(Wish.NO_KIND, ast.unparse(kinds))}
                return
            for kind in kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]:
                yield {subject: Wanted(Wish.KIND, ast.unparse(kind))}
        case "issubclass", [kind] if subject and outcome:
            yield {subject: Wanted(Wish.KIND, f"type[{ast.unparse(kind)}]")}
        case "callable", [] if subject:
            wish = Wish.KIND if outcome else Wish.NO_KIND
            yield {subject: Wanted(wish, "Callable[..., Any]")}
        case "hasattr", [ast.Constant(value=str(attribute))] if subject:
            wanted = Wanted(Wish.HAS, attribute) if outcome else Wanted(Wish.NO_KIND, "")
            yield {subject: wanted}
        case (("len" | "any" | "all" | "bool"), []) if subject:
            yield {subject: TRUTHS[outcome]}
        case _:
            # text.strip(), options.get("key"): mostly empty where what they are asked of is.
            if isinstance(test.func, ast.Attribute):
                whole = subject_of(test.func.value)
                if whole not in ("", "self", "cls"):
                    yield {whole: TRUTHS[outcome]}


def _counted(node: ast.expr) -> str:
    """The subject whose length an expression gives, or ""."""
    is_length = isinstance(node, ast.Call) and ast.unparse(node.func) == "len"
    return (
        subject_of(node.args[0]) if isinstance(node, ast.Call) and is_length and node.args else ""
    )


def _asked_for_type(node: ast.expr) -> str:
    is_type = isinstance(node, ast.Call) and ast.unparse(node.func) == "type"
    return subject_of(node.args[0]) if isinstance(node, ast.Call) and is_type and node.args else ""


def _number(node: ast.expr) -> int | float | None:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError):
        return None
    return value if type(value) in (int, float) else None


def _is_fixed(node: ast.expr) -> bool:
    """Whether an expression means the same anywhere in the module: constants, ``Color.RED``."""
    match node:
        case ast.Constant():
            return True
        case ast.UnaryOp(operand=inner):
            return _is_fixed(inner)
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return all(map(_is_fixed, items))
        case ast.Name(id=name):
            return name.lstrip("_")[:1].isupper() or name in TYPES or name == "self"
        case ast.Attribute(value=ast.Name(id=name)):
            return name not in ("self", "cls")
    return ast.unparse(node) in OWN_CLASS


OWN_CLASS = ("type(self)", "self.__class__", "cls")
"""How a method names the class of its object."""

TYPES = frozenset({"int", "str", "float", "bool", "bytes", "list", "tuple", "dict", "set"})
