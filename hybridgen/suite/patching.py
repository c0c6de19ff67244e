"""Which changes of the world a test may make: through pytest's monkeypatch, undone after it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from hybridgen.suite.policy import BINDINGS, METHODS, PATCHED, UNSAFE_VARIABLES

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Below sys, these decide what later imports run.
_IMPORTING = re.compile(r"sys\.(?:path|modules|meta_path|path_hooks)$")

Judge = Callable[[ast.expr], bool]


def patch_problem(call: ast.Call, import_name: str, is_derived: Judge) -> str | None:
    """Why ``monkeypatch.something(...)`` is refused, or None.

    Allowed are values for names of the module under test and of what it imports, by a path in
    plain sight; ``sys.argv`` and ``sys.stdin``; variables of the environment; a working folder
    inside ``tmp_path``; and that the module under test is imported anew.

    Args:
        call: a call of a method of the fixture.
        import_name: the module under test.
        is_derived: whether an expression is a path inside ``tmp_path``, or its text.
    """
    assert isinstance(call.func, ast.Attribute)
    method = call.func.attr
    named = {item.arg: item.value for item in call.keywords}
    raising = named.pop("raising", None)
    if named or (raising is not None and not isinstance(raising, ast.Constant)):
        return f"gives monkeypatch.{method} unusual arguments"
    match method, call.args:
        case "setattr", [ast.Constant(value=str(path)), _]:
            return None if _may_patch(path, import_name) else f"patches {path}"
        case "setenv", [ast.Constant(value=str(name)), value]:
            is_plain = isinstance(value, ast.Constant) and isinstance(value.value, str)
            is_safe = is_plain and not UNSAFE_VARIABLES.fullmatch(name)
            if _VARIABLE.fullmatch(name) and (is_safe or (name == "HOME" and is_derived(value))):
                return None
            return f"sets the variable {name}"
        case "delenv", [ast.Constant(value=str(name))]:
            return None
        case "chdir", [folder]:
            return None if is_derived(folder) else "changes to a folder outside of tmp_path"
        case "delitem", [mapping, ast.Constant(value=name)] if name == import_name:
            return None if ast.unparse(mapping) == "sys.modules" else "removes an item"
    return f"uses monkeypatch.{method} otherwise than listed"


def _may_patch(path: str, import_name: str) -> bool:
    """Whether an import path names a part of the module under test, or is listed."""
    if path in PATCHED:
        return True
    if not path.startswith(f"{import_name}."):
        return False
    parts = path.removeprefix(f"{import_name}.").split(".")
    is_plain = all(part.isidentifier() and not part.startswith("__") for part in parts)
    return is_plain and not _IMPORTING.search(path)


def runs_as_script(call: ast.Call, import_name: str) -> bool:
    """True for ``runpy.run_module("shop.script", run_name="__main__")`` of that very module."""
    match call:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="runpy"), attr="run_module"),
            args=[ast.Constant(value=name)],
            keywords=[ast.keyword(arg="run_name", value=ast.Constant(value="__main__"))],
        ):
            return bool(name == import_name)
    return False


def class_problems(node: ast.ClassDef) -> Iterator[tuple[ast.AST, str]]:
    """What a class that stands in for another must not have, each with its place."""
    if any(item.arg in (None, "metaclass") for item in node.keywords):
        yield node, "has a class with a metaclass"
    for child in node.body:
        match child:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if name.startswith("__") and name not in METHODS:
                    yield child, f"defines {name}"
            case ast.Assign(targets=[ast.Name(id=name)]) if not name.startswith("__"):
                pass
            case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("__"):
                pass
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                pass
            case _:
                yield child, "has unusual code in a class"


def root_of(decorator: ast.expr) -> str:
    """The name that a decorator starts from: ``register`` for ``@register("x")``, else ""."""
    while isinstance(decorator, ast.Call | ast.Attribute):
        decorator = decorator.func if isinstance(decorator, ast.Call) else decorator.value
    return decorator.id if isinstance(decorator, ast.Name) else ""


def binders(node: ast.ClassDef) -> Iterator[ast.Name]:
    """``classmethod`` and its like where they decorate methods of a class."""
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in child.decorator_list:
                if isinstance(decorator, ast.Name) and decorator.id in BINDINGS:
                    yield decorator
