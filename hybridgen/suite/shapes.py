"""What a case looks like: cases of one shape become the rows of one parametrized test."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache

from hybridgen.domain import Check, CheckKind, Observation, Raised, StepKind, StepResult
from hybridgen.suite.messages import outline, stable_part
from hybridgen.suite.policy import words

# Calls of these build a plain value, so a row of a table may hold them.
_CONSTRUCTORS = words(
    "Decimal Fraction UUID date datetime time timedelta timezone Path PurePath PurePosixPath "
    "PureWindowsPath StringIO BytesIO bytes bytearray complex dict float frozenset int list "
    "range set tuple"
)
# A call inside one of these is what the test is about: list(f(3)), asyncio.run(f(3)).
_WRAPPERS = words("asyncio.run bool dict float int len list next repr set sorted str tuple")
_VALUE_KINDS = frozenset({CheckKind.EQUAL, CheckKind.IS, CheckKind.APPROX})
WEAK_KINDS = frozenset({CheckKind.LENGTH, CheckKind.TYPE})


@dataclass(frozen=True, slots=True)
class Call:
    """A probe that is one call with plain arguments, as source text.

    Attributes:
        wrappers: functions around it, outermost first.
        keywords: name and value of each keyword argument.
        is_awaited: True for ``await f(x)``.
    """

    wrappers: tuple[str, ...]
    function: str
    positional: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...]
    is_awaited: bool

    def text(self, arguments: tuple[str, ...]) -> str:
        """The call with other arguments, positional ones first, then keywords in order."""
        count = len(self.positional)
        parts = list(arguments[:count])
        values = zip(self.keywords, arguments[count:], strict=True)
        parts += [f"{name}={value}" for (name, _), value in values]
        inner = f"{self.function}({', '.join(parts)})"
        if self.is_awaited:
            inner = f"asyncio.run({inner})"
        for wrapper in reversed(self.wrappers):
            inner = f"{wrapper}({inner})"
        return inner

    @property
    def arguments(self) -> tuple[str, ...]:
        """All arguments, positional ones first."""
        return (*self.positional, *(value for _, value in self.keywords))


@dataclass(frozen=True, slots=True)
class Shape:
    """Everything that the rows of one table have in common.

    The first step of a set-up may build an object: its arguments then are columns too.
    """

    setup: tuple[str, ...]
    fixtures: tuple[str, ...]
    wrappers: tuple[str, ...]
    function: str
    positional: int
    keywords: tuple[str, ...]
    outcome: tuple[str, ...]
    warnings: tuple[str, ...]


@lru_cache(maxsize=8192)
def call_in(code: str) -> Call | None:
    """The call that the expression ``code`` is, or None if it is anything else."""
    try:
        node = ast.parse(code.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    source = code.strip()
    wrappers: list[str] = []
    while (inner := _unwrap(node)) is not None:
        assert isinstance(node, ast.Call)
        wrappers.append(ast.unparse(node.func))
        node = inner
    is_awaited = isinstance(node, ast.Await)
    if isinstance(node, ast.Await):
        node = node.value
    if not isinstance(node, ast.Call):
        return None
    named = [(item.arg, item.value) for item in node.keywords]
    values = [*node.args, *(value for _, value in named)]
    if not all(_is_plain(value) for value in values):
        return None
    texts = [ast.get_source_segment(source, value) or ast.unparse(value) for value in values]
    count = len(node.args)
    keywords = [(name, text) for (name, _), text in zip(named, texts[count:], strict=True) if name]
    if len(keywords) != len(named):  # **options
        return None
    function = ast.get_source_segment(source, node.func) or ast.unparse(node.func)
    return Call(tuple(wrappers), function, tuple(texts[:count]), tuple(keywords), is_awaited)


@lru_cache(maxsize=8192)
def construction(code: str) -> tuple[str, Call] | None:
    """Variable and call of ``cart = Cart("ann")``, or None for any other statement."""
    source = code.strip()
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None
    match body:
        case [ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as value)]:
            call = call_in(ast.get_source_segment(source, value) or ast.unparse(value))
            is_plain = call is not None and not call.wrappers and not call.is_awaited
            return (name, call) if call is not None and call.arguments and is_plain else None
    return None


def _outline(code: str) -> str:
    """A statement without the arguments that may differ from row to row."""
    found = construction(code)
    if found is None:
        return code
    name, call = found
    return f"{name} = {call.text(('_',) * len(call.arguments))}"


def _unwrap(node: ast.expr) -> ast.expr | None:
    """The inner call of ``list(f(3))``, or None."""
    if not isinstance(node, ast.Call) or node.keywords or len(node.args) != 1:
        return None
    inner = node.args[0]
    if ast.unparse(node.func) in _WRAPPERS and isinstance(inner, ast.Call | ast.Await):
        is_value = isinstance(inner, ast.Call) and _is_plain(inner)
        return None if is_value else inner
    return None


def _is_plain(node: ast.expr) -> bool:
    """True for literals, constants by name, and calls that build a plain value of those."""
    match node:
        case ast.Constant() | ast.Name():
            return True
        case ast.Attribute(value=inner) | ast.UnaryOp(operand=inner):
            return _is_plain(inner)
        case ast.BinOp(left=left, right=right):
            return _is_plain(left) and _is_plain(right)
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return all(_is_plain(item) for item in items)
        case ast.Dict(keys=keys, values=values):
            return all(key is not None and _is_plain(key) for key in keys) and all(
                _is_plain(value) for value in values
            )
        case ast.Call(func=function, args=args, keywords=keywords):
            name = ast.unparse(function).rpartition(".")[2]
            values = [*args, *(item.value for item in keywords)]
            return name in _CONSTRUCTORS and all(_is_plain(value) for value in values)
    return False


@lru_cache(maxsize=8192)
def _names(code: str) -> frozenset[str]:
    return frozenset(n.id for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Name))


@lru_cache(maxsize=8192)
def _stored(code: str) -> frozenset[str]:
    return frozenset(
        n.id
        for n in ast.walk(ast.parse(code))
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    )


def shape_of(observation: Observation) -> Shape | None:
    """The shape of a case that can be a row of a table, None for all others."""
    *setup, last = observation.candidate.steps
    *before, result = observation.results
    if last.kind is not StepKind.PROBE or any(s.kind is StepKind.PROBE for s in setup):
        return None
    if result.changed or any(r.status != "ok" or r.output or r.warnings for r in before):
        return None
    if any(r.logs or r.complaints for r in observation.results):
        return None  # a table has no place for what was logged, or printed to stderr
    call = call_in(last.code)
    outcome = _outcome(result)
    if call is None or outcome is None:
        return None
    local = frozenset(name for step in setup for name in _stored(step.code))
    if "tmp_path" in observation.candidate.fixtures:
        local |= {"tmp_path"}
    expected = (check.expression for check in result.checks)
    if any(_names(text) & local for text in (*call.arguments, *expected)):
        return None  # a row is built before the set-up has run
    return Shape(
        setup=tuple(_outline(step.code) if i == 0 else step.code for i, step in enumerate(setup)),
        fixtures=observation.candidate.fixtures,
        wrappers=(*call.wrappers, "await") if call.is_awaited else call.wrappers,
        function=call.function,
        positional=len(call.positional),
        keywords=tuple(name for name, _ in call.keywords),
        outcome=outcome,
        warnings=result.warnings,
    )


def _outcome(result: StepResult) -> tuple[str, ...] | None:
    """What has to be equal in a result for two cases to share a test."""
    if result.raised is not None:
        raised = result.raised
        return ("raises", raised.type_name, raised.type_import, "match" if raised.match else "")
    if printed_only(result):
        return ("output",)
    if not result.checks:
        return None
    return (
        "value",
        *(
            f"{'value' if check.kind in _VALUE_KINDS else check.kind}:{check.path}"
            for check in result.checks
        ),
    )


def printed_only(result: StepResult) -> bool:
    """True if a probe's output is what there is to assert: it printed and returned None."""
    is_none = all(c.kind is CheckKind.IS and c.expression == "None" for c in result.checks)
    return result.status == "ok" and bool(result.output or result.complaints) and is_none


def assertions(result: StepResult) -> tuple[Check | Raised, ...]:
    """Everything that a result lets a test assert about values and exceptions."""
    changed = (check for _, checks in result.changed for check in checks)
    raised = (result.raised,) if result.raised is not None else ()
    return (*result.checks, *changed, *raised)


def outcome_text(observation: Observation) -> str:
    """What a case shows, as text; two cases with equal text show the same."""
    parts: list[str] = []
    code = "\n".join(step.code for step in observation.candidate.steps)
    for result in observation.results:
        for item in assertions(result):
            if isinstance(item, Raised):
                parts.append(f"raises {item.type_name} {outline(stable_part(item.match, code))}")
            else:
                parts.append(f"{item.kind} {item.path} {item.expression}")
        if printed_only(result):
            parts.append(f"prints {result.output}{result.complaints}")
        parts.extend(result.warnings)
    return "\n".join(parts)
