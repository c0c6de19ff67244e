"""Says in source text which conditions lead to lines that nothing has reached yet."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from hybridgen.domain import Fragment, Module, Target, TargetKind
from hybridgen.errors import SourceError
from hybridgen.reading import parse

_MAX_LINE = 80  # characters
_MAX_DEPTH = 4  # innermost conditions
_MAX_GUARDS = 2  # earlier exits named for code that follows them


def missing_fragments(
    module: Module, target: Target, uncovered_lines: Iterable[int]
) -> tuple[Fragment, ...]:
    """One short fragment for each uncovered part of ``target``, in source order.

    Each is a skeleton of the conditions around the part, outermost first, ending in the part's
    first line; a ``# not:`` line names an earlier exit that must not be taken. For a class, the
    lines of its methods that are targets themselves are left to those.

    Args:
        module: the module of the target.
        target: one of its targets.
        uncovered_lines: 1-based lines of the module's file; others are ignored.
    """
    own = {line for line in uncovered_lines if target.first_line <= line <= target.last_line}
    if target.kind is TargetKind.CLASS:
        for other in module.targets:
            if other.parent == target.qualname:
                own -= set(range(other.first_line, other.last_line + 1))
    if not own:
        return ()
    try:
        tree = parse(target.source, module.display)
    except SourceError:  # cannot be, because the module was parsed before
        return ()
    shift = target.first_line - 1
    finder = _Finder(target.source.split("\n"), frozenset(line - shift for line in own))
    return tuple(
        Fragment(
            text=part.text(),
            label=max(target.label, module.label),
            origin=f"{module.display}:{part.line + shift}",
            why=module.source.why,
            sources=module.source.sources,
        )
        for body in _bodies(tree)
        for part in finder.search(body, ())
    )


def _bodies(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    """The bodies of a target's definition (a property's source holds its setter as well)."""
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.body


@dataclass(frozen=True, slots=True)
class _Part:
    line: int
    conditions: tuple[str, ...]
    statement: str

    def text(self) -> str:
        lines: list[str] = []
        depth = 0
        for condition in self.conditions[-_MAX_DEPTH:]:
            lines.append("    " * depth + condition)
            depth += not condition.startswith("#")
        return "\n".join([*lines, "    " * depth + self.statement])


@dataclass(frozen=True, slots=True)
class _Finder:
    lines: Sequence[str]
    uncovered: frozenset[int]

    def search(self, block: Sequence[ast.stmt], above: tuple[str, ...]) -> Iterator[_Part]:
        """Yield a part for each run of statements in ``block`` that was not reached."""
        is_in_run = False
        guards: list[str] = []
        for statement in block:
            if self._is_missed(statement):
                if not is_in_run:
                    yield _Part(
                        statement.lineno,
                        (*above, *guards[-_MAX_GUARDS:]),
                        self._line(statement.lineno),
                    )
                is_in_run = True
                continue
            is_in_run = False
            for condition, inner in self._branches(statement):
                yield from self.search(inner, (*above, *condition))
            if _is_guard(statement) and not self._is_missed(statement.body[0]):
                guards.append(_cut(f"# not: {ast.unparse(statement.test)}"))

    def _is_missed(self, statement: ast.stmt) -> bool:
        """Whether the statement itself, not only something inside it, was not reached."""
        first = statement.lineno
        last = statement.end_lineno or first
        inner = [block[0].lineno for _, block in self._branches(statement) if block]
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = min([first, *(item.lineno for item in statement.decorator_list)])
        if inner:
            last = max(first, min(inner) - 1)
        return any(line in self.uncovered for line in range(first, last + 1))

    def _branches(self, statement: ast.stmt) -> Iterator[tuple[tuple[str, ...], list[ast.stmt]]]:
        """Blocks inside a statement, each with the lines that lead to it."""
        if isinstance(statement, ast.If):
            yield (self._line(statement.lineno).removeprefix("el"),), statement.body
            yield (_cut(f"if not ({ast.unparse(statement.test)}):"),), statement.orelse
        elif isinstance(statement, ast.For | ast.AsyncFor | ast.While):
            yield (self._line(statement.lineno),), statement.body
            yield (self._line(statement.lineno), "else:  # ends without break"), statement.orelse
        elif isinstance(statement, ast.Try | ast.TryStar):
            yield (), statement.body
            tried = self._line(statement.body[0].lineno)
            for handler in statement.handlers:
                yield (_cut(f"{self._line(handler.lineno)}  # in: {tried}"),), handler.body
            yield (_cut(f"else:  # no exception in: {tried}"),), statement.orelse
            yield (), statement.finalbody
        elif isinstance(statement, ast.Match):
            for case in statement.cases:
                pattern = self._line(case.pattern.lineno)
                yield (self._line(statement.lineno), pattern), case.body
        elif isinstance(statement, ast.With | ast.AsyncWith):
            yield (), statement.body
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield (self._line(statement.lineno),), statement.body

    def _line(self, number: int) -> str:
        return _cut(self.lines[number - 1].strip())


def _is_guard(statement: ast.stmt) -> TypeGuard[ast.If]:
    """Whether it is an ``if`` that leaves the block, so that what follows needs its opposite."""
    leaving = (ast.Return, ast.Raise, ast.Continue, ast.Break)
    if not isinstance(statement, ast.If) or statement.orelse:
        return False
    return isinstance(statement.body[-1], leaving)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_LINE else text[: _MAX_LINE - 3] + "..."
