"""Every setting, and the only place that knows where a value may come from.

Strongest first::

    command line
    environment    HYBRIDGEN_<KEY>
    config file    --config FILE|NAME, else HYBRIDGEN_CONFIG: what the user picked for this run
    project file   hybridgen.toml, else [tool.hybridgen] of pyproject.toml, in the project's root
    user file      config.toml in the user's configuration folder
    default

A project's file comes with the code, so it may have been written by anybody: what it may set
is an allow-list (:data:`PROJECT_KEYS`), and all else in it is an error. The other places belong
to the user and may set everything. Each value keeps its source (:meth:`Settings.source_of`).

pydantic-settings could merge these places by itself, but not say afterwards which of them a
value came from, nor hold one of them to an allow-list: :func:`load_settings` does both, and
:class:`Settings` checks each value.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

import platformdirs
from pydantic import Field, PrivateAttr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from hybridgen.errors import SettingsError
from hybridgen.resources import resource_folder

PREFIX: Final = "HYBRIDGEN_"

# Environment variables with our prefix that are no settings.
OTHER_VARIABLES: Final[Mapping[str, str]] = {
    "HYBRIDGEN_CONFIG": "a settings file or the name of a ready-made one, as `--config`",
    "HYBRIDGEN_HUB_ENDPOINT": "address of the model hub, for a mirror in the building",
    "HYBRIDGEN_TRACEBACK": "`1` prints the traceback of an internal error, project text included",
}

_ROOT_MARKS: Final = ("hybridgen.toml", "pyproject.toml", "setup.cfg", "setup.py", ".git")

LONGEST_PROJECT_BUDGET: Final = 120.0

# What a project's own file may set, and how far. Everything else is an error there.
PROJECT_KEYS: Final[Mapping[str, str]] = {
    "offline": "`true` only",
    "budget": "at most 120",
    "tests": "a relative path that stays inside the project",
    "seed": "",
    "temperature": "",
    "line_length": "",
    "suspects": "`report` or `xfail`",
    "cache": "`false` only",
}

# Long enough for any key in use, with letters and digits mixed: never echoed.
_SECRET_LOOK: Final = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9])[\w.+/=:-]{20,}")
_LONGEST_SHOWN: Final = 60

_SEE_ALL: Final = "see `hybridgen config show` for all settings"


class Settings(BaseSettings):
    """All settings of one run; frozen. Built by :func:`load_settings`."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=()
    )

    backend: Literal["local", "gemini"] = Field(
        "local", description="Where prompts go; `local` is a model on this machine."
    )
    model: str | None = Field(
        None,
        min_length=1,
        description="Name of a manifest, or path of a `.gguf` file; unset: the best installed.",
    )
    model_folder: Path | None = Field(
        None, description="Where models are kept; unset: one in the user's cache folder."
    )
    offline: bool = Field(False, description="Never touch the network, in any command.")
    budget: float = Field(
        LONGEST_PROJECT_BUDGET,
        gt=0,
        description="Wall seconds for one module, loading the model included.",
    )
    tests: str | None = Field(
        None,
        min_length=1,
        description="The tests folder, relative to the project's root; unset: found by looking.",
    )
    python: str | None = Field(
        None,
        min_length=1,
        description="The interpreter that runs the project's code; unset: found by looking.",
    )
    # llama.cpp takes 2**32 - 1 as "pick one at random".
    seed: int = Field(0, ge=0, lt=2**32 - 1, description="Seed of everything drawn at random.")
    temperature: float = Field(0.7, ge=0, le=2, description="How varied the model's answers are.")
    max_tokens: int = Field(320, ge=16, le=8192, description="Cap on the tokens of one answer.")
    context_tokens: int = Field(
        4096, ge=512, le=262_144, description="Tokens that the model holds at once."
    )
    threads: int | None = Field(
        None, ge=1, le=1024, description="Threads of the model; unset: the cores we may use."
    )
    sandbox: Literal["required", "off"] = Field(
        "required",
        description="`required` runs code only in a locked process; `off` runs it unprotected.",
    )
    memory_limit_mb: int = Field(2048, ge=64, description="Memory for the code under test, in MiB.")
    call_timeout: float = Field(2.0, gt=0, description="Seconds for one candidate test.")
    line_length: int = Field(88, ge=40, le=320, description="Line length of written tests.")
    suspects: Literal["report", "xfail", "drop"] = Field(
        "report",
        description="What becomes of likely bugs: `report` says them, `xfail` writes tests too, "
        "`drop` leaves them out.",
    )
    cache: bool = Field(
        True, description="Keep a model's answers, so that the same question is asked once."
    )
    log_file: Path | None = Field(
        None, description="Where the engine's log goes; unset: the user's state folder."
    )

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take given values only: `load_settings` reads the places (see the module's text)."""
        return (init_settings,)

    def source_of(self, key: str) -> str:
        """Where the value of ``key`` came from, for people.

        Raises:
            KeyError: there is no such setting.
        """
        if key not in type(self).model_fields:
            raise KeyError(key)
        return self._sources.get(key, "default")


@dataclass(frozen=True, slots=True)
class _Layer:
    """The values found in one place.

    Attributes:
        place: what the place is called, for people.
        folder: what relative paths in it are relative to.
        is_project: True for a file that came with the code.
        variables: the environment variable of each key, where it is one.
    """

    place: str
    values: Mapping[str, object]
    folder: Path
    is_project: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)

    def source_of(self, key: str) -> str:
        return f"environment {self.variables[key]}" if key in self.variables else self.place


def user_file() -> Path:
    """The user's own settings file; it need not exist."""
    return Path(platformdirs.user_config_dir("hybridgen")) / "config.toml"


def ready_made_names() -> list[str]:
    """The names that ``--config`` takes: files in ``configs/``, without suffix."""
    return sorted(path.stem for path in resource_folder("configs").glob("*.toml"))


def project_folder(path: Path) -> Path | None:
    """The root of the project that ``path`` is in: where its settings file may lie, or None."""
    start = path.absolute()
    for folder in (start, *start.parents):
        if any((folder / name).exists() for name in _ROOT_MARKS):
            return folder
    return None


def load_settings(
    project: Path | None,
    flags: Mapping[str, object],
    config: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Read all places, check every value, and keep where each came from.

    Args:
        project: the project's root folder, or None if no project is concerned.
        flags: values from the command line; None means not given.
        config: what ``--config`` was given: a path, or a name from ``configs/``.
        environment: variables to look at.

    Raises:
        SettingsError: a key, value or file that cannot be right, naming place and key.
    """
    layers = [
        _Layer("command line", {k: v for k, v in flags.items() if v is not None}, Path.cwd()),
        _environment_layer(environment),
        _config_layer(config, environment),
        _project_layer(project),
        _file_layer("user file", user_file()),
    ]
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    for layer in reversed([layer for layer in layers if layer is not None]):
        for key, value in layer.values.items():
            values[key] = _checked(layer, key, value)
            sources[key] = layer.source_of(key)
    settings = Settings.model_validate(values)
    settings._sources.update(sources)
    return settings


def _environment_layer(environment: Mapping[str, str]) -> _Layer:
    """The HYBRIDGEN_* variables; an empty one counts as not set."""
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
                _closest(name.upper(), known) or f"unset it, or {_SEE_ALL}",
            )
    values = {key: environment[name] for key, name in variables.items()}
    return _Layer("environment", values, Path.cwd(), variables=variables)


def _config_layer(config: str | None, environment: Mapping[str, str]) -> _Layer | None:
    """The file that the user picked for this run, if any."""
    said_by = "--config" if config else "HYBRIDGEN_CONFIG"
    config = config or environment.get("HYBRIDGEN_CONFIG")
    if not config:
        return None
    if config in ready_made_names():
        return _file_layer("config file", resource_folder("configs") / f"{config}.toml")
    layer = _file_layer("config file", Path(config).expanduser().absolute())
    if layer is None:
        names = ready_made_names()
        raise SettingsError(
            f"{said_by}: {config} is neither a file nor a ready-made configuration",
            _closest(config, names) or f"ready-made are: {', '.join(names)}",
        )
    return layer


def _project_layer(project: Path | None) -> _Layer | None:
    """The project's own file: ``hybridgen.toml``, else a table in ``pyproject.toml``."""
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
    if values is not None:
        return _Layer(f"project file {own}", values, project, is_project=True)
    if table is not None:
        return _Layer(f"project file {shared}", table, project, is_project=True)
    return None


def _file_layer(kind: str, path: Path) -> _Layer | None:
    values = _read_toml(path)
    return None if values is None else _Layer(f"{kind} {path}", values, path.parent)


def _read_toml(path: Path) -> dict[str, Any] | None:
    """The file's content, or None if there is no such file."""
    try:
        # A pipe or a device would hang us, and a project chooses what lies there.
        if not stat.S_ISREG(path.stat().st_mode):
            raise SettingsError(f"{path} is not a regular file", "put a TOML file there")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}", "correct that line") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text", "save it as UTF-8") from error
    except RecursionError as error:
        raise SettingsError(f"{path} is nested too deeply", "settings are flat") from error
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read: {error.strerror}", "check its permissions"
        ) from error


def _checked(layer: _Layer, key: str, value: object) -> object:
    """``value`` as the field's type, or a SettingsError that names the place."""
    where = layer.source_of(key)
    info = Settings.model_fields.get(key)
    if info is None:
        raise SettingsError(
            f"{where}: {key} is not a setting", _closest(key, Settings.model_fields) or _SEE_ALL
        )
    if layer.is_project and key not in PROJECT_KEYS:
        raise SettingsError(f"{where}: {key} cannot be set by a project's file", _user_places(key))
    kinds = get_args(info.annotation) or (info.annotation,)
    is_loose = isinstance(value, bool) and bool not in kinds
    # Text for a number or a truth value is what the environment has; in a file it is a slip.
    if isinstance(value, str) and not layer.variables:
        is_loose = not any(kind in (str, Path) or isinstance(kind, str) for kind in kinds)
    try:
        if is_loose:
            raise SettingsError(
                f"{where}: {key} = {_shown(value)} is of the wrong type",
                f"the default is {info.default!r}",
            )
        result = getattr(Settings.model_validate({key: _resolved(layer, key, value)}), key)
    except ValidationError as error:
        text = error.errors(include_input=False, include_url=False)[0]["msg"]
        raise SettingsError(
            f"{where}: {key} = {_shown(value)} cannot be right: {text[0].lower()}{text[1:]}",
            f"the default is {info.default!r}",
        ) from None
    if layer.is_project:
        _check_project_value(layer, key, result)
    return result


def _check_project_value(layer: _Layer, key: str, value: object) -> None:
    """Hold a value from a project's file to what PROJECT_KEYS promises."""
    if key == "offline":
        is_allowed = value is True
    elif key == "budget":
        is_allowed = isinstance(value, float) and value <= LONGEST_PROJECT_BUDGET
    elif key == "suspects":
        # Whoever wrote the code may not hide from its user what looks wrong with it.
        is_allowed = value != "drop"
    elif key == "cache":
        is_allowed = value is False
    elif key == "tests":
        root = layer.folder.resolve()
        is_relative = not Path(str(value)).is_absolute() and ".." not in Path(str(value)).parts
        is_allowed = is_relative and (root / str(value)).resolve().is_relative_to(root)
    else:
        is_allowed = True
    if not is_allowed:
        raise SettingsError(
            f"{layer.source_of(key)}: {key} = {_shown(value)} cannot be set by a project's file"
            f" (allowed there: {PROJECT_KEYS[key].replace('`', '')})",
            _user_places(key),
        )


def _user_places(key: str) -> str:
    return f"remove it there; set it in {user_file()}, by {PREFIX}{key.upper()}, or with --config"


def _resolved(layer: _Layer, key: str, value: object) -> object:
    """Make paths absolute: a path in a file is relative to that file."""
    if key not in ("model", "model_folder", "python", "log_file"):
        return value
    if not isinstance(value, str | Path) or not str(value):
        return value
    text = str(value)
    # A bare word is the name of a manifest or of a program, not a path.
    is_name = key in ("model", "python") and "/" not in text and not text.endswith(".gguf")
    return text if is_name else str(layer.folder / Path(text).expanduser())


def _shown(value: object) -> str:
    """``value`` for a message: short, and hidden if it might be a secret."""
    if isinstance(value, str) and (len(value) > _LONGEST_SHOWN or _SECRET_LOOK.fullmatch(value)):
        return f"(a text of {len(value)} characters)"
    if isinstance(value, dict | list):
        return "(a table)" if isinstance(value, dict) else "(a list)"
    return repr(value)


def _closest(word: str, known: Mapping[str, object] | list[str]) -> str | None:
    matches = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {matches[0]}?" if matches else None
