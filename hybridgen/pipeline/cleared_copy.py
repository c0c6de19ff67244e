"""A copy of those files of a project that a prompt may know of, for runs that choose its words.

What a run shows (which lines are reached, which values are compared) goes into later prompts. So
for a prompt that may leave this machine, the code runs in a copy that holds nothing stricter than
the prompt's own module: the runner's locks let it read the copy, a bare Python and the installed
packages that were named for it (``packages.py``), and no other file of the project or of the
environment. The bytes in the copy are the very bytes that were labelled.

The Python is the one behind a virtual environment, and the packages are links in a folder of ours:
no ``.pth`` file, ``sitecustomize`` or ``pyvenv.cfg`` of an environment has a say.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from hybridgen.domain import ImportName, Interpreter, Label, Module, Project, SourceFile
from hybridgen.errors import SourceError
from hybridgen.label import Labeller
from hybridgen.lockdown import bare_runtime
from hybridgen.pipeline.packages import Packages
from hybridgen.reading import read_once
from hybridgen.source import base_program

MOST_BYTES = 256 * 2**20
"""Of a whole copy; what goes beyond is left out, which can only make less readable."""


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


def cleared_copy(module: Module, labels: Labeller, folder: Path, packages: Packages) -> ClearedCopy:
    """Copies what is no stricter than ``module``, into an empty folder that is made.

    Beside it, under the same name with ``-packages``, a folder of links to packages is made.

    Raises:
        SourceError: the module itself is no part of it, or its interpreter would let the runner
            read the rest of the project.
    """
    project = module.project
    place_of_packages = folder.with_name(f"{folder.name}-packages")
    readable = packages.readable(module.label)
    interpreter = _bare(project, place_of_packages, readable)
    for place in (folder, place_of_packages):
        place.mkdir(mode=0o700)
    for entry in readable:
        link = place_of_packages / entry.name
        if not link.is_symlink():  # as on sys.path, the first one counts
            link.symlink_to(entry)
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
        project=_moved_project(replace(project, interpreter=interpreter), folder, module.label),
        import_names=tuple(_moved_names(module, folder)),
    )
    return ClearedCopy(moved, CopiedLabels(folder, copied))


def _bare(project: Project, packages: Path, readable: tuple[Path, ...]) -> Interpreter:
    """The project's Python, with less to read; nothing of that is the project's.

    Args:
        packages: the folder on its path for installed packages.
        readable: those.
    """
    program = base_program(project.interpreter)
    runtime = bare_runtime(program)
    for place in (*runtime.read, *runtime.standard, *runtime.libraries, program):
        is_above = project.root.is_relative_to(place) and place not in runtime.libraries
        if is_above or place.is_relative_to(project.root):
            raise SourceError(
                f"all code that is run may read {place}, and so a part of {project.root}",
                "name another interpreter: --python FILE",
            )
    runtime = replace(runtime, read=(*runtime.read, *readable), packages=(packages,))
    return replace(project.interpreter, path=program, runtime=runtime)


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
