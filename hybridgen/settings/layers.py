"""The places that settings are read from, and the values found in each."""

from __future__ import annotations

import difflib
import os
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import platformdirs

from hybridgen.errors import SettingsError, UsageError
from hybridgen.resources import resource_folder
from hybridgen.settings.fields import TABLES, Settings, shown_key

PREFIX: Final = "HYBRIDGEN_"

# Environment variables with our prefix that are no settings.
OTHER_VARIABLES: Final[Mapping[str, str]] = {
    "HYBRIDGEN_CONFIG": "a settings file or the name of a ready-made one, as `--config`",
    "HYBRIDGEN_HUB_ENDPOINT": "address of the model hub, for a mirror in the building",
    "HYBRIDGEN_TRACEBACK": "`1` prints the traceback of an internal error, project text included",
}

SEE_ALL: Final = "see `hybridgen config show` for all settings"

_ROOT_FILES: Final = ("hybridgen.toml", "pyproject.toml", "setup.cfg", "setup.py")
# A service account may have its home below them.
_SYSTEM: Final = (Path("/usr"), Path("/usr/local"))
_LARGEST_FILE: Final = 4 * 2**20
_MOST_LINKS: Final = 42  # the kernel follows 40


@dataclass(frozen=True, slots=True)
class Layer:
    """The values found in one place.

    Attributes:
        place: what the place is called, for people.
        values: by field; those of a table under the table's name, ``gemini_terms``.
        folder: what relative paths in it are relative to.
        is_project: True for a file that came with the code.
        is_organisation: True for the organisation's file.
        variables: the environment variable of each key, where it is one.
    """

    place: str
    values: Mapping[str, object]
    folder: Path
    is_project: bool = False
    is_organisation: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)

    def source_of(self, key: str) -> str:
        """The place of one value, for people."""
        return f"environment {self.variables[key]}" if key in self.variables else self.place


def user_file() -> Path:
    """The user's own settings file; it need not exist."""
    return Path(platformdirs.user_config_dir("hybridgen")) / "config.toml"


def ready_made_names() -> list[str]:
    """The names that ``--config`` takes: files in ``configs/``, without suffix."""
    return sorted(path.stem for path in resource_folder("configs").glob("*.toml"))


def project_folder(path: Path) -> Path | None:
    """The root of the project that ``path`` is in: where its settings file may lie, or None.

    The home folder and what is above it are no project, even where they have a mark.
    """
    start = path.absolute()
    for folder in (start, *start.parents):
        if _is_too_wide(folder):
            return None
        # A setup.py deep inside a package configures a part of it.
        is_nested = (folder / "__init__.py").exists() and (folder.parent / "__init__.py").exists()
        if not is_nested and any((folder / name).is_file() for name in _ROOT_FILES):
            return folder
        if (folder / ".git").exists():
            return folder
    return None


def project_root(path: Path) -> Path:
    """The root of the project that ``path`` is in, resolved: the folder that marks are relative to.

    Without any mark of a project it is the folder above the top package: the same that the code
    under test is run in.

    Raises:
        UsageError: that would be the home folder, or one above it.
    """
    found = project_folder(path)
    if found is None:
        found = path.absolute() if path.is_dir() else path.absolute().parent
        while (found / "__init__.py").exists() and found.parent != found:
            found = found.parent
    if _is_too_wide(found):
        raise UsageError(
            f"{path} lies directly in {found}, which is no project",
            "move the code into a folder of its own",
        )
    return found.resolve()


def enclosing_folders(root: Path) -> tuple[Path, ...]:
    """The folders above a project's root that may speak for it too, the nearest first.

    They end at the outermost one with a mark of a project, below the home folder. Code itself
    chooses its root, by a ``setup.py`` for example, but not what lies above its repository.
    """
    found: list[Path] = []
    last = 0
    for folder in root.resolve().parents:
        if _is_too_wide(folder):
            break
        found.append(folder)
        if any((folder / name).exists() for name in (*_ROOT_FILES, ".git")):
            last = len(found)
    return tuple(found[:last])


def _is_too_wide(folder: Path) -> bool:
    try:
        home = Path.home().resolve()
    except RuntimeError:  # no HOME and no entry in the password database
        return False
    resolved = folder.resolve()
    return resolved == home or (resolved in home.parents and resolved not in _SYSTEM)


def environment_layer(environment: Mapping[str, str]) -> Layer:
    """The HYBRIDGEN_* variables; an empty one counts as not set.

    Raises:
        SettingsError: a variable with our prefix that is none of ours.
    """
    variables = {
        name.removeprefix(PREFIX).lower(): name
        for name, value in environment.items()
        if name.startswith(PREFIX) and name not in OTHER_VARIABLES and value
    }
    for key, name in variables.items():
        if key not in Settings.model_fields or name != PREFIX + key.upper():
            known = [*OTHER_VARIABLES, *(PREFIX + key.upper() for key in Settings.model_fields)]
            raise SettingsError(
                f"the environment has {name}, which is no setting of hybridgen",
                closest(name.upper(), known) or f"unset it, or {SEE_ALL}",
            )
    values = {key: environment[name] for key, name in variables.items()}
    return Layer("environment", values, Path.cwd(), variables=variables)


def config_layer(
    config: str | None, environment: Mapping[str, str], project: Path | None
) -> Layer | None:
    """The file that the user picked for this run, if any.

    One that lies in a project came with its code, whoever picked it: it is held to what a
    project's file may set.

    Args:
        project: the root of the project that the settings are for, or None.

    Raises:
        SettingsError: it is neither a file nor a ready-made one's name, or cannot be read.
    """
    said_by = "--config" if config else "HYBRIDGEN_CONFIG"
    config = config or environment.get("HYBRIDGEN_CONFIG")
    if not config:
        return None
    if config in ready_made_names():
        return file_layer("config file", resource_folder("configs") / f"{config}.toml")
    layer = file_layer("config file", Path(config).expanduser().absolute())
    if layer is None:
        names = ready_made_names()
        raise SettingsError(
            f"{said_by}: {config} is neither a file nor a ready-made configuration",
            closest(config, names) or f"ready-made are: {', '.join(names)}",
        )
    return _held_to_project(layer, Path(config).expanduser().absolute(), project)


def user_layer(project: Path | None) -> Layer | None:
    """The user's own file; in the project it is not theirs, whatever a variable says.

    Raises:
        SettingsError: it cannot be read.
    """
    path = user_file()
    layer = file_layer("user file", path)
    if layer is None or project is None:
        return layer
    roots = (project, *enclosing_folders(project))
    inside = [root for root in roots if _is_within(path, root)]
    return _came_with(layer, inside[0]) if inside else layer


def _held_to_project(layer: Layer, path: Path, project: Path | None) -> Layer:
    """``layer`` of the file at ``path``, as a project's one if it lies in any project."""
    own = _plain(user_file()).parent
    # Who keeps their own configuration in git has it in a project in name only.
    is_own = any(place.is_relative_to(own) for place in (_plain(path), path.resolve()))
    roots = [] if is_own else [project_folder(place.parent) for place in _places(path)]
    if project is not None:
        roots += [project, *enclosing_folders(project)]
    inside = [root for root in roots if root is not None and _is_within(path, root)]
    return _came_with(layer, inside[0]) if inside else layer


def _came_with(layer: Layer, root: Path) -> Layer:
    place = f"{layer.place} (in the project {root})"
    return replace(layer, place=place, folder=root, is_project=True)


def _is_within(path: Path, root: Path) -> bool:
    """Whether ``path``, what it leads to, or a link on the way there lies in ``root``."""
    folders = (_plain(root), root.resolve())
    return any(place.is_relative_to(folder) for place in _places(path) for folder in folders)


def _plain(path: Path) -> Path:
    """``path`` as it reads: ``a/../b`` is ``b``, whatever ``a`` is."""
    return Path(os.path.normpath(path.absolute()))


def _places(path: Path) -> list[Path]:
    """Where ``path`` lies as it reads, each link that is followed on the way, and where it ends.

    To pass through a project's folder is not to be in it; to follow a link in it is to go where
    the project says.
    """
    places = [_plain(path)]
    at, ahead = Path(), [*reversed(path.absolute().parts)]
    while ahead:
        part = ahead.pop()
        at = at.parent if part == ".." else at / part
        if at.is_symlink() and len(places) < _MOST_LINKS:
            places.append(at)
            ahead += reversed(at.readlink().parts)
            at = at.parent
    return [*places, at]


def project_layer(project: Path | None) -> Layer | None:
    """The project's own file: ``hybridgen.toml``, else a table in ``pyproject.toml``.

    Raises:
        SettingsError: both are there, or one of them cannot be read.
    """
    if project is None:
        return None
    own, shared = project / "hybridgen.toml", project / "pyproject.toml"
    values = _read_toml(own)
    tool = (_read_toml(shared) or {}).get("tool", {})
    table = tool.get("hybridgen") if isinstance(tool, dict) else None
    if values is not None and table is not None:
        raise SettingsError(
            f"{own} and [tool.hybridgen] in {shared} are both there", "keep one of the two"
        )
    if table is not None and not isinstance(table, dict):
        raise SettingsError(f"{shared}: tool.hybridgen is not a table", "write [tool.hybridgen]")
    place = f"project file {own if table is None else shared}"
    values = values if table is None else table
    if values is None:
        return None
    return Layer(place, flattened(values, place), project, is_project=True)


def file_layer(kind: str, path: Path) -> Layer | None:
    """A file of the user's, or None if there is no such file.

    Raises:
        SettingsError: it cannot be read.
    """
    values = _read_toml(path)
    place = f"{kind} {path}"
    return None if values is None else Layer(place, flattened(values, place), path.parent)


def flattened(values: Mapping[str, object], place: str) -> dict[str, object]:
    """The values of a file by field: ``terms`` in ``[gemini]`` becomes ``gemini_terms``.

    Raises:
        SettingsError: a table's name stands for a value, or a field's stands outside its table.
    """
    flat: dict[str, object] = {}
    for key, value in values.items():
        if key in TABLES:
            if not isinstance(value, Mapping):
                raise SettingsError(f"{place}: {key} is a table of settings", f"write [{key}]")
            flat.update({f"{key}_{name}": inner for name, inner in value.items()})
        elif shown_key(key) != key:
            table, _, name = key.partition("_")
            raise SettingsError(f"{place}: {key} is not a setting", f"write {name} in [{table}]")
        else:
            flat[key] = value
    return flat


def closest(word: str, known: Iterable[str]) -> str | None:
    """A question for people that names the one of ``known`` which is most like ``word``."""
    matches = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {matches[0]}?" if matches else None


def parse_toml(data: bytes, path: Path) -> dict[str, Any]:
    """The content of a settings file.

    Raises:
        SettingsError: it is not UTF-8, no TOML, or nested without end.
    """
    try:
        return tomllib.loads(data.decode("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}", "correct that line") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text", "save it as UTF-8") from error
    except RecursionError as error:
        raise SettingsError(f"{path} is nested too deeply", "settings are flat") from error


def read_regular(path: Path) -> tuple[bytes, os.stat_result]:
    """The bytes of a file, and what it was when they were read.

    Raises:
        OSError: it is not there or cannot be read.
        SettingsError: it is a pipe, a device or far too large.
    """
    # A pipe or a device would hang us, and a project chooses what lies there.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise SettingsError(f"{path} is not a regular file", "put a TOML file there")
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            data = stream.read(_LARGEST_FILE + 1)
    finally:
        os.close(descriptor)
    if len(data) > _LARGEST_FILE:
        raise SettingsError(f"{path} is larger than 4 MiB", "a settings file is a page of text")
    return data, found


def _read_toml(path: Path) -> dict[str, Any] | None:
    """The file's content, or None if there is no such file."""
    try:
        data, _ = read_regular(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read: {error.strerror}", "check its permissions"
        ) from error
    return parse_toml(data, path)
