"""Finds Python files below a folder, and knows which of them are not code to test.

Symbolic links are not followed: what a link inside the folder points to is found by itself,
and what it points to outside is not part of what was asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

_NOT_SOURCE = {"__pycache__", "node_modules", "site-packages", "migrations"}
_TEST_FOLDERS = {"tests", "test"}
# Build output, unless it is a package of that name (pypa/build has one).
_BUILD_OUTPUT = {"build", "dist"}
# Scripts that do their work when they are imported, and files written by generators.
_NOT_MODULES = (
    "__main__.py",
    "setup.py",
    "noxfile.py",
    "versioneer.py",
    "_version.py",
    "*_pb2.py",
    "*_pb2_grpc.py",
)


def modules_below(folder: Path) -> Iterator[Path]:
    """Yield the files to test below ``folder``, sorted within each folder.

    Tests, hidden folders, virtual environments, build output, caches, database migrations and
    scripts such as ``setup.py`` are left out.
    """
    for path in _python_files(folder, skip_tests=True):
        if is_test_file(path) or path.name == "conftest.py":
            continue
        if any(fnmatch(path.name, pattern) for pattern in _NOT_MODULES):
            continue
        if path.name == "conf.py" and path.parent.name in {"doc", "docs"}:
            continue
        yield path


def tests_below(folder: Path, python_files: Sequence[str] = ()) -> Iterator[Path]:
    """Yield the files below ``folder`` that pytest would collect by their names."""
    found = _python_files(folder, skip_tests=False)
    return (path for path in found if is_test_file(path, python_files))


def is_test_file(path: Path, python_files: Sequence[str] = ()) -> bool:
    """Whether pytest's default patterns (``test_*.py``, ``*_test.py``) match the name.

    Args:
        python_files: further patterns, from the option of pytest; one that any module has
            (``*.py``) says nothing.
    """
    patterns = ("test_*.py", "*_test.py", *(p for p in python_files if not fnmatch("x.py", p)))
    return any(fnmatch(path.name, pattern) for pattern in patterns)


def _python_files(folder: Path, *, skip_tests: bool) -> Iterator[Path]:
    for current, folders, files in os.walk(folder):
        here = Path(current)
        folders[:] = sorted(
            name for name in folders if not is_skipped(here / name, skip_tests=skip_tests)
        )
        for name in sorted(files):
            path = here / name
            if name.endswith(".py") and not name.startswith(".") and not path.is_symlink():
                yield path


def is_skipped(folder: Path, *, skip_tests: bool) -> bool:
    """Whether a folder holds no code of people of the project, or tests that are not asked for."""
    name = folder.name
    if name.startswith(".") or name in _NOT_SOURCE or name.endswith(".egg-info"):
        return True
    if skip_tests and name in _TEST_FOLDERS:
        return True
    if name in _BUILD_OUTPUT and not (folder / "__init__.py").exists():
        return True
    return (folder / "pyvenv.cfg").exists() or (folder / "conda-meta").exists()
