"""Rewrites the names of an answer to the ones that a candidate uses.

``module.f`` and ``package.module.f`` become ``f``, ``self.account`` of a test class becomes the
variable ``account``, ``await f()`` becomes ``asyncio.run(f())``, misspelled names are repaired.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from hybridgen.post.syntax import FunctionNode, assign, bound_names, dotted, free_names, name
from hybridgen.post.vocabulary import Vocabulary


def normalise(body: Sequence[ast.stmt], vocabulary: Vocabulary, local: set[str]) -> list[ast.stmt]:
    """``body`` in plain names; ``local`` are names that the caller binds (parameters ...)."""
    for statement in body:
        local |= bound_names(statement) | _kept_in_self(statement)
    visitor = _Normaliser(vocabulary, local)
    changed: list[ast.stmt] = []
    for statement in body:
        result = visitor.visit(statement)
        for item in result if isinstance(result, list) else [result]:
            changed.append(ast.fix_missing_locations(item))
    return [*_new_objects(changed, vocabulary, local), *changed]


def _new_objects(
    body: Sequence[ast.stmt], vocabulary: Vocabulary, local: set[str]
) -> list[ast.stmt]:
    """Set-up for names such as ``stack`` in ``stack.pop()`` where nobody made a ``Stack``."""
    made: list[ast.stmt] = []
    for wanted in sorted(set().union(*map(free_names, body)) - local if body else ()):
        class_name = None if vocabulary.is_known(wanted) else vocabulary.new_object(wanted)
        if class_name:
            made.append(assign(wanted, ast.Call(name(class_name), [], [])))
    return made


def _kept_in_self(statement: ast.stmt) -> set[str]:
    """Names that a test class assigns to ``self`` or ``cls``."""
    return {
        node.attr
        for node in ast.walk(statement)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and dotted(node) in (["self", node.attr], ["cls", node.attr])
    }


class _Normaliser(ast.NodeTransformer):
    def __init__(self, vocabulary: Vocabulary, local: set[str]) -> None:
        self._vocabulary = vocabulary
        self._local = local
        self._depth = 0  # of nested functions, where await stays what it is

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        parts = dotted(node)
        if parts is None:
            self.generic_visit(node)
            return node
        start = self._start(parts)
        if start is None:
            self.generic_visit(node)
            return node
        result: ast.expr = ast.Name(start[0], ast.Load() if start[1:] else node.ctx)
        for part in start[1:]:
            result = ast.Attribute(result, part, ast.Load())
        if isinstance(result, ast.Attribute):
            result.ctx = node.ctx
        return result

    def _start(self, parts: list[str]) -> list[str] | None:
        """``parts`` without what leads to the module or the test class; None: as they are."""
        root, vocabulary = parts[0], self._vocabulary
        if root in ("self", "cls"):
            if parts[1].lower().startswith(("assert", "fail", "subtest", "skip")):
                return None
            own = None if parts[1] in self._local else vocabulary.own_name(parts[1])
            return [own or parts[1], *parts[2:]]
        if root in self._local:
            return None
        is_module = root in vocabulary.imports.modules
        if not is_module and vocabulary.is_known(root):
            return None
        for at, part in enumerate(parts[1:], 1):
            own = vocabulary.own_name(part)
            if own and (own == part or is_module or part == parts[-1]):
                return [own, *parts[at + 1 :]]
        return None

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if not isinstance(node.ctx, ast.Load) or node.id in self._local:
            return node
        aliases = self._vocabulary.imports.aliases
        if node.id in aliases or not self._vocabulary.is_known(node.id):
            own = self._vocabulary.own_name(node.id)
            if own:
                return ast.copy_location(name(own), node)
        return node

    def visit_Await(self, node: ast.Await) -> ast.expr:
        if self._depth:
            self.generic_visit(node)
            return node
        return self._run(node.value)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        parts = dotted(node.func) or [""]
        if (parts == ["asyncio", "run"] or parts[-1] == "run_until_complete") and node.args:
            return self._run(node.args[0])
        if self._depth == 0 and self._is_async(node):
            return self._run(node)
        self.generic_visit(node)
        return node

    def _is_async(self, node: ast.Call) -> bool:
        if isinstance(node.func, ast.Attribute):
            is_own = self._vocabulary.own_name(node.func.attr) is None
            return is_own and node.func.attr in self._vocabulary.async_methods
        if isinstance(node.func, ast.Name) and node.func.id not in self._local:
            return self._vocabulary.own_name(node.func.id) in self._vocabulary.async_functions
        return False

    def _run(self, awaited: ast.expr) -> ast.expr:
        """``awaited`` in an event loop of its own."""
        if isinstance(awaited, ast.Call):
            last = (dotted(awaited.func) or [""])[-1]
            if last == "sleep" and (dotted(awaited.func) or [""])[0] in ("asyncio", "sleep"):
                return ast.Constant(None)
            if last in ("wait_for", "create_task", "ensure_future", "shield") and awaited.args:
                return self._run(awaited.args[0])
            if last == "gather":
                return ast.List([self._run(item) for item in awaited.args], ast.Load())
            # Visit the parts only: the call itself must not be wrapped a second time.
            self.generic_visit(awaited)
        else:
            awaited = self.visit(awaited)
        return ast.Call(ast.Attribute(name("asyncio"), "run", ast.Load()), [awaited], [])

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        return self._nested(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        return self._nested(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        arguments = {item.arg for item in ast.walk(node.args) if isinstance(item, ast.arg)}
        inner = _Normaliser(self._vocabulary, self._local | arguments)
        inner._depth = self._depth + 1
        node.body = inner.visit(node.body)
        return node

    def _nested(self, node: FunctionNode) -> FunctionNode:
        arguments = {item.arg for item in ast.walk(node.args) if isinstance(item, ast.arg)}
        stored = set().union(*map(bound_names, node.body))
        inner = _Normaliser(self._vocabulary, self._local | arguments | stored)
        inner._depth = self._depth + 1
        node.body = [inner.visit(statement) for statement in node.body]
        # Annotations and decorators of helpers bring names that nobody needs.
        node.returns = None
        for item in ast.walk(node.args):
            if isinstance(item, ast.arg):
                item.annotation = None
        return node
