"""What a test file imports, and which files of the project that means."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_IMPORTERS = ("import_module", "importorskip", "__import__")
_TEST_FOLDERS = {"test", "tests"}
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+(?=:[\w.]+\Z|\Z)")


@dataclass(frozen=True, slots=True)
class Import:
    """One import of a module.

    Attributes:
        level: dots before the name.
        module: dotted name; "" for ``from . import x``.
        names: what is taken from it; none for ``import x``.
        is_certain: False for a dotted name that may be one of a module and of something in it,
            or none at all.
    """

    level: int
    module: str
    names: tuple[str, ...] = ()
    is_certain: bool = True

    def __str__(self) -> str:
        return f"import of {'.' * self.level}{self.module or self.names[0]}"


def is_test_path(name: str) -> bool:
    """Whether a relative path looks like a test, or like something that tests are given."""
    *folders, file = name.casefold().split("/")
    if not file.endswith((".py", ".pyi")):
        return False
    stem = file.rpartition(".")[0]
    is_named = stem == "conftest" or stem.startswith("test_") or stem.endswith("_test")
    return is_named or not _TEST_FOLDERS.isdisjoint(folders)


def find_imports(tree: ast.Module) -> tuple[Import, ...]:
    """Every import of a file, wherever it stands, by statement or by name in a call."""
    return tuple(dict.fromkeys(_imports(tree)))


def find_dotted_names(tree: ast.Module) -> tuple[Import, ...]:
    """What may name a module besides: ``mock.patch("shop.cart.RATE")``, ``shop.cart.RATE``."""
    return tuple(Import(0, name, is_certain=False) for name in dict.fromkeys(_dotted_names(tree)))


def _dotted_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = _DOTTED.match(node.value)
            if found:
                yield found[0]
        elif isinstance(node, ast.Attribute):
            parts: list[str] = []
            inner: ast.expr = node
            while isinstance(inner, ast.Attribute):
                parts.append(inner.attr)
                inner = inner.value
            if isinstance(inner, ast.Name):
                yield ".".join([inner.id, *reversed(parts)])


def _imports(tree: ast.Module) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            yield Import(node.level, node.module or "", names)
        elif isinstance(node, ast.Call) and node.args:
            function = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
            name = function.id if isinstance(function, ast.Name) else function
            if name in _IMPORTERS:
                yield from _named(node.args[0])
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(t, ast.Name) and t.id == "pytest_plugins" for t in targets):
                yield from (found for part in ast.walk(node) for found in _named(part))


def _named(node: ast.AST) -> Iterator[Import]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        name = node.value.lstrip(".")
        yield Import(len(node.value) - len(name), name, () if name else ("?",))


class ModuleIndex:
    """The modules of a project by name, as far as its files say.

    A folder that is no package may be where absolute imports start, since ``sys.path`` is not
    known: each of them is tried. Names of the standard library are looked for in the root, in
    ``src`` and above the test only.

    Args:
        files: the project's files, relative, with slashes.
    """

    def __init__(self, files: Iterable[str]) -> None:
        self._files = {name for name in files if name.endswith(".py")}
        self._folders: set[str] = set()  # with Python files somewhere below
        for name in self._files:
            folder = _parent(name)
            while folder and folder not in self._folders:
                self._folders.add(folder)
                folder = _parent(folder)
        self._tops: dict[str, list[str]] = {}
        for name in sorted(self._files | self._folders):
            start = _parent(name)
            if not self._is_package(start):
                top = name.rpartition("/")[2].removesuffix(".py")
                self._tops.setdefault(top, []).append(start)

    def conftests(self, name: str) -> Iterator[str]:
        """The ``conftest.py`` files that pytest imports before the test ``name``."""
        folder = name
        while folder:
            folder = _parent(folder)
            found = _join(folder, "conftest.py")
            if found in self._files and found != name:
                yield found

    def files_of(self, wanted: Import, test: str) -> tuple[str, ...] | None:
        """The files of the project that an import in the file ``test`` may mean.

        Returns:
            None if it has to be one of the project, and cannot be found; () if it is from outside.
        """
        parts = [part for part in wanted.module.split(".") if part]
        if not wanted.is_certain:
            return self._named_by(parts, test)
        if wanted.level:
            start = test
            for _ in range(wanted.level):
                if not start:
                    return None
                start = _parent(start)
            return self._below(start, parts, wanted.names)
        found: list[str] = []
        is_ours = False
        for start in self._starts(parts[0], test) if parts else ():
            files = self._below(start, parts, wanted.names)
            found += files or ()
            is_package = self._is_package(_join(start, parts[0]))
            is_near = start in ("", "src") or f"{_join(start, parts[0])}.py" in self._files
            is_ours |= files is None and (is_package or is_near)
        if not found and is_ours:
            return None
        return tuple(dict.fromkeys(found))

    def _named_by(self, parts: Sequence[str], test: str) -> tuple[str, ...]:
        """The modules that the longest possible beginning of a dotted name means."""
        starts = self._starts(parts[0], test)
        for end in range(len(parts), 0, -1):
            places = [_join(start, "/".join(parts[:end])) for start in starts]
            found = [name for place in places if (name := self._module(place)) is not None]
            if found:
                return tuple(found)
        return ()

    def _starts(self, top: str, test: str) -> Sequence[str]:
        starts = self._tops.get(top, [])
        if top in sys.stdlib_module_names:
            near = {"", "src"}
            folder = test
            while folder:
                folder = _parent(folder)
                near.add(folder)
            return [start for start in starts if start in near]
        return starts

    def _below(
        self, start: str, parts: Sequence[str], names: Sequence[str]
    ) -> tuple[str, ...] | None:
        """The files that ``parts`` and ``names`` mean below the folder ``start``."""
        place = start
        for part in parts:
            place = _join(place, part)
        module = self._module(place)
        if not names:
            return (module,) if module else None
        inner = [self._module(_join(place, name)) for name in names if name != "*"]
        found = [name for name in (module, *inner) if name is not None]
        if module is None and (not all(inner) or "*" in names):
            return None
        return tuple(found) or None

    def _module(self, place: str) -> str | None:
        for name in (f"{place}.py", _join(place, "__init__.py")):
            if name in self._files:
                return name
        return None

    def _is_package(self, folder: str) -> bool:
        return _join(folder, "__init__.py") in self._files


def _parent(name: str) -> str:
    return name.rpartition("/")[0]


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
