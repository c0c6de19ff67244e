"""Flattens a scenario into items: statements to execute and values to observe, in order."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hybridgen.domain import StepKind
from hybridgen.post.assertions import Claim, called_claims, claims
from hybridgen.post.expand import MOST_CASES, bound, elements, tables, unpacked
from hybridgen.post.safety import WRITES
from hybridgen.post.syntax import (
    FunctionNode,
    bound_names,
    dotted,
    free_names,
    is_constant,
    is_literal,
    substitute,
    words,
)
from hybridgen.post.vocabulary import Vocabulary

_MOST_ITEMS = 200
_MOST_VISITS = 2_000
_TRANSPARENT = words("subTest subtests nullcontext does_not_raise warns assertWarns")
_RAISING = words("raises assertRaises assertRaisesRegex assert_raises")


@dataclass(slots=True)
class Item:
    """A step before its names are checked.

    Attributes:
        node: a statement for SETUP, an expression for PROBE.
        is_bare: True for a call whose value the author threw away.
    """

    kind: StepKind
    node: ast.stmt | ast.expr
    condition: ast.expr | None = None
    raises: ast.expr | None = None
    is_bare: bool = False


def flatten(body: Sequence[ast.stmt], vocabulary: Vocabulary) -> list[Item]:
    """The items of a normalised scenario."""
    flattener = _Flattener(vocabulary, tables(body))
    flattener.visit_all(body)
    return flattener.items[:_MOST_ITEMS]


class _Flattener:
    def __init__(self, vocabulary: Vocabulary, known: dict[str, ast.expr]) -> None:
        self.items: list[Item] = []
        self._vocabulary = vocabulary
        self._tables = known
        self._helpers: dict[str, FunctionNode] = {}
        self._made: set[str] = {"tmp_path"}  # variables whose value comes from the module
        self._literals: dict[str, ast.expr] = {}
        self._depth = 0
        self._visits = 0  # loops in loops multiply, even where they give no item

    def score(self, node: ast.expr) -> int:
        """2 if ``node`` names the module, 1 if it uses what was made with it, else 0."""
        names = free_names(node)
        if not names.isdisjoint(self._vocabulary.own - self._made):
            return 2
        return 0 if names.isdisjoint(self._made) else 1

    def defines(self, dunder: str) -> bool:
        """True if a class of the module defines ``dunder``."""
        return dunder in self._vocabulary.methods

    def visit_all(self, body: Sequence[ast.stmt]) -> None:
        self._depth += 1
        for statement in body:
            self._visits += 1
            if len(self.items) < _MOST_ITEMS and self._visits < _MOST_VISITS and self._depth < 12:
                self._visit(statement)
        self._depth -= 1

    def _visit(self, node: ast.stmt) -> None:
        match node:
            case ast.Assert():
                self._claim(claims(node.test, self))
            case ast.Expr():
                self._expression(node.value)
            case ast.Return(value=value) if value is not None:
                self._expression(value)
            case ast.With() | ast.AsyncWith():
                self._with(node)
            case ast.For() | ast.AsyncFor():
                self._for(node)
            case ast.If():
                start = len(self.items)
                self.visit_all([*node.body, *node.orelse])
                self._forget_opinions(start)
            case ast.Try():
                self._try(node)
            case ast.AnnAssign(value=value) if value is not None:
                self._assign(ast.fix_missing_locations(ast.Assign([node.target], value)))
            case ast.Assign() | ast.AugAssign() | ast.Delete():
                self._assign(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._define(node)

    def _claim(self, found: Sequence[Claim]) -> None:
        for claim in found:
            condition = claim.condition and substitute(claim.condition, self._literals)
            self._probe(claim.value, condition, claim.raises)

    def _probe(
        self,
        value: ast.expr,
        condition: ast.expr | None = None,
        raises: ast.expr | None = None,
        is_bare: bool = False,
    ) -> None:
        if isinstance(value, ast.Name) and value.id in self._vocabulary.definitions:
            return  # "assert f" says nothing about what f does
        self._touch(value)
        self.items.append(Item(StepKind.PROBE, value, condition, raises, is_bare))

    def _setup(self, node: ast.stmt) -> None:
        self.items.append(Item(StepKind.SETUP, node))

    def _touch(self, node: ast.AST) -> None:
        """Notes that variables in ``node`` may have been changed by the module."""
        names = free_names(node)
        changeable = {name for name in names if not self._is_constant(name)}
        if not names.isdisjoint(self._vocabulary.own | self._made):
            self._made |= changeable & (self._literals.keys() | self._made)
        for name in changeable:
            self._literals.pop(name, None)

    def _is_constant(self, name: str) -> bool:
        return name in self._literals and is_constant(self._literals[name])

    def _expression(self, node: ast.expr) -> None:
        while isinstance(node, ast.UnaryOp | ast.Starred) and not isinstance(
            getattr(node, "op", None), ast.Not
        ):
            node = node.operand if isinstance(node, ast.UnaryOp) else node.value
        if isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp):
            self._claim(claims(node, self))
        elif isinstance(node, ast.Tuple | ast.List):
            for item in node.elts:
                self._expression(item)
        elif isinstance(node, ast.JoinedStr):
            for part in node.values:
                if isinstance(part, ast.FormattedValue):
                    self._expression(part.value)
        elif isinstance(node, ast.Call):
            self._call(node)
        elif self.score(node) and not (
            isinstance(node, ast.Name) and node.id in self._vocabulary.own
        ):
            self._probe(node)

    def _call(self, node: ast.Call) -> None:
        parts = dotted(node.func) or [getattr(node.func, "attr", "")]
        found = called_claims(node, self)
        if found is not None:
            self._claim(found)
        elif parts in (["print"], ["repr"], ["str"]):
            for item in node.args:
                self._expression(item)
        elif parts[0] in self._helpers:
            self._inline(self._helpers[parts[0]], node)
        elif self.score(node) and (
            parts[-1] not in WRITES or parts[-1] in self._vocabulary.methods
        ):
            self._probe(node, is_bare=True)
        else:
            self._touch(node)
            self._setup(ast.fix_missing_locations(ast.Expr(node)))

    def _inline(self, helper: FunctionNode, call: ast.Call) -> None:
        """The body of a helper that asserts, with the arguments of one call filled in."""
        names = [item.arg for item in helper.args.args]
        row = dict(zip(names, call.args, strict=False))
        row |= {item.arg: item.value for item in call.keywords if item.arg}
        defaults = helper.args.defaults
        for name, value in zip(names[len(names) - len(defaults) :], defaults, strict=True):
            row.setdefault(name, value)
        if row.keys() == set(names):
            self.visit_all(bound(helper.body, row))

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        raised: ast.expr | None = None
        for item in node.items:
            call = item.context_expr
            name = (dotted(call.func) or [""])[-1] if isinstance(call, ast.Call) else ""
            if name in _RAISING and isinstance(call, ast.Call) and call.args:
                raised = call.args[0]
            elif name in _RAISING:
                raised = ast.Name("Exception", ast.Load())
            elif name not in _TRANSPARENT:
                if isinstance(node, ast.With) and self.score(call):
                    self._compound(node)
                return
        start = len(self.items)
        self.visit_all(node.body)
        if raised is not None:
            self._expect(raised, start)

    def _expect(self, raised: ast.expr, start: int) -> None:
        """Says of the last item since ``start`` that it should raise."""
        if len(self.items) == start:
            return
        for item in self.items[start:-1]:
            item.condition = None
        last = self.items[-1]
        if isinstance(last.node, ast.Assign):
            last.kind, last.node = StepKind.PROBE, last.node.value
        last.condition, last.raises = None, raised

    def _forget_opinions(self, start: int) -> None:
        seen: set[str] = set()
        kept = []
        for item in self.items[start:]:
            item.condition = item.raises = None
            text = ast.dump(item.node)
            if text not in seen:
                kept.append(item)
            seen.add(text)
        self.items[start:] = kept

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        values = elements(node.iter, self._tables | self._literals)
        rows = [unpacked(node.target, value) for value in values or []]
        is_about_values = any(
            isinstance(item, ast.Assert | ast.With | ast.Try)
            or (isinstance(item, ast.Call) and _is_reporting(item))
            or (isinstance(item, ast.Expr) and self._vocabulary.functions.keys() & free_names(item))
            for item in ast.walk(node)
        )
        if is_about_values and rows and all(row is not None for row in rows):
            for row in rows[:MOST_CASES]:
                self.visit_all(bound(node.body, row or {}))
        elif isinstance(node, ast.For):
            self._compound(node)

    def _compound(self, node: ast.For | ast.With) -> None:
        """A block that stays one statement, without its assertions."""
        silent = _Silencer().visit(node)
        if isinstance(silent, ast.stmt):
            self._touch(silent)
            self._made |= bound_names(silent)
            self._setup(ast.fix_missing_locations(silent))

    def _try(self, node: ast.Try) -> None:
        start = len(self.items)
        body = [item for item in node.body if not _is_failure(item)]
        self.visit_all(body)
        types = [handler.type for handler in node.handlers if handler.type is not None]
        if len(body) < len(node.body) and len(types) == 1:
            self._expect(types[0], start)
        self.visit_all([*node.orelse, *node.finalbody])

    def _assign(self, node: ast.Assign | ast.AugAssign | ast.Delete) -> None:
        names = bound_names(node)
        if isinstance(node, ast.Delete) or not names:
            self._touch(node)
        else:
            is_made = self.score(node.value) > 0
            self._touch(node.value)
            for name in names:
                self._literals.pop(name, None)
                self._tables.pop(name, None)
                self._made.discard(name)
            if is_made:
                self._made |= names
            elif isinstance(node, ast.Assign) and len(names) == 1 and self._is_plain(node.value):
                self._literals[next(iter(names))] = substitute(node.value, self._literals)
        self._setup(node)

    def _is_plain(self, node: ast.expr) -> bool:
        """True for literals and for values made of literals by the standard library."""
        if is_literal(node):
            return True
        is_built = isinstance(node, ast.Call | ast.BinOp | ast.Tuple | ast.List | ast.Dict)
        return is_built and all(
            self._vocabulary.is_known(name) or name in self._literals for name in free_names(node)
        )

    def _define(self, node: FunctionNode | ast.ClassDef) -> None:
        if isinstance(node, FunctionNode) and any(
            isinstance(item, ast.Assert) for item in ast.walk(node)
        ):
            self._helpers[node.name] = node
            return
        if isinstance(node, FunctionNode):
            node.decorator_list = []
        self._setup(node)


def _is_reporting(call: ast.Call) -> bool:
    name = (dotted(call.func) or [""])[-1].lower()
    return name == "print" or name.startswith("assert")


def _is_failure(node: ast.stmt) -> bool:
    """True for ``assert False``, ``self.fail()``, ``pytest.fail("...")``."""
    if isinstance(node, ast.Assert):
        return isinstance(node.test, ast.Constant) and not node.test.value
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return (dotted(node.value.func) or [""])[-1] == "fail"
    return isinstance(node, ast.Raise)


class _Silencer(ast.NodeTransformer):
    """Takes assertions out of a block."""

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        return ast.Pass()

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        is_report = isinstance(node.value, ast.Call) and _is_reporting(node.value)
        return ast.Pass() if is_report else node


def literal_numbers(items: Sequence[Item]) -> Mapping[str, int]:
    """The largest number that each variable holds, for :mod:`hybridgen.post.safety`."""
    numbers: dict[str, int] = {}
    for item in items:
        node = item.node
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            target, value = node.targets[0], node.value.value
            if isinstance(target, ast.Name) and isinstance(value, int):
                numbers[target.id] = max(value, numbers.get(target.id, value))
    return numbers
