"""Classes of other files of the project that a module imports by name.

A function that takes a ``Customer`` is called with one, so the search has to know how one is made.
Only files that the import statements name are read, one step far.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from hybridgen.domain import ImportName, Label, Project, Target, TargetKind
from hybridgen.errors import SourceError
from hybridgen.label import Labeller
from hybridgen.reading import decode, parse, read_once
from hybridgen.source.definitions import find_targets
from hybridgen.source.outline import find_imports

MOST_FILES = 12
"""So many files are read at most: a module of constants and re-exports may name hundreds."""


def imported_classes(
    tree: ast.Module,
    path: Path,
    names: Sequence[ImportName],
    project: Project,
    labeller: Labeller,
    label: Label,
) -> tuple[Target, ...]:
    """The classes that a module imports from its project, each followed by its methods.

    What cannot be read or parsed is left out, and so is a file with a stricter label than the
    module's: nothing made from it may reach what the module's label allows.

    Args:
        tree: the module.
        path: its real path.
        names: the ways it could be imported; their roots are where absolute imports start.
        labeller: says how confidential those files are.
        label: the module's label.
    """
    roots = tuple(dict.fromkeys(name.root for name in names))
    wanted: dict[Path, dict[str, str]] = {}
    for statement in find_imports(tree.body):
        for node in ast.parse(statement).body:
            if isinstance(node, ast.ImportFrom):
                place = _file_of(node, path, roots, project.root)
                if place is not None and place != path:
                    names_there = wanted.setdefault(place, {})
                    names_there |= {a.name: a.asname or a.name for a in node.names}
    found: list[Target] = []
    for place, aliases in list(wanted.items())[:MOST_FILES]:
        found += _classes(place, aliases, labeller, label)
    return tuple(found)


def _file_of(node: ast.ImportFrom, path: Path, roots: Sequence[Path], project: Path) -> Path | None:
    """The file of the project that ``from X import ...`` means, or None."""
    parts = node.module.split(".") if node.module else []
    starts = [path.parents[node.level - 1]] if 0 < node.level <= len(path.parents) else []
    for start in starts or (roots if node.level == 0 else ()):
        base = start.joinpath(*parts)
        for place in (base.with_suffix(".py") if parts else base, base / "__init__.py"):
            if place.is_relative_to(project) and place.is_file():
                return place
    return None


def _classes(
    place: Path, aliases: dict[str, str], labeller: Labeller, label: Label
) -> Iterator[Target]:
    shown = str(place.relative_to(labeller.root))
    try:
        _, data = read_once(place, labeller.root, shown)
        file = labeller.file(place, data)
        if file.label > label:
            return
        text = decode(data, shown)
        targets = find_targets(parse(text, shown), text, file.label)
    except (SourceError, RecursionError):
        return
    classes = {t.qualname for t in targets if t.kind is TargetKind.CLASS}
    for target in targets:
        owner, _, method = target.qualname.partition(".")
        if owner in aliases and owner in classes:
            name = f"{aliases[owner]}.{method}" if method else aliases[owner]
            yield replace(target, qualname=name)
