"""Moves the files that a test writes below ``tmp_path``.

A model tests ``load(path)`` with ``open("settings.json", "w")`` in the current folder. Where the
code under test reads or writes files, names of files become ``tmp_path / "settings.json"`` and
``with open(...)`` becomes a call of ``write_text`` or ``read_text``. All other uses of ``open``
are unknown names, so their statements are dropped.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Sequence

from hybridgen.post.syntax import dotted, name
from hybridgen.post.vocabulary import Vocabulary

_TOUCHES_FILES = re.compile(
    r"\bopen\(|\.(?:read|write)_(?:text|bytes)\(|\bPath\b|\.exists\(|\bcsv\."
)
_FILE_NAME = re.compile(r"(?:[\w.\- ]*[/\\])*(?P<name>[\w\- ]+\.[A-Za-z]\w{0,4})")
_PATH_PARAMETER = re.compile(r"(?:^|_)(?:path|file|filename|filepath)(?:$|_)")


def with_temporary_files(body: Sequence[ast.stmt], vocabulary: Vocabulary) -> list[ast.stmt]:
    """``body`` with its files below ``tmp_path``; as it is where no files are touched."""
    if not _TOUCHES_FILES.search(vocabulary.target.source):
        return list(body)
    visitor = _Files(vocabulary)
    changed: list[ast.stmt] = []
    for statement in body:
        result = visitor.visit(statement)
        for item in result if isinstance(result, list) else [result]:
            changed.append(ast.fix_missing_locations(item))
    return changed


def _temporary(node: ast.expr) -> ast.expr:
    """``tmp_path / "name"`` for a constant that is a file name, else ``node``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        found = _FILE_NAME.fullmatch(node.value)
        if found:
            return ast.BinOp(name("tmp_path"), ast.Div(), ast.Constant(found["name"]))
    return node


class _Files(ast.NodeTransformer):
    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        self.generic_visit(node)
        bound = node.targets[0]
        if isinstance(bound, ast.Name) and _PATH_PARAMETER.search(bound.id.lower()):
            node.value = _temporary(node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        called = dotted(node.func) or [""]
        if called[-1] == "Path" and len(node.args) == 1:
            path = _temporary(node.args[0])
            is_path = isinstance(path, ast.BinOp) or _mentions_temporary(path)
            return path if is_path and path is not node.args[0] else node
        if called[-1] == "open" and len(called) == 1 and node.args:
            node.args[0] = _temporary(node.args[0])
        definition = self._vocabulary.functions.get(called[0]) if len(called) == 1 else None
        for parameter, position in zip(
            definition.parameters if definition else (), range(len(node.args)), strict=False
        ):
            named = _PATH_PARAMETER.search(parameter.name.lower())
            if named or "Path" in (parameter.annotation or ""):
                node.args[position] = _temporary(node.args[position])
        return node

    def visit_With(self, node: ast.With) -> ast.stmt | list[ast.stmt]:
        self.generic_visit(node)
        if len(node.items) != 1:
            return node
        call, bound = node.items[0].context_expr, node.items[0].optional_vars
        if not isinstance(call, ast.Call) or not isinstance(bound, ast.Name):
            return node
        called = dotted(call.func) or [""]
        if called == ["open"] and call.args:
            path: ast.expr = call.args[0]
        elif isinstance(call.func, ast.Attribute) and call.func.attr == "open":
            path = call.func.value
        else:
            return node
        return _Stream(path, bound.id).rewritten(node.body)


def _mentions_temporary(node: ast.expr) -> bool:
    return any(isinstance(item, ast.Name) and item.id == "tmp_path" for item in ast.walk(node))


class _Stream(ast.NodeTransformer):
    """Replaces reading from and writing to one open file by calls on its path."""

    def __init__(self, path: ast.expr, stream: str) -> None:
        self._path = path
        self._stream = stream
        self._written: list[ast.expr] = []

    def rewritten(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        rest: list[ast.stmt] = []
        for statement in body:
            text = self._text(statement)
            if text is None:
                rest.append(self.visit(statement))
            else:
                self._written.append(text)
        if not self._written:
            return rest
        joined = self._written[0]
        for part in self._written[1:]:
            joined = ast.BinOp(joined, ast.Add(), part)
        return [ast.Expr(self._call("write_text", joined)), *rest]

    def _text(self, statement: ast.stmt) -> ast.expr | None:
        """What ``statement`` writes to the stream, if that is all it does."""
        if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
            return None
        call = statement.value
        called = dotted(call.func)
        if called == [self._stream, "write"] and call.args:
            return call.args[0]
        if called == ["json", "dump"] and call.args:
            function = ast.Attribute(name("json"), "dumps", ast.Load())
            return ast.Call(function, [call.args[0]], [])
        return None

    def _call(self, method: str, *arguments: ast.expr) -> ast.Call:
        path = copy.deepcopy(self._path)
        return ast.Call(ast.Attribute(path, method, ast.Load()), list(arguments), [])

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        called = dotted(node.func)
        if called == [self._stream, "read"]:
            return self._call("read_text")
        if called == [self._stream, "readlines"]:
            lines = ast.Attribute(self._call("read_text"), "splitlines", ast.Load())
            return ast.Call(lines, [], [ast.keyword("keepends", ast.Constant(True))])
        if called == ["json", "load"]:
            function = ast.Attribute(name("json"), "loads", ast.Load())
            return ast.Call(function, [self._call("read_text")], [])
        return node
