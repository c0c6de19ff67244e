"""Puts together what decides labels: settings, trust, and the label room."""

from __future__ import annotations

from pathlib import Path

from hybridgen.domain import Label
from hybridgen.label import FactCache, Labeller, Mark, Rules, TrustStore
from hybridgen.settings import Settings


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
    return Labeller(real, rules_of(settings), trust_store(state).of(real), cache)


def trust_store(state: Path) -> TrustStore:
    """What the user trusts, as it is kept in the state folder."""
    return TrustStore(state / "trust")


def rules_of(settings: Settings) -> Rules:
    """The marks of all places that settings come from, and what the organisation allows."""
    marks = [
        Mark(pattern, label, found.place, needs_trust=found.is_project)
        for label in Label
        for found in settings.found(f"labels_{label.name.lower()}")
        for pattern in found.texts
    ]
    ceiling = settings.ceiling
    place = "" if ceiling.file is None else str(ceiling.file)
    return Rules(tuple(marks), tuple(settings.labels_headers), ceiling.loosest, place)
