"""Parses code that is not quite Python: keeps every statement that can be kept.

The order of attempts: the whole text; the text with typographic quotes and tabs made plain; each
top-level block; inside a broken block each statement; for a broken statement a small set of
repairs (list markers, missing brackets at the end, a call followed by prose, inline code).
"""

from __future__ import annotations

import ast
import re
import textwrap

from hybridgen.post.syntax import parse, parse_expression

CUT_OFF = "_cut_off"  # the function of a table of cases whose own function was cut off
_MOST_LINES = 800
# Typographic quotes, spaces and dashes.
_PLAIN = dict.fromkeys((0x201C, 0x201D, 0x201E, 0x201F, 0xAB, 0xBB), '"')
_PLAIN |= dict.fromkeys((0x2018, 0x2019, 0x201A, 0x201B, 0xB4), "'")
_PLAIN |= dict.fromkeys((0xA0, 0x2003, 0x2009), " ") | dict.fromkeys((0x2013, 0x2212), "-")
_COMPOUND = re.compile(r"\s*(?:async\s+)?(?:def|class|with|for|if|while|try)\b")
_CONTINUATION = re.compile(r"\s*(?:[)\]}]|(?:else|elif|except|finally)\b)")
_MARKER = re.compile(r"^\s*(?:[-*+•`]+|\(?\d+[.)]|[A-Z][\w ]*:|assert\b|return\b|print\()\s*")
_TRAILING = re.compile(
    r"(?:\s*(?:[!=<>]=|[=<>+\-*/.,%&|^:@]|\b(?:and|or|not|in|is|if|else|lambda)\b))+\s*$"
)
_COMMENT = re.compile(r"\s*#[^'\"\n]*$")
_SPAN = re.compile(r"`([^`]+)`")
_CALL = re.compile(r"(?:await\s+)?[A-Za-z_][\w.]*\(")
_CLOSERS = {"(": ")", "[": "]", "{": "}"}


def statements(code: str) -> list[ast.stmt]:
    """All statements of ``code`` that can be read, in order; never raises."""
    code = "\n".join(code.split("\n")[:_MOST_LINES])
    plain = code.translate(_PLAIN).expandtabs(4)
    for text in (code, textwrap.dedent(code), textwrap.dedent(plain)):
        body = parse(text)
        if body is not None:
            return body
    return [statement for text in _rescue(plain.split("\n"), 0) for statement in parse(text) or ()]


def without_last_expectation(text: str) -> str:
    """``text`` of an answer that was cut off, without an expectation that may be half a value."""
    head, newline, last = text.rpartition("\n")
    indent = last[: len(last) - len(last.lstrip())]
    if not last.strip().startswith(("assert", "self.assert")):
        return text
    finished = _finished(last.strip())
    return f"{head}{newline}{indent}{finished}" if finished else f"{head}{newline}"


def _rescue(lines: list[str], depth: int) -> list[str]:
    """Source texts that each parse, made of the blocks in ``lines``."""
    rescued: list[str] = []
    for group in _groups(lines):
        text = textwrap.dedent("\n".join(group))
        if parse(text) is not None:
            rescued.append(text)
        elif depth < 12:
            rescued.extend(_rescue_block(text.split("\n"), depth))
    return rescued


def _groups(lines: list[str]) -> list[list[str]]:
    """``lines`` cut before each line that is not indented deeper than the first one."""
    groups: list[list[str]] = []
    base = 0
    is_decorated = False
    for line in lines:
        if not line.strip():
            if groups:
                groups[-1].append("")
            continue
        indent = len(line) - len(line.lstrip())
        if not groups or (indent <= base and not is_decorated and not _CONTINUATION.match(line)):
            groups.append([])
            base = indent
        groups[-1].append(line)
        # A decorator belongs to what follows; it may span lines, so it ends at the definition.
        if indent <= base:
            is_decorated = line.lstrip().startswith("@") or (
                is_decorated and not _COMPOUND.match(line)
            )
    return groups


def _rescue_block(lines: list[str], depth: int) -> list[str]:
    """What can be kept of a block that does not parse."""
    first = next((at for at, line in enumerate(lines) if not line.startswith("@")), 0)
    if _COMPOUND.match(lines[first]) or lines[0].startswith("@"):
        for end in range(1, min(len(lines), 60) + 1):
            header = "\n".join(lines[:end])
            if header.rstrip().endswith(":") and parse(f"{header}\n    pass") is not None:
                body = "\n".join(_rescue(lines[end:], depth + 1)) or "pass"
                return [f"{header}\n{textwrap.indent(body, '    ')}"]
        return _rescue_table(lines) or _rescue(lines[1:], depth + 1)
    repaired = _repaired("\n".join(lines))
    if repaired:
        return repaired
    return [text for line in lines for text in _repaired(line.strip())]


def _rescue_table(lines: list[str]) -> list[str]:
    """The complete rows of a ``parametrize`` table that was cut off before its function."""
    if "parametrize" not in lines[0]:
        return []
    for end in range(len(lines) - 1, 0, -1):
        # A comment at the end would swallow the brackets.
        table = _COMMENT.sub("", "\n".join(lines[:end])).rstrip().rstrip(",")
        text = f"{table}{_missing_closers(table)}\ndef {CUT_OFF}():\n    pass"
        if parse(text) is not None:
            return [text]
    return []


def _repaired(text: str) -> list[str]:
    """Statements made of one broken statement, or none."""
    text = text.strip()
    if not text:
        return []
    if parse(text) is not None:
        return [text]
    unmarked = _MARKER.sub("", text)
    if unmarked and unmarked != text:
        return _repaired(unmarked)
    spans = [span for span in _SPAN.findall(text) if _is_call(span)]
    if spans:
        return spans
    prefix = _leading_call(text)
    if prefix:
        return [prefix]
    finished = _finished(text)
    return [finished] if finished else []


def _is_call(text: str) -> bool:
    expression = parse_expression(text)
    return isinstance(expression, ast.Call) and bool(expression.args or expression.keywords)


def _leading_call(text: str) -> str | None:
    """``f(1)`` out of ``f(1) returns 2``; calls on its result stay with it."""
    call = _CALL.match(text)
    if call is None:
        return None
    ends = [at + 1 for at, char in enumerate(text[:400]) if char == ")"]
    for end in ends:
        if parse_expression(text[:end]) is not None:
            return text[:end]
    return None


def _finished(text: str) -> str | None:
    """A statement that was cut off, closed; an expectation at its end is left out."""
    stripped = _TRAILING.sub("", text)
    for attempt in (text, stripped):
        body = parse(attempt + _missing_closers(attempt))
        if body and len(body) == 1:
            return ast.unparse(_value_only(body[0]))
    return None


def _value_only(statement: ast.stmt) -> ast.stmt:
    """The value that an assertion is about; other statements as they are."""
    if isinstance(statement, ast.Assert):
        test = statement.test
        return ast.Expr(test.left if isinstance(test, ast.Compare) else test)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        if isinstance(call.func, ast.Attribute) and call.func.attr.startswith("assert"):
            return ast.Expr(call.args[0]) if call.args else ast.Pass()
    return statement


def _missing_closers(text: str) -> str:
    """The quote and brackets that ``text`` leaves open, in closing order."""
    stack: list[str] = []
    quote = ""
    at = 0
    while at < len(text):
        char = text[at]
        if quote:
            if char == "\\":
                at += 1
            elif text.startswith(quote, at):
                at += len(quote) - 1
                quote = ""
        elif char in "\"'":
            quote = char * 3 if text.startswith(char * 3, at) else char
            at += len(quote) - 1
        elif char == "#":
            at = text.find("\n", at) if "\n" in text[at:] else len(text)
        elif char in _CLOSERS:
            stack.append(_CLOSERS[char])
        elif stack and char == stack[-1]:
            stack.pop()
        at += 1
    return quote + "".join(reversed(stack))
