"""Picks the backend for a label, or refuses; a refusal is never turned into a detour.

From the outermost to this machine: ``gemini``, ``onprem``, ``local``. A backend that fails hands
on to the next one *towards the machine*, never back out.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from hybridgen.domain import Label, Route
from hybridgen.domain.egress import Destination
from hybridgen.errors import PolicyRefusal, SettingsError

CLEARANCE: Final[Mapping[str, Label]] = MappingProxyType(
    {"gemini": Label.PUBLIC, "onprem": Label.INTERNAL, "local": Label.CONFIDENTIAL}
)
"""The strictest label that each backend may read, the outermost backend first."""

CHOICES: Final = ("auto", *CLEARANCE)

NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "gemini": "Google Gemini",
        "onprem": "the server in the building",
        "local": "the model on this machine",
    }
)
"""What people call each backend."""


@dataclass(frozen=True, slots=True)
class Remotes:
    """What may be asked besides this machine, as the user and the organisation set it up.

    Attributes:
        gemini: where Gemini is, or None where it is not set up.
        onprem: where the server in the building is, or None where there is none.
        offline: nothing touches the network: neither of the two exists.
        offline_place: who says so, for people.
        why_not: by name of a backend that does not exist, what it lacks, and where to set it.
    """

    gemini: Destination | None = None
    onprem: Destination | None = None
    offline: bool = False
    offline_place: str = ""
    why_not: Mapping[str, str] = field(default_factory=dict)

    def destination(self, backend: str) -> Destination | None:
        """Where ``backend`` sends to; None for this machine and for what is not set up."""
        if self.offline:
            return None
        return {"gemini": self.gemini, "onprem": self.onprem}.get(backend)


NO_REMOTES: Final = Remotes()


def steps(label: Label, backend: str, remotes: Remotes) -> tuple[str, ...]:
    """The backends that may read ``label``, the first to ask first, always towards this machine.

    Raises:
        SettingsError, PolicyRefusal: as :func:`plan_route`.
    """
    first = plan_route(label, backend, remotes).backend
    outward_to_inward = list(CLEARANCE)
    inward = outward_to_inward[outward_to_inward.index(first) :]
    return tuple(name for name in inward if _can_read(name, label, remotes))


def plan_route(label: Label, backend: str, remotes: Remotes, path: str | None = None) -> Route:
    """The backend that is asked first for text labelled ``label``, and why.

    Args:
        backend: what the settings ask for: ``auto`` or the name of one.
        path: of the file, as the user would name it, for the next command.

    Raises:
        SettingsError: there is no such backend, or it is asked for and not set up.
        PolicyRefusal: it is asked for and may not read the label.
    """
    if backend not in CHOICES:
        raise SettingsError(
            f"backend {backend!r} is not known: it can be {', '.join(CHOICES)}",
            "set it in the configuration file or with --backend local",
        )
    if backend == "auto":
        return _outermost(label, remotes)
    name = label.name.lower()
    if backend == "local":
        return Route("local", f"{name} code stays on this machine, as the settings ask")
    _check_asked_for(label, backend, remotes, path)
    return Route(backend, f"{name} code may be read by {NAMES[backend]}, as the settings ask")


def _outermost(label: Label, remotes: Remotes) -> Route:
    allowed = [backend for backend, clearance in CLEARANCE.items() if label <= clearance]
    first = next(backend for backend in allowed if _can_read(backend, label, remotes))
    # Whoever marked a file wants to know why it goes less far than its label lets it.
    missing = [_reason(backend, remotes) for backend in allowed[: allowed.index(first)]]
    only = " only" if allowed == ["local"] else ""
    why = f"{label.name.lower()} code may be read by {NAMES[first]}{only}"
    return Route(first, "; ".join([why, *missing]))


def _can_read(backend: str, label: Label, remotes: Remotes) -> bool:
    if backend == "local":
        return True
    destination = remotes.destination(backend)
    # The stricter of our own table and what the destination was set up with.
    return destination is not None and label <= min(CLEARANCE[backend], destination.clearance)


def _check_asked_for(label: Label, backend: str, remotes: Remotes, path: str | None) -> None:
    if remotes.offline:
        place = f" ({remotes.offline_place})" if remotes.offline_place else ""
        raise SettingsError(
            f"backend = {backend!r} and offline = true{place} contradict each other: offline, "
            "nothing is sent anywhere",
            "leave out one of the two, or say --backend local",
        )
    clearance = CLEARANCE[backend]
    if label > clearance:
        raise PolicyRefusal(
            f"backend {backend!r} may read {_up_to(clearance)} code only, and this code is "
            f"{label.name.lower()}: it stays on this machine, and nothing was sent",
            _on_this_machine(path),
        )
    if not _can_read(backend, label, remotes):
        raise SettingsError(
            f"backend = {backend!r} is asked for, but {_reason(backend, remotes)}",
            "set it up (hybridgen config show lists all settings), or say --backend auto",
        )


def _on_this_machine(path: str | None) -> str:
    """The next command for what stays here."""
    if path is None:
        return (
            "see why: hybridgen explain; let the model on this machine do it: run the same command "
            "with --backend local"
        )
    name = shlex.quote(path)
    return (
        f"see why: hybridgen explain {name}; let the model on this machine write the tests: "
        f"hybridgen generate {name} --backend local"
    )


def _reason(backend: str, remotes: Remotes) -> str:
    if remotes.offline:
        return f"{NAMES[backend]} is not asked: offline"
    why = f": {remotes.why_not[backend]}" if backend in remotes.why_not else ""
    return f"{NAMES[backend]} is not set up{why}"


def _up_to(label: Label) -> str:
    return "public" if label is Label.PUBLIC else f"public and {label.name.lower()}"
