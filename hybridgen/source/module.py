"""Reads one module: the same bytes are labelled, parsed and later prompted."""

from __future__ import annotations

import ast
import difflib
from pathlib import Path

from hybridgen.domain import Module, Project, SourceFile, Target
from hybridgen.errors import SourceError
from hybridgen.label import Labeller, fragment_of
from hybridgen.reading import decode, parse, read_once
from hybridgen.source.definitions import find_targets
from hybridgen.source.import_names import import_names
from hybridgen.source.imported import imported_classes
from hybridgen.source.outline import find_constants, find_imports, find_names
from hybridgen.source.selection import Selection


def read_module(selection: Selection, project: Project, labeller: Labeller | None = None) -> Module:
    """Read and analyse a file without running any of it.

    ``Module.path`` and the root are real paths, so that they can be compared with ``__file__``.

    Args:
        labeller: of the project; without one everything is confidential.

    Raises:
        SourceError: missing, a link out of the project, binary, not in the encoding it names,
            a syntax error, nothing to test, an unknown ``::NAME``, or no usable import name.
    """
    shown = display_path(selection.path)
    path, data = read_once(selection.path, project.root, shown)
    if not data.strip():
        raise SourceError(f"{shown} is empty: there is nothing to test")
    text = decode(data, shown)
    tree = parse(text, shown)
    try:
        labeller = labeller or Labeller(project.root)
        file = labeller.file(selection.path, data)
        return _analyse(tree, text, file, path, selection, project, labeller)
    except RecursionError as error:
        raise SourceError(
            f"{shown}: expressions are nested too deeply to be analysed",
            "name the other modules of the folder instead",
        ) from error


def chosen_targets(module: Module) -> tuple[Target, ...]:
    """The targets that were asked for: all, or ``module.only`` and the methods inside it.

    A constructor is no target of its own, so asking for one means its class.
    """
    if module.only is None:
        return module.targets
    exact = {target.qualname for target in module.targets}
    only = module.only if module.only in exact else module.only.rpartition(".")[0]
    return tuple(
        target
        for target in module.targets
        if target.qualname == only or target.qualname.startswith(only + ".")
    )


def display_path(path: Path) -> str:
    """The path as people know it: relative to the working folder if it lies below it."""
    here = Path.cwd()
    for absolute in (path, path.parent.resolve() / path.name):
        if absolute.is_relative_to(here):
            return str(absolute.relative_to(here))
    return str(path)


def _analyse(
    tree: ast.Module,
    text: str,
    file: SourceFile,
    path: Path,
    selection: Selection,
    project: Project,
    labeller: Labeller,
) -> Module:
    shown = display_path(selection.path)
    source = fragment_of(text, shown, file)
    targets = find_targets(tree, text, source.label)
    if not targets:
        raise SourceError(
            f"{shown} defines no function and no class: there is nothing to test",
            "name a module that does",
        )
    if selection.only is not None:
        check_name(selection.only, targets, tree, shown)
    names = import_names(path, tree, project, shown)
    return Module(
        path=path,
        display=shown,
        project=project,
        source=source,
        import_names=names,
        docstring=ast.get_docstring(tree),
        targets=targets,
        imports=find_imports(tree.body),
        constants=find_constants(tree.body),
        names=find_names(tree.body),
        only=selection.only,
        neighbours=imported_classes(tree, path, names, project, labeller, source.label),
    )


def check_name(only: str, targets: tuple[Target, ...], tree: ast.Module, shown: str) -> None:
    """Make sure that a file defines the name that was asked for.

    Args:
        only: ``Class.method``.
        targets: those of the file.
        shown: how the file is called, for people.

    Raises:
        SourceError: it does not; close names are in the hint.
    """
    names = [target.qualname for target in targets]
    owner, _, last = only.rpartition(".")
    if only in names or (owner in names and last in {"__init__", "__new__", "__post_init__"}):
        return
    close = difflib.get_close_matches(only, names, n=3)
    close += [name for name in names if name.endswith("." + only) and name not in close]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    is_nested = owner in ("", *names) and any(
        isinstance(node, kinds) and node.name == last for node in ast.walk(tree)
    )
    why = "only nested or as a signature" if is_nested and not close else "nowhere in it"
    raise SourceError(
        f"{shown}: {only} is defined {why}",
        f"did you mean {' or '.join(f'{shown}::{name}' for name in close)}?"
        if close
        else f"it defines: {', '.join(names[:8])}{' ...' if len(names) > 8 else ''}",
    )
