"""Checks one value of one place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from hybridgen.errors import SettingsError
from hybridgen.settings.allowed import PROJECT_KEYS, USER_KEYS, is_allowed_in_project
from hybridgen.settings.fields import TABLES, Settings, in_toml, kinds_of, shown_key
from hybridgen.settings.layers import PREFIX, SEE_ALL, Layer, closest, user_file
from hybridgen.settings.organisation import organisation_file

# Long enough for any key in use, with letters and digits mixed: never echoed.
_SECRET_LOOK: Final = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9])[\w.+/=:-]{20,}")
_LONGEST_SHOWN: Final = 60


def checked(layer: Layer, key: str, value: object) -> object:
    """``value`` as the field's type.

    Raises:
        SettingsError: there is no such setting, the place may not set it, or the value cannot
            be right; place and key are named.
    """
    where, name = layer.source_of(key), shown_key(key)
    info = Settings.model_fields.get(key)
    if info is None:
        if isinstance(value, Mapping):
            hint = closest(f"[{name}]", [f"[{table}]" for table in TABLES]) or SEE_ALL
        else:
            known = [*TABLES, *(shown_key(field) for field in Settings.model_fields)]
            hint = closest(name, known) or SEE_ALL
        if key == "ceiling":
            hint = f"a ceiling can only stand in the organisation's file, {organisation_file()}"
        raise SettingsError(f"{where}: {name} is not a setting", hint)
    if layer.is_project and key not in PROJECT_KEYS:
        raise SettingsError(f"{where}: {name} cannot be set by a project's file", _places(key))
    if layer.variables and key in USER_KEYS:
        raise SettingsError(
            f"{where}: {name} cannot be set by a variable, since the Makefile, .env or CI file of "
            "a repository can set one",
            f"unset it; set {name} in {user_file()}, or in a file for --config that lies in no "
            "project",
        )
    kinds = kinds_of(info.annotation)
    if layer.variables and isinstance(value, str) and tuple in kinds:
        value = [part.strip() for part in value.split(",")]
    try:
        if _is_loose(value, kinds, is_variable=bool(layer.variables)):
            raise SettingsError(
                f"{where}: {name} = {_shown(value)} is of the wrong type",
                f"the default is {in_toml(info.default)}",
            )
        result = getattr(Settings.model_validate({key: _resolved(layer, key, value)}), key)
    except ValidationError as error:
        text = error.errors(include_input=False, include_url=False)[0]["msg"]
        text = text.removeprefix("Value error, ")
        raise SettingsError(
            f"{where}: {name} = {_shown(value)} cannot be right: {text[0].lower()}{text[1:]}",
            f"the default is {in_toml(info.default)}",
        ) from None
    if layer.is_project and not is_allowed_in_project(key, result, layer.folder):
        raise SettingsError(
            f"{where}: {name} = {_shown(result)} cannot be set by a project's file"
            f" (allowed there: {PROJECT_KEYS[key].replace('`', '')})",
            _places(key),
        )
    return result


def _is_loose(value: object, kinds: frozenset[type], *, is_variable: bool) -> bool:
    """Whether pydantic would take a value that is a slip where it stands."""
    if isinstance(value, bool):
        return bool not in kinds
    # Text for a number or a truth value is what the environment has; in a file it is a slip.
    return isinstance(value, str) and not is_variable and not kinds & {str, Path}


def _places(key: str) -> str:
    variable = "" if key in USER_KEYS else f" by {PREFIX}{key.upper()},"
    return (
        f"remove it there; set it in {user_file()},{variable} or in a file for --config that lies "
        "in no project"
    )


def _resolved(layer: Layer, key: str, value: object) -> object:
    """Make paths absolute: a path in a file is relative to that file."""
    is_path = Path in kinds_of(Settings.model_fields[key].annotation)
    if not is_path and key not in ("model", "python"):
        return value
    if not isinstance(value, str | Path) or not str(value):
        return value
    text = str(value)
    # A bare word is the name of a manifest or of a program, not a path.
    is_name = not is_path and "/" not in text and not text.endswith(".gguf")
    return text if is_name else str(layer.folder / Path(text).expanduser())


def _shown(value: object) -> str:
    """``value`` for a message: short, and hidden if it might be a secret."""
    if isinstance(value, str) and (len(value) > _LONGEST_SHOWN or _SECRET_LOOK.fullmatch(value)):
        return f"(a text of {len(value)} characters)"
    if isinstance(value, dict | list | tuple):
        return "(a table)" if isinstance(value, dict) else "(a list)"
    return in_toml(value)
