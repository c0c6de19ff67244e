"""What a module imports that is stricter than itself: its prompts may then stay on this machine.

Where prompts may leave, the code runs in a copy without such files (``cleared_copy.py``). Whether
it runs there is known only once it ran, so this says what may be, from the import statements.
"""

from __future__ import annotations

from pathlib import Path

from hybridgen.domain import Label, SourceFile
from hybridgen.errors import HybridgenError
from hybridgen.label import Labeller
from hybridgen.label.imported import find_imports
from hybridgen.reading import decode, parse, read_once


class StricterImports:
    """The stricter files that modules of one project import; each file is read once.

    Args:
        labeller: says how confidential files are.
    """

    def __init__(self, labeller: Labeller) -> None:
        self._labeller = labeller
        self._files: dict[str, SourceFile] = {}
        self._steps: dict[str, tuple[str, ...]] = {}
        self._outside: dict[str, frozenset[str]] = {}
        self._empty: dict[str, bool] = {}

    def of(self, source: SourceFile) -> tuple[SourceFile, ...]:
        """What ``source`` imports that is stricter, directly or through what is not, sorted."""
        found = [file for file in self._followed(source) if file.label > source.label]
        return tuple(sorted(found, key=lambda file: file.path))

    def outside(self, source: SourceFile) -> frozenset[str]:
        """The first parts of what ``source`` imports from outside the project in the same way."""
        followed = [file for file in self._followed(source) if file.label <= source.label]
        names = (file.path for file in (source, *followed))
        return frozenset().union(*(self._outside.get(name, ()) for name in names))

    def _followed(self, source: SourceFile) -> tuple[SourceFile, ...]:
        """All that is imported; what is stricter is not followed further."""
        if source.label is Label.CONFIDENTIAL or not source.path.endswith(".py"):
            return ()
        found: dict[str, SourceFile] = {}
        pending = [source.path]
        while pending:
            for name in self._imported(pending.pop()):
                if name in found or name == source.path:
                    continue
                found[name] = self._file(name)
                if found[name].label <= source.label:
                    pending.append(name)
        return tuple(found.values())

    def _file(self, name: str) -> SourceFile:
        if name not in self._files:
            self._files[name] = self._labeller.look(Path(name))
        return self._files[name]

    def _imported(self, name: str) -> tuple[str, ...]:
        if name not in self._steps:
            self._steps[name] = self._read(name)
        return self._steps[name]

    def _read(self, name: str) -> tuple[str, ...]:
        text = self._text(name)
        try:
            imports = find_imports(parse(text, name))
        except (HybridgenError, RecursionError):
            return ()  # it makes no prompt either
        found: dict[str, None] = {}
        outside: set[str] = set()
        for wanted in imports:
            files = self._labeller.modules().files_of(wanted, name)
            if files == () and not wanted.level:
                outside.add(wanted.module.partition(".")[0])
            files = files or ()
            # The import runs without the file of a package if nothing stands in it.
            found |= dict.fromkeys(
                file
                for file in files
                if not file.endswith("/__init__.py") or not self._is_empty(file)
            )
        self._outside[name] = frozenset(outside)
        return tuple(found)

    def _is_empty(self, name: str) -> bool:
        if name not in self._empty:
            self._empty[name] = not self._text(name).strip()
        return self._empty[name]

    def _text(self, name: str) -> str:
        root = self._labeller.root
        try:
            return decode(read_once(root / name, root, name)[1], name)
        except HybridgenError:
            return ""
