"""Puts together what decides labels: settings, trust, and the label room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hybridgen.domain import Label
from hybridgen.errors import SettingsError
from hybridgen.label import FactCache, Labeller, Mark, Rules, TrustStore, check_marks
from hybridgen.settings import Settings, enclosing_folders, tightening_labels


def make_labeller(root: Path, settings: Settings, state: Path) -> Labeller:
    """The labeller of one project.

    Args:
        root: the project's folder.
        settings: those that hold for the project.
        state: the user's state folder of hybridgen.

    Raises:
        SettingsError: a mark is no pattern.
        PolicyRefusal: what the user trusted cannot be known.
    """
    real = root.resolve()
    cache = FactCache(state / "labels")
    outermost = next(reversed(enclosing_folders(real)), real)
    rules = rules_of(real, settings)
    return Labeller(real, rules, trust_store(state).of(real), cache, outermost)


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
    folders = enclosing_folders(root)
    prefixes = ("", *(_prefix(root, folder) for folder in folders))
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
    """The rules with what settings files of enclosing folders have against loose labels."""
    outer: list[Mark] = []
    headers = list(rules.headers)
    for folder in folders:
        prefixes = (_prefix(root, folder),)
        try:
            found = tightening_labels(folder)
            marks = [
                Mark(pattern, label, said.place, needs_trust=True, prefixes=prefixes)
                for label in (Label.INTERNAL, Label.CONFIDENTIAL)
                if (said := found.get(f"labels_{label.name.lower()}")) is not None
                for pattern in said.texts
            ]
            check_marks(marks)
        except SettingsError as error:
            place = f"{folder}, because its settings file is not understood: {error.message}"
            outer.append(Mark("**", Label.CONFIDENTIAL, place, needs_trust=True))
            continue
        outer += marks
        if "labels_headers" in found:
            headers += found["labels_headers"].texts
    return replace(rules, headers=tuple(dict.fromkeys(headers)), outer=tuple(outer))


def _prefix(root: Path, folder: Path) -> str:
    """What makes a path relative to ``root`` one relative to ``folder``."""
    return root.relative_to(folder).as_posix() + "/"
