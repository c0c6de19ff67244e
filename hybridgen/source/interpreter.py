"""Finds the Python that runs the project's code, by reading files only; it is never started here.

Its prefixes become readable for the code under test, so a virtual environment's word about its
base Python is believed only where a Python installation is found.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from hybridgen.domain import Interpreter
from hybridgen.errors import SourceError, UsageError
from hybridgen.source.bounds import is_too_wide

_NAME_ANOTHER = "name another one with --python /path/to/python"


def find_interpreter(root: Path, python: str | None) -> Interpreter:
    """Choose ``--python``, else ``$VIRTUAL_ENV``, else ``.venv`` or ``venv``, else our own.

    Args:
        root: the project's root; its parents up to the git root are searched for a ``.venv`` too.
        python: value of ``--python``: a path or the name of a command.

    Raises:
        UsageError: it does not exist, is a script, or has no Python installation around it.
    """
    if python is not None:
        return _described(_named(python), "--python")
    active = os.environ.get("VIRTUAL_ENV")
    if active:
        return _described(_of_environment(Path(active), "$VIRTUAL_ENV"), "$VIRTUAL_ENV")
    for folder in _up_to_git(root):
        for name in (".venv", "venv"):
            environment = folder / name
            if (environment / "pyvenv.cfg").is_file():
                executable = _of_environment(environment, str(environment))
                return _described(executable, f"{name} of the project")
    prefixes = (Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve())
    return Interpreter(
        path=Path(sys.executable).absolute(),
        why="the Python of hybridgen itself: no --python, $VIRTUAL_ENV or .venv",
        prefixes=tuple(dict.fromkeys(prefixes)),
    )


def environment_settings(prefix: Path) -> dict[str, str]:
    """The ``key = value`` lines of a virtual environment's ``pyvenv.cfg``, keys in lower case."""
    try:
        text = (prefix / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def base_program(interpreter: Interpreter) -> Path:
    """The Python itself where ``interpreter`` is that of a virtual environment.

    Raises:
        SourceError: none is found.
    """
    own = interpreter.path.resolve()
    names = (own.name, "python3")
    elsewhere = (prefix / "bin" / name for prefix in interpreter.prefixes[::-1] for name in names)
    for program in (own, *elsewhere):
        real = program.resolve()
        if real.is_file() and _holds_python(real.parent.parent):
            return real
    raise SourceError(f"no Python installation is found behind {interpreter.path}", _NAME_ANOTHER)


def _named(python: str) -> Path:
    """The executable that ``--python`` means; the folder of an environment is understood too."""
    if os.sep not in python and not Path(python).exists():
        found = shutil.which(python)
        if found is None:
            raise UsageError(f"--python {python}: there is no such command", _NAME_ANOTHER)
        return Path(found).absolute()
    path = Path(python).absolute()
    if path.is_dir():
        return _of_environment(path, f"--python {python}")
    if not path.is_file():
        raise UsageError(f"--python {python}: there is no such file", _NAME_ANOTHER)
    return path


def _of_environment(folder: Path, shown: str) -> Path:
    executable = folder.absolute() / "bin" / "python"
    if not os.path.isfile(executable):  # noqa: PTH113  Path.is_file raises where we may not look
        raise UsageError(
            f"{shown}: {executable} is missing or its link is broken",
            f"make the environment again (python -m venv {folder}), or {_NAME_ANOTHER}",
        )
    return executable


def _described(executable: Path, why: str) -> Interpreter:
    if not os.access(executable, os.X_OK):
        raise UsageError(f"{why}: {executable} cannot be executed", _NAME_ANOTHER)
    with executable.open("rb") as file:
        is_script = file.read(2) == b"#!"
    if is_script:
        command = "pyenv which python" if "shims" in executable.parts else f"cat {executable}"
        raise UsageError(
            f"{why}: {executable} is a script that starts some Python, and which one cannot be "
            "known without running it",
            f"find the real one with '{command}' and {_NAME_ANOTHER}",
        )
    prefixes = tuple(dict.fromkeys(_prefixes(executable)))
    if not any(_holds_python(prefix) for prefix in prefixes):
        raise UsageError(
            f"{why}: no Python installation is found around {executable}", _NAME_ANOTHER
        )
    for prefix in prefixes:
        if is_too_wide(prefix):
            raise UsageError(
                f"{why}: {executable} is installed into {prefix}: the sandbox would have to let "
                "the code under test read all of it",
                _NAME_ANOTHER,
            )
    return Interpreter(path=executable, why=why, prefixes=prefixes)


def _prefixes(executable: Path) -> Iterator[Path]:
    environment = executable.parent.parent
    settings = environment_settings(environment)
    if settings:
        yield environment.resolve()
        home = Path(settings.get("home", ""))
        has_python = home.is_absolute() and any(
            os.access(home / name, os.X_OK) for name in ("python3", "python")
        )
        if has_python and home.name == "bin" and _holds_python(home.resolve().parent):
            yield home.resolve().parent
    real = executable.resolve()
    if real.parent.name == "bin" and _holds_python(real.parent.parent):
        yield real.parent.parent


def _holds_python(prefix: Path) -> bool:
    """Whether a standard library is there, the mark by which Python itself finds its prefix."""
    return any(True for _ in prefix.glob("lib*/python3*/os.py"))


def _up_to_git(root: Path) -> Iterator[Path]:
    """``root`` and its parents up to the git root; without git, ``root`` alone."""
    folders = (root, *root.parents)
    tops = [index for index, folder in enumerate(folders) if (folder / ".git").exists()]
    count = tops[0] + 1 if tops else 1
    return (folder for folder in folders[:count] if not is_too_wide(folder))
