"""Gemini and the server in the building: set up or why not, and whether they can be reached."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hybridgen.domain import Destination
from hybridgen.domain.health import Finding, State
from hybridgen.errors import RemoteError
from hybridgen.lockdown import probe
from hybridgen.pipeline.remotes import is_begun, is_shut, possible, remotes_from
from hybridgen.route import NAMES
from hybridgen.settings import Settings

if TYPE_CHECKING:
    from hybridgen.courier import Courier

KeyOf = Callable[[str], str | None]

_BACKENDS: Final = ("gemini", "onprem")
_PATIENCE: Final = 15.0
_MOST_NAMED: Final = 5
_LONGEST_NAME: Final = 80

_GET_KEY: Final = "export GEMINI_API_KEY=..., or: keyring set hybridgen gemini"
_INSTALL: Final = "pip install 'hybridgen[gemini]'"
_LOCKS: Final = "run it where the kernel has these locks: docs/sandbox.md says what that takes"
_CANNOT_BE_ASKED: Final = (
    "cannot be asked without sending a prompt: the first one of a run shows whether it is there"
)


@dataclass(frozen=True, slots=True)
class WayOut:
    """What can be asked besides this machine.

    Attributes:
        courier: started before this process took its locks, and told of the destinations; None
            where there is nobody to ask.
    """

    courier: Courier | None
    destinations: tuple[Destination, ...]


def check_remotes(settings: Settings, key_of: KeyOf, user_file: Path) -> Iterator[Finding]:
    """What is set up besides this machine, and what is missing.

    Args:
        key_of: gives the place of a backend's key, for people, or None; asked for what is
            :func:`begun` only, since a keyring may want to be unlocked.
        user_file: the user's own settings file.
    """
    if settings.offline:
        text = f"offline = true ({settings.source_of('offline')}): nothing leaves this machine"
        yield Finding("remote", State.OK, text)
        return
    if settings.backend == "local":
        said_by = settings.source_of("backend")
        text = f"backend = local ({said_by}): nothing leaves this machine"
        yield Finding("remote", State.OK, text)
        return
    if not begun(settings):
        text = "none is set up: nothing can leave this machine"
        yield Finding("remote", State.OK, text)
        return
    for backend in _BACKENDS:
        yield _remote(settings, backend, key_of, user_file)


def begun(settings: Settings) -> tuple[str, ...]:
    """The backends that somebody set something for, or asked for by name, and that may be used."""
    if settings.offline or settings.backend == "local":
        return ()
    return tuple(backend for backend in _BACKENDS if _is_begun(settings, backend))


def destinations(settings: Settings, *, has_key: bool) -> tuple[Destination, ...]:
    """What a run could ask besides this machine.

    Args:
        has_key: whether there is a key for Gemini.
    """
    if settings.backend == "local":
        return ()
    remotes = possible(remotes_from(settings, has_key=has_key))
    return tuple(one for one in (remotes.gemini, remotes.onprem) if one is not None)


def check_reach(way_out: WayOut) -> Iterator[Finding]:
    """Asks each destination through the courier what it serves, and ends it; no text is sent."""
    if way_out.courier is None:
        yield Finding("reach", State.SKIPPED, "there is nobody that a run could ask")
        return
    with way_out.courier as courier:
        for destination in way_out.destinations:
            yield _reached(courier, destination)


def not_tried(settings: Settings, is_online: bool) -> Finding | None:
    """Why nobody is asked, if so."""
    if not is_online:
        return Finding("reach", State.SKIPPED, "not tried; to try it: hybridgen doctor --online")
    if settings.offline:
        text = f"not tried: offline = true ({settings.source_of('offline')})"
        return Finding("reach", State.SKIPPED, text)
    return None


def _reached(courier: Courier, destination: Destination) -> Finding:
    where = f"{NAMES[destination.backend]} at {destination.url}"
    facts = {"url": destination.url, "model": destination.model}
    if destination.terms == "vertex":
        return Finding("reach", State.SKIPPED, f"{where} {_CANNOT_BE_ASKED}", facts=facts)
    try:
        models = courier.check(destination, deadline=time.monotonic() + _PATIENCE)
    except RemoteError as error:
        tried = f"tried: what models are there, within {_PATIENCE:.0f} s"
        return Finding("reach", State.WRONG, error.message, error.hint, (tried,), facts)
    if models and destination.model not in models:
        others = ", ".join(name[:_LONGEST_NAME] for name in models[:_MOST_NAMED])
        text = f"{where} answers, but serves {others} and not {destination.model}"
        fix = f"name one of them: {destination.backend}.model"
        return Finding("reach", State.WRONG, text, fix, facts=facts)
    return Finding("reach", State.OK, f"{where} answers, model {destination.model}", facts=facts)


def _is_begun(settings: Settings, backend: str) -> bool:
    """Whether anybody set something for it, or asked for it by name."""
    return settings.backend == backend or is_begun(settings, backend)


@dataclass(frozen=True, slots=True)
class _Missing:
    """What keeps a backend from being asked."""

    why: str
    fix: str


def _remote(settings: Settings, backend: str, key_of: KeyOf, user_file: Path) -> Finding:
    name = NAMES[backend]
    missing = _missing(settings, backend, key_of, user_file)
    if missing is None:
        return _ready(settings, backend, key_of(backend))
    if settings.backend == backend:  # asked for by name: every run refuses
        text = f"{name} is asked for (backend = {backend}): {missing.why}"
        return Finding("remote", State.WRONG, text, missing.fix)
    if not _is_begun(settings, backend) or is_shut(settings, backend):
        return Finding("remote", State.OK, f"{name} is not set up: {missing.why}")
    text = f"{name} is not asked: {missing.why}"
    return Finding("remote", State.WARNING, text, missing.fix)


def _missing(settings: Settings, backend: str, key_of: KeyOf, user_file: Path) -> _Missing | None:
    in_file = f"set it in {user_file}; see docs/settings.md, and: hybridgen config show"
    said = remotes_from(settings, has_key=True)
    if backend in said.why_not:
        return _Missing(said.why_not[backend], in_file)
    there = possible(said)
    if backend in there.why_not:
        return _Missing(there.why_not[backend], _INSTALL if probe().is_full else _LOCKS)
    if backend == "gemini" and key_of(backend) is None:
        return _Missing(remotes_from(settings, has_key=False).why_not[backend], _GET_KEY)
    return None


def _ready(settings: Settings, backend: str, key: str | None) -> Finding:
    destination = remotes_from(settings, has_key=True).destination(backend)
    assert destination is not None
    certificates = settings.gemini_ca if backend == "gemini" else settings.onprem_ca
    facts = {
        "backend": backend,
        "url": destination.url,
        "model": destination.model,
        "sdk": destination.sdk,
        "terms": destination.terms,
        "key": key,
    }
    if certificates is not None and not os.access(certificates, os.R_OK):
        text = f"{NAMES[backend]}: {backend}.ca = {certificates} cannot be read; every run stops"
        fix = f"name a PEM file with certificates: {backend}.ca"
        return Finding("remote", State.WRONG, text, fix, facts=facts)
    text = (
        f"{NAMES[backend]}: {destination.model} at {destination.url}, terms {destination.terms}, "
        f"by {destination.sdk}, key {f'from {key}' if key else 'not set'}"
    )
    return Finding("remote", State.OK, text, facts=facts)
