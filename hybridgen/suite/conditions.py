"""What a branch means in words: ``if quantity < 1: raise`` is "if quantity is below 1".

A test that reaches such a branch is named after it. Only conditions that a caller can see are
told: those on parameters, on attributes of the object, and on constants.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

from hybridgen.domain import Observation, Raised, Target, TargetKind
from hybridgen.suite.messages import words_of

_MOST_CLAUSES = 2
_LONGEST = 44  # characters of a condition in a name
_ORDER: dict[type[ast.cmpop], str] = {
    ast.Lt: "is_below",
    ast.LtE: "is_at_most",
    ast.Gt: "is_above",
    ast.GtE: "is_at_least",
    ast.Eq: "is",
    ast.NotEq: "is_not",
    ast.In: "is_in",
    ast.NotIn: "is_not_in",
}
_INVERSE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_ZERO: dict[type[ast.cmpop], str] = {
    ast.Lt: "is_negative",
    ast.LtE: "is_not_positive",
    ast.Gt: "is_positive",
    ast.GtE: "is_not_negative",
}
_SIDES = {"startswith": "starts_with", "endswith": "ends_with"}


def cause(observations: Sequence[Observation], targets: Sequence[Target], subject: str) -> str:
    """The condition under which all of the cases end as they do, for a name, or "".

    Args:
        observations: the cases of one test.
        targets: of the module.
        subject: qualified name of what the cases show.

    Returns:
        words such as ``if_quantity_is_below_1`` or ``without_text``.
    """
    found = {_cause(observation, targets, subject) for observation in observations}
    return found.pop() if len(found) == 1 else ""


def ways(
    observations: Sequence[Observation], targets: Sequence[Target], subject: str
) -> tuple[str, ...]:
    """The conditions that led all of the cases on their way, the innermost first.

    Unlike a :func:`cause`, they need not have decided how it ended.
    """
    own = next((target for target in targets if target.qualname == subject), None)
    if own is None or not observations:
        return ()
    found = [_ways(own, observation) for observation in observations]
    return tuple(name for name in found[0] if all(name in other for other in found[1:]))


def _ways(target: Target, observation: Observation) -> list[str]:
    offset = target.first_line - 1
    reached = {end for _, end in observation.arcs}
    names = _visible(target)
    found: list[str] = []
    for node in _ifs(target.source):
        for block, is_true in ((node.body, True), (node.orelse, False)):
            is_other_if = not is_true and bool(block) and isinstance(block[0], ast.If)
            if block and not is_other_if and block[0].lineno + offset in reached:
                found.append(_phrase(node.test, is_true, names))
    return [name for name in reversed(found) if name]


@lru_cache(maxsize=1024)
def _ifs(source: str) -> tuple[ast.If, ...]:
    try:
        return tuple(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.If))
    except (SyntaxError, ValueError):
        return ()


def _cause(observation: Observation, targets: Sequence[Target], subject: str) -> str:
    raised = observation.results[-1].raised
    own = [target for target in targets if target.qualname == subject]
    others = [
        target
        for target in targets
        if raised and target.qualname != subject and target.kind is not TargetKind.CLASS
    ]
    for target, may_name in ((own, True), (others, False)):
        ends = [end for item in target for end in _ends(item, observation, raised)]
        if raised is not None and not ends:
            ends = [end for item in target for end in _raising(item, raised)]
        if len(ends) == 1:
            target_of_end, guard, is_true = ends[0]
            names = _visible(target_of_end) if may_name else frozenset({"self"})
            return _phrase(guard, is_true, names)
        if ends:
            return ""
    return ""


def _ends(
    target: Target, observation: Observation, raised: Raised | None
) -> Iterator[tuple[Target, ast.expr, bool]]:
    """The ``raise`` or ``return`` with which the target ended, as its guard and the way taken."""
    offset = target.first_line - 1
    reached = {end for _, end in observation.arcs}
    left = {start for start, end in observation.arcs if end < 0}
    for statement, guard, is_true in _guarded(target.source):
        lines = range(statement.lineno + offset, (statement.end_lineno or 0) + offset + 1)
        match statement:
            case ast.Return():
                is_end = raised is None and bool(left.intersection(lines))
            case ast.Raise():
                is_end = raised is not None and bool(reached.intersection(lines))
                is_end = is_end and _raises(statement, raised.type_name if raised else "")
        if is_end:
            yield target, guard, is_true


def _raising(target: Target, raised: Raised) -> Iterator[tuple[Target, ast.expr, bool]]:
    """The same by type and message, for a case whose way through the code is not known."""
    for statement, guard, is_true in _guarded(target.source):
        if isinstance(statement, ast.Raise) and _raises(statement, raised.type_name):
            if _says(statement, raised.match):
                yield target, guard, is_true


def _says(statement: ast.Raise, pattern: str) -> bool:
    """True if a message can only have come from this statement, as far as its words tell."""
    said = words_of(pattern)
    constants = (
        node.value
        for argument in (statement.exc.args if isinstance(statement.exc, ast.Call) else ())
        for node in ast.walk(argument)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    parts = [words_of(text) for text in constants]
    known = [word for part in parts for word in part]
    if not known or not said:
        return not parts
    return set(known) <= set(said) or set(said) <= set(known)


def _raises(statement: ast.Raise, type_name: str) -> bool:
    kind = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
    return kind is not None and ast.unparse(kind).rpartition(".")[2] == type_name


@lru_cache(maxsize=1024)
def _guarded(source: str) -> tuple[tuple[ast.Raise | ast.Return, ast.expr, bool], ...]:
    """Every ``raise`` and ``return`` that stands directly below an ``if``."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ()
    found: list[tuple[ast.Raise | ast.Return, ast.expr, bool]] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.If):
            continue
        for statements, is_true in ((node.body, True), (node.orelse, False)):
            ends = (end for end in statements if isinstance(end, ast.Raise | ast.Return))
            found += ((end, node.test, is_true) for end in ends)
    return tuple(found)


def _visible(target: Target) -> frozenset[str]:
    return frozenset({"self", "cls", *(parameter.name for parameter in target.parameters)})


def _phrase(guard: ast.expr, is_true: bool, names: Collection[str]) -> str:
    clause = _clause(guard, is_true, names)
    if not clause or len(clause) > _LONGEST:
        return ""
    return clause if clause.startswith(("with_", "without_")) else f"if_{clause}"


def _clause(node: ast.expr, is_true: bool, names: Collection[str]) -> str:
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _clause(inner, not is_true, names)
        case ast.BoolOp(op=operator, values=values):
            return _joined(operator, values, is_true, names)
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            return _comparison(left, type(operator), right, is_true, names)
        case ast.Compare(
            left=ast.Constant(value=int() | float() as low),
            ops=[ast.Lt() | ast.LtE(), ast.Lt() | ast.LtE()],
            comparators=[middle, ast.Constant(value=int() | float() as high)],
        ):
            words = "is_between" if is_true else "is_not_between"
            subject = _subject(middle, names)
            return f"{subject}_{words}_{_number(low)}_and_{_number(high)}" if subject else ""
        case ast.Call(func=ast.Name(id="isinstance"), args=[value, kind]):
            subject, type_name = _subject(value, names), _words(ast.unparse(kind))
            is_type = isinstance(kind, ast.Name) and (
                kind.id[:1].isupper() or isinstance(getattr(builtins, kind.id, None), type)
            )
            article = "an" if type_name[:1] in "aeiou" else "a"
            words = f"is_{article}" if is_true else f"is_not_{article}"
            return f"{subject}_{words}_{type_name}" if subject and is_type else ""
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=[argument]):
            subject, other = _subject(value, names), _value(argument, names)
            if name in _SIDES and subject and other and is_true:
                return f"{subject}_{_SIDES[name]}_{other}"
            return ""
    subject = _subject(node, names)
    if not subject:
        return ""
    if is_flag := re.fullmatch(r"(?:is|has|was|can)_(\w+)", subject):
        return (
            (is_flag[1] if subject.startswith("is_") else subject)
            if is_true
            else (f"not_{is_flag[1]}")
        )
    return f"with_{subject}" if is_true else f"without_{subject}"


def _joined(
    operator: ast.boolop, values: Sequence[ast.expr], is_true: bool, names: Collection[str]
) -> str:
    """Two conditions by one word; de Morgan where they do not hold."""
    if len(values) > _MOST_CLAUSES:
        return ""
    clauses = [_clause(value, is_true, names) for value in values]
    word = "and" if isinstance(operator, ast.And) == is_true else "or"
    for kind in ("with_", "without_"):
        if all(clause.startswith(kind) for clause in clauses):
            return kind + f"_{word}_".join(clause.removeprefix(kind) for clause in clauses)
    is_mixed = any(clause.startswith(("with_", "without_")) for clause in clauses)
    return "" if is_mixed or not all(clauses) else f"_{word}_".join(clauses)


def _comparison(
    left: ast.expr,
    operator: type[ast.cmpop],
    right: ast.expr,
    is_true: bool,
    names: Collection[str],
) -> str:
    if not is_true:
        operator = _INVERSE[operator]
    subject = _subject(left, names)
    if not subject:
        return ""
    match right:
        case ast.Constant(value=None):
            return f"{'without' if operator in (ast.Is, ast.Eq) else 'with'}_{subject}"
        case ast.Constant(value=0) if operator in _ZERO and not subject.startswith("length"):
            return f"{subject}_{_ZERO[operator]}"
    other = _value(right, names)
    return f"{subject}_{_ORDER[operator]}_{other}" if other and operator in _ORDER else ""


def _subject(node: ast.expr, names: Collection[str]) -> str:
    """What a caller calls it: a parameter, an attribute of the object, the length of these."""
    match node:
        case ast.Name(id=name) if name in names and name not in ("self", "cls"):
            return _words(name)
        case ast.Attribute(value=ast.Name(id="self" | "cls" as owner), attr=name):
            return _words(name) if owner in names else ""
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in names:
            return f"{_words(owner)}_{_words(name)}"
        case ast.Call(func=ast.Name(id="len"), args=[inner]):
            subject = _subject(inner, names)
            return f"length_of_{subject}" if subject else ""
    return ""


def _value(node: ast.expr, names: Collection[str]) -> str:
    """The other side of a comparison in words, or ""."""
    match node:
        case ast.Constant(value=bool() | None as value):
            return str(value).lower()
        case ast.Constant(value=int() | float() as number):
            return _number(number)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return f"minus_{_number(number)}"
        case ast.Constant(value=str(text)):
            words = _words(text)
            is_unclear = len(words) > _LONGEST // 2 or words in ("none", "true", "false")
            return "empty" if not text else "" if is_unclear else words
        case ast.Name(id=name) if name.isupper():
            return _words(name)
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner[:1].isupper():
            return _words(name)
    return _subject(node, names)


def _number(value: int | float) -> str:
    return str(value).replace("-", "minus_").replace(".", "_").replace("+", "")


def _words(text: str) -> str:
    """``maxSize`` -> ``max_size``, ``"EU-west"`` -> ``eu_west``, without underscores around."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") if text.isascii() else ""
