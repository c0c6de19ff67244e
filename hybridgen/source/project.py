"""Finds the project that a path belongs to: its root, its interpreter, its tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hybridgen.domain import Project
from hybridgen.errors import SourceError, UsageError
from hybridgen.source.bounds import is_too_wide
from hybridgen.source.interpreter import find_interpreter
from hybridgen.source.layout import pytest_option
from hybridgen.source.walk import is_test_file, tests_below

_MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", "hybridgen.toml")


def find_project(path: Path, *, python: str | None, tests: str | None) -> Project:
    """Find the project of a file or folder.

    Args:
        path: absolute; links in it are not followed to find the root.
        python: value of ``--python``, or None.
        tests: value of ``--tests``, or None.

    Raises:
        UsageError: ``python`` or ``tests`` cannot be right.
        SourceError: the code lies directly in the home folder or the root of the file system.
    """
    start = path if path.is_dir() else path.parent
    root = _find_root(start).resolve()
    if is_too_wide(root):
        raise SourceError(
            f"{path} lies directly in {root}: the code under test can read its whole project, "
            "which would be all of that folder",
            "move it into a folder of its own",
        )
    folder = _tests_folder(root, start, tests)
    return Project(
        root=root,
        interpreter=find_interpreter(root, python),
        tests_folder=folder,
        existing_tests=_existing_tests(root, start, folder),
    )


def _find_root(start: Path) -> Path:
    """The nearest folder upward with a marker, else the git root, else above the top package."""
    for folder in _upward(start):
        is_nested = (folder / "__init__.py").exists() and (folder.parent / "__init__.py").exists()
        # A setup.py deep inside a package configures a part of it (numpy had many).
        if not is_nested and any((folder / marker).is_file() for marker in _MARKERS):
            return folder
        if (folder / ".git").exists():
            return folder
    while (start / "__init__.py").exists() and start.parent != start:
        start = start.parent
    return start


def _upward(start: Path) -> Iterator[Path]:
    """``start`` and its parents, up to but without the home folder."""
    for folder in (start, *start.parents):
        if is_too_wide(folder):
            return
        yield folder


def _tests_folder(root: Path, start: Path, tests: str | None) -> Path:
    if tests is not None:
        named = Path(tests).absolute()
        if named.exists() and not named.is_dir():
            raise UsageError(f"--tests {tests} is a file", "name a folder: --tests tests")
        if not named.resolve().is_relative_to(root):
            raise UsageError(
                f"--tests {tests} is {named.resolve()}, which is outside of the project {root}",
                f"name a folder of the project: --tests {root / 'tests'}",
            )
        return named.resolve()
    configured, planned = _configured(root), _planned(root)
    candidates = [
        *(folder for folder in configured if "test" in folder.name),
        *(root / "tests", root / "test"),
        *_beside_package(root, start),
        *planned,
        *configured,  # ["src"]: a place for doctests more often than for a new test file
    ]
    is_there = (folder for folder in candidates if folder.is_dir() or folder in planned)
    chosen = next(is_there, root / "tests")
    if not chosen.resolve().is_relative_to(root):
        raise UsageError(
            f"{chosen} is a link out of the project to {chosen.resolve()}",
            "replace the link by a folder, or name another one: --tests FOLDER",
        )
    return chosen.resolve()


def _planned(root: Path) -> list[Path]:
    """Folders for tests that ``testpaths`` name and that nobody made yet."""
    names = [name for name in pytest_option(root, "testpaths") if "test" in Path(name).name]
    found = [root / name for name in names if not set(name) & set("*?[")]
    return [folder for folder in found if folder.resolve().is_relative_to(root)]


def _existing_tests(root: Path, start: Path, folder: Path) -> tuple[Path, ...]:
    """Test files in the tests folder, in pytest's ``testpaths``, and beside root and code."""
    patterns = pytest_option(root, "python_files")
    places = (folder, *_configured(root))
    found = [path for place in places for path in tests_below(place, patterns)]
    for place in (root, start.resolve()):
        files = (path for path in sorted(place.glob("*.py")) if is_test_file(path, patterns))
        found += (path for path in files if not path.is_symlink())
    return tuple(dict.fromkeys(found))


def _configured(root: Path) -> list[Path]:
    """Folders that pytest's ``testpaths`` name inside the project, but never its root."""
    found: list[Path] = []
    for pattern in pytest_option(root, "testpaths"):
        try:
            found += (folder.resolve() for folder in sorted(root.glob(pattern)) if folder.is_dir())
        except (ValueError, NotImplementedError, IndexError):  # absolute, or no pattern at all
            continue
    return [folder for folder in found if folder.is_relative_to(root) and folder != root]


def _beside_package(root: Path, start: Path) -> list[Path]:
    """``tests`` inside the packages on the way to the code, innermost first."""
    real = start.resolve()
    folders = [folder for folder in (real, *real.parents) if folder.is_relative_to(root)]
    return [folder / name for folder in folders for name in ("tests", "test")]
