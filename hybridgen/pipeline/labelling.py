"""Puts together what decides labels: settings, trust, and the label room."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hybridgen.domain import Label
from hybridgen.errors import PolicyRefusal, SettingsError, SourceError
from hybridgen.label import FactCache, Labeller, Mark, Rules, Said, TrustStore, check_marks
from hybridgen.reading import read_once
from hybridgen.settings import Settings, enclosing_folders, tightening_labels


def make_labeller(root: Path, settings: Settings, state: Path) -> Labeller:
    """The labeller of one project.

    Args:
        root: the project's folder.
        settings: those that hold for the project, or for one that holds it.
        state: the user's state folder of hybridgen.

    Raises:
        SettingsError: a mark is no pattern.
        PolicyRefusal: what the user trusted cannot be known.
    """
    real = root.resolve()
    _check_state(state, real)
    cache = FactCache(state / "labels")
    outermost = next(reversed(enclosing_folders(real)), real)
    rules = rules_of(real, settings)
    return Labeller(real, rules, trust_store(state).of(real), cache, outermost, _said_below)


def _check_state(state: Path, root: Path) -> None:
    """A variable may lead to a folder of the project, where the code brought its own trust.

    Raises:
        PolicyRefusal: the state folder is in the project or in one around it.
    """
    places = (state.absolute(), state.resolve())
    for folder in (root, *enclosing_folders(root)):
        if any(place.is_relative_to(folder) for place in places):
            raise PolicyRefusal(
                f"the folder of what you trust, {state}, is in the project {folder}: what is "
                "there may have come with the code",
                "set XDG_STATE_HOME to a folder outside of it, or unset it",
            )


def trust_store(state: Path) -> TrustStore:
    """What the user trusts, as it is kept in the state folder."""
    return TrustStore(state / "trust")


def rules_of(root: Path, settings: Settings) -> Rules:
    """The marks of all places that settings come from, and what the organisation allows.

    Args:
        root: the project's real root. The project chooses it, so marks of others are read from
            the folders above it as well.
        settings: those that hold for the project.
    """
    folders = (root, *enclosing_folders(root))
    prefixes = tuple(_prefix(root, folder) for folder in folders)
    marks = [
        Mark(pattern, label, found.place, found.is_project, ("",) if found.is_project else prefixes)
        for label in Label
        for found in settings.found(f"labels_{label.name.lower()}")
        for pattern in found.texts
    ]
    ceiling = settings.ceiling
    place = "" if ceiling.file is None else str(ceiling.file)
    rules = Rules(tuple(marks), settings.labels_headers, ceiling.loosest, place)
    return _with_outer(rules, root, folders)


def _with_outer(rules: Rules, root: Path, folders: Sequence[Path]) -> Rules:
    """The rules with what settings files of these folders have against loose labels.

    That of the root itself is among them: ``settings`` may be those of a project around it.
    """
    outer: list[Mark] = []
    headers = list(rules.headers)
    for folder in folders:
        said = _said_in(folder, _prefix(root, folder))
        outer += said.marks
        headers += said.headers
    return replace(rules, headers=tuple(dict.fromkeys(headers)), outer=tuple(outer))


def _said_below(folder: Path) -> Said:
    """What the settings file of a folder below the root has against loose labels.

    A ``pyproject.toml`` without our name is not parsed: it may be anybody's, or a template.
    """
    shared = folder / "pyproject.toml"
    if not os.path.lexists(folder / "hybridgen.toml"):
        if not os.path.lexists(shared):
            return Said()
        with suppress(SourceError):  # what is wrong with it is said below
            if b"hybridgen" not in read_once(shared, folder, shared.name)[1]:
                return Said()
    return _said_in(folder, "")


def _said_in(folder: Path, prefix: str) -> Said:
    """What a settings file in ``folder`` has against loose labels."""
    try:
        found = tightening_labels(folder)
        marks = tuple(
            Mark(pattern, label, said.place, needs_trust=True, prefixes=(prefix,))
            for label in (Label.INTERNAL, Label.CONFIDENTIAL)
            if (said := found.get(f"labels_{label.name.lower()}")) is not None
            for pattern in said.texts
        )
        check_marks(marks)
    except SettingsError as error:
        place = f"{folder}, because its settings file is not understood: {error.message}"
        return Said((Mark("**", Label.CONFIDENTIAL, place, needs_trust=True),))
    headers = found["labels_headers"].texts if "labels_headers" in found else ()
    return Said(marks, headers)


def _prefix(root: Path, folder: Path) -> str:
    """What makes a path relative to ``root`` one relative to ``folder``."""
    return "" if folder == root else root.relative_to(folder).as_posix() + "/"
