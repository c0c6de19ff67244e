"""hybridgen itself: its version, the Python and the packages that it runs on."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from typing import Final

from hybridgen import __version__
from hybridgen.domain.health import Finding, State

_SHOWN: Final = ("llama-cpp-python", "huggingface-hub", "pydantic-settings", "pytest")
_SDKS: Final = ("google-genai", "google-generativeai", "keyring")
"""Of the extra ``gemini``: they may be absent."""

_REINSTALL: Final = "install hybridgen again: pip install --upgrade --force-reinstall hybridgen"


def check_version() -> Iterator[Finding]:
    """Version, Python and platform."""
    python, system = platform.python_version(), f"{platform.system()} {platform.release()}"
    text = f"{__version__} on Python {python}, {system}, {platform.machine()}"
    facts = {
        "version": __version__,
        "python": python,
        "executable": sys.executable,
        "system": system,
        "machine": platform.machine(),
    }
    if sys.platform != "linux":
        fix = "run it on Linux: what protects you elsewhere is in docs/sandbox.md"
        yield Finding("hybridgen", State.WARNING, text, fix, facts=facts)
    else:
        yield Finding("hybridgen", State.OK, text, facts=facts)


def check_packages(requirements: Iterable[str] | None = None) -> Iterator[Finding]:
    """Whether every package that hybridgen needs is there in a version that it takes.

    Args:
        requirements: as packages state them; None takes hybridgen's own.
    """
    from packaging.requirements import Requirement

    if requirements is None:
        requirements = metadata.requires("hybridgen") or ()
    wanted = [Requirement(text) for text in requirements]
    needed = [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    found = {one.name: _version(one.name) for one in needed}
    faults = []
    for one in needed:
        version = found[one.name]
        if version is None:
            faults.append(f"{one.name} is not there")
        elif not one.specifier.contains(version, prereleases=True):
            faults.append(f"{one.name} {version} is not {one.specifier}")
    optional = {name: _version(name) for name in _SDKS}
    facts = {**found, **optional}
    if faults:
        text = f"{len(faults)} of {len(found)} are not as hybridgen needs them"
        yield Finding("packages", State.WRONG, text, _REINSTALL, tuple(faults), facts)
        return
    named = [f"{name} {facts[name]}" for name in _SHOWN if facts.get(name)]
    text = f"all {len(found)} that hybridgen needs are there: {', '.join(named)}"
    yield Finding("packages", State.OK, text, facts=facts)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
