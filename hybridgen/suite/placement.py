"""Where a test file goes, and how it gets there without ever being half-written."""

from __future__ import annotations

import ast
import contextlib
import difflib
import io
import os
import stat
import sys
import tokenize
from pathlib import Path

from hybridgen.domain import Module, Project, TestFile
from hybridgen.errors import PolicyRefusal, SourceError
from hybridgen.suite.imports import imports_in

_NEW_FILE_MODE = 0o666  # before the umask


def test_path(module: Module, project: Project) -> Path:
    """The test file for a module.

    An existing file that already tests the module is taken; else ``test_<module>.py`` in the
    tests folder, in the sub-folders of the package if the tests mirror it; else
    ``test_<package>_<module>.py``, if the name stands for a module of another package.
    """
    names = {item.name for item in module.import_names}
    parts = (module.import_names[0].name if module.import_names else module.path.stem).split(".")
    stem = parts[-1].strip("_") or parts[-1]
    if module.path.stem == "__main__" and len(parts) > 1:
        stem = f"{parts[-2]}_main"
    for existing in sorted(project.existing_tests):
        is_named = existing.name in (f"test_{stem}.py", f"{stem}_test.py")
        if is_named and names & _tested_modules(existing):
            return existing
    folder = _mirrored(project.tests_folder, parts[:-1])
    path = folder / f"test_{stem}.py"
    if len(parts) > 1 and (_is_of_another(path, names, stem) or _is_twin(path, project)):
        return folder / f"test_{'_'.join(part.strip('_') for part in parts[-2:])}.py"
    return path


def sibling_path(path: Path) -> Path:
    """Another name beside ``path``, for when the file there cannot be used."""
    return path.with_name(f"{path.stem}_hybridgen{path.suffix}")


def _mirrored(folder: Path, packages: list[str]) -> Path:
    """The sub-folder for a package if the tests mirror packages, with or without the top one."""
    for start in (packages, packages[1:]):
        if start and folder.joinpath(*start).is_dir():
            return folder.joinpath(*start)
    return folder


def _is_of_another(path: Path, names: set[str], stem: str) -> bool:
    """True if the file is there and tests a module of the same name in another package."""
    if not path.is_file():
        return False
    tested = _tested_modules(path)
    return not names & tested and any(name.rpartition(".")[2] == stem for name in tested)


def _is_twin(path: Path, project: Project) -> bool:
    """True if pytest would confuse the file with one of the same name in another folder."""
    others = (p for p in project.existing_tests if p.name == path.name and p != path)
    is_package = (path.parent / "__init__.py").is_file()
    return not is_package and any(not (p.parent / "__init__.py").is_file() for p in others)


def _tested_modules(path: Path) -> set[str]:
    """The modules that a test file imports, ``from a import b`` counting as ``a.b`` too."""
    try:
        text = read(path)
        tree = ast.parse(text or "")
    except (SourceError, SyntaxError, ValueError):
        return set()
    nodes = (n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom))
    items = [item for node in nodes for item in imports_in(node)]
    return {item.module for item in items} | {f"{item.module}.{item.name}" for item in items}


def read(path: Path) -> str | None:
    """The text of a test file with its line ends as they are, or None if there is none.

    Raises:
        SourceError: it is not text in the encoding that it declares.
    """
    try:
        return _decoded(path.read_bytes(), path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error


def _decoded(data: bytes, path: Path) -> str:
    try:
        return data.decode(_encoding(data))
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise SourceError(
            f"{path} is not text in the encoding that it declares: {error}",
            "save it as UTF-8, or let hybridgen write to another file",
        ) from error


def _encoding(data: bytes) -> str:
    return tokenize.detect_encoding(io.BytesIO(data).readline)[0]


def write(test_file: TestFile, *, root: Path) -> None:
    """Writes a test file: all of it or nothing, also when the process is killed.

    The text goes to a temporary file in the same folder, to the disk, and then takes the
    place of the old file, with its mode and its encoding.

    Args:
        test_file: what :func:`render` made.
        root: the project's folder, which the file must not leave through a link.

    Raises:
        PolicyRefusal: the path leads out of ``root``.
        SourceError: the file changed since it was read, or the folder cannot be written.
    """
    target = test_file.path.resolve()
    if not target.is_relative_to(root.resolve()):
        raise PolicyRefusal(
            f"{test_file.path} leads out of the project, to {target}",
            "remove the link, or name another tests folder",
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        data, mode = _current(target, test_file)
        encoding = _encoding(data) if data is not None else "utf-8"
        _replace(target, test_file.text.encode(encoding), mode)
    except OSError as error:
        raise SourceError(
            f"{test_file.path} cannot be written: {error.strerror}",
            "check the permissions of the folder and the free space",
        ) from error
    except UnicodeEncodeError as error:
        raise SourceError(
            f"{test_file.path} cannot hold the new tests in its encoding {error.encoding}",
            "save it as UTF-8 and run again",
        ) from error


def _current(target: Path, test_file: TestFile) -> tuple[bytes | None, int | None]:
    """The bytes and the mode of the file that is there, if it is still the one that was read."""
    try:
        data = target.read_bytes()
        mode = stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        data, mode = None, None
    found = None if data is None else _decoded(data, target)
    if found != test_file.previous:
        raise SourceError(
            f"{test_file.path} was changed while hybridgen was working; nothing was written",
            "run the same command again",
        )
    return data, mode


def _replace(target: Path, data: bytes, mode: int | None) -> None:
    _remove_leftovers(target)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.hybridgen")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(temporary, flags, _NEW_FILE_MODE if mode is None else 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            if mode is not None:
                os.fchmod(stream.fileno(), mode)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove_leftovers(target: Path) -> None:
    """Removes temporary files of processes that were killed while they wrote."""
    if sys.platform != "linux":  # nothing else has /proc, so all would look as if they were gone
        return
    for leftover in target.parent.glob(f".{target.name}.*.hybridgen"):
        number = leftover.name.removesuffix(".hybridgen").rpartition(".")[2]
        if number.isdigit() and not Path(f"/proc/{number}").exists():
            with contextlib.suppress(OSError):
                leftover.unlink()


def diff(test_file: TestFile, display: str) -> str:
    """What writing would change, as a unified diff.

    Args:
        test_file: what :func:`render` made.
        display: the path shown in its header.
    """
    old = (test_file.previous or "").splitlines(keepends=True)
    source = "/dev/null" if test_file.previous is None else f"a/{display}"
    parts: list[str] = []
    for line in difflib.unified_diff(
        old, test_file.text.splitlines(keepends=True), source, f"b/{display}"
    ):
        parts.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(parts)
