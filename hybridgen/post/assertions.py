"""Turns an assertion into the value that it is about and an opinion on that value.

``assert len(cart.items) == 2`` is about ``cart.items``, with the opinion ``len(_) == 2``. What a
model expects is never trusted; it only lives on as an opinion beside what is observed.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import Protocol

from hybridgen.post.syntax import dotted, name, words


class Judge(Protocol):
    """Knows what an expression has to do with the module under test."""

    def score(self, node: ast.expr) -> int:
        """2 if ``node`` names the module, 1 if it uses what was made with it, else 0."""

    def defines(self, dunder: str) -> bool:
        """True if a class of the module defines ``dunder``, so that using it is under test."""


_UNWRAPPED = words("len isinstance bool all any set abs round type callable issubclass")
_COMPARED: dict[str, type[ast.cmpop]] = {
    "equal": ast.Eq,
    "equals": ast.Eq,
    "notequal": ast.NotEq,
    "is": ast.Is,
    "isnot": ast.IsNot,
    "in": ast.In,
    "notin": ast.NotIn,
    "greater": ast.Gt,
    "greaterequal": ast.GtE,
    "less": ast.Lt,
    "lessequal": ast.LtE,
    "listequal": ast.Eq,
    "dictequal": ast.Eq,
    "tupleequal": ast.Eq,
    "setequal": ast.Eq,
    "sequenceequal": ast.Eq,
    "multilineequal": ast.Eq,
}
_DUNDERS: dict[type[ast.cmpop], str] = {
    ast.Eq: "__eq__",
    ast.NotEq: "__eq__",
    ast.Lt: "__lt__",
    ast.LtE: "__le__",
    ast.Gt: "__gt__",
    ast.GtE: "__ge__",
    ast.In: "__contains__",
    ast.NotIn: "__contains__",
}
_MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
    ast.Is: ast.Is,
    ast.IsNot: ast.IsNot,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
}


@dataclass(slots=True)
class Claim:
    """A value under test and what the author said about it.

    Attributes:
        condition: an expression on the name ``_``, or None.
        raises: the exception it should raise, or None.
    """

    value: ast.expr
    condition: ast.expr | None = None
    raises: ast.expr | None = None


def claims(test: ast.expr, judge: Judge) -> list[Claim]:
    """The claims that ``assert test`` makes; none if it is not about the module."""
    if isinstance(test, ast.Tuple) and test.elts:
        return claims(test.elts[0], judge)  # assert (x == y, "message")
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return [claim for part in test.values for claim in claims(part, judge)]
    if isinstance(test, ast.Compare):
        return _comparison(test, judge)
    value = _subject(test, judge)
    if judge.score(value) == 0:
        return []
    return [Claim(value, _replaced(test, value))]


def _comparison(test: ast.Compare, judge: Judge) -> list[Claim]:
    sides = [test.left, *test.comparators]
    scores = [judge.score(side) for side in sides]
    best = max(scores)
    if best == 0:
        return []
    if len(sides) == 2 and (raised := _exception(sides[1])) is not None:
        return [Claim(sides[0], raises=raised)] if scores[0] else []
    is_operator_tested = judge.defines(_DUNDERS.get(type(test.ops[0]), ""))
    if is_operator_tested and (min(scores) > 0 or isinstance(test.ops[0], ast.In | ast.NotIn)):
        return [Claim(test, name("_"))]
    if len(sides) == 2 and min(scores) > 0:
        # Both sides come from the module: freeze both, trust no relation between them.
        return [Claim(_subject(side, judge)) for side in sides]
    side = sides[scores.index(best)]
    if len(sides) == 2:
        other = sides[1] if side is sides[0] else sides[0]
        if side is sides[1] and type(test.ops[0]) in _MIRRORED:
            test = ast.Compare(side, [_MIRRORED[type(test.ops[0])]()], [other])
        tolerance = _approximation(other)
        if tolerance is not None and isinstance(test.ops[0], ast.Eq):
            return [Claim(side, tolerance)]
    value = _subject(side, judge)
    return [Claim(value, _replaced(test, value))]


def _exception(node: ast.expr) -> ast.expr | None:
    """The exception class in ``f(0) == ValueError("...")``, a habit of small models."""
    called = node.func if isinstance(node, ast.Call) else node
    parts = dotted(called)
    if parts and parts[-1].endswith(("Error", "Exception")):
        return called
    if isinstance(node, ast.Call) and parts and parts[-1] == "raises" and node.args:
        return node.args[0]
    return None


def _approximation(node: ast.expr) -> ast.expr | None:
    """A condition without pytest for ``pytest.approx(x)``, or None if it is something else."""
    if not isinstance(node, ast.Call) or (dotted(node.func) or [""])[-1] != "approx":
        return None
    if not node.args:
        return None
    expected = ast.unparse(node.args[0])
    limits = {item.arg: ast.unparse(item.value) for item in node.keywords}
    if isinstance(node.args[0], ast.List | ast.Tuple | ast.Dict):
        return _expression(f"_ == {expected}")
    relative = f"{limits.get('rel', '1e-06')} * abs({expected})"
    return _expression(f"abs(_ - {expected}) <= max({relative}, {limits.get('abs', '1e-12')})")


def _expression(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body


def _subject(test: ast.expr, judge: Judge) -> ast.expr:
    """The innermost value of ``test`` that is worth observing."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        if judge.defines("__bool__"):
            return test
        return _subject(test.operand, judge)
    if isinstance(test, ast.Compare):
        scored = [side for side in (test.left, *test.comparators) if judge.score(side)]
        return _subject(scored[0], judge) if scored else test
    if isinstance(test, ast.BoolOp):
        subjects = [_subject(part, judge) for part in test.values if judge.score(part)]
        if subjects and len({ast.dump(item) for item in subjects}) == 1:
            return subjects[0]
        return test
    if isinstance(test, ast.Call) and isinstance(test.func, ast.Name) and test.args:
        first = test.args[0]
        is_consumed = isinstance(first, ast.GeneratorExp | ast.ListComp | ast.Starred)
        is_tested = judge.defines(f"__{test.func.id}__")
        if test.func.id in _UNWRAPPED and not (is_consumed or is_tested) and judge.score(first):
            return _subject(first, judge)
    if isinstance(test, ast.Call) and (dotted(test.func) or [""])[-1] == "isclose" and test.args:
        scored = [item for item in test.args if judge.score(item)]
        return scored[0] if scored else test
    return test


class _Replacement(ast.NodeTransformer):
    def __init__(self, wanted: str) -> None:
        self._wanted = wanted

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr) and ast.dump(node) == self._wanted:
            return name("_")
        return self.generic_visit(node)


def _replaced(test: ast.expr, value: ast.expr) -> ast.expr:
    changed = _Replacement(ast.dump(value)).visit(copy.deepcopy(test))
    assert isinstance(changed, ast.expr)
    return ast.fix_missing_locations(changed)


def called_claims(call: ast.Call, judge: Judge) -> list[Claim] | None:
    """The claims of ``self.assertEqual(a, b)`` and its kin; None if it is no assertion."""
    method = (dotted(call.func) or [""])[-1].lower().replace("_", "")
    arguments = call.args
    if method == "raises" or method.startswith(("assertraises", "assertwarns")):
        return _raised_call(call) if len(arguments) > 1 else []
    if not method.startswith("assert") or not arguments:
        return None if not method.startswith("assert") else []
    method = method.removeprefix("assert").removeprefix("array")
    if method in ("true", "", "false", "isnone", "isnotnone"):
        return claims(_unary(method, arguments[0]), judge)
    if len(arguments) > 1:
        first, second = arguments[:2]
        if method in _COMPARED:
            return claims(ast.Compare(first, [_COMPARED[method]()], [second]), judge)
        if method in ("isinstance", "notisinstance"):
            return claims(ast.Call(name("isinstance"), [first, second], []), judge)
        if "almost" in method or "close" in method:
            return _almost(call, judge)
    # An assertion that we do not know is still about its arguments.
    return [Claim(item) for item in arguments[:2] if judge.score(item)]


def _unary(method: str, value: ast.expr) -> ast.expr:
    if method == "false":
        return ast.UnaryOp(ast.Not(), value)
    if method in ("isnone", "isnotnone"):
        operator: ast.cmpop = ast.Is() if method == "isnone" else ast.IsNot()
        return ast.Compare(value, [operator], [ast.Constant(None)])
    return value


def _almost(call: ast.Call, judge: Judge) -> list[Claim]:
    first, second = call.args[:2]
    if judge.score(second) > judge.score(first):
        first, second = second, first
    if not judge.score(first):
        return []
    limits = {item.arg: ast.unparse(item.value) for item in call.keywords}
    places = ast.unparse(call.args[2]) if len(call.args) > 2 else limits.get("places", "7")
    difference = f"abs(_ - {ast.unparse(second)})"
    limit = limits.get("delta", f"0.5 * 10 ** -({places})")
    return [Claim(first, _expression(f"{difference} <= {limit}"))]


def _raised_call(call: ast.Call) -> list[Claim]:
    """``raises(ValueError, f, 1)`` is about ``f(1)``, a lambda about its body."""
    arguments = call.args[1:]
    if (dotted(call.func) or [""])[-1].lower().endswith("regex"):
        arguments = arguments[1:]
    if not arguments:
        return []
    function, *rest = arguments
    if isinstance(function, ast.Lambda) and not rest:
        return [Claim(function.body, raises=call.args[0])]
    return [Claim(ast.Call(function, rest, call.keywords), raises=call.args[0])]
