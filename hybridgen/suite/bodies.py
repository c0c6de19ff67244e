"""The body of a test: steps, and an assertion for everything that was observed."""

from __future__ import annotations

import ast
import keyword
import re
import textwrap
from collections.abc import Sequence, Set
from dataclasses import dataclass

from hybridgen.domain import Check, CheckKind, Observation, Raised, Step, StepKind, StepResult
from hybridgen.domain.places import QUESTIONS
from hybridgen.suite.shapes import call_in, printed_only

_INDENT = "    "
# Operators that bind weaker than the comparison around them.
_LOOSE = (
    ast.Compare,
    ast.BoolOp,
    ast.IfExp,
    ast.Lambda,
    ast.NamedExpr,
    ast.UnaryOp,
    ast.Starred,
    ast.GeneratorExp,
)
_PRIMARY = (ast.Call, ast.Name, ast.Attribute, ast.Subscript, ast.List, ast.Dict, ast.JoinedStr)
# re.escape() escapes these too, though they mean nothing outside of sets and re.VERBOSE.
_NEEDLESS = re.compile(r"(?<!\\)\\([-#&~ ])")
# pytest.approx compares six digits; a float in full only hides that.
_SHORT_FLOAT = re.compile(r"-?\d+\.\d{10,}", re.ASCII)
_META = re.compile(r"[\\.^$*+?{}\[\]|()]")


@dataclass(frozen=True, slots=True)
class Body:
    """The statements of a test function, not yet indented, and the fixtures they use."""

    lines: tuple[str, ...]
    fixtures: tuple[str, ...]


def plain_body(observation: Observation, known: Set[str]) -> Body:
    """The body of a test with one case.

    Args:
        observation: the case.
        known: names of the module under test, which new variables must not hide.
    """
    code = "\n".join(step.code for step in observation.candidate.steps)
    writer = _Writer({*known, *re.findall(r"\w+", code)})
    for step, result in zip(observation.candidate.steps, observation.results, strict=True):
        writer.step(step, result)
    capsys = ("capsys",) if writer.uses_capsys else ()
    caplog = ("caplog",) if writer.uses_caplog else ()
    return Body(tuple(writer.lines), (*observation.candidate.fixtures, *capsys, *caplog))


def assertion(check: Check, code: str) -> str:
    """One ``assert`` statement for a check of the value of ``code``."""
    subject = f"{_primary(code)}{check.path}" if check.path else code
    if check.kind is CheckKind.NAN:
        return f"assert math.isnan({subject})"
    if check.kind is CheckKind.LENGTH:
        return f"assert len({subject}) == {check.expression}"
    if check.kind is CheckKind.TYPE:
        return f"assert type({subject}).__name__ == {check.expression}"
    operand = _operand(subject)
    if check.kind is CheckKind.APPROX:
        return f"assert {operand} == {approx(check)}"
    if check.kind is CheckKind.EQUAL:
        return f"assert {operand} == {check.expression}"
    if check.path in QUESTIONS:
        return f"assert {'' if check.expression == 'True' else 'not '}{subject}"
    if check.expression == "True" and _is_comparison(subject):
        return f"assert {subject}"
    if check.expression == "False" and (inverse := _not_in(subject)) is not None:
        return f"assert {inverse}"
    return f"assert {operand} is {check.expression}"


def approx(check: Check) -> str:
    """The expected side of an approximate comparison."""
    text = check.expression
    if _SHORT_FLOAT.fullmatch(text):
        text = repr(float(f"{float(text):.10g}"))
    return text if text.startswith("pytest.approx(") else f"pytest.approx({text})"


def contexts(warnings: Sequence[str], raised: Raised | None, match: str | None = None) -> list[str]:
    """The ``with`` items around a statement that warns or raises.

    Args:
        warnings: class names of the warnings.
        raised: the exception.
        match: source text for its match, by default the exception's own pattern.
    """
    items = [f"pytest.warns({name})" for name in dict.fromkeys(warnings)]
    if raised is not None:
        pattern = match if match is not None else regex(raised.match) if raised.match else ""
        suffix = f", match={pattern}" if pattern else ""
        items.append(f"pytest.raises({raised.type_name}{suffix})")
    return items


def regex(pattern: str) -> str:
    """A regular expression as source text, raw where it has special characters."""
    plain = _NEEDLESS.sub(r"\1", pattern)
    if not _META.search(plain) or not plain.isprintable() or plain.endswith("\\"):
        return repr(plain)
    quote = next((q for q in "\"'" if q not in plain), None)
    return f"r{quote}{plain}{quote}" if quote else repr(plain)


def expression(code: str) -> str:
    """A probe's code as an expression of a plain function: ``await x`` is run to its end."""
    source = code.strip()
    node = _parsed(source)
    if isinstance(node, ast.Await):
        inner = ast.get_source_segment(source, node.value) or ast.unparse(node.value)
        return f"asyncio.run({inner})"
    return source


class _Writer:
    """Collects the lines of one body."""

    def __init__(self, used: set[str]) -> None:
        self.used = used
        self.lines: list[str] = []
        self.uses_capsys = self.uses_caplog = False

    def step(self, step: Step, result: StepResult) -> None:
        """Adds one step and its assertions."""
        if result.logs and self.uses_caplog:
            self.lines.append("caplog.clear()")
        is_printed = printed_only(result)
        code = expression(step.code) if step.kind is StepKind.PROBE else _statement(step.code)
        items = contexts(result.warnings, result.raised)
        if result.raised is not None or step.kind is StepKind.SETUP or is_printed:
            self._inside(items, code)
        else:
            self._probe(code, items, result)
        self._printed(result)
        if result.logs:
            self.uses_caplog = True
            messages = [message for _, message in result.logs]
            self.lines.append(f"assert caplog.messages == {messages!r}")
        for name, checks in result.changed:
            self.lines += [assertion(check, name) for check in checks]

    def _printed(self, result: StepResult) -> None:
        """Adds assertions on output; what is not worth one was left out of the result before."""
        told = [("out", result.output), ("err", result.complaints)]
        shown = [(stream, text) for stream, text in told if text]
        captured = "capsys.readouterr()"
        if shown:
            self.uses_capsys = True
        if len(shown) > 1:  # reading takes both
            name = self._variable("", "captured")
            self.lines.append(f"{name} = {captured}")
            captured = name
        self.lines += [f"assert {captured}.{stream} == {text!r}" for stream, text in shown]

    def _probe(self, code: str, items: list[str], result: StepResult) -> None:
        checks = result.checks
        is_inline = len(checks) == 1 and not items
        if not checks:
            self._inside(items, code)
        elif is_inline:
            self.lines.append(assertion(checks[0], code))
        else:
            name = code if code.isidentifier() else self._variable(code)
            if name != code or items:
                self._inside(items, f"{name} = {code}")
            self.lines += [assertion(check, name) for check in checks]

    def _variable(self, code: str, other: str = "result") -> str:
        """``cart`` for ``Cart("ann")``, ``result`` for anything else."""
        kind = re.match(r"[A-Z][a-z]+(?=\()", code)
        base = kind[0].lower() if kind else other
        names = (base, *(f"{base}_{number}" for number in range(2, 1000)))
        name = next(n for n in names if n not in self.used and not keyword.iskeyword(n))
        self.used.add(name)
        return name

    def _inside(self, items: list[str], code: str) -> None:
        if items:
            self.lines.append(f"with {', '.join(items)}:")
            code = indent(code)
        self.lines.append(code)


def indent(code: str) -> str:
    """Indents code by one level, but not the inside of its texts of several lines."""
    protected: set[int] = set()
    try:
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Constant | ast.JoinedStr) and node.end_lineno is not None:
                protected.update(range(node.lineno + 1, node.end_lineno + 1))
    except (SyntaxError, ValueError):
        pass
    lines = code.split("\n")
    return "\n".join(
        line if number in protected or not line.strip() else f"{_INDENT}{line}"
        for number, line in enumerate(lines, start=1)
    )


def _statement(code: str) -> str:
    return textwrap.dedent(code).strip("\n")


def _parsed(code: str) -> ast.expr | None:
    try:
        return ast.parse(code, mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _operand(code: str) -> str:
    """``code`` in parentheses where a comparison around it would change its meaning."""
    is_loose = isinstance(_parsed(code), _LOOSE) or "\n" in code
    if is_loose and call_in(code) is None:
        is_negative_number = isinstance(node := _parsed(code), ast.UnaryOp) and not isinstance(
            node.op, ast.Not
        )
        return code if is_negative_number and "\n" not in code else f"({code})"
    return f"({code})" if "\n" in code else code


def _primary(code: str) -> str:
    return code if isinstance(_parsed(code), _PRIMARY) else f"({code})"


def _not_in(code: str) -> str | None:
    """``a not in b`` for ``a in b``."""
    match _parsed(code):
        case ast.Compare(left=left, ops=[ast.In()], comparators=[right]) if "\n" not in code:
            parts = (ast.get_source_segment(code, part) or "" for part in (left, right))
            return " not in ".join(parts)
    return None


def _is_comparison(code: str) -> bool:
    node = _parsed(code)
    return isinstance(node, ast.Compare) and "\n" not in code
