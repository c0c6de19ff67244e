"""Reads from the source what code asks of its parameters, followed through what it calls.

Each expression is worth an :class:`Asked`; what is taken from it (a key, an item, the text of a
file) is a part of that, whatever names it goes by on the way.
"""

from __future__ import annotations

import ast
import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from hybridgen.domain import Module, Target, TargetKind
from hybridgen.explore.around.calling import Calls, names_as_keys
from hybridgen.explore.around.imported import names_bound
from hybridgen.explore.syntax import tree_of
from hybridgen.explore.values.asked import OTHER, Asked, either, hinted

MOST_CALLS = 60
"""Functions that are looked into for one target."""

DEEPEST = 5
PASSES = 2
"""What is a path is often seen only after its name or its folder was asked for."""

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass
class Needs:
    """What a target asks.

    Attributes:
        parameters: by name.
        here: the working folder.
    """

    parameters: dict[str, Asked] = field(default_factory=dict)
    here: Asked = field(default_factory=lambda: Asked().use("path"))


class Asking:
    """What the targets of a module ask of their parameters."""

    def __init__(self, module: Module) -> None:
        self._targets = {target.qualname: target for target in module.targets}
        tree = tree_of(module.source.text)
        self._imported: dict[str, str] = {}
        for node in ast.walk(tree):
            self._imported |= names_bound(node)
        self._constants: dict[str, ast.expr] = {}
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self._constants[node.targets[0].id] = node.value
        self._found: dict[str, Needs] = {}

    def of(self, qualname: str) -> Needs:
        """What a function asks; of a class, what it and its methods ask of its constructor's."""
        if qualname not in self._found:
            needs = Needs()
            target = self._targets.get(qualname)
            if target is not None:
                reading = _Reading(self._targets, self._imported, self._constants, needs)
                with contextlib.suppress(RecursionError):  # what was read till then will do
                    reading.start(target)
            self._found[qualname] = needs
        return self._found[qualname]


class _Reading:
    """One reading of a target and what it calls."""

    def __init__(
        self,
        targets: dict[str, Target],
        imported: dict[str, str],
        constants: dict[str, ast.expr],
        needs: Needs,
    ) -> None:
        self.targets = targets
        self.imported = imported
        self.constants = constants
        self.needs = needs
        self.names: dict[str, Asked] = {}
        self.owner = ""
        self.held: dict[tuple[str, str], Asked] = {}
        self._stack: dict[str, dict[str, Asked]] = {}
        self._left = MOST_CALLS
        self._is_branch = False
        self._calls = Calls(self)

    def start(self, target: Target) -> None:
        """Reads a target and, for those of a class, the whole class."""
        owner = target.qualname if target.kind is TargetKind.CLASS else target.parent
        parameters = {p.name: hinted(p.annotation or "") for p in target.parameters}
        self.needs.parameters = parameters
        for _ in range(PASSES):
            self._left = MOST_CALLS
            self._read(target, owner, parameters)

    def _read(self, target: Target, owner: str | None, parameters: dict[str, Asked]) -> None:
        if target.kind is TargetKind.CLASS:
            self.build(target, parameters)
        elif owner:
            maker = self.targets.get(owner)
            if maker is not None:
                self.build(maker, {})
            self.function(target, parameters, owner)
        if owner is None:
            self.function(target, parameters, "")
            return
        for method in self.targets.values():  # what the object holds is asked by its methods
            if method.parent == owner and method is not target and self._left > 0:
                self.function(method, {}, owner)

    def build(self, target: Target, bound: dict[str, Asked]) -> Asked:
        """An object of a class of the module."""
        maker = self.targets.get(f"{target.qualname}.__init__")
        if maker is not None:
            self.function(maker, bound, target.qualname)
        for name, value in bound.items():  # fields of a dataclass
            self.held.setdefault((target.qualname, name), value)
        return Asked(owner=target.qualname)

    def here(self) -> Asked:
        """The working folder."""
        return self.needs.here

    def called(self, target: Target, bound: dict[str, Asked]) -> Asked:
        """What a call of a definition gives."""
        if target.kind is TargetKind.CLASS:
            return self.build(target, bound)
        return self.function(target, bound, target.parent or "")

    def function(self, target: Target, bound: dict[str, Asked], owner: str) -> Asked:
        """What a function returns, given what is bound to its parameters."""
        self._left -= 1
        if target.qualname in self._stack or len(self._stack) > DEEPEST or self._left < 0:
            self._repeat(self._stack.get(target.qualname, {}), bound)
            return Asked()
        body = tree_of(target.source).body
        outer = self.names, self.owner
        self._stack[target.qualname] = bound
        self.owner = owner
        self.names = dict(bound)
        if owner:
            self.names["self"] = self.names["cls"] = Asked(owner=owner)
        result = Asked()
        if body and isinstance(body[0], ast.FunctionDef | ast.AsyncFunctionDef):
            result = self.block(body[0].body) or result
        del self._stack[target.qualname]
        self.names, self.owner = outer
        return result

    def _repeat(self, outer: dict[str, Asked], bound: dict[str, Asked]) -> None:
        """A function that calls itself asks the same of what it gives itself."""
        for name, value in bound.items():
            first = outer.get(name)
            if first is not None and first is not value and first.role == "path":
                value.inside = value.inside or first.inside

    def block(self, statements: Sequence[ast.stmt]) -> Asked | None:
        """Reads statements; gives the first value returned of which something is known."""
        returned: list[Asked] = []
        for statement in statements:
            if isinstance(statement, SCOPES):
                continue
            if isinstance(statement, ast.Return):
                returned.append(self.value(statement.value))
                continue
            self._statement(statement)
            outer, self._is_branch = self._is_branch, isinstance(statement, ast.If)
            for name in ("body", "orelse", "finalbody"):
                inner = self.block(getattr(statement, name, None) or ())
                returned += [inner] if inner is not None else []
            self._is_branch = outer
            for handler in getattr(statement, "handlers", ()):
                self.block(handler.body)
        return next((value for value in returned if value.is_telling), (*returned, None)[0])

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Assign):
            value = self.value(node.value)
            for target in node.targets:
                self.bind(target, value)
        elif isinstance(node, ast.AnnAssign | ast.AugAssign):
            value = self.value(node.value)
            if isinstance(node, ast.AnnAssign):
                self.bind(node.target, value)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self.bind(node.target, self.each(node.iter))
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                value = self.value(item.context_expr)
                if item.optional_vars is not None:
                    self.bind(item.optional_vars, value)
        else:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.value(child)

    def bind(self, target: ast.expr, value: Asked) -> None:
        """Gives a value to a name, an attribute or several of them."""
        if isinstance(target, ast.Name):
            old = self.names.get(target.id)
            if self._is_branch and old is not None and old.role == value.role == "path":
                value.keys = value.keys or old.keys  # it is the one or the other from now on
            self.names[target.id] = value
        elif isinstance(target, ast.Attribute):
            owner = self.value(target.value).owner
            if owner and value.is_telling:
                self.held[owner, target.attr] = value
        elif isinstance(target, ast.Tuple | ast.List):
            parts = value.parts
            if not parts and value.item is None and "split" not in value.uses:
                value.use("pair" if len(target.elts) == 2 else f"size {len(target.elts)}")
            for at, inner in enumerate(target.elts):
                self.bind(inner, parts[at] if at < len(parts) else value.items())
        elif isinstance(target, ast.Subscript):
            self.value(target.value)

    def each(self, node: ast.expr) -> Asked:
        """What ``for`` gives of an expression."""
        value = self.value(node)
        if value.known and value.item is None:
            return Asked(known=value.known)
        if "xml" in (value.format, value.parsed.format if value.parsed else ""):
            return value.items()
        return value.use("iterated").items()

    # ---- expressions

    def value(self, node: ast.expr | None) -> Asked:
        """What an expression is worth."""
        match node:
            case ast.Constant(value=str(text)):
                return Asked(known=(text,))
            case ast.Name(id=name):
                return self._named(name)
            case ast.Attribute():
                return self._attribute(node)
            case ast.Call():
                return self._calls.value(node)
            case ast.Subscript():
                return self._subscript(node)
            case ast.BinOp():
                return self._operation(node)
            case ast.Compare():
                self._comparison(node)
            case ast.BoolOp(op=operator, values=parts):
                found = [self.value(part) for part in parts]
                return found[0] if isinstance(operator, ast.Or) else found[-1]
            case ast.IfExp():
                self.value(node.test)
                return either(self.value(node.body), self.value(node.orelse))
            case ast.NamedExpr(target=target, value=inner):
                found_value = self.value(inner)
                self.bind(target, found_value)
                return found_value
            case ast.Await(value=inner):
                return self.value(inner)
            case ast.Starred(value=inner):
                return self.each(inner)
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return self._collection(parts)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node)
            case ast.Lambda(body=body):
                return self.value(body)
            case ast.JoinedStr(values=parts):
                for part in parts:
                    self.value(part)
                return Asked().use("formatted")
            case ast.expr():
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.value(child)
        return Asked()

    def _named(self, name: str) -> Asked:
        if name not in self.names and name in self.constants:
            self.names[name] = Asked()  # for a constant that is made of itself
            self.names[name] = self.value(self.constants[name])
        return self.names.setdefault(name, Asked())

    def _attribute(self, node: ast.Attribute) -> Asked:
        value = self.value(node.value)
        name = node.attr
        if value.owner:
            return self.held.setdefault((value.owner, name), Asked())
        if name == "attrib" and not value.format:
            value.format = "xml"
        if value.format == "xml":
            return self._of_element(value, name)
        if name == "parent":
            return value.use("up").folder()
        if name == "parents":
            value.use("path", "up")
            return Asked(item=value)
        if name in ("name", "stem", "suffix") and not value.format:
            return value.last() if value.role == "path" else Asked()
        if name in ("fieldnames", "path", "filename"):
            return value.items() if name == "fieldnames" else value
        return Asked()

    def _of_element(self, value: Asked, name: str) -> Asked:
        if name == "attrib":
            return Asked(keys=value.keys, uses={"attributes": None})
        if name in ("text", "tail"):
            return value.key(("#text",))
        if name == "tag" and value.name is None:
            value.name = Asked()
        return (value.name if name == "tag" else None) or value

    def _subscript(self, node: ast.Subscript) -> Asked:
        value = self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            return value
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
            at = node.slice.value
            if 0 <= at < len(value.parts):
                return value.parts[at]
            return value.items()
        index = self.value(node.slice)
        if index.known:
            return value.use("got").key(names_as_keys(value, index.known))
        return value.items()

    def _operation(self, node: ast.BinOp) -> Asked:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Div):
            is_path = left.role == "path" or right.known or "formatted" in right.uses
            return self.joined(left, right) if is_path else Asked()
        if isinstance(node.op, ast.Add) and left.known and right.known:
            pairs = itertools.product(left.known, right.known)
            return Asked(known=tuple(first + second for first, second in pairs))
        return left if isinstance(node.op, ast.Add) and left.role == "path" else Asked()

    def joined(self, folder: Asked, name: Asked) -> Asked:
        """``folder / name``."""
        folder.use("path")
        if name.known:
            for text in name.known:
                folder.use(*(["up"] if text == ".." else []))
            names = [text for text in name.known if text not in ("", ".", "..")]
            return folder.key(names).use("path") if names else folder
        is_entry = folder.item is not None and name is folder.item.name
        if name.role == "path" or is_entry:
            return folder.items().use("path")
        name.use("file name")
        return folder.key((OTHER,)).use("path")

    def _comparison(self, node: ast.Compare) -> None:
        values = [self.value(part) for part in (node.left, *node.comparators)]
        for operator, left, right in zip(node.ops, values, values[1:], strict=False):
            if isinstance(operator, ast.In | ast.NotIn):
                if left.known and not right.known:
                    self._contains(right, left.known)
                elif isinstance(node.comparators[0], ast.Constant):
                    left.heads.update(dict.fromkeys("".join(right.known)[:4]))
                else:
                    left.texts.update(dict.fromkeys(right.known))
            elif isinstance(operator, ast.Eq | ast.NotEq):
                left.texts.update(dict.fromkeys(right.known))
                right.texts.update(dict.fromkeys(left.known))
            elif not isinstance(operator, ast.Is | ast.IsNot):
                for side in (left, right):
                    side.use("int")

    def _contains(self, value: Asked, known: tuple[str, ...]) -> None:
        if "texts" in value.uses or (value.pieces and not value.keys):
            value.heads.update(dict.fromkeys(known))
        elif value.name is not None or "names" in value.uses:
            value.key(known)
        elif value.inside is None:
            value.heads.update(dict.fromkeys(known))
            value.use("held").key(names_as_keys(value, known))

    def _collection(self, parts: Sequence[ast.expr]) -> Asked:
        values = [self.value(part) for part in parts]
        known = tuple(dict.fromkeys(text for value in values for text in value.known))
        telling = next((value for value in values if value.is_telling), None)
        if telling is not None and not telling.known:
            return Asked(item=telling, parts=tuple(values))
        return Asked(known=known, parts=tuple(values))

    def _comprehension(self, node: ast.expr) -> Asked:
        assert isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp)
        for part in node.generators:
            self.bind(part.target, self.each(part.iter))
            for condition in part.ifs:
                self.value(condition)
        if isinstance(node, ast.DictComp):
            self.value(node.key)
            return Asked(item=self.value(node.value))
        return Asked(item=self.value(node.elt))
