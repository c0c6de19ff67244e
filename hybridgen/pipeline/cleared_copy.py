"""A copy of those files of a project that a prompt may know of, for runs that choose its words.

What a run shows (which lines are reached, which values are compared) goes into later prompts. So
for a prompt that may leave this machine, the code runs in a copy that holds nothing stricter than
the prompt's own module: the runner's locks let it read the copy and the interpreter, and no other
file of the project. The bytes in the copy are the very bytes that were labelled.

Packages that are installed in the interpreter's own folders stay readable: a module that imports
one could not run without it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from hybridgen.domain import ImportName, Label, Module, Project, SourceFile
from hybridgen.errors import SourceError
from hybridgen.label import Labeller
from hybridgen.lockdown import readable_by_all
from hybridgen.reading import read_once

MOST_BYTES = 256 * 2**20
"""Of a whole copy; what goes beyond is left out, which can only make less readable."""

_OF_AN_ENVIRONMENT = frozenset(
    {
        *("bin", "lib", "lib64", "include", "share", "etc", "man", "Scripts", "Lib", "Include"),
        *("pyvenv.cfg", ".gitignore", "CACHEDIR.TAG", ".lock", "conda-meta", "pip-selfcheck.json"),
    }
)


@dataclass(frozen=True, slots=True)
class ClearedCopy:
    """The module as it lies in a copy of what may be read.

    Attributes:
        module: the same text, at its place in the copy.
        labels: the labels of the files in the copy, which are those of the originals.
    """

    module: Module
    labels: CopiedLabels


class CopiedLabels(Labeller):
    """Labels of the files in a copy: those of the originals, by their place in it.

    Args:
        root: the folder of the copy.
        files: every file in it, by its path from there.
    """

    def __init__(self, root: Path, files: Mapping[str, SourceFile]) -> None:
        super().__init__(root)
        self._files = dict(files)

    def file(self, path: Path, data: bytes) -> SourceFile:
        """The label of the original; what was not copied has none, so it is confidential."""
        known = self._files.get(os.path.relpath(self.root / path, self.root))
        if known is None or known.sha256 != sha256(data).hexdigest():
            return super().file(path, data)
        return known

    def walk(self) -> Iterator[SourceFile]:
        """The files in the copy."""
        return iter(self._files.values())


def cleared_copy(module: Module, labels: Labeller, folder: Path) -> ClearedCopy:
    """Copies what is no stricter than ``module``, into an empty folder that is made.

    Raises:
        SourceError: the module itself is no part of it, or its interpreter would let the runner
            read the rest of the project.
    """
    project = module.project
    _check_apart(project)
    folder.mkdir(mode=0o700)
    copied: dict[str, SourceFile] = {}
    left = MOST_BYTES
    for known in labels.walk():
        if known.label > module.label:
            continue
        try:
            _, data = read_once(project.root / known.path, project.root, known.path)
        except SourceError:
            continue
        file = labels.file(project.root / known.path, data)
        left -= len(data)
        if file.label > module.label or left < 0:
            continue
        place = folder / known.path
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.write_bytes(data)
        copied[known.path] = file
    own = {source.path: source.sha256 for source in module.source.sources}
    if not own or any(name not in copied or copied[name].sha256 != own[name] for name in own):
        raise SourceError(f"{module.display} changed while it was read", "run the command again")
    moved = replace(
        module,
        path=_moved(module.path.resolve(), project.root, folder),
        project=_moved_project(project, folder, module.label),
        import_names=tuple(_moved_names(module, folder)),
    )
    return ClearedCopy(moved, CopiedLabels(folder, copied))


def _check_apart(project: Project) -> None:
    """No folder that every runner may read holds the project, or a part of it that is code."""
    for path in (*readable_by_all(), *project.interpreter.prefixes):
        place = path.resolve()
        if project.root.is_relative_to(place) or _holds_code(place, project.root):
            raise SourceError(
                f"all code that is run may read {place}, and so a part of {project.root}",
                "name another interpreter: --python FILE",
            )


def _holds_code(prefix: Path, root: Path) -> bool:
    """Whether an interpreter's folder inside the project holds more than an environment does."""
    if not prefix.is_relative_to(root):
        return False
    return any(entry.name not in _OF_AN_ENVIRONMENT for entry in prefix.iterdir())


def _moved(path: Path, root: Path, folder: Path) -> Path:
    return folder / path.relative_to(root)


def _moved_project(project: Project, folder: Path, label: Label) -> Project:
    tests = (_moved(path, project.root, folder) for path in project.existing_tests)
    return replace(
        project,
        root=folder,
        tests_folder=_moved(project.tests_folder, project.root, folder),
        existing_tests=tuple(path for path in tests if path.exists()),
        label=label,
    )


def _moved_names(module: Module, folder: Path) -> Iterator[ImportName]:
    root = module.project.root
    for name in module.import_names:
        if name.root.resolve().is_relative_to(root):
            yield replace(name, root=_moved(name.root.resolve(), root, folder))
