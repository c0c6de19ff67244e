"""How code uses a name, and which type hints that speaks for.

A parameter without a type hint is called, iterated over, indexed, compared or handed on, and each
of these says something about what callers pass in. Names are subjects: ``key`` is one and so is
``self.key``, because what a constructor stores is used by the methods.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hybridgen.explore.syntax import tree_of
from hybridgen.explore.wanted.shapes import Shape, shapes_in

ITERATING = (
    *("list", "tuple", "set", "frozenset", "sorted", "sum", "any", "all", "iter", "enumerate"),
    *("reversed", "len", "deque", "chain", "Counter", "min", "max", "from_iterable", "extend"),
)
"""Functions whose only argument is something to iterate over."""

SAME_ITEMS = ("iter", "list", "tuple", "reversed", "sorted", "set", "enumerate")
"""Functions that give the items that they are given."""

ANY_CALL, CALL_1, CALL_2 = (f"Callable[{p}, Any]" for p in ("...", "[Any]", "[Any, Any]"))
NUMBERS = ((0, "int"), (1, "int"), (2, "int"))
COUNTED = ((0, "Iterable"), (1, "int"), (2, "int"), (3, "int"))

BY_FUNCTION: Mapping[str, tuple[tuple[int, str], ...]] = {
    **dict.fromkeys(
        ("map", "filter", "takewhile", "dropwhile", "filterfalse"), ((0, CALL_1), (1, "Iterable"))
    ),
    **dict.fromkeys(("groupby",), ((0, "Iterable"), (1, CALL_1))),
    **dict.fromkeys(("reduce",), ((0, CALL_2), (1, "Iterable"))),
    **dict.fromkeys(("accumulate",), ((0, "Iterable"), (1, CALL_2))),
    **dict.fromkeys(("range",), NUMBERS),
    **dict.fromkeys(("islice", "combinations", "permutations"), COUNTED),
    **dict.fromkeys(("repeat",), ((1, "int"),)),
    **dict.fromkeys(("chr", "hex", "bin", "sleep"), ((0, "int"),)),
    **dict.fromkeys(("zip", "chain"), ((0, "Iterable"), (1, "Iterable"), (2, "Iterable"))),
    **dict.fromkeys(("open", "Path", "PurePath", "exists", "isfile", "isdir"), ((0, "Path"),)),
    **dict.fromkeys(("basename", "dirname", "splitext"), ((0, "str"),)),
    **dict.fromkeys(("loads", "fromisoformat", "strptime", "split"), ((0, "str"),)),
    **dict.fromkeys(("match", "search", "fullmatch", "compile"), ((0, "str"), (1, "str"))),
    **dict.fromkeys(("int", "Decimal"), ((0, "int"), (0, "str"))),
    **dict.fromkeys(("float",), ((0, "float"), (0, "str"))),
    **dict.fromkeys(("next",), ((0, "Iterator"),)),
    **dict.fromkeys(("join",), ((0, "list[str]"),)),
    **dict.fromkeys(("fromkeys",), ((0, "Iterable"),)),
    **dict.fromkeys(("dict", "update", "OrderedDict"), ((0, "Mapping"),)),
    **dict.fromkeys(("callable", "iscoroutinefunction", "partial"), ((0, ANY_CALL),)),
    **dict.fromkeys(("wraps", "update_wrapper", "signature"), ((0, ANY_CALL),)),
    **dict.fromkeys(("issubclass",), ((0, "type"), (1, "type"))),
    **dict.fromkeys(("isinstance",), ((1, "type"),)),
}
"""What well-known functions take: the place of an argument, and a hint."""

ARITHMETIC = (ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
SHIFTING = (ast.LShift, ast.RShift, ast.BitAnd, ast.BitOr, ast.BitXor)
ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


@dataclass
class Uses:
    """What code does with its names.

    Attributes:
        hints: type hints by subject (``key``, ``self.key``), in the order found.
        asked: names of attributes that are asked for, by subject.
        aliases: subjects that have the same value, by subject.
        handed: (function, position or keyword) that a subject is handed on to, by subject.
        elements: names that stand for one item of a subject (``for item in subject``).
        shapes: what is asked of a subject, for objects of no known class.
    """

    hints: defaultdict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    asked: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    aliases: defaultdict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    handed: defaultdict[str, dict[tuple[str, int | str], None]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    elements: defaultdict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    shapes: dict[str, Shape] = field(default_factory=dict)


def uses_in(source: str) -> Uses:
    """The uses in the text of a function, a method or a class; none where it does not parse."""
    tree = tree_of(source)
    found = Uses(shapes=shapes_in(tree, subject_of))
    for node in ast.walk(tree):
        _note(node, found)
    return found


def subject_of(node: ast.AST) -> str:
    """``key`` or ``self.key``; empty for any other expression."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"self.{node.attr}" if node.value.id in ("self", "cls") else ""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        return subject_of(node.args[0]) if node.func.id in SAME_ITEMS else ""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return subject_of(node.value)
    return ""


def _note(node: ast.AST, found: Uses) -> None:
    for subject, hint in _hints(node):
        if subject:
            found.hints[subject][hint] = None
    if isinstance(node, ast.Attribute):
        subject = subject_of(node.value)
        if subject and subject not in ("self", "cls"):
            found.asked[subject].add(node.attr)
    elif isinstance(node, ast.Call):
        _note_handing(node, found)
    elif isinstance(node, ast.FunctionDef) and node.args.args:
        found.aliases[f"{node.name}()"][node.args.args[-1].arg] = None
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            _note_assignment(target, node.value, found)
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        subject = subject_of(node.iter)
        if subject and isinstance(node.target, ast.Name):
            found.elements[subject][node.target.id] = None


def _note_assignment(target: ast.expr, value: ast.expr | None, found: Uses) -> None:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for inner, part in zip(target.elts, value.elts, strict=False):
            _note_assignment(inner, part, found)
        return
    name = subject_of(target)
    for one in _values(value):
        other = subject_of(one)
        if name and other and name != other:
            found.aliases[other][name] = None
        elif name and isinstance(one, ast.Subscript) and isinstance(one.slice, ast.Constant):
            if type(one.slice.value) is int and (whole := subject_of(one.value)):
                found.elements[whole][name] = None


def _values(node: ast.expr | None) -> Iterator[ast.expr]:
    """The expressions that an assigned value may be: both sides of ``a or b``, of ``a if c``."""
    if isinstance(node, ast.BoolOp):
        yield from node.values
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)
    elif node is not None:
        yield node


def _note_handing(node: ast.Call, found: Uses) -> None:
    """Notes what a call of a function hands on, for functions of the project to tell more."""
    function = node.func
    if isinstance(function, ast.Attribute):
        name = function.attr
        is_super = isinstance(function.value, ast.Call)
        owner = function.value.id if isinstance(function.value, ast.Name) else ""
        owner = "super" if is_super else owner
        name = f"{owner}.{name}" if owner else name
        # Base.__init__(self, a): the object itself stands first.
        skipped = int(owner[:1].isupper() and bool(node.args) and _is_self(node.args[0]))
    else:
        name, skipped = ast.unparse(function), 0
    for at, argument in enumerate(node.args[skipped:]):
        whole = argument.value if isinstance(argument, ast.Starred) else argument
        if subject := subject_of(whole):
            found.handed[subject][name, at] = None
    if name in ("map", "filter", "reduce", "functools.reduce") and len(node.args) > 1:
        # What the function does with its last parameter, it does with the items.
        if isinstance(node.args[0], ast.Lambda) and (items := subject_of(node.args[1])):
            for parameter in node.args[0].args.args[-1:]:
                found.elements[items][parameter.arg] = None
        elif isinstance(node.args[0], ast.Name) and (items := subject_of(node.args[1])):
            found.elements[items][f"{node.args[0].id}()"] = None
    for word in node.keywords:
        if word.arg and (subject := subject_of(word.value)):
            found.handed[subject][name, word.arg] = None


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


# ---------------------------------------------------------------- what one node says


def _hints(node: ast.AST) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Call():
            yield from _of_call(node)
        case ast.For(iter=value) | ast.comprehension(iter=value):
            yield subject_of(value), _iterable(node)
        case ast.YieldFrom(value=value) | ast.Starred(value=value, ctx=ast.Load()):
            yield subject_of(value), "Iterable"
        case ast.AsyncFor(iter=value):
            yield subject_of(value), "AsyncIterable"
        case ast.Await(value=value):
            yield subject_of(value), "Awaitable"
        case ast.With(items=items):
            for item in items:
                yield subject_of(item.context_expr), "ContextManager"
        case ast.keyword(arg=None, value=value):
            yield subject_of(value), "Mapping[str, Any]"
        case ast.Subscript(value=value, slice=index):
            yield from _of_subscript(value, index, node.ctx)
        case ast.BinOp():
            yield from _of_arithmetic(node)
        case ast.Compare():
            yield from _of_comparison(node)
        case ast.Raise(exc=value) if value is not None:
            raised = value.func if isinstance(value, ast.Call) else value
            yield subject_of(raised), "type[Exception]"
        case ast.ExceptHandler(type=kind) if kind is not None:
            yield subject_of(kind), "type[Exception]"
        case ast.Assign(targets=[ast.Tuple(elts=parts)], value=value):
            yield subject_of(value), f"tuple[{', '.join(['Any'] * len(parts))}]"


def _iterable(node: ast.For | ast.comprehension) -> str:
    """``for key, value in pairs`` wants pairs."""
    if isinstance(node.target, ast.Tuple):
        return f"Iterable[tuple[{', '.join(['Any'] * len(node.target.elts))}]]"
    return "Iterable"


def _of_call(node: ast.Call) -> Iterator[tuple[str, str]]:
    called = subject_of(node.func)
    if called and called not in ("self", "cls"):
        is_open = any(isinstance(argument, ast.Starred) for argument in node.args)
        places = "..." if is_open else f"[{', '.join(['Any'] * len(node.args))}]"
        yield called, f"Callable[{places}, Any]"
    name = ast.unparse(node.func).rpartition(".")[2]
    if name in ITERATING and len(node.args) == 1:
        yield subject_of(node.args[0]), "Iterable"
    for at, hint in BY_FUNCTION.get(name, ()):
        if at < len(node.args):
            yield subject_of(node.args[at]), hint
    if name == "isinstance" and len(node.args) == 2:
        yield from _checked(*node.args)
    for word in node.keywords:
        if word.arg == "key":
            yield subject_of(word.value), CALL_1


def _checked(subject: ast.expr, kinds: ast.expr) -> Iterator[tuple[str, str]]:
    """``isinstance(name, kind)`` or ``type(name) is kind``: each of the kinds."""
    for kind in kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]:
        if not isinstance(kind, ast.Call):  # type(a) is type(b) names none
            yield subject_of(subject), ast.unparse(kind)


def _of_subscript(
    value: ast.expr, index: ast.expr, context: ast.expr_context
) -> Iterator[tuple[str, str]]:
    subject = subject_of(value)
    if isinstance(index, ast.Slice):
        yield subject, "list"
        for part in (index.lower, index.upper, index.step):
            if part is not None:
                yield subject_of(part), "int"
    elif isinstance(index, ast.Constant):
        if isinstance(index.value, str):
            yield subject, "dict[str, Any]"
        elif isinstance(index.value, int):
            yield subject, "list"
    else:
        yield subject, "dict"
        if isinstance(context, ast.Load):
            yield subject, "list"


def _of_arithmetic(node: ast.BinOp) -> Iterator[tuple[str, str]]:
    sides = (node.left, node.right)
    if isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant | ast.JoinedStr):
        return  # a text that is filled in
    for side, other in (sides, sides[::-1]):
        value = other.value if isinstance(other, ast.Constant) else None
        if isinstance(node.op, ast.Add) and isinstance(value, str):
            yield subject_of(side), "str"
        elif isinstance(node.op, SHIFTING) and not isinstance(value, int):
            yield subject_of(side), "set"
        elif isinstance(node.op, SHIFTING) or isinstance(value, int):
            yield subject_of(side), "int"
        elif isinstance(node.op, ARITHMETIC) or isinstance(value, float):
            yield subject_of(side), "int"
            yield subject_of(side), "float"


def _of_comparison(node: ast.Compare) -> Iterator[tuple[str, str]]:
    sides = [node.left, *node.comparators]
    if isinstance(node.left, ast.Call) and ast.unparse(node.left.func) == "type":
        if len(node.left.args) == 1:
            yield from _checked(node.left.args[0], node.comparators[0])
        return
    for operator, left, right in zip(node.ops, sides, sides[1:], strict=False):
        if isinstance(operator, ast.In | ast.NotIn):
            yield subject_of(right), "Iterable"
            items = right.elts if isinstance(right, ast.Tuple | ast.List | ast.Set) else []
            for item in items[:6]:
                if isinstance(item, ast.Constant) and isinstance(item.value, str | int):
                    yield subject_of(left), f"Literal[{item.value!r}]"
            continue
        for side, other in ((left, right), (right, left)):
            if isinstance(other, ast.Constant) and type(other.value) in (int, float, str):
                yield subject_of(side), type(other.value).__name__
            elif isinstance(operator, ORDER):
                yield subject_of(side), "int"


def merged(uses: Mapping[str, Uses], names: tuple[str, ...]) -> Uses:
    """The uses of several texts as one: those of a class are the uses in all its methods."""
    result = Uses()
    for name in names:
        for subject, hints in uses[name].hints.items():
            result.hints[subject] |= hints
        for subject, asked in uses[name].asked.items():
            result.asked[subject] |= asked
        for subject, same in uses[name].aliases.items():
            result.aliases[subject] |= same
        for subject, places in uses[name].handed.items():
            result.handed[subject] |= places
        for subject, items in uses[name].elements.items():
            result.elements[subject] |= items
        for subject, shape in uses[name].shapes.items():
            result.shapes.setdefault(subject, Shape()).add(shape)
    return result
