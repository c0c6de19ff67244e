"""What a courier is told once about a destination, and what it brings back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from hybridgen.domain import Destination
from hybridgen.domain.egress import port_of
from hybridgen.errors import PolicyRefusal

_UNCLEAN: Final = re.compile(r"[\\\x00-\x20\x7f]")

SDKS: Final = ("google-genai", "google-generativeai", "openai-compatible")


@dataclass(frozen=True, slots=True)
class Setup:
    """How one destination is reached; every value is the user's or the organisation's.

    Attributes:
        destination: where to, with the model and what speaks to it.
        key: API key; "" where the server wants none. It travels through the pipe only.
        proxy: URL of a proxy, or None; the environment's proxies are never used.
        ca: certificates (PEM) that replace the system's, or None. The courier reads no file.
        trusted_hosts: hosts (``name`` or ``name:port``) that may be addressed. An on-prem server
            has to be among them; for Gemini nothing named means the host of its address.
        parallel: how many requests may be in flight at once.
        max_requests: most requests in one run, retries included; None for no limit.
        max_tokens: most tokens in one run, asked and answered; None for no limit.
        seconds: the longest that one answer may take, retries included.
    """

    destination: Destination
    key: str = field(default="", repr=False)
    proxy: str | None = field(default=None, repr=False)  # it may hold a password
    ca: bytes | None = field(default=None, repr=False)
    trusted_hosts: tuple[str, ...] = ()
    parallel: int = 1
    max_requests: int | None = None
    max_tokens: int | None = None
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model elsewhere answered.

    Attributes:
        text: begins with the payload's ``answer_start``, exactly once, and ends where the code
            ends, as an answer of the local engine does.
        prompt_tokens: as the server counted them; 0 if it did not say.
        completion_tokens: likewise, thoughts included, since they are paid for.
        seconds: from the first try to the answer.
        is_cut_off: True if the token cap ended it.
        attempts: how many requests it took, each with the whole text.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    is_cut_off: bool = False
    attempts: int = 1


def check_setup(setup: Setup) -> None:
    """Refuses an address that the settings do not vouch for, before anything connects to it.

    Raises:
        PolicyRefusal: the address is none, or its host is not trusted, or a key would travel
            unencrypted to another machine.
    """
    destination = setup.destination
    name, _, place = _place(destination)
    listed = {entry.strip().lower() for entry in setup.trusted_hosts}
    is_listed = not listed.isdisjoint({name, place})
    if not is_listed and (listed or destination.backend != "gemini"):
        raise PolicyRefusal(
            f"{destination.backend}: {place} is not a trusted host, so nothing is sent there.",
            "If it is yours, list it in your own settings: onprem.trusted_hosts"
            if destination.backend == "onprem"
            else f"Correct it in your own settings: {destination.backend}.url",
        )
    is_plain = destination.url.lower().startswith("http:")
    if destination.backend == "gemini" and is_plain and name not in ("127.0.0.1", "::1"):
        raise PolicyRefusal(
            f"gemini.url ({destination.url}) would send the key unencrypted.",
            "Use an address that begins with https://",
        )


def _place(destination: Destination) -> tuple[str, int, str]:
    """Host, port, and both as text; an address without them is refused."""
    try:
        parts = urlsplit(destination.url)
        name = (parts.hostname or "").lower()
        port = port_of(destination.url)
    except (KeyError, ValueError) as error:
        raise _bad_address(destination) from error
    # Whoever opens the connection reads the address anew: nothing that may be read in two ways.
    host = f"[{name}]" if ":" in name else name
    is_plain = parts.netloc.lower() in (host, f"{host}:{parts.port}")
    is_clean = destination.url.isascii() and not _UNCLEAN.search(destination.url)
    if not name or not is_plain or not is_clean or parts.query or parts.fragment:
        raise _bad_address(destination)
    return name, port, f"{name}:{port}"


def _bad_address(destination: Destination) -> PolicyRefusal:
    return PolicyRefusal(
        f"{destination.backend}.url is not a plain http or https address.",
        f"Set it like this: {destination.backend}.url = "
        + ('"https://host"' if destination.backend == "gemini" else '"https://host:8000/v1"'),
    )
