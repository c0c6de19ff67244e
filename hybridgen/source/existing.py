"""Finds out which existing test files test a module, from their imports alone."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hybridgen.domain import Module, Project
from hybridgen.errors import SourceError
from hybridgen.reading import decode, parse, read_once


@dataclass(frozen=True, slots=True)
class TestImports:
    """What one test file imports.

    Attributes:
        absolute: dotted names, for ``from a import b`` both ``a`` and ``a.b``.
        relative: the same for relative imports, with their level.
        attributes: names after a dot anywhere in the file.
    """

    __test__ = False  # not a test class, whatever its name says to pytest

    absolute: frozenset[str] = frozenset()
    relative: frozenset[tuple[int, str]] = frozenset()
    attributes: frozenset[str] = frozenset()


def tests_of(module: Module, project: Project) -> tuple[Path, ...]:
    """Return the existing test files that import ``module`` or something of it.

    Counted are imports of the module, of names from it, of its names through a package above it
    (``from shop import total``), and relative ones. A file that cannot be read tests nothing.
    """
    return tuple(
        path
        for path in project.existing_tests
        if _imports(imports_of_test(path, project), path, module)
    )


def imports_of_test(path: Path, project: Project) -> TestImports:
    """What the test file imports; nothing if it cannot be read or parsed."""
    root = project.root if path.is_relative_to(project.root) else project.tests_folder
    try:
        status = path.stat()
    except OSError:
        return TestImports()
    return _read(path, root.resolve(), status.st_mtime_ns, status.st_size)


def dotted_imports(tree: ast.Module) -> frozenset[str]:
    """Absolute imports anywhere in a module; ``from a import b`` gives ``a`` and ``a.b``."""
    return frozenset(name for level, name in _imports_in(tree) if not level)


@lru_cache(maxsize=4096)
def _read(path: Path, root: Path, changed: int, size: int) -> TestImports:
    """Parse a test file; its time and size are part of the key, so an edited file is read again."""
    try:
        tree = parse(decode(read_once(path, root, path.name)[1], path.name), path.name)
    except SourceError:
        return TestImports()
    found = list(_imports_in(tree))
    return TestImports(
        absolute=frozenset(name for level, name in found if not level),
        relative=frozenset((level, name) for level, name in found if level),
        attributes=frozenset(n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)),
    )


def _imports_in(tree: ast.Module) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = node.module or ""
            found.append((node.level, start))
            found += ((node.level, f"{start}.{alias.name}".lstrip(".")) for alias in node.names)
    return found


def _imports(imports: TestImports, path: Path, module: Module) -> bool:
    return any(
        _reaches(imports, name.name, module) for name in module.import_names
    ) or _reaches_relatively(imports, path, module)


def _reaches(imports: TestImports, name: str, module: Module) -> bool:
    if any(found == name or found.startswith(name + ".") for found in imports.absolute):
        return True
    parts = name.split(".")
    for count in range(1, len(parts)):
        package = ".".join(parts[:count])
        if any(f"{package}.{own}" in imports.absolute for own in module.names | {"*"}):
            return True
        if package in imports.absolute and imports.attributes & module.names:
            return True
    return False


def _reaches_relatively(imports: TestImports, path: Path, module: Module) -> bool:
    target = module.path.parent if module.path.name == "__init__.py" else module.path
    for level, dotted in imports.relative:
        folder = path.resolve().parents[min(level, len(path.parents)) - 1]
        place = folder.joinpath(*dotted.split(".")) if dotted else folder
        if target.with_suffix("") in (place, place.parent):
            return True
    return False
