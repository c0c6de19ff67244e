"""Picks the backend for a label, or refuses; a refusal is never turned into a detour."""

from __future__ import annotations

from hybridgen.domain import Label, Route
from hybridgen.errors import PolicyRefusal, SettingsError

# The strictest label that each backend may read.
CLEARANCE = {"local": Label.CONFIDENTIAL, "gemini": Label.PUBLIC}


def choose_route(label: Label, backend: str) -> Route:
    """Return the route to ``backend`` for text labelled ``label``.

    Raises:
        SettingsError: there is no backend of that name.
        PolicyRefusal: the backend is not cleared for the label.
    """
    if backend not in CLEARANCE:
        raise SettingsError(
            f"backend {backend!r} is not known: it can be {' or '.join(CLEARANCE)}",
            "set it in the configuration file or with --backend local",
        )
    clearance = CLEARANCE[backend]
    name = label.name.lower()
    if label > clearance:
        raise PolicyRefusal(
            f"backend {backend!r} may read {clearance.name.lower()} code only, and this code is "
            f"{name}: nothing marks it as less, so it stays on this machine",
            "let the model on this machine write the tests: hybridgen generate PATH "
            "--backend local",
        )
    if backend == "local":
        return Route("local", f"{name} code is read by the model on this machine only")
    return Route(backend, f"{name} code may be read by {backend}, as the settings ask")
