"""Turns the definitions of a module into targets, from its syntax tree alone."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hybridgen.domain import Label, Target, TargetKind
from hybridgen.source.blocks import last_name, runtime_blocks
from hybridgen.source.signatures import class_parameters, parameters_of

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_PROPERTIES = {"property", "cached_property", "abstractproperty"}
_ACCESSORS = {"setter", "getter", "deleter"}
_CLASS_LEVEL = {"__init_subclass__", "__class_getitem__", "__new__"}
# Tested by making an instance, which is what the target of the class stands for.
_CONSTRUCTORS = {"__init__", "__new__", "__post_init__", "__attrs_post_init__"}


@dataclass(frozen=True, slots=True)
class Found:
    """A definition and the last line that belongs to it (a property's setter does)."""

    node: Definition
    last_line: int

    @property
    def first_line(self) -> int:
        """The line of the first decorator, or of the definition itself."""
        lines = [decorator.lineno for decorator in self.node.decorator_list]
        return min([*lines, self.node.lineno])


def find_targets(tree: ast.Module, text: str, label: Label) -> tuple[Target, ...]:
    """Return functions, classes and their methods in source order; methods follow their class.

    Nested functions and classes are no targets, nor are ``@overload`` signatures,
    ``singledispatch`` variants and constructors, which belong to their class. Of definitions
    with one name the last counts, and of alternatives (``if``, ``try``) the first.
    """
    found = find_definitions(tree.body)
    classes = {
        name: item.node for name, item in found.items() if isinstance(item.node, ast.ClassDef)
    }
    methods = {name: find_definitions(node.body) for name, node in classes.items()}
    known = {*found, *(f"{name}.{inner}" for name in methods for inner in methods[name])}
    builder = _Builder(text.split("\n"), label, classes, known)
    targets: list[Target] = []
    for name, item in sorted(found.items(), key=lambda pair: pair[1].first_line):
        targets.append(builder.build(name, item))
        for inner, method in sorted(
            methods.get(name, {}).items(), key=lambda pair: pair[1].first_line
        ):
            if inner not in _CONSTRUCTORS and not isinstance(method.node, ast.ClassDef):
                targets.append(builder.build(f"{name}.{inner}", method))
    return tuple(targets)


def find_definitions(block: Sequence[ast.stmt]) -> dict[str, Found]:
    """The definitions that a block leaves bound, by name."""
    found: dict[str, Found] = {}
    previous = ""
    for statement in block:
        if isinstance(statement, Definition):
            name = statement.name
            kinds = {last_name(decorator) for decorator in statement.decorator_list}
            if kinds & _ACCESSORS and name in found:
                if previous == name:
                    found[name] = Found(found[name].node, statement.end_lineno or 0)
            elif "overload" not in kinds and not (name == "_" and "register" in kinds):
                found[name] = Found(statement, statement.end_lineno or statement.lineno)
            previous = name
        else:
            alternatives: dict[str, Found] = {}
            for inner in runtime_blocks(statement):
                alternatives = find_definitions(inner) | alternatives
            found |= alternatives
            previous = ""
    return found


def source_lines(lines: Sequence[str], node: ast.AST, first: int, last: int) -> str:
    """Lines ``first`` to ``last`` without their indentation.

    What continues a string over lines is left as it is, because its spaces are part of a value;
    a docstring is a value that nobody computes with, but it is left alone as well.
    """
    start = lines[first - 1].replace("\f", "")
    indent = start[: len(start) - len(start.lstrip(" \t"))]
    kept = {
        number
        for part in ast.walk(node)
        if isinstance(part, ast.Constant | ast.JoinedStr)
        for number in range(part.lineno + 1, (part.end_lineno or part.lineno) + 1)
    }
    result = []
    for number in range(first, last + 1):
        line = lines[number - 1]
        if number not in kept:
            line = line.lstrip("\f") if line.startswith("\f") else line
            line = line.removeprefix(indent)
        result.append(line)
    return "\n".join(result)


@dataclass(frozen=True, slots=True)
class _Builder:
    lines: Sequence[str]
    label: Label
    classes: Mapping[str, ast.ClassDef]
    known: set[str]

    def build(self, qualname: str, item: Found) -> Target:
        node = item.node
        owner, _, name = qualname.rpartition(".")
        binding = _binding(node, name) if owner else ""
        if isinstance(node, ast.ClassDef):
            kind, bases, returns = TargetKind.CLASS, tuple(map(ast.unparse, node.bases)), None
            parameters = class_parameters(node, self.classes)
        else:
            kind = TargetKind.METHOD if owner else TargetKind.FUNCTION
            bases, returns = (), ast.unparse(node.returns) if node.returns else None
            parameters = parameters_of(node, is_bound=binding not in {"", "static"})
        return Target(
            qualname=qualname,
            kind=kind,
            is_async=isinstance(node, ast.AsyncFunctionDef),
            parameters=parameters,
            returns=returns,
            docstring=ast.get_docstring(node),
            decorators=tuple(ast.unparse(decorator) for decorator in node.decorator_list),
            binding=binding,
            bases=bases,
            first_line=item.first_line,
            last_line=item.last_line,
            source=source_lines(self.lines, node, item.first_line, item.last_line),
            calls=tuple(dict.fromkeys(self._calls(node, qualname, owner))),
            raises=tuple(dict.fromkeys(_raises(node))),
            label=self.label,
        )

    def _calls(self, node: Definition, qualname: str, owner: str) -> Iterator[str]:
        owner = qualname if isinstance(node, ast.ClassDef) else owner
        for call in _calls_in(node):
            function = call.func
            if isinstance(function, ast.Name):
                names: Iterable[str] = (function.id,)
            elif isinstance(function, ast.Attribute):
                names = (f"{name}.{function.attr}" for name in self._owners(function.value, owner))
            else:
                continue
            callee = next((name for name in names if name in self.known), qualname)
            if callee != qualname:
                yield callee

    def _owners(self, value: ast.expr, owner: str) -> Iterator[str]:
        """Classes in which the method of ``value.method()`` is looked for, in order."""
        if isinstance(value, ast.Name):
            if value.id in {"self", "cls"} and owner:
                yield owner
                yield from self._bases(owner)
            else:
                yield value.id
        elif isinstance(value, ast.Call) and last_name(value) == "super":
            yield from self._bases(owner)

    def _bases(self, name: str) -> list[str]:
        order: list[str] = []
        waiting = [name]
        while waiting:
            node = self.classes.get(waiting.pop(0))
            for base in map(last_name, node.bases if node else ()):
                if base in self.classes and base not in order:
                    order.append(base)
                    waiting.append(base)
        return order


def _binding(node: Definition, name: str) -> str:
    kinds = {last_name(decorator) for decorator in node.decorator_list}
    if "staticmethod" in kinds:
        return "static"
    if "classmethod" in kinds or name in _CLASS_LEVEL:
        return "class"
    return "property" if kinds & _PROPERTIES else "instance"


def _calls_in(node: Definition) -> list[ast.Call]:
    """Calls of the body in source order; decorators and defaults are not part of the body."""
    calls = [
        part
        for statement in node.body
        for part in ast.walk(statement)
        if isinstance(part, ast.Call)
    ]
    return sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _raises(node: Definition) -> Iterator[str]:
    raised = [part for part in ast.walk(node) if isinstance(part, ast.Raise) and part.exc]
    for statement in sorted(raised, key=lambda part: (part.lineno, part.col_offset)):
        error = statement.exc
        error = error.func if isinstance(error, ast.Call) else error
        name = last_name(error) if isinstance(error, ast.Name | ast.Attribute) else ""
        # `raise error` names a variable, not a class.
        if error is not None and (name.lstrip("_")[:1].isupper() or hasattr(builtins, name)):
            yield ast.unparse(error)
