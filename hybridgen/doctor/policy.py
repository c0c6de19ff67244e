"""The settings and the organisation's file: can they be read, and what do they forbid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hybridgen.domain.health import Finding, State
from hybridgen.settings import Settings


def check_settings(settings: Settings, user_file: Path) -> Iterator[Finding]:
    """Where the settings of user and organisation come from; a project's are not read."""
    keys = type(settings).model_fields
    count = sum(bool(settings.found(key)) for key in keys)
    missing = "" if user_file.exists() else " (not there yet)"
    text = f"{count} of {len(keys)} are set; your own file: {user_file}{missing}"
    yield Finding("settings", State.OK, text, facts={"user_file": str(user_file), "set": count})


def check_organisation(settings: Settings, place: Path) -> Iterator[Finding]:
    """Whether the organisation has a file on this machine, and its ceiling in a line."""
    ceiling = settings.ceiling
    if ceiling.file is None:
        text = f"{place}: no file, so nothing is forbidden for this machine"
        yield Finding("organisation", State.OK, text, facts={"file": None})
        return
    limits = [
        f"{name} = {', '.join(value) or 'none' if isinstance(value, list) else str(value).lower()}"
        for name, value in ceiling.limits().items()
    ]
    text = f"{ceiling.file}: {'; '.join(limits) or 'it forbids nothing'}"
    yield Finding("organisation", State.OK, text, facts={"file": str(ceiling.file)})
