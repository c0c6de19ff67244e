"""Finds the names by which Python could import a file, best first.

They are candidates: the runner verifies them by importing and comparing ``__file__``.
"""

from __future__ import annotations

import ast
import keyword
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from hybridgen.domain import ImportName, Project
from hybridgen.errors import SourceError
from hybridgen.source.existing import dotted_imports, imports_of_test
from hybridgen.source.installed import installed_roots, recorded_names
from hybridgen.source.layout import SourceRoot, declared_roots


def import_names(
    path: Path, tree: ast.Module, project: Project, shown: str
) -> tuple[ImportName, ...]:
    """Return the candidates for ``path``, best first.

    Installed metadata comes first, then what the project's settings declare, then what the
    folders suggest. Suggestions are ordered by evidence: how many imports of the module itself
    and of the existing tests would work with them.

    Raises:
        SourceError: no name can work: not an identifier, or it shadows the standard library.
    """
    _check_stem(path, shown)
    known = list(_known(path, project))
    # In a flat layout every folder of the project lies on the path, also those that are no
    # packages (examples/, scripts/): there the name is only a suggestion.
    flat = {
        name for name in known if name.root == project.root and not _starts_in_package(name, path)
    }
    suggestions = _by_evidence(
        [*_src(path, project), *_chain(path, project), *(n for n in known if n in flat)],
        [*_below_root(path, project)],
        tree,
        project,
    )
    depth = _relative_depth(tree, is_package=path.name == "__init__.py")
    unique: dict[tuple[str, Path], ImportName] = {}
    for name in [*(name for name in known if name not in flat), *suggestions]:
        if name.name.count(".") >= depth:
            unique.setdefault((name.name, name.root), name)
    return _without_shadows(tuple(unique.values()), path, shown)


def _known(path: Path, project: Project) -> Iterator[ImportName]:
    yield from _under(installed_roots(project.interpreter), path, project.root)
    yield from recorded_names(project.interpreter, path, project.root)
    yield from _under(declared_roots(project.root), path, project.root)


def _under(roots: Iterable[SourceRoot], path: Path, project: Path) -> Iterator[ImportName]:
    """Names of ``path`` under the roots that contain it; the deepest root is the most precise."""
    holding = [root for root in roots if _holds(root, path)]
    for root in sorted(holding, key=lambda root: -len(root.folder.parts)):
        parts = [part for part in root.prefix.split(".") if part]
        is_file = not root.folder.is_dir()
        folder = root.folder.with_suffix("") if is_file else root.folder
        name = _dotted([*parts, *path.with_suffix("").relative_to(folder).parts])
        if name is None:
            continue
        if list(folder.parts[len(folder.parts) - len(parts) :]) == parts:
            yield ImportName(name, folder.parents[len(parts) - 1] if parts else folder, root.why)
        else:  # importable through the install only, whatever is on the path
            yield ImportName(name, project, root.why)


def _holds(root: SourceRoot, path: Path) -> bool:
    if not path.is_relative_to(root.folder):
        return bool(root.prefix) and path.with_suffix("") == root.folder
    return True


def _src(path: Path, project: Project) -> Iterator[ImportName]:
    src = project.root / "src"
    if path.is_relative_to(src) and not (src / "__init__.py").exists():
        yield from _under([SourceRoot(src, "", "src layout")], path, project.root)


def _chain(path: Path, project: Project) -> Iterator[ImportName]:
    """The topmost folder that is reached through packages only."""
    folder = path.parent
    while folder != project.root and _is_package(folder) and folder.parent != folder:
        folder = folder.parent
    if path.name == "__init__.py" and folder == path.parent:
        folder = folder.parent
    yield from _under([SourceRoot(folder, "", "topmost package")], path, project.root)


def _below_root(path: Path, project: Project) -> Iterator[ImportName]:
    """The folders themselves as namespace packages, seen from the root and from below it."""
    for folder in reversed(path.parents):
        if folder.is_relative_to(project.root):
            why = "folders below the project" if folder == project.root else f"folder {folder.name}"
            # Below the root of a package the name would load the file a second time under
            # another name, away from its package.
            if not (_is_package(folder) and folder != project.root):
                yield from _under([SourceRoot(folder, "", why)], path, project.root)


def _by_evidence(
    likely: list[ImportName], possible: list[ImportName], tree: ast.Module, project: Project
) -> list[ImportName]:
    """Sort by evidence, stable; what only the folders allow and nothing supports comes last."""
    own = {name.partition(".")[0] for name in dotted_imports(tree)} - sys.stdlib_module_names
    tested: set[str] = set()
    for test in project.existing_tests:
        tested |= imports_of_test(test, project).absolute

    def evidence(name: ImportName) -> int:
        found = sum(
            (name.root / top).is_dir() or (name.root / f"{top}.py").is_file() for top in own
        )
        return found + (2 if name.name in tested else 0)

    return sorted([*likely, *possible], key=evidence, reverse=True)


def _relative_depth(tree: ast.Module, *, is_package: bool) -> int:
    """How many packages the module's relative imports need above it.

    Counted are those that every import of the module runs, not those in ``try`` or functions.
    """
    levels = [node.level for node in tree.body if isinstance(node, ast.ImportFrom)]
    return max(0, max(levels, default=0) - is_package)


def _without_shadows(
    names: tuple[ImportName, ...], path: Path, shown: str
) -> tuple[ImportName, ...]:
    if not names:
        raise SourceError(
            f"{shown}: no folder on the way to it gives a name that Python can import "
            "(a relative import leads out of its package, or a folder's name is no identifier)",
            "rename the folder, or put an __init__.py into it",
        )
    best = names[0].name.partition(".")[0]
    if best in sys.stdlib_module_names:
        raise SourceError(
            f"{shown} would be imported as {names[0].name!r}, and {best!r} is a module of Python's "
            "standard library: a test that imports it gets that one, or breaks who needs it",
            f"rename it, or move it into a package (shop/{path.name})"
            if best == names[0].name and path.name != "__init__.py"
            else f"rename the package {best}",
        )
    return tuple(
        name for name in names if name.name.partition(".")[0] not in sys.stdlib_module_names
    )


def _check_stem(path: Path, shown: str) -> None:
    stem = path.parent.name if path.name == "__init__.py" else path.stem
    if not _is_name(stem):
        better = "".join(char if char.isalnum() else "_" for char in stem)
        better = better if _is_name(better) else f"module_{better}"
        raise SourceError(
            f"{shown}: {stem!r} is not a name that an import statement can hold, so no test can "
            "import it",
            f"rename it to {better}{'' if path.name == '__init__.py' else '.py'}",
        )


def _starts_in_package(name: ImportName, path: Path) -> bool:
    if not path.is_relative_to(name.root):
        return True
    first = path.relative_to(name.root).parts[0]
    if Path(first).stem != name.name.partition(".")[0]:  # an install gave it another name
        return True
    return (name.root / first).is_file() or _is_package(name.root / first)


def _is_package(folder: Path) -> bool:
    return _is_name(folder.name) and (folder / "__init__.py").is_file()


def _dotted(parts: list[str]) -> str | None:
    names = parts[:-1] if parts and parts[-1] == "__init__" else parts
    return ".".join(names) if names and all(map(_is_name, names)) else None


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)
