"""Reads all places and merges what they say."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from hybridgen.settings.check import checked
from hybridgen.settings.fields import LEVELS, MARKS, USUAL_HEADERS, Settings
from hybridgen.settings.found import Found
from hybridgen.settings.layers import (
    Layer,
    config_layer,
    environment_layer,
    project_layer,
    user_layer,
)
from hybridgen.settings.organisation import (
    hold_to_ceiling,
    organisation_file,
    read_organisation,
)

_ADDED: Final = (*MARKS, "labels_headers")
"""Settings to which each place adds."""


def load_settings(
    project: Path | None,
    flags: Mapping[str, object],
    config: str | None = None,
    environment: Mapping[str, str] = os.environ,
    organisation: Path | None = None,
) -> Settings:
    """Read all places, check every value, and keep where each came from.

    Args:
        project: the project's root folder, or None if no project is concerned.
        flags: values from the command line, by field; None means not given.
        config: what ``--config`` was given: a path, or a name from ``configs/``.
        environment: variables to look at.
        organisation: the organisation's file, for tests; None is the one of this machine.

    Raises:
        SettingsError: a key, value or file that cannot be right, naming place and key.
        PolicyRefusal: what the organisation does not allow.
    """
    company, ceiling = read_organisation(organisation or organisation_file())
    given = [
        Layer("command line", {k: v for k, v in flags.items() if v is not None}, Path.cwd()),
        environment_layer(environment),
        config_layer(config, environment, project),
        project_layer(project),
        user_layer(project),
        company,
    ]
    found: dict[str, list[Found]] = {}
    for layer in [layer for layer in given if layer is not None]:
        for key, value in layer.values.items():
            found.setdefault(key, []).append(_found(layer, key, value))
    hold_to_ceiling(found, ceiling)
    values = {key: _merged(key, places) for key, places in found.items()}
    settings = Settings.model_validate(values)
    settings._sources.update({key: _source(key, places) for key, places in found.items()})
    settings._found.update({key: tuple(places) for key, places in found.items()})
    settings._ceiling = ceiling
    return settings


def tightening_labels(folder: Path) -> dict[str, Found]:
    """What a settings file in ``folder`` says that makes labels of files stricter, by field.

    Raises:
        SettingsError: the file cannot be read, or says it in a way that cannot be right.
    """
    layer = project_layer(folder)
    values = {} if layer is None else layer.values
    return {
        key: _found(layer, key, values[key])
        for key in ("labels_internal", "labels_confidential", "labels_headers")
        if layer is not None and key in values
    }


def _found(layer: Layer, key: str, value: object) -> Found:
    result = checked(layer, key, value)
    return Found(result, layer.source_of(key), layer.is_project, layer.is_organisation)


def _counting(key: str, places: Sequence[Found]) -> Sequence[Found]:
    """The places that the value comes from, the strongest first."""
    if key == "security_minimum_level":
        return [max(places, key=lambda place: LEVELS.index(str(place.value)))]
    return places if key in _ADDED else places[:1]


def _merged(key: str, places: Sequence[Found]) -> object:
    """The value that holds: the strongest place's, except for what adds up."""
    if key not in _ADDED:
        return _counting(key, places)[0].value
    # The weakest place first, as lines are added to a file.
    texts = [text for place in reversed(places) for text in place.texts]
    is_users = any(not place.is_project and not place.is_organisation for place in places)
    if key == "labels_headers" and not is_users:
        texts = [*USUAL_HEADERS, *texts]
    return tuple(dict.fromkeys(texts))


def _source(key: str, places: Sequence[Found]) -> str:
    return " + ".join(dict.fromkeys(place.place for place in _counting(key, places)))
