"""Reads how a project lays out its packages: pyproject.toml, setup.cfg, setup.py, pytest's files.

Everything is read as data. What these files say about folders outside the project is ignored.
"""

from __future__ import annotations

import ast
import configparser
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hybridgen.errors import SourceError
from hybridgen.reading import decode, parse, read_once


@dataclass(frozen=True, slots=True)
class SourceRoot:
    """A folder and the dotted name under which its content is imported.

    Attributes:
        folder: absolute, resolved.
        prefix: ``""`` for a folder on ``sys.path``, else the package that the folder is.
        why: the rule that gave it, for people.
    """

    folder: Path
    prefix: str
    why: str


def declared_roots(root: Path) -> tuple[SourceRoot, ...]:
    """What the project's build and pytest settings say about where packages lie."""
    pyproject = read_toml(root, "pyproject.toml")
    found = [
        *(
            (folder, prefix, f"{rule} in pyproject.toml")
            for folder, prefix, rule in _toml(pyproject)
        ),
        *((folder, prefix, f"{rule} in setup.cfg") for folder, prefix, rule in _setup_cfg(root)),
        *((folder, prefix, f"{rule} in setup.py") for folder, prefix, rule in _setup_py(root)),
        *((folder, "", "pythonpath of pytest") for folder in pytest_option(root, "pythonpath")),
    ]
    inside = [
        SourceRoot(resolved, prefix, why)
        for folder, prefix, why in found
        if (resolved := inside_project(root, folder)) is not None
    ]
    return tuple(dict.fromkeys(inside))


def pytest_option(root: Path, name: str) -> tuple[str, ...]:
    """A list option of pytest (``testpaths``) from the file that pytest itself would take."""
    for file in ("pytest.ini", ".pytest.ini"):
        if (root / file).is_file():
            return _words(read_ini(root, file).get("pytest", {}).get(name, ""))
    options = table(read_toml(root, "pyproject.toml"), "tool", "pytest", "ini_options")
    if options:
        value = options.get(name, ())
        return _words(value) if isinstance(value, str) else _strings(value)
    for file, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        sections = read_ini(root, file)
        if section in sections:
            return _words(sections[section].get(name, ""))
    return ()


def inside_project(root: Path, folder: str) -> Path | None:
    """``folder`` resolved against the root, or None where that leaves the project."""
    try:
        resolved = (root / folder).resolve()
    except (OSError, RuntimeError, ValueError):
        return None
    return resolved if resolved.is_relative_to(root) else None


def read_toml(root: Path, name: str) -> Mapping[str, object]:
    """A TOML file of the project; empty if it is missing or broken (settings report that)."""
    try:
        return tomllib.loads(_text(root, name))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def read_ini(root: Path, name: str) -> dict[str, dict[str, str]]:
    """An INI file of the project, by section; empty if it is missing or broken."""
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    try:
        parser.read_string(_text(root, name))
    except configparser.Error:
        return {}
    return {
        section: {key: value or "" for key, value in parser.items(section)}
        for section in parser.sections()
    }


def table(document: object, *keys: str) -> Mapping[str, object]:
    """The table at ``keys``, or an empty one if anything on the way is not a table."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def _text(root: Path, name: str) -> str:
    if not (root / name).is_file():
        return ""
    try:
        return decode(read_once(root / name, root, name)[1], name)
    except SourceError:
        return ""


Rule = tuple[str, str, str]  # folder below the root, prefix, name of the rule


def _toml(document: Mapping[str, object]) -> Iterator[Rule]:
    setuptools = table(document, "tool", "setuptools")
    yield from _package_dir(table(setuptools, "package-dir"), "package-dir")
    for folder in _strings(table(setuptools, "packages", "find").get("where", ())):
        yield folder, "", "packages.find.where"
    for entry in _items(table(document, "tool", "poetry").get("packages")):
        if isinstance(entry, dict) and isinstance(entry.get("from"), str):
            yield str(entry["from"]), "", "poetry packages"
    for hatch in (
        table(document, "tool", "hatch", "build", "targets", "wheel"),
        table(document, "tool", "hatch", "build"),
    ):
        yield from _hatch(hatch)
    single = (
        (table(document, "tool", "pdm", "build").get("package-dir"), "pdm package-dir"),
        (table(document, "tool", "uv", "build-backend").get("module-root"), "uv module-root"),
        (table(document, "tool", "maturin").get("python-source"), "maturin python-source"),
    )
    for value, rule in single:
        if isinstance(value, str):
            yield value, "", rule


def _hatch(build: Mapping[str, object]) -> Iterator[Rule]:
    for package in _strings(build.get("packages", ())):
        yield package, Path(package).name, "hatch packages"
    sources = build.get("sources")
    if isinstance(sources, dict):
        yield from _package_dir({new: old for old, new in sources.items()}, "hatch sources")
    else:
        for folder in _strings(sources):
            yield folder, "", "hatch sources"


def _setup_cfg(root: Path) -> Iterator[Rule]:
    sections = read_ini(root, "setup.cfg")
    lines = sections.get("options", {}).get("package_dir", "").splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line)
    yield from _package_dir({key.strip(): value.strip() for key, _, value in pairs}, "package_dir")
    for folder in _words(sections.get("options.packages.find", {}).get("where", "")):
        yield folder, "", "packages.find"


def _setup_py(root: Path) -> Iterator[Rule]:
    """Literal arguments of ``setup()``; the script is never run."""
    try:
        tree = parse(_text(root, "setup.py"), "setup.py")
    except SourceError:
        return
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else None
        name = call.func.id if isinstance(call.func, ast.Name) else name
        keywords = {word.arg: _literal(word.value) for word in call.keywords}
        if name == "setup":
            yield from _package_dir(keywords.get("package_dir"), "package_dir")
        elif name in {"find_packages", "find_namespace_packages"}:
            folder = _literal(call.args[0]) if call.args else keywords.get("where")
            if isinstance(folder, str):
                yield folder, "", "find_packages"


def _package_dir(mapping: object, rule: str) -> Iterator[Rule]:
    if isinstance(mapping, dict):
        for prefix, folder in mapping.items():
            if isinstance(prefix, str) and isinstance(folder, str):
                yield folder, prefix, rule


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _items(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else ()


def _strings(value: object) -> tuple[str, ...]:
    values = (value,) if isinstance(value, str) else _items(value)
    return tuple(item for item in values if isinstance(item, str))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())
