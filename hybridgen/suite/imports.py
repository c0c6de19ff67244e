"""Import statements as data: what a test needs, what a file already binds."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from hybridgen.domain import Module

# pytest collects what matches these, also when it was only imported.
_COLLECTED = ("test", "Test")
_HOOKS = ("pytest_", "setup", "teardown", "setUp", "tearDown")


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """One imported binding: ``import module`` or ``from module import name``."""

    module: str
    name: str = ""
    alias: str = ""

    @property
    def bound(self) -> str:
        """The name that the statement binds."""
        return self.alias or self.name or self.module.partition(".")[0]

    @property
    def statement(self) -> str:
        """The statement as source text."""
        suffix = f" as {self.alias}" if self.alias else ""
        if self.name:
            return f"from {self.module} import {self.name}{suffix}"
        return f"import {self.module}{suffix}"

    def conflicts_with(self, other: Import | None) -> bool:
        """True if both cannot be bound in one scope; None stands for anything but an import."""
        if other is None:
            return True
        both_plain = not (self.name or self.alias or other.name or other.alias)
        return self != other and not both_plain

    @property
    def must_stay_local(self) -> bool:
        """True if pytest would take the name for a test or a hook of the test file."""
        return self.bound.startswith((*_COLLECTED, *_HOOKS))


def imports_in(node: ast.Import | ast.ImportFrom, package: str = "") -> Iterator[Import]:
    """The bindings of one statement; relative ones are resolved against ``package``."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, "", alias.asname or "")
        return
    base = node.module or ""
    if node.level:
        parts = package.split(".") if package else []
        kept = parts[: len(parts) - (node.level - 1)]
        base = ".".join([*kept, base] if base else kept)
    for alias in node.names:
        if base and base != "__future__" and alias.name != "*":
            same = alias.asname == alias.name
            yield Import(base, alias.name, "" if same else alias.asname or "")


def parse_imports(statements: Iterable[str], package: str = "") -> tuple[Import, ...]:
    """The bindings of import statements given as source text; anything else is ignored."""
    found: list[Import] = []
    for statement in statements:
        try:
            body = ast.parse(statement).body
        except (SyntaxError, ValueError):
            continue
        for node in body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                found.extend(imports_in(node, package))
    return tuple(found)


def bindings(tree: ast.Module) -> dict[str, Import | None]:
    """The names bound at a file's top level, with the import or None for other bindings."""
    bound: dict[str, Import | None] = {}

    def bind(name: str, item: Import | None) -> None:
        bound[name] = item if bound.get(name, item) == item else None

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bind(node.name, None)
            return
        if isinstance(node, ast.Import | ast.ImportFrom):
            for item in imports_in(node):
                bind(item.bound, item)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bind(node.id, None)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return bound


def free_names(source: str) -> frozenset[str]:
    """The names that ``source`` takes from outside itself, builtins left out.

    Raises:
        SyntaxError: ``source`` is not a valid module.
    """
    outer = symtable.symtable(source, "<test>", "exec")
    bound = {s.get_name() for s in outer.get_symbols() if s.is_assigned() or s.is_imported()}
    used: set[str] = set()

    def visit(table: symtable.SymbolTable) -> None:
        for symbol in table.get_symbols():
            is_outer = table is outer or symbol.is_global()
            if is_outer and symbol.is_referenced():
                used.add(symbol.get_name())
        for child in table.get_children():
            visit(child)

    visit(outer)
    return frozenset(used - bound)


def module_imports(module: Module, import_name: str) -> dict[str, Import]:
    """The names that the module under test itself got by an import at its top level."""
    is_package = module.path.stem == "__init__"
    package = import_name if is_package else import_name.rpartition(".")[0]
    return {item.bound: item for item in parse_imports(module.imports, package)}


def resolve(
    names: Iterable[str],
    in_steps: Set[str],
    own: Iterable[Import],
    expected: Iterable[Import],
    module: Module,
    import_name: str,
) -> tuple[Mapping[str, Import], tuple[str, ...]]:
    """Finds an import for each free name of a test.

    Steps ran with the candidate's imports over the module's own names, so for names in steps
    the candidate wins; what the module got by an import is taken from where it came from.
    Names of expected values and exceptions have their own imports.

    Args:
        names: the free names of the test.
        in_steps: those that occur in its steps.
        own: imports of the candidates.
        expected: imports of checks and exceptions, pytest and its like.
        module: the module under test.
        import_name: how it is imported.

    Returns:
        the imports by bound name, and the names that are nobody's or would mean two things.
    """
    chosen = {item.bound: item for item in own}
    got = module_imports(module, import_name)
    given = {name: got.get(name, Import(import_name, name)) for name in module.names}
    found: dict[str, Import] = {}
    missing: list[str] = []
    wanted: dict[str, list[Import]] = {}
    for item in dict.fromkeys(expected):
        # The worker names the module under test for what that module got from another one.
        is_handed_on = item == Import(import_name, item.name) and item.name in got
        wanted.setdefault(item.bound, []).append(got[item.name] if is_handed_on else item)
    for name in sorted(names):
        claims = list(wanted.get(name, []))
        meant = chosen.get(name) or given.get(name)
        if meant is not None and (name in in_steps or not claims):
            claims.append(meant)
        is_ambiguous = any(claims[0].conflicts_with(other) for other in claims[1:])
        if is_ambiguous or not (claims or hasattr(builtins, name)):
            missing.append(name)
        found.update((f"{name} {item.module}", item) for item in claims)
    return found, tuple(missing)
