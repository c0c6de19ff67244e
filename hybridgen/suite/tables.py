"""Cases of one shape as one ``@pytest.mark.parametrize`` test."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass

from hybridgen.domain import (
    Check,
    CheckKind,
    Module,
    Observation,
    ParameterKind,
    StepResult,
    Target,
)
from hybridgen.suite.bodies import Body, approx, assertion, contexts, expression, indent, regex
from hybridgen.suite.edges import inputs, literal
from hybridgen.suite.messages import common_part, stable_part
from hybridgen.suite.policy import RESERVED, words
from hybridgen.suite.shapes import Call, call_in, construction, printed_only
from hybridgen.suite.subjects import subject_of

# Names that mean something else as a parameter of a test function.
_RESERVED = RESERVED | words("cls pytest math asyncio result")
_SINGLETONS = frozenset({"True", "False", "None"})
_MANY_LINES = 2
_WORDS_OF_ID = 4
_POSITIONAL = (ParameterKind.POSITIONAL_ONLY, ParameterKind.POSITIONAL)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its name and a value, as source text, for each row."""

    name: str
    values: tuple[str, ...]

    @property
    def is_constant(self) -> bool:
        """True if all rows hold the same."""
        return len(set(self.values)) == 1


def argument_names(call: Call, target_name: str, module: Module) -> tuple[str, ...]:
    """The parameter name of each argument, from the signature where it is known."""
    target = _called(call, target_name, module)
    parameters = target.parameters if target is not None else ()
    positional = [p.name for p in parameters if p.kind in _POSITIONAL]
    variadic = [p.name for p in parameters if p.kind is ParameterKind.VAR_POSITIONAL]
    names: list[str] = []
    for index in range(len(call.positional)):
        if index < len(positional):
            names.append(positional[index])
        elif variadic:
            names.append(f"{variadic[0]}_{index - len(positional) + 1}")
        else:
            names.append("value" if len(call.positional) == 1 else f"value_{index + 1}")
    return (*names, *(name for name, _ in call.keywords))


def _called(call: Call, target_name: str, module: Module) -> Target | None:
    """The target whose signature a call has to fit."""
    by_name = {target.qualname: target for target in module.targets}
    last = call.function.rpartition(".")[2]
    own = by_name.get(target_name)
    if call.function in by_name:
        return by_name[call.function]
    return own if own is not None and own.name == last else None


def table(
    rows: Sequence[Observation], module: Module, known: Collection[str]
) -> tuple[str, Body, tuple[str, ...]]:
    """Renders cases of one shape.

    Args:
        rows: the cases, at least two.
        module: the module under test.
        known: names that a column must not hide.

    Returns:
        the decorator, the body, and the names of the columns.
    """
    first = rows[0]
    calls = [_call(row) for row in rows]
    built = [found for row in rows if (found := construction(row.candidate.steps[0].code))]
    names = argument_names(calls[0], subject_of(first, module.targets), module)
    if built:
        names = (*argument_names(built[0][1], "", module), *names)
    names = _distinct(names, known)
    rows_of_inputs = [inputs(row) for row in rows]
    arguments = [
        Column(name, tuple(row[index] for row in rows_of_inputs))
        for index, name in enumerate(names)
    ]
    if all(column.is_constant for column in arguments):
        raise AssertionError("rows of a table differ in at least one argument")
    results = [row.results[-1] for row in rows]
    expected = _expected(rows, {*known, *names})
    shown = [c for c in (*arguments, *expected) if not c.is_constant]
    values = tuple(c.values[0] if c.is_constant else c.name for c in arguments)
    size = len(built[0][1].arguments) if built else 0
    code = expression(calls[0].text(values[size:]))
    body = [step.code for step in first.candidate.steps[:-1]]
    if built:
        body[0] = f"{built[0][0]} = {built[0][1].text(values[:size])}"
    body += _assertions(code, results, expected)
    capsys = ("capsys",) if printed_only(results[0]) else ()
    columns = tuple(column.name for column in shown)
    return _decorator(shown), Body(tuple(body), (*first.candidate.fixtures, *capsys)), columns


def _call(row: Observation) -> Call:
    call = call_in(row.candidate.steps[-1].code)
    assert call is not None, "only calls have a shape"
    return call


def _decorator(columns: Sequence[Column]) -> str:
    rows = list(zip(*(column.values for column in columns), strict=True))
    names = f'"{columns[0].name}"'
    lines = ", ".join(row[0] for row in rows)
    if len(columns) > 1:
        names = f"({', '.join(repr(column.name) for column in columns)})"
        lines = "".join(f"({', '.join(row)})," for row in rows)  # the last comma: a row a line
    ids = _ids(columns)
    more = f", ids=[{', '.join(map(repr, ids))}]" if ids else ""
    return f"@pytest.mark.parametrize({names}, [{lines}]{more})"


def _ids(columns: Sequence[Column]) -> tuple[str, ...]:
    """Names for rows with texts of several lines, which pytest would quote in full, or none."""
    texts = [[_text(value) for value in column.values] for column in columns]
    long = [column for column in texts if any(text.count("\n") >= _MANY_LINES for text in column)]
    for column in long:
        found = tuple("-".join(re.findall(r"\w+", text)[:_WORDS_OF_ID]).lower() for text in column)
        if all(found) and len(set(found)) == len(found) and all(map(str.isascii, found)):
            return found
    return ()


def _text(source: str) -> str:
    value = literal(source)
    return value if isinstance(value, str) else ""


def _expected(rows: Sequence[Observation], taken: Set[str]) -> list[Column]:
    """The columns on the expected side: one a check, or the output, or the message."""
    results = [row.results[-1] for row in rows]
    first = results[0]
    if first.raised is not None:
        whole = [r.raised.match if r.raised is not None else "" for r in results]
        common = common_part(whole)
        matches = [_message(row) for row in rows] if common is None else [common] * len(rows)
        common = common_part(matches)
        matches = matches if common is None else [common] * len(rows)
        patterns = [regex(match) for match in matches]
        return [Column("message", tuple(patterns))] if first.raised.match else []
    if printed_only(first):
        return [Column("printed", tuple(repr(result.output) for result in results))]
    columns: list[Column] = []
    for index, check in enumerate(first.checks):
        if check.kind is CheckKind.NAN:
            continue
        values = tuple(_value(result.checks[index]) for result in results)
        names = _distinct([_column_name(check, taken)], {*taken, *(c.name for c in columns)})
        columns.append(Column(names[0], values))
    return columns


def _message(row: Observation) -> str:
    """What a row's message says apart from the row's own input, which stands beside it."""
    raised = row.results[-1].raised
    code = "\n".join(step.code for step in row.candidate.steps)
    return stable_part(raised.match, code) if raised is not None else ""


def _value(check: Check) -> str:
    return approx(check) if check.kind is CheckKind.APPROX else check.expression


def _column_name(check: Check, taken: Set[str]) -> str:
    base = "expected" if "expected" not in taken else "outcome"
    suffix = "length" if check.kind is CheckKind.LENGTH else ""
    suffix = "type" if check.kind is CheckKind.TYPE else suffix
    path = re.sub(r"\W+", "_", check.path).strip("_")
    return "_".join(filter(None, [base, path, suffix]))


def _assertions(code: str, results: Sequence[StepResult], expected: list[Column]) -> list[str]:
    first = results[0]
    sides = [c.values[0] if c.is_constant else c.name for c in expected]
    if first.raised is not None:
        items = contexts(first.warnings, first.raised, sides[0] if sides else None)
        return [f"with {', '.join(items)}:", indent(code)]
    lines: list[str] = []
    items = contexts(first.warnings, None)
    if printed_only(first):
        lines.append(code)
        after = [f"assert capsys.readouterr().out == {sides[0]}"]
    else:
        is_inline = len(first.checks) == 1 and not items
        subject = code if is_inline else "result"
        if not is_inline:
            lines.append(f"result = {code}")
        after = _checks(subject, results, expected)
    if items:
        lines = [f"with {', '.join(items)}:", *map(indent, lines)]
    return [*lines, *after]


def _checks(subject: str, results: Sequence[StepResult], expected: list[Column]) -> list[str]:
    lines: list[str] = []
    columns = iter(expected)
    for index, check in enumerate(results[0].checks):
        if check.kind is CheckKind.NAN:
            lines.append(assertion(check, subject))
            continue
        column = next(columns)
        side = column.values[0] if column.is_constant else column.name
        kinds = {result.checks[index].kind for result in results}
        is_single = kinds == {CheckKind.IS} and set(column.values) <= _SINGLETONS
        kind = CheckKind.IS if is_single else CheckKind.EQUAL
        kind = check.kind if check.kind in (CheckKind.LENGTH, CheckKind.TYPE) else kind
        lines.append(assertion(Check(kind, check.path, side), subject))
    return lines


def _distinct(names: Sequence[str], taken: Collection[str]) -> tuple[str, ...]:
    """The names as parameters of a test: no keyword, no fixture, nothing hidden, no doubles."""
    found: list[str] = []
    for name in names:
        plain = name.lstrip("_") or "value"
        if keyword.iskeyword(plain) or hasattr(builtins, plain):
            plain = f"{plain}_"
        while plain in found:
            plain = f"other_{plain}"
        while plain in _RESERVED or plain in taken or plain in found:
            plain = f"{plain.rstrip('_')}_value"
        found.append(plain)
    return tuple(found)
