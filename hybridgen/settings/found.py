"""What was found where: values with their places, and the organisation's ceiling."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from hybridgen.domain import Label


@dataclass(frozen=True, slots=True)
class Found:
    """A value that one place gives to a setting.

    Attributes:
        value: checked, of the setting's type.
        place: what the place is called, for people.
        is_project: it came with the code, so anybody may have written it.
        is_organisation: it is the organisation's.
    """

    value: object
    place: str
    is_project: bool = False
    is_organisation: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """The value of a setting that is a list of texts, such as ``labels.public``."""
        return self.value if isinstance(self.value, tuple) else ()


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What nobody below the organisation can lift; None leaves it open.

    Attributes:
        file: the organisation's file, or None where there is none.
        backends: what may be asked besides the model on this machine.
        loosest: no file is ever labelled looser than this.
        hosts: the servers that prompts may be sent to, and the proxies on the way.
        gemini_terms: the terms under which Gemini may be used.
        sdks: what may speak to Gemini.
        needs_https: the server in the building is spoken to encrypted only.
        keeps_text: users may keep the texts that were sent.
        is_offline: nothing touches the network.
    """

    file: Path | None = None
    backends: frozenset[str] | None = None
    loosest: Label = Label.PUBLIC
    hosts: frozenset[str] | None = None
    gemini_terms: frozenset[str] | None = None
    sdks: frozenset[str] | None = None
    needs_https: bool = False
    keeps_text: bool = True
    is_offline: bool = False

    def limits(self) -> dict[str, str | bool | list[str]]:
        """What it closes, as the organisation's file has it; empty where there is no file."""
        found: dict[str, str | bool | list[str]] = {}
        for name in ("backends", "hosts", "gemini_terms", "sdks"):
            allowed: frozenset[str] | None = getattr(self, name)
            if allowed is not None:
                found[name] = sorted(allowed)
        if self.loosest > Label.PUBLIC:
            found["loosest"] = self.loosest.name.lower()
        if self.needs_https:
            found["https_only"] = True
        if not self.keeps_text:
            found["keep_text"] = False
        if self.is_offline:
            found["offline"] = True
        return found

    def allows_backend(self, name: str) -> bool:
        """Whether ``name`` may be asked; the model on this machine always may."""
        return name == "local" or self.backends is None or name in self.backends

    def allows_host(self, host: str) -> bool:
        """Whether prompts may be sent to ``host``, or through it."""
        return self.hosts is None or host.lower() in self.hosts

    def allows_sdk(self, name: str) -> bool:
        """Whether ``name`` may speak to Gemini."""
        return self.sdks is None or name in self.sdks

    def allows_address(self, url: str) -> bool:
        """Whether a server in the building may be spoken to at ``url``, as far as encryption."""
        return not self.needs_https or urlsplit(url).scheme == "https"
