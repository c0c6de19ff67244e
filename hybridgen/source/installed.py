"""Reads, as text, what an interpreter's site-packages say about where installed code lies."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from hybridgen.domain import ImportName, Interpreter
from hybridgen.errors import SourceError
from hybridgen.reading import parse
from hybridgen.source.interpreter import environment_settings
from hybridgen.source.layout import SourceRoot

_FOLDERS = (
    "lib*/python3*/site-packages",
    "lib*/python3*/dist-packages",
    "local/lib/python3*/dist-packages",
)


@lru_cache(maxsize=8)
def installed_roots(interpreter: Interpreter) -> tuple[SourceRoot, ...]:
    """Folders that the interpreter imports from: editable installs first, then site-packages."""
    roots: list[SourceRoot] = []
    folders = site_folders(interpreter)
    for folder in folders:
        roots += _editable_mappings(folder)
        roots += _path_files(folder)
        roots += _links(folder)
    roots += (SourceRoot(folder, "", f"installed in {folder}") for folder in folders)
    return tuple(dict.fromkeys(roots))


def recorded_names(interpreter: Interpreter, path: Path, project: Path) -> Iterator[ImportName]:
    """The name under which a plain install of this very project holds a copy of ``path``.

    ``pip install .`` leaves ``direct_url.json`` with the project's folder, and RECORD lists the
    installed files; the longest recorded path that ends the file's own path is its name.
    """
    for folder, record in _direct_installs(interpreter):
        if folder != project:
            continue
        entries = (line.rsplit(",", 2)[0] for line in _lines(record))
        ends = [entry for entry in entries if path.as_posix().endswith("/" + entry)]
        if ends:
            parts = Path(max(ends, key=len)).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            root = path.parents[len(parts) - 1]
            yield ImportName(name, root, f"installed from this project ({record.parent.name})")


@lru_cache(maxsize=8)
def _direct_installs(interpreter: Interpreter) -> tuple[tuple[Path, Path], ...]:
    """The project folder and the RECORD of each install that came from a folder."""
    found = []
    for site_folder in site_folders(interpreter):
        for file in sorted(site_folder.glob("*.dist-info/direct_url.json")):
            try:
                url = json.loads("\n".join(_lines(file))).get("url", "")
            except (ValueError, AttributeError, RecursionError):
                continue
            if isinstance(url, str) and url.startswith("file://"):
                source = _resolved(unquote(urlsplit(url).path))
                if source is not None:
                    found.append((source, file.parent / "RECORD"))
    return tuple(found)


def site_folders(interpreter: Interpreter) -> list[Path]:
    """The folders for installed packages that an interpreter has, its own first."""
    prefixes = interpreter.prefixes[:1]
    settings = environment_settings(prefixes[0]) if prefixes else {}
    if settings.get("include-system-site-packages", "").lower() == "true":
        prefixes = interpreter.prefixes
    found = (
        folder.resolve()
        for prefix in prefixes
        for pattern in _FOLDERS
        for folder in sorted(prefix.glob(pattern))
        if folder.is_dir()
    )
    return list(dict.fromkeys(found))


def _editable_mappings(folder: Path) -> Iterator[SourceRoot]:
    """``MAPPING`` of the import finder that setuptools writes for an editable install."""
    for finder in sorted(folder.glob("__editable__*.py")):
        try:
            tree = parse("\n".join(_lines(finder)), finder.name)
        except SourceError:
            continue
        for node in tree.body:
            if isinstance(node, ast.AnnAssign):
                targets: list[ast.expr] = [node.target]
            elif isinstance(node, ast.Assign):
                targets = node.targets
            else:
                continue
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            if names == ["MAPPING"] and node.value is not None:
                yield from _mapping(node.value, finder.name)


def _mapping(value: ast.expr, finder: str) -> Iterator[SourceRoot]:
    try:
        mapping = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return
    if isinstance(mapping, dict):
        for name, place in mapping.items():
            source = _resolved(place) if isinstance(place, str) else None
            if isinstance(name, str) and source is not None:
                yield SourceRoot(source, name, f"editable install ({finder})")


def _path_files(folder: Path) -> Iterator[SourceRoot]:
    for file in sorted([*folder.glob("*.pth"), *folder.glob("*.egg-link")]):
        for line in _lines(file):
            entry = line.strip()
            if entry and not entry.startswith(("#", "import ", "import\t")):
                source = _resolved(str(folder / entry))
                if source is not None and source.is_dir():
                    yield SourceRoot(source, "", f"editable install ({file.name})")


def _links(folder: Path) -> Iterator[SourceRoot]:
    """Links to packages, as ``flit install --symlink`` makes them."""
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink():
            source = _resolved(str(entry))
            if source is not None:
                yield SourceRoot(source, entry.stem, f"editable install (link {entry.name})")


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _resolved(text: str) -> Path | None:
    try:
        return Path(text).resolve()
    except (OSError, RuntimeError, ValueError):
        return None
