"""Candidates near a given one: what tells a small change of the code from the code itself.

A mutant that no test notices mostly differs from the original for few inputs, next to those that
execute its line: one more, one less, a character or an item dropped or doubled, a constant that
the code compares with. So each candidate here differs in one place from one that executes it.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, zip_longest

from hybridgen.domain import Candidate, Step, StepKind
from hybridgen.explore.values.literals import LOOKS_LIKE_PATTERN
from hybridgen.explore.values.patterns import Patterns

Value = int | float | str | bytes
LONGEST = 300
GIVEN: tuple[Value | None, ...] = ("aB1", 5, "10.5", "/a/b.c", None, -1.5)
"""What something is called with of which nothing is known."""

TEXTS_OF_PATTERN = 5
NUMERAL = re.compile(r"-?\d{1,15}(\.\d+)?")
AGAIN = 2
"""Other values for one argument of a call that is done again."""

WHOLE = 10
"""Constants that are tried in the place of a text before the text itself is varied."""


def neighbours(
    candidate: Candidate, constants: Sequence[Value], most: int, *, gives_callable: bool = False
) -> list[Candidate]:
    """Up to ``most`` variations of a candidate, each in one place; places take turns.

    Args:
        constants: values near the code in question, to be tried in the place of others.
        gives_callable: its last step gives something that can be called, which is done.
    """
    places: list[Iterator[Candidate]] = []
    if gives_callable:
        last = len(candidate.steps) - 1
        values = dict.fromkeys(map(repr, (*constants, *GIVEN)))
        calls = (f"{candidate.steps[last].code}({value})" for value in values)
        places.append(_candidates(candidate, last, calls))
    for index, step in enumerate(candidate.steps):
        for codes in _variations(step, constants):
            places.append(_candidates(candidate, index, codes))
    places.append(_other_steps(candidate))
    places.append(_again_otherwise(candidate, constants))
    found: dict[tuple[str, ...], Candidate] = {}
    own = tuple(step.code for step in candidate.steps)
    for turn in zip_longest(*places):
        for other in turn:
            if other is not None:
                key = tuple(step.code for step in other.steps)
                if key != own:
                    found.setdefault(key, other)
        if len(found) >= most:
            break
    return list(islice(found.values(), most))


def constants_in(source: str, lines: frozenset[int], *, seed: int) -> tuple[Value, ...]:
    """Values that the code on some lines of a module compares with: the best first.

    Its constants with the numbers next to them; for a regular expression texts that match it.
    """
    matching: dict[str, None] = {}
    found: dict[tuple[str, Value], None] = {}
    patterns = Patterns(seed)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Constant) or node.lineno not in lines:
            continue
        value = node.value
        if isinstance(value, int) and not isinstance(value, bool):
            found.update(((type(v).__name__, v), None) for v in (value, value + 1, value - 1))
        elif isinstance(value, str) and LOOKS_LIKE_PATTERN.search(value):
            matching.update(dict.fromkeys(patterns.matching(value)[:TEXTS_OF_PATTERN]))
        elif isinstance(value, float | str | bytes) and value:
            found[(type(value).__name__, value)] = None
    return (*matching, *(value for _, value in found))


def calls_at_import(source: str, line: int) -> frozenset[int]:
    """The lines on which a module itself calls the function that ``line`` lies in.

    What such a function does shows in what it was given there (``_irregular("man", "men")``).
    """
    body = ast.parse(source).body
    functions = (n for n in body if isinstance(n, ast.FunctionDef))
    name = next((n.name for n in functions if n.lineno <= line <= (n.end_lineno or 0)), None)
    outside = (n for n in body if not isinstance(n, ast.FunctionDef | ast.ClassDef))
    return frozenset(
        number
        for statement in outside
        for call in ast.walk(statement)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == name
        for number in range(call.lineno, (call.end_lineno or call.lineno) + 1)
    )


def _candidates(candidate: Candidate, index: int, codes: Iterator[str]) -> Iterator[Candidate]:
    for code in codes:
        if len(code) <= LONGEST:
            step = replace(candidate.steps[index], code=code, opinion=None)
            steps = (*candidate.steps[:index], step, *candidate.steps[index + 1 :])
            yield replace(candidate, steps=steps, origin="search", name_hint="")


def _other_steps(candidate: Candidate) -> Iterator[Candidate]:
    """Without one of the calls on the way, and with one of them done twice."""
    for index, step in enumerate(candidate.steps[:-1]):
        match ast.parse(step.code).body:
            case [ast.Expr()]:
                plain = Step(StepKind.SETUP, step.code)
                for middle in ((), (plain, step)):
                    steps = (*candidate.steps[:index], *middle, *candidate.steps[index + 1 :])
                    yield replace(candidate, steps=steps, origin="search", name_hint="")


def _again_otherwise(candidate: Candidate, constants: Sequence[Value]) -> Iterator[Candidate]:
    """With one of the calls on the way done again with another argument, later places first.

    Of what only collects, it takes two different things to tell a sum from a mean.
    """
    for index, step in enumerate(candidate.steps[:-1]):
        match ast.parse(step.code).body:
            case [ast.Expr(value=ast.Call())]:
                for codes in reversed(list(_variations(step, constants))):
                    for code in islice(codes, AGAIN):
                        other = Step(StepKind.SETUP, code)
                        steps = (
                            *candidate.steps[: index + 1],
                            other,
                            *candidate.steps[index + 1 :],
                        )
                        yield replace(candidate, steps=steps, origin="search", name_hint="")


def _variations(step: Step, constants: Sequence[Value]) -> Iterator[Iterator[str]]:
    """For each place of a step that can be varied: the code with other things there."""
    try:
        tree = ast.parse(step.code)
    except (SyntaxError, ValueError, RecursionError):
        return
    for number, node in enumerate(_places(tree)):
        yield _codes(tree, number, _others(node, constants))


def _places(tree: ast.AST) -> Iterator[ast.expr | ast.Call]:
    """Literals and calls, not the inside of f-strings and of what is bound by keyword names."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.JoinedStr | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        is_number = isinstance(child, ast.UnaryOp) and isinstance(child.operand, ast.Constant)
        if is_number or isinstance(
            child, ast.Constant | ast.List | ast.Tuple | ast.Dict | ast.Call
        ):
            assert isinstance(child, ast.expr)
            yield child
        if not is_number:
            yield from _places(child)


def _codes(tree: ast.Module, number: int, others: Iterator[ast.expr]) -> Iterator[str]:
    for other in others:
        changed = copy.deepcopy(tree)
        old = next(islice(_places(changed), number, None))
        try:
            text = ast.unparse(ast.fix_missing_locations(_Put(old, other).visit(changed)))
            ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            continue
        yield text


class _Put(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, old: ast.AST, new: ast.expr) -> None:
        self.old = old
        self.new = new

    def visit(self, node: ast.AST) -> ast.AST:
        """The new node for the old one, anything else as it was."""
        return self.new if node is self.old else super().generic_visit(node)


def _others(node: ast.expr, constants: Sequence[Value]) -> Iterator[ast.expr]:
    match node:
        case ast.Call():
            yield from _other_calls(node)
        case ast.List() | ast.Tuple():
            for items in _other_items(node.elts):
                yield type(node)(elts=items, ctx=ast.Load())
        case ast.Dict(keys=keys, values=values):
            for index in range(len(keys)):
                rest = [i for i in range(len(keys)) if i != index]
                yield ast.Dict([keys[i] for i in rest], [values[i] for i in rest])
        case _:
            try:
                value = ast.literal_eval(node)
            except (ValueError, TypeError):
                return
            for other in _other_values(value, constants):
                yield ast.parse(repr(other), mode="eval").body


def _other_calls(node: ast.Call) -> Iterator[ast.expr]:
    """Without one of the named arguments, or without the last one by place."""
    for index in range(len(node.keywords)):
        rest = [k for i, k in enumerate(node.keywords) if i != index]
        yield ast.Call(node.func, node.args, rest)
    if len(node.args) > 1:
        yield ast.Call(node.func, node.args[:-1], node.keywords)


def _other_items(items: list[ast.expr]) -> Iterator[list[ast.expr]]:
    for index in range(min(len(items), 3)):
        yield items[:index] + items[index + 1 :]
    if items:
        yield [*items, items[0]]
        yield [*items, items[-1]]
        yield items[::-1]


def _other_values(value: object, constants: Sequence[Value]) -> Iterator[object]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value - 1, -value, 0, 1)
        yield from (c for c in constants if isinstance(c, int | float))
        yield from (value * 10, value + 0.5, value * 1000 + 1)
    elif isinstance(value, str):
        yield from _other_numerals(value, constants)
        yield from _other_texts(value, [c for c in constants if isinstance(c, str)])
    elif isinstance(value, bytes):
        yield from (value[:-1], value[1:], value + value[-1:])
        yield from (c for c in constants if isinstance(c, bytes))
    elif value is None:
        yield from constants[:6]


def _other_numerals(value: str, constants: Sequence[Value]) -> Iterator[str]:
    """Texts for numbers near the one that a text stands for: ``"101"`` in ``Decimal("25")``."""
    if NUMERAL.fullmatch(value):
        numbers = [c for c in constants if isinstance(c, int | float)]
        number = float(value)
        yield from (f"{other:.15g}" for other in (*numbers, number + 1, number - 1, -number, 0))


def _other_texts(value: str, constants: Sequence[str]) -> Iterator[str]:
    yield from constants[:WHOLE]
    yield from (value[:-1], value[1:], value + value[-1:], value[:1] + value)
    for constant in constants:
        yield from (value + constant, constant, constant + value)
    middle = len(value) // 2
    yield value[:middle] + value[middle + 1 :]
    yield value.swapcase()
    yield from (f" {value}", f"{value} ", f"{value}0", f"{value}a")
    for constant in constants:
        yield value[:middle] + constant + value[middle:]
    for index, char in enumerate(value[:12]):
        if char in "0123456789":
            yield value[:index] + str((int(char) + 1) % 10) + value[index + 1 :]
    yield from ("", value * 2, value[::-1])
