"""Where the values in a test function come from: from ``tmp_path``, from the project, or elsewhere.

One pass over the function, blind to order: a name counts as made from ``tmp_path`` only if
everything that is ever bound to it is.
"""

from __future__ import annotations

import ast

_JOINING = frozenset({"joinpath", "with_name", "with_suffix", "with_stem"})
_KEEPING = frozenset({"resolve", "absolute"})
_LISTING = frozenset({"iterdir", "glob", "rglob"})


class Origins:
    """What the names of one function were bound to."""

    def __init__(self, function: ast.AST, project: frozenset[str]) -> None:
        self.project = project
        self.values: dict[str, list[ast.expr | None]] = {}
        self.arguments: set[str] = set()
        for node in ast.walk(function):
            self._collect(node)
        if isinstance(function, ast.FunctionDef):
            arguments = function.args
            self.arguments = {a.arg for a in (*arguments.args, *arguments.kwonlyargs)}
            for name in self.arguments:  # its own parameters, which _collect took for unknown
                self.values[name].remove(None)
        self.derived: set[str] = set()
        if not self.values.get("tmp_path") and "tmp_path" in self.arguments:
            self.derived.add("tmp_path")
        self._settle()

    @property
    def bound(self) -> frozenset[str]:
        """Every name that the function binds."""
        return frozenset(self.values)

    def _collect(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if isinstance(target, ast.Name):
                        self._bind(target.id, value)
            case ast.For(target=ast.Name(id=name), iter=source):
                self._bind(name, _element(source))
            case ast.withitem(context_expr=value, optional_vars=ast.Name(id=name)):
                self._bind(name, value)
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                self.values.setdefault(name, [])
                self._bind(name, None)
            case ast.arg(arg=name):
                self._bind(name, None)
            case ast.ExceptHandler(name=str(name)) | ast.FunctionDef(name=name):
                self._bind(name, None)
            case ast.AsyncFunctionDef(name=name):
                self._bind(name, None)
            case _:
                pass

    def _bind(self, name: str, value: ast.expr | None) -> None:
        self.values.setdefault(name, []).append(value)

    def _settle(self) -> None:
        """Grows the set of derived names until nothing is added."""
        known = {name: [v for v in values if v is not None] for name, values in self.values.items()}
        # Each assignment was collected twice, once by its value and once by its Name node, so
        # a name that was ever bound to something unknown has more Nones than values.
        sure = {n for n, values in self.values.items() if len(known[n]) == len(values) / 2}
        self.sure = sure
        changed = True
        while changed:
            changed = False
            for name in sure - self.derived:
                if known[name] and all(self.is_derived(value) for value in known[name]):
                    self.derived.add(name)
                    changed = True

    def is_derived(self, node: ast.expr) -> bool:
        """True if the value is a path inside ``tmp_path`` (or its text)."""
        match node:
            case ast.Name(id=name):
                return name in self.derived
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self.is_derived(left) and _is_inside(right)
            case ast.Call(func=ast.Name(id="str"), args=[inner], keywords=[]):
                return self._is_builtin("str") and self.is_derived(inner)
            case ast.Call(func=ast.Attribute(value=base, attr=name), args=args, keywords=[]):
                if name in _JOINING:
                    return self.is_derived(base) and all(_is_inside(arg) for arg in args)
                return name in _KEEPING and not args and self.is_derived(base)
            case ast.Call(func=ast.Name(id="<element of>"), args=[source]):
                return self._lists_derived(source)
        return False

    def _lists_derived(self, node: ast.expr) -> bool:
        match node:
            case ast.Call(func=ast.Name(id="sorted" | "list" as name), args=[inner], keywords=[]):
                return self._is_builtin(name) and self._lists_derived(inner)
            case ast.Call(func=ast.Attribute(value=base, attr=name), args=args):
                is_inside = all(_is_inside(arg) for arg in args)
                return name in _LISTING and self.is_derived(base) and is_inside
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return all(self.is_derived(item) for item in items)
        return False

    def _is_builtin(self, name: str) -> bool:
        return name not in self.values and name not in self.project

    def may_touch_disk(self, node: ast.expr) -> bool:
        """True if a method named like one of ``Path`` is harmless on this value.

        That is a path inside ``tmp_path``, a class of the project, or its direct instance:
        ``account.open()`` is no file.
        """
        if self.is_derived(node):
            return True
        if isinstance(node, ast.Name) and node.id in self.sure:
            known = [value for value in self.values[node.id] if value is not None]
            return bool(known) and all(self._is_instance(value) for value in known)
        return self._is_instance(node) or self._is_class(node)

    def _is_class(self, node: ast.expr) -> bool:
        return (
            isinstance(node, ast.Name)
            and node.id in self.project
            and node.id not in self.values
            and node.id.lstrip("_")[:1].isupper()
            and not node.id.endswith("Path")
        )

    def _is_instance(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Call) and self._is_class(node.func)

    def is_shared(self, node: ast.expr, imported: frozenset[str]) -> bool:
        """True if the value was imported, so that changing it changes it for every test.

        ``x = Cart`` makes ``x`` another name for what was imported, ``x = Cart()`` does not.
        """
        return self._is_shared(node, imported, frozenset())

    def _is_shared(self, node: ast.expr, imported: frozenset[str], seen: frozenset[str]) -> bool:
        match node:
            case ast.Attribute(value=base) | ast.Subscript(value=base):
                return self._is_shared(base, imported, seen)
            case ast.IfExp(body=left, orelse=right):
                return any(self._is_shared(n, imported, seen) for n in (left, right))
            case ast.BoolOp(values=values):
                return any(self._is_shared(n, imported, seen) for n in values)
            case ast.Call(func=ast.Name(id="type")):
                return True
            case ast.Name(id=name) if name not in seen:
                values = [value for value in self.values.get(name, []) if value is not None]
                inner = seen | {name}
                return name in imported or any(
                    self._is_shared(value, imported, inner) for value in values
                )
        return False


def _element(source: ast.expr) -> ast.expr:
    """Stands for one element of ``source`` in a ``for`` loop."""
    return ast.Call(ast.Name("<element of>", ast.Load()), [source], [])


def _is_inside(node: ast.expr) -> bool:
    """True for a literal part of a path that cannot lead out of the folder it is joined to."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return False
    text = node.value
    is_anchored = text.startswith(("/", "~")) or "\\" in text or ":" in text
    return not is_anchored and ".." not in text.split("/") and "\0" not in text
