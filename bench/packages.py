"""Packages at their pins: fetched once through pip, copied clean for each run.

All lies in a cache folder outside of the checkout. A copy holds the sources, the README and
docs of the source distribution (of the wheel where there is no other), but neither tests nor
settings of pytest, so that every tool starts from nothing and no plug-in is needed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BENCH = Path(__file__).resolve().parent
_TESTS = re.compile(r"tests?|testing|test_.*\.py|.*_test\.py|conftest\.py|tox\.ini|pytest\.ini")
_PYTEST_SECTION = re.compile(r"(?ms)^\[tool(?:\.pytest|:pytest)[^\]]*\]\s*\n.*?(?=^\[|\Z)")


@dataclass(frozen=True)
class Package:
    """A package at its pin, ready to be copied.

    Attributes:
        pin: ``name==version``.
        source: unpacked and cleaned project.
        python: interpreter of its environment: pytest and what the package needs, not itself.
        needs: what it needs at run time, each with its version.
        needs_folder: the same, to be put on the path of a tool that imports it itself.
    """

    pin: str
    source: Path
    python: Path
    needs: tuple[str, ...]
    needs_folder: Path


@dataclass(frozen=True)
class Module:
    """A module in a project.

    Attributes:
        path: its file, relative to the project.
        root: the folder that imports start from, relative to the project.
    """

    path: Path
    root: Path


def prepare(pin: str, cache: Path, python: str) -> Package:
    """Fetches the package and makes its environment, or finds both in the cache."""
    home = cache / "packages" / pin
    source = home / "project"
    if not source.exists():
        _fetch(pin, home)
    needs = _needs(pin, home)
    lines = (BENCH / "environment.txt").read_text(encoding="utf-8").split()
    return Package(
        pin,
        source,
        environment(home / "env", [*lines, *needs], python) / "bin" / "python",
        needs,
        folder_of(home / "needs", needs),
    )


def find_module(project: Path, name: str) -> Module:
    """Where a module lies.

    Raises:
        LookupError: it is not there.
    """
    parts = Path(*name.split("."))
    for root in (Path(), Path("src"), Path("lib")):
        for path in (root / parts.with_suffix(".py"), root / parts / "__init__.py"):
            if (project / path).is_file():
                return Module(path, root)
    raise LookupError(f"no module {name} in {project.name}")


def environment(folder: Path, requirements: Sequence[str], python: str) -> Path:
    """A virtual environment with exactly these requirements, made once."""
    if _is_made(folder, requirements):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([python, "-I", "-m", "venv", str(folder)], check=True)
    _pip(folder / "bin" / "python", "install", "-q", *requirements)
    _note(folder, requirements)
    return folder


def folder_of(folder: Path, requirements: Sequence[str]) -> Path:
    """A folder for PYTHONPATH with these requirements alone, nothing that they need."""
    if _is_made(folder, requirements):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if requirements:
        _pip(Path(sys.executable), "install", "-q", "--no-deps", "-t", str(folder), *requirements)
    _note(folder, requirements)
    return folder


def requirements_of(name: str) -> list[str]:
    """The lines of one of the requirement files beside this module."""
    return (BENCH / name).read_text(encoding="utf-8").split()


def _stamp(requirements: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(requirements).encode()).hexdigest()


def _is_made(folder: Path, requirements: Sequence[str]) -> bool:
    note = folder / ".made"
    return note.is_file() and note.read_text(encoding="utf-8") == _stamp(requirements)


def _note(folder: Path, requirements: Sequence[str]) -> None:
    (folder / ".made").write_text(_stamp(requirements), encoding="utf-8")


def _pip(python: Path, *arguments: str) -> str:
    """Runs pip with ``-I``, since a folder may hold a ``pip.py``; gives its standard output."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        [str(python), "-I", "-m", "pip", *arguments],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"pip {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def _fetch(pin: str, home: Path) -> None:
    """Downloads the source distribution, or the wheel, and unpacks it without its tests."""
    download = home / "download"
    shutil.rmtree(home, ignore_errors=True)
    for kind in ("--no-binary", "--only-binary"):
        try:
            _pip(Path(sys.executable), "download", "-q", "--no-deps", kind, ":all:",
                 "-d", str(download), pin)  # fmt: skip
            break
        except RuntimeError:
            if kind == "--only-binary":
                raise
    [archive] = download.iterdir()
    unpacked = home / "unpacked"
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(unpacked)
    else:
        with tarfile.open(archive) as packed_tar:
            packed_tar.extractall(unpacked, filter="data")
    inner = list(unpacked.iterdir())
    top = inner[0] if archive.suffix != ".whl" and len(inner) == 1 else unpacked
    _clean(top)
    top.rename(home / "project")
    shutil.rmtree(unpacked, ignore_errors=True)


def _clean(project: Path) -> None:
    """Takes tests and settings of pytest out."""
    for path in sorted(project.rglob("*"), reverse=True):
        if _TESTS.fullmatch(path.name):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in ("pyproject.toml", "setup.cfg"):
        path = project / name
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            path.write_text(_PYTEST_SECTION.sub("", text), encoding="utf-8")


def _needs(pin: str, home: Path) -> tuple[str, ...]:
    """What the package needs at run time, as pip resolves it, without itself."""
    path = home / "needs.json"
    if not path.exists():
        said = _pip(Path(sys.executable), "install", "-q", "--dry-run", "--ignore-installed",
                    "--report", "-", pin)  # fmt: skip
        installs = [item["metadata"] for item in json.loads(said)["install"]]
        own = _plain(pin.partition("==")[0])
        names = sorted(
            f"{item['name']}=={item['version']}" for item in installs if _plain(item["name"]) != own
        )
        path.write_text(json.dumps(names), encoding="utf-8")
    return tuple(json.loads(path.read_text(encoding="utf-8")))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
