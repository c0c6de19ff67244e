"""Makes mutants of a module: one small change each, by its syntax tree and its source text.

The kinds are those of the usual tools (mutmut, cosmic-ray); of the comparisons, those from which
the others follow (Kaminski, Ammann, Offutt: "Improving logic-based testing", 2013). A change keeps
the number of lines, so that every other line stays where coverage and tracebacks say it is.
"""

from __future__ import annotations

import ast
import random
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import TypeGuard

from hybridgen.domain.mutants import Mutant
from hybridgen.observe.reach import Function, Reach

Change = tuple[str, ast.AST, ast.AST, str]
"""Kind, the first and the last node of what is replaced, and the new text."""

_COMPARISONS: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: (r"<", ("<=", ">=")),
    ast.LtE: (r"<=", ("<", ">")),
    ast.Gt: (r">", (">=", "<=")),
    ast.GtE: (r">=", (">", "<")),
    ast.Eq: (r"==", ("!=",)),
    ast.NotEq: (r"!=", ("==",)),
    ast.Is: (r"is", ("is not",)),
    ast.IsNot: (r"is\s+not", ("is",)),
    ast.In: (r"in", ("not in",)),
    ast.NotIn: (r"not\s+in", ("in",)),
}
_ORDERED: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("!=",),
    ast.LtE: ("==",),
    ast.Gt: ("!=",),
    ast.GtE: ("==",),
    ast.Eq: ("<=", ">="),
    ast.NotEq: ("<", ">"),
}
"""What else a comparison of values that have an order may be mistaken for."""

_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("-", "*"),
    ast.Sub: ("+", "%"),
    ast.Mult: ("//", "+"),
    ast.Div: ("*", "//"),
    ast.FloorDiv: ("*", "/"),
    ast.Mod: ("*", "//"),
    ast.Pow: ("*", "+"),
    ast.BitAnd: ("|", "^"),
    ast.BitOr: ("&", "^"),
    ast.BitXor: ("|", "&"),
    ast.LShift: (">>", "*"),
    ast.RShift: ("<<", "//"),
}
"""Two for each: 2 * 2 is 2 + 2, and 1 | 2 is 1 ^ 2, so one alone lets poor inputs pass."""

_SILENT = frozenset({"overload", "override", "final", "no_type_check", "abstractmethod"})
"""Decorators that change nothing that a test could see."""

_MESSAGES = frozenset({"debug", "info", "warning", "warn", "error", "critical", "exception", "log"})
_LATER = frozenset({"operand", "constant-1", "ordered", "arithmetic-1", "assignment-1"})
"""Kinds that are tried after all others: they are often noticed by what notices a sibling."""


def mutants_of(
    source: str, executed: frozenset[int], *, at_import: frozenset[int] = frozenset(), seed: int
) -> tuple[Mutant, ...]:
    """The mutants of a module that tests can notice, in the order to try them.

    Every part of the order is a fair sample: functions and kinds take turns.

    Args:
        source: the module.
        executed: lines that tests execute after the import.
        at_import: lines that the import executes.
        seed: of the order.
    """
    groups: defaultdict[tuple[bool, str, str], list[Mutant]] = defaultdict(list)
    for owner, kind, mutant in _Maker(source).mutants(executed, at_import):
        groups[(kind in _LATER, owner, kind)].append(mutant)
    chooser = random.Random(seed)
    ordered: list[Mutant] = []
    for is_later in (False, True):
        keys = sorted(key for key in groups if key[0] is is_later)
        chooser.shuffle(keys)
        for key in keys:
            chooser.shuffle(groups[key])
        queues = deque(deque(groups[key]) for key in keys)
        while queues:
            queue = queues.popleft()
            ordered.append(queue.popleft())
            if queue:
                queues.append(queue)
    return tuple(ordered)


class _Maker:
    """Turns nodes into changes of the text."""

    def __init__(self, source: str) -> None:
        self.tree = ast.parse(source)
        self.source = source.encode()
        self.starts = _line_starts(self.source)
        inside = (n for s in ast.walk(self.tree) if isinstance(s, ast.JoinedStr) for n in _all(s))
        self.quoted = frozenset(map(id, inside))
        functions = (n for n in ast.walk(self.tree) if isinstance(n, Function))
        self.decorators = {id(item) for n in functions for item in n.decorator_list}

    def mutants(
        self, executed: frozenset[int], at_import: frozenset[int]
    ) -> Iterator[tuple[str, str, Mutant]]:
        """All mutants, each with the definition that it lies in and its kind."""
        for owner, lines, node in _nodes(self.tree, Reach(self.tree, executed, at_import)):
            seen = set()
            for kind, first, last, text in self.changes(node):
                start, end = self.place(first, ""), self.place(last, "end_")
                before = self.source[start:end].decode()
                padded = _padded(text, before)
                if padded in seen or not self.is_valid(kind, node, (start, end), padded):
                    continue
                seen.add(padded)
                mutant = Mutant(
                    line=_at(first, "lineno"),
                    last_line=_at(last, "end_lineno"),
                    kind=kind.partition("-")[0],
                    before=before,
                    after=" ".join(text.split()),
                    start=start,
                    end=end,
                    text=padded.encode(),
                    lines=lines,
                )
                yield owner, kind, mutant

    def is_valid(self, kind: str, node: ast.AST, place: tuple[int, int], text: str) -> bool:
        """Whether the change gives a module; on one line it does, by how it is made."""
        start, end = place
        is_quoted = id(node) in self.quoted
        if "\n" not in text and kind != "slice" and not is_quoted:
            return True
        if is_quoted and not _is_code(self.text(node), node):
            return False  # before Python 3.12, not all of an f-string lies where it says
        try:
            ast.parse((self.source[:start] + text.encode() + self.source[end:]).decode())
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        return True

    def place(self, node: ast.AST, end: str) -> int:
        """Where a node begins, or ends, in the bytes of the source."""
        return self.starts[_at(node, f"{end}lineno")] + _at(node, f"{end}col_offset")

    def text(self, node: ast.AST) -> str:
        """The source text of a node."""
        return self.source[self.place(node, "") : self.place(node, "end_")].decode()

    def changes(self, node: ast.AST) -> Iterator[Change]:
        """All changes of one node."""
        if id(node) in self.decorators:
            yield "decorator", node, node, "(lambda it: it)"
            return
        match node:
            case ast.Compare():
                yield from self.comparisons(node)
            case ast.BoolOp(op=op, values=values):
                new = " or " if isinstance(op, ast.And) else " and "
                yield "boolean", node, node, f"({new.join(map(self.operand, values))})"
                for value in values:
                    rest = [other for other in values if other is not value]
                    old = " and " if isinstance(op, ast.And) else " or "
                    yield "operand", node, node, f"({old.join(map(self.operand, rest))})"
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                for new, later in zip(_ARITHMETIC[type(op)], ("", "-1"), strict=True):
                    text = f"({self.operand(left)} {new} {self.operand(right)})"
                    yield f"arithmetic{later}", node, node, text
            case ast.AugAssign(target=target, op=op, value=value) if type(op) in _ARITHMETIC:
                for new, later in zip(_ARITHMETIC[type(op)], ("", "-1"), strict=True):
                    text = f"{self.text(target)} {new}= {self.operand(value)}"
                    yield f"assignment{later}", node, node, text
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                yield "not", node, node, self.operand(inner)
            case ast.UnaryOp(op=ast.USub() | ast.Invert(), operand=inner):
                yield "arithmetic", node, node, self.operand(inner)
            case ast.Constant(value=value):
                yield from ((kind, node, node, text) for kind, text in _constants(value))
            case ast.JoinedStr():
                yield "constant", node, node, f"('XX' {self.text(node)})"
            case ast.Return(value=ast.expr() as value) if not _is_none(value):
                yield "return", value, value, "None"
            case ast.Subscript(slice=ast.Slice() as part):
                yield from self.slices(part)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                for test in (test for part in node.generators for test in part.ifs):
                    yield from self.conditions(test)
            case ast.IfExp(test=test):
                yield from self.conditions(test)
            case ast.expr():
                yield from self.calls(node)
            case _:
                yield from self.statements(node)

    def operand(self, node: ast.AST) -> str:
        text = self.text(node)
        is_simple = isinstance(node, ast.Name | ast.Constant | ast.Call | ast.Attribute)
        return text if is_simple and "\n" not in text else f"({text})"

    def comparisons(self, node: ast.Compare) -> Iterator[Change]:
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            pattern, others = _COMPARISONS[type(op)]
            gap = self.source[self.place(left, "end_") : self.place(right, "")].decode()
            ordered = _ORDERED.get(type(op), ()) if _may_be_ordered(left, right) else ()
            for kind, new in (
                *(("comparison", text) for text in others),
                *(("ordered", text) for text in ordered),
            ):
                changed = re.sub(pattern, new, gap, count=1)
                text = self.text(left) + changed + self.text(right)
                yield kind, left, right, text
            left = right

    def slices(self, part: ast.Slice) -> Iterator[Change]:
        texts = [self.text(n) if n is not None else "" for n in (part.lower, part.upper, part.step)]
        for index, text in enumerate(texts):
            if text:
                rest = [*texts[:index], "", *texts[index + 1 :]]
                yield "slice", part, part, f"{rest[0]}:{rest[1]}" + (f":{rest[2]}" * bool(rest[2]))

    def calls(self, node: ast.expr) -> Iterator[Change]:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.expr() as inner), args=[], keywords=[]):
                if not _is_class_or_module(inner):
                    yield "call", node, node, self.operand(inner)

    def statements(self, node: ast.AST) -> Iterator[Change]:
        match node:
            case ast.Expr(value=ast.Call() | ast.Await(value=ast.Call())):
                if not _is_message(node):
                    yield "call", node, node, "pass"
            case ast.Raise():
                yield "exception", node, node, "pass"
            case ast.ExceptHandler(type=ast.expr() as kind):
                yield "exception", kind, kind, "()"
            case ast.Break():
                yield "loop", node, node, "continue"
            case ast.Continue():
                yield "loop", node, node, "break"
            case ast.For(iter=items):
                yield "loop", items, items, "()"
            case ast.If(test=test) | ast.While(test=test) | ast.Assert(test=test):
                yield from self.conditions(test)

    def conditions(self, test: ast.expr) -> Iterator[Change]:
        has_own = isinstance(test, ast.Compare | ast.BoolOp | ast.Constant) or (
            isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        )
        if not has_own:
            yield "condition", test, test, f"(not {self.operand(test)})"


# ---------------------------------------------------------------- which nodes


def _nodes(tree: ast.Module, reach: Reach) -> Iterator[tuple[str, frozenset[int], ast.AST]]:
    """Nodes that tests reach, with the definition they lie in and the lines that they act on."""
    prose = _prose(tree)
    todo: list[tuple[str, frozenset[int], bool, ast.AST]] = []
    todo += [("", frozenset(), False, node) for node in reversed(tree.body)]
    while todo:
        owner, lines, is_inside, node = todo.pop()
        if id(node) in prose or _is_left_out(node):
            continue
        if isinstance(node, ast.stmt | ast.ExceptHandler):
            lines = reach.inside(node, owner) if is_inside else reach.at_import(node)
        if lines and hasattr(node, "lineno"):
            yield owner, lines, node
        is_function = isinstance(node, Function)
        if isinstance(node, Function | ast.ClassDef):
            owner = f"{owner}.{node.name}"
        if isinstance(node, Function):
            lines = reach.body(node)
            yield from ((owner, lines, d) for d in node.decorator_list if lines and _is_seen(d))
        children = reversed(list(_children(node)))
        todo += [(owner, lines, is_inside or is_function, child) for child in children]


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """What may be changed below a node: no annotations, of an f-string what it computes."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.JoinedStr):
        yield from (part.value for part in node.values if isinstance(part, ast.FormattedValue))
        return
    for name, value in ast.iter_fields(node):
        is_head = isinstance(node, ast.ClassDef) and name in ("bases", "keywords")
        if is_head or name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        yield from (n for n in (value if isinstance(value, list) else [value]) if _is_node(n))


def _is_node(value: object) -> TypeGuard[ast.AST]:
    return isinstance(value, ast.AST)


def _prose(tree: ast.Module) -> set[int]:
    """Texts for people: docstrings, messages of exceptions and what is logged."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) or _is_message(node):
            texts = (n for n in ast.walk(node) if _is_text(n))
            found.update(map(id, texts))
        elif isinstance(node, ast.Assert) and node.msg is not None:
            found.update(map(id, ast.walk(node.msg)))
    return found


def _is_text(node: ast.AST) -> bool:
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return is_text or isinstance(node, ast.JoinedStr)


def _is_left_out(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()):
            return True  # a docstring, or nothing
        case ast.If(test=test):
            return _is_aside(test)
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name.startswith("__")  # __all__, __version__
    return False


def _is_aside(test: ast.expr) -> bool:
    text = ast.unparse(test)
    return text.endswith("TYPE_CHECKING") or text == "__name__ == '__main__'"


def _is_message(node: ast.AST) -> bool:
    """True for a call that only tells people something: logging, warnings."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(), attr=name))):
            return name in _MESSAGES
    return False


def _is_seen(decorator: ast.expr) -> bool:
    """True for a decorator without which a function does something else."""
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(function).rpartition(".")[2] not in _SILENT


def _is_code(text: str, node: ast.AST) -> bool:
    """True if ``text`` is what a node was made of."""
    try:
        return ast.dump(ast.parse(text, mode="eval").body) == ast.dump(node)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _all(node: ast.AST) -> Iterator[ast.AST]:
    """All that is in a node, without itself."""
    return (inner for inner in ast.walk(node) if inner is not node)


def _is_class_or_module(node: ast.expr) -> bool:
    """``os.getcwd()``: what stands before the dot is no value that the call could be left from."""
    return isinstance(node, ast.Name) and (node.id[:1].isupper() or node.id in ("self", "cls"))


# ---------------------------------------------------------------- texts and places


def _constants(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, bool):
        yield "constant", repr(not value)
    elif isinstance(value, int | float):
        yield "constant", repr(value + 1)
        yield "constant-1", repr(value - 1)
    elif isinstance(value, str):
        yield "constant", repr(f"XX{value}")
        if value:
            yield "constant-1", "''"
    elif isinstance(value, bytes):
        yield "constant", repr(b"XX" + value)


def _may_be_ordered(*nodes: ast.expr) -> bool:
    """False where a text, None or a truth value is compared with."""
    values = (node.value for node in nodes if isinstance(node, ast.Constant))
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _at(node: ast.AST, name: str) -> int:
    return int(getattr(node, name))


def _line_starts(source: bytes) -> list[int]:
    starts = [0, 0]
    for match in re.finditer(rb"\r\n|\r|\n", source):
        starts.append(match.end())
    return starts


def _padded(text: str, before: str) -> str:
    """``text`` with as many lines as what it replaces."""
    missing = before.count("\n") - text.count("\n")
    if not missing:
        return text
    if text in ("pass", "continue", "break"):
        return f"{text}{chr(10) * missing}"
    return f"({text}{chr(10) * missing})"


def lines_of(arcs: Iterable[tuple[int, int]]) -> frozenset[int]:
    """The lines between which arcs lead."""
    return frozenset(line for arc in arcs for line in arc if line > 0)
