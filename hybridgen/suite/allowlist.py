"""Invariant 7: is a test harmless when it is run later, without a sandbox?

An allow-list over the syntax tree. It covers what the *test* names: imports, builtins,
attributes, files outside ``tmp_path``, changes of the module under test. It does not cover
what the code under test does with the values that it is given; see ``sideeffects.py``.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Mapping

from hybridgen.suite import policy
from hybridgen.suite.imports import Import, imports_in
from hybridgen.suite.patching import (
    binders,
    class_problems,
    patch_problem,
    root_of,
    runs_as_script,
)
from hybridgen.suite.provenance import borrowed, own_names
from hybridgen.suite.tmppath import Origins
from hybridgen.suite.unfolding import Unfolding, columns_of, dotted, locals_by_line

_COOKIE = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_EXCEPTION = re.compile(policy.EXCEPTION_NAME)
_RUNPY = Import("runpy")


def forbidden(source: str, import_name: str, module_source: str = "") -> tuple[str, ...]:
    """Says why a test file must not be written; empty means harmless.

    Args:
        source: the text of the file, or of hybridgen's part of it with all imports it uses.
        import_name: the module under test (``shop.pricing``).
        module_source: its text, by which names that it borrowed are judged.

    Returns:
        reasons in source order, each with its line.
    """
    lines = source.split("\n", 2)[:2]
    for number, line in enumerate(lines, start=1):
        cookie = _COOKIE.match(line)
        if cookie and cookie[1].lower() not in ("utf-8", "utf8"):
            return (f"line {number}: declares the encoding {cookie[1]}",)
    try:
        tree = ast.parse(source)
        screen = _Screen(import_name, locals_by_line(source), module_source)
        screen.visit(tree)
    except (SyntaxError, ValueError) as error:
        return (f"line {getattr(error, 'lineno', None) or 1}: not valid Python",)
    except (RecursionError, MemoryError):
        return ("line 1: nested too deeply to be checked",)
    return tuple(f"line {line}: {why}" for line, why in sorted(screen.reasons))


class _Screen(ast.NodeVisitor):
    """Collects reasons; ``visit`` is called on every node, known or not."""

    def __init__(
        self,
        import_name: str,
        locals_by_line: dict[int, frozenset[str]],
        module_source: str,
    ) -> None:
        self.locals_by_line = locals_by_line
        self.borrowed: Mapping[str, frozenset[Import]] = borrowed(module_source)
        self.own = own_names(module_source)
        self.package = import_name.partition(".")[0]
        self.import_name = import_name
        self.reasons: set[tuple[int, str]] = set()
        self.imported: dict[str, Import] = {}
        self.origins = Origins(ast.Module([], []), frozenset())
        self.local: frozenset[str] = frozenset()
        self.unvouched: dict[str, ast.AST] = {}  # imports that only one exact call may use
        self.allowed: set[int] = set()  # id() of nodes that their parent has vouched for
        self.plain_reads: set[int] = set()  # id() of what is called without any argument

    def refuse(self, node: ast.AST, why: str) -> None:
        """Notes a reason at the node's line."""
        self.reasons.add((getattr(node, "lineno", 1), why))

    def visit(self, node: ast.AST) -> None:
        """Refuses unknown kinds of nodes, then goes on inside."""
        kind = type(node).__name__
        if kind not in policy.NODES:
            self.refuse(node, f"uses {kind}")
        super().visit(node)

    # ---- the file ---------------------------------------------------------------------

    def visit_Module(self, node: ast.Module) -> None:
        """Only a docstring, imports and tests stand at the top level."""
        self._imports(node)
        for child in node.body:
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                continue
            is_text = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if not (is_text or isinstance(child, ast.Import | ast.ImportFrom)):
                self.refuse(child, "has code outside of test functions")
            self.visit(child)
        tests = Unfolding(node.body)
        for place, why in tests.problems:
            self.refuse(place, why)
        if tests.has_cases:
            if self.imported.get("unittest") != Import("unittest"):
                self.refuse(node, "has a class that is not one of tests")
            self.unvouched.pop("unittest", None)
        for function in tests.functions:
            self._test(function)
        for name, statement in self.unvouched.items():
            self.refuse(statement, f"imports {name}")

    def _imports(self, node: ast.Module) -> None:
        """Notes the imports; one name of a file means one thing, wherever it is used."""
        for child in node.body:
            for name, item in _imported([child]).items():
                if self.imported.setdefault(name, item).conflicts_with(item):
                    self.refuse(child, f"imports another {name}")
            if isinstance(child, ast.FunctionDef | ast.ClassDef) and child.name in self.imported:
                self.refuse(child, f"defines {child.name}, which is imported")
        if self.imported.get("pytest", Import("pytest")) != Import("pytest"):
            self.refuse(node, "imports another pytest")

    def _test(self, node: ast.FunctionDef) -> None:
        """A test function: its decorators, its fixtures, its body."""
        columns = self._columns(node)
        arguments = node.args
        names = {a.arg for a in arguments.args}
        for name in sorted(names - columns - policy.FIXTURES):
            self.refuse(node, f"uses the fixture {name}")
        is_plain = not (arguments.posonlyargs or arguments.kwonlyargs or arguments.defaults)
        is_plain &= not (arguments.vararg or arguments.kwarg or node.returns)
        if not is_plain or bool(getattr(node, "type_params", [])):
            self.refuse(node, "has unusual parameters")
        outer = self.imported
        self.imported = {**outer, **_imported(node.body)}
        self.origins = Origins(node, self._project_names())
        classes = {child.name for child in ast.walk(node) if isinstance(child, ast.ClassDef)}
        self.local = self.origins.bound | classes | columns
        self._scopes(node, self.origins.bound | classes)
        for part in (arguments, *node.body):
            self.visit(part)
        self.local, self.imported = frozenset(), outer

    def _columns(self, node: ast.FunctionDef) -> set[str]:
        """The names that decorators give values for; no name of the test counts inside of them."""
        columns: set[str] = set()
        for decorator in node.decorator_list:
            names = columns_of(decorator)
            if names is None:
                self.refuse(decorator, "has a decorator other than pytest.mark.parametrize")
                continue
            for name in sorted(names & policy.RESERVED):
                self.refuse(decorator, f"gives values for the fixture {name}")
            columns |= names
            assert isinstance(decorator, ast.Call)
            self.allowed.add(id(decorator.func))
            self.origins = Origins(decorator, self._project_names())
            self.local = self.origins.bound
            for name in sorted(self.local):
                if hasattr(builtins, name) and not _is_harmless_builtin(name):
                    self.refuse(decorator, f"binds {name}")
            self.visit(decorator)
        return columns

    def _scopes(self, node: ast.FunctionDef, bound: frozenset[str]) -> None:
        """Refuses what would make one name mean two things to this screen."""
        first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
        own = self.locals_by_line.get(node.lineno) or self.locals_by_line.get(first, frozenset())
        for name in sorted(bound - own):
            # Bound in an inner function only: elsewhere it is still the builtin.
            if name in vars(builtins) and not _is_harmless_builtin(name):
                self.refuse(node, f"binds {name}")
        direct = {id(child) for child in node.body}
        for child in ast.walk(node):
            if isinstance(child, ast.Import | ast.ImportFrom) and id(child) not in direct:
                self.refuse(child, "has an import inside of another statement")

    def _project_names(self) -> frozenset[str]:
        return frozenset(n for n, item in self.imported.items() if self._is_project(item.module))

    # ---- imports ----------------------------------------------------------------------

    def _is_project(self, name: str) -> bool:
        """True for the package under test."""
        if self.package in policy.PACKAGES:
            return False
        return name == self.import_name or name.partition(".")[0] == self.package

    def visit_Import(self, node: ast.Import) -> None:
        """``import x``: listed modules of the standard library, and pytest."""
        for alias in node.names:
            is_vouched = alias.name in policy.VOUCHED and alias.asname is None
            is_listed = alias.name in policy.MODULES or is_vouched
            if is_vouched:
                self.unvouched[alias.name] = node
            if not is_listed or self._is_project(alias.name):
                self.refuse(node, f"imports {alias.name}")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """``from x import y``: listed names, exceptions, or the package under test."""
        base = node.module or ""
        for alias in node.names:
            if node.level or not self._may_take(base, alias.name):
                self.refuse(node, f"imports {alias.name} from {'.' * node.level}{base}")

    def _may_take(self, base: str, name: str) -> bool:
        if base == self.import_name and name in self.borrowed:
            origins = self.borrowed[name]
            is_reader = any(o.module in policy.FILE_READERS for o in origins)
            named = all(o.name and self._may_take(o.module, o.name) for o in origins)
            return named and not is_reader
        if self._is_project(base):
            is_dunder = name.startswith("__") and name not in policy.DUNDERS
            is_own = base == self.import_name and name in self.own
            return (name not in policy.NAMES or is_own) and not is_dunder and name != "*"
        if base in policy.EXCEPTION_MODULES and _EXCEPTION.fullmatch(name):
            return True
        return f"{base}.{name}" in policy.CLASSES or _is_listed(base, name)

    # ---- names and attributes ---------------------------------------------------------

    def visit_Name(self, node: ast.Name) -> None:
        """A name is local, imported, or a listed builtin; modules are not passed around."""
        if node.id in ("monkeypatch", "caplog") and id(node) not in self.allowed:
            self.refuse(node, f"uses {node.id} other than by a listed method")
        if not isinstance(node.ctx, ast.Load) or id(node) in self.allowed:
            return
        name = node.id
        if name in self.imported:
            item = self.imported[name]
            if not item.name or f"{item.module}.{item.name}" in policy.MODULES:
                self.refuse(node, f"passes the module {name} around")
            elif item.module == "pytest":
                self.refuse(node, f"uses {name} other than as pytest.{item.name}")
        elif name not in self.local and not _is_harmless_builtin(name):
            self.refuse(node, f"uses {name}")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """An attribute is not a way to a module, to a frame, or to a file."""
        if id(node) in self.allowed:
            return
        if isinstance(node.value, ast.Name) and node.value.id == "caplog":
            if node.attr in policy.LOGGED and isinstance(node.ctx, ast.Load):
                return  # anything else of it is refused with its name
        self._attribute_name(node, node.attr)
        if not isinstance(node.ctx, ast.Load):
            self._change(node)
        path = dotted(node)
        root = path.partition(".")[0]
        item = self.imported.get(root)
        if item is not None and not item.name:
            self._from_module(node, path, item)
            return
        on_disk = policy.PATH_METHODS | policy.PATH_METHODS_OF_ONE
        if node.attr in on_disk and not self._is_harmless_method(node):
            self.refuse(node, f"uses .{node.attr} of something not made from tmp_path")
        self.visit(node.value)

    def _is_harmless_method(self, node: ast.Attribute) -> bool:
        is_stored = not isinstance(node.ctx, ast.Load)
        return is_stored or self.origins.may_touch_disk(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Text that only makes sense to ``eval`` or ``format`` is not given to any code."""
        if isinstance(node.value, str | bytes) and id(node) not in self.allowed:
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            for word in policy.TEXTS:
                if word in text:
                    self.refuse(node, f"has a text with {word}")

    def _attribute_name(self, node: ast.AST, name: str) -> None:
        is_dunder = name.startswith("__") and name not in policy.DUNDERS
        is_reader = id(node) not in self.plain_reads and any(
            name in policy.FILE_READERS.get(item.module, ()) for item in self.imported.values()
        )
        if is_dunder or is_reader or name in policy.ATTRIBUTES:
            self.refuse(node, f"uses the attribute {name}")

    def _from_module(self, node: ast.Attribute, path: str, item: Import) -> None:
        """``math.pi``, ``urllib.parse.quote``: the listed names of a listed module."""
        parts = path.split(".")
        full = [*(item.module if item.alias else parts[0]).split("."), *parts[1:]]
        for split in range(len(full) - 1, 0, -1):
            base = ".".join(full[:split])
            if base in policy.MODULES:
                if not _is_listed(base, full[split]) or (base == "pytest" and full[1] == "mark"):
                    break
                if base == "pytest" and full[1] != "approx":
                    self.refuse(node, f"uses pytest.{full[1]} other than in a with statement")
                for name in full[split + 1 :]:
                    self._attribute_name(node, name)
                return
        self.refuse(node, f"uses {'.'.join(full)}")

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """Nothing imported is changed through an index."""
        if not isinstance(node.ctx, ast.Load):
            self._change(node)
        self.generic_visit(node)

    def _change(self, node: ast.Attribute | ast.Subscript) -> None:
        """Refuses to set an attribute or item of anything that was imported."""
        if self.origins.is_shared(node.value, frozenset(self.imported)):
            self.refuse(node, "changes the module under test")

    # ---- calls ------------------------------------------------------------------------

    def visit_Call(self, node: ast.Call) -> None:
        """Calls that need their arguments checked."""
        function = node.func
        if not (node.args or node.keywords):
            self.plain_reads.add(id(function))
        if isinstance(function, ast.Name) and function.id not in self.local:
            self._builtin(node, function)
        elif isinstance(function, ast.Attribute):
            if not self._world(node, function):
                self._method(node, function)
        self.generic_visit(node)

    def _world(self, node: ast.Call, function: ast.Attribute) -> bool:
        """Judges what prepares the world for the code under test; False for other calls."""
        owner = function.value
        if runs_as_script(node, self.import_name) and self.imported.get("runpy") == _RUNPY:
            self.unvouched.pop("runpy", None)
            self.allowed.add(id(function))
            return True
        if not (isinstance(owner, ast.Name) and owner.id == "monkeypatch"):
            return False
        why = patch_problem(node, self.import_name, self.origins.is_derived)
        if why is not None or owner.id not in self.origins.arguments:
            self.refuse(node, why or "uses a monkeypatch that is not the fixture")
        self.allowed.add(id(function))
        if function.attr == "setattr" and why is None:
            self.allowed.add(id(node.args[0]))  # "shop.tasks.os.system", to be replaced
        is_sys = self.imported.get("sys") == Import("sys")
        if function.attr == "delitem" and why is None and is_sys:
            self.unvouched.pop("sys", None)
            self.allowed.add(id(node.args[0]))
        return True

    def _builtin(self, node: ast.Call, function: ast.Name) -> None:
        name = function.id
        if name in policy.BY_NAME:
            self.allowed.add(id(function))
            key = node.args[1] if len(node.args) > 1 else None
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                self._attribute_name(node, key.value)
                if key.value in policy.PATH_METHODS | policy.PATH_METHODS_OF_ONE:
                    self.refuse(node, f"uses {name} for .{key.value}")
            else:
                self.refuse(node, f"uses {name} with a computed name")
            if name == "setattr" and self.origins.is_shared(
                node.args[0] if node.args else function, frozenset(self.imported)
            ):
                self.refuse(node, "changes the module under test")
        elif name == "type" and (len(node.args) != 1 or node.keywords):
            self.refuse(node, "makes a class with type()")
        elif name == "open" and node.args and self.origins.is_derived(node.args[0]):
            self.allowed.add(id(function))

    def _method(self, node: ast.Call, function: ast.Attribute) -> None:
        name = function.attr
        is_derived = self.origins.is_derived(function.value)
        if name in policy.PATH_PAIRS and is_derived:
            values = [*node.args, *(item.value for item in node.keywords)]
            if not all(self.origins.is_derived(value) for value in values):
                self.refuse(node, f"calls .{name} with a path not made from tmp_path")
        if name in policy.PATH_METHODS_OF_ONE and not is_derived:
            count = len(node.args) + sum(k.arg in (None, "target") for k in node.keywords)
            is_starred = any(isinstance(argument, ast.Starred) for argument in node.args)
            if count == 1 or is_starred:
                self.visit_Attribute(function)
            else:
                # str.replace(a, b), date.replace(year=1), dict.copy(): nothing on disk
                self.allowed.add(id(function))
                self.visit(function.value)
        if name in policy.PATH_LINKS and is_derived:
            self.refuse(node, f"calls .{name}")

    # ---- classes ----------------------------------------------------------------------

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """A stand-in: plain methods, no metaclass, no hooks of the interpreter."""
        for child, why in class_problems(node):
            self.refuse(child, why)
        project = self._project_names() - self.origins.bound
        for decorator in node.decorator_list:
            if root_of(decorator) not in project:
                self.refuse(decorator, "has a class with a decorator of another module")
        for base in node.bases:
            if not isinstance(base, ast.Name | ast.Attribute | ast.Subscript):
                self.refuse(base, "has a class with a computed base")
        self.allowed |= {id(item) for item in binders(node) if item.id not in self.local}
        self.generic_visit(node)

    # ---- statements -------------------------------------------------------------------

    def visit_With(self, node: ast.With) -> None:
        """``pytest.raises`` and ``pytest.warns`` stand here and nowhere else."""
        for item in node.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                root = self.imported.get(dotted(call.func).partition(".")[0])
                if root is not None and root.module == "pytest" and not root.name:
                    if call.func.attr in ("raises", "warns") and item.optional_vars is None:
                        self.allowed.add(id(call.func))
                    else:
                        self.refuse(node, f"keeps what pytest.{call.func.attr} caught")
        self.generic_visit(node)


def _is_harmless_builtin(name: str) -> bool:
    """True for exceptions and for the listed functions that may be passed around."""
    kind = getattr(builtins, name, None)
    is_exception = isinstance(kind, type) and issubclass(kind, BaseException)
    return is_exception or (name in policy.BUILTINS and name not in policy.BY_NAME)


def _imported(body: list[ast.stmt]) -> dict[str, Import]:
    """The imports that are statements of ``body`` itself."""
    nodes = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    return {item.bound: item for node in nodes for item in imports_in(node)}


def _is_listed(base: str, name: str) -> bool:
    """True if ``name`` may be taken from the standard library module ``base``."""
    if base not in policy.MODULES:
        return False
    names = policy.MODULES[base]
    return not name.startswith("_") and name != "*" if names is None else name in names
