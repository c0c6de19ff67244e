"""How asking a model elsewhere can fail, and what a person is told about it.

The courier names a kind and a few numbers; the words are written here, on the broker's side. What
a server says in its own words is never repeated: it may quote the prompt or the key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from hybridgen.courier.frames import Message
from hybridgen.domain import Destination
from hybridgen.errors import RemoteError

_LONGEST_PAUSE: Final = 3600.0
_REASON: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,60}")
_SICK: Final = frozenset({"timeout", "server", "cut"})
_TRANSIENT: Final = frozenset({"quota", "server", "cut", "refused"})
# Known before the first byte of a request is written.
_UNSENT: Final = frozenset({"refused", "missing", "address", "ca"})


class Failure(Exception):
    """One try failed.

    Args:
        kind: a key of the table below.
        status: HTTP status, 0 if there was none.
        reason: a word of the protocol (``SAFETY``, ``API_KEY_INVALID``), or "".
        pause: seconds that the server wants us to wait, or None.
        prompt_tokens: what the try cost all the same.
        completion_tokens: likewise.
        is_unsent: True if it is known that nothing was sent, as it is with some kinds anyway.
    """

    def __init__(
        self,
        kind: str,
        *,
        status: int = 0,
        reason: str = "",
        pause: float | None = None,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        is_unsent: bool = False,
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.status = status
        self.reason = reason
        self.pause = pause
        self.prompt_tokens = prompt_tokens
        self.completion_tokens = completion_tokens
        self.may_have_left = not is_unsent and kind not in _UNSENT

    @property
    def is_transient(self) -> bool:
        """Whether the same request may well be answered a little later."""
        return self.kind in _TRANSIENT

    @property
    def is_sickness(self) -> bool:
        """Whether it tells more of the server than of the request."""
        return self.kind in _SICK


@dataclass(frozen=True, slots=True)
class _Words:
    said: str
    hint: str
    is_final: bool = False


_TABLE: Final = {
    "key": _Words(
        "does not accept the API key",
        "The key is that of GEMINI_API_KEY, GOOGLE_API_KEY or ONPREM_API_KEY, else of the "
        "keyring: unset or correct the variable, or: keyring set hybridgen {backend}",
        True,
    ),
    "denied": _Words(
        "does not allow this key to use the model (403)",
        "See in the provider's console which models and regions the key is for.",
        True,
    ),
    "model": _Words(
        "has no model of this name",
        "Models come and go; name one that is served now: {backend}.model",
        True,
    ),
    "nothing": _Words(
        "does not speak the protocol at this address (404)",
        "Correct it: {backend}.url",
        True,
    ),
    "quota": _Words(
        "says that the quota is used up (429)",
        "Wait, or go on without it: --backend local",
        True,
    ),
    "context": _Words(
        "cannot take a prompt of this length",
        "Name fewer or smaller targets (file.py::NAME), or give the server more context.",
    ),
    "request": _Words(
        "refused the request ({status}{reason})",
        "Ask another model: {backend}.model, or go on without it: --backend local",
    ),
    "server": _Words(
        "failed ({status}), and again on every new try",
        "Try again later, or go on without it: --backend local",
    ),
    "prompt_blocked": _Words(
        "refused to read the prompt{reason}",
        "Go on without it for this module: --backend local",
    ),
    "blocked": _Words(
        "held its answer back{reason}",
        "Go on without it for this module: --backend local",
    ),
    "empty": _Words("gave an empty answer", "Ask another model: {backend}.model"),
    "length": _Words(
        "used up its tokens before it said anything",
        "Raise max_tokens, or take a model that thinks less: {backend}.model",
    ),
    "finish": _Words(
        "ended its answer for a reason that hybridgen does not know{reason}",
        "Update hybridgen, or ask another model: {backend}.model",
    ),
    "timeout": _Words(
        "did not answer in time", "Give it more time with --budget, or: --backend local"
    ),
    "cut": _Words(
        "closed the connection in the middle of its answer, on every try",
        "Try again later, or go on without it: --backend local",
    ),
    "refused": _Words(
        "cannot be reached",
        "Check {backend}.url and the network, or go on without it: --backend local",
        True,
    ),
    "tls": _Words(
        "shows a certificate that is not trusted here",
        "Name your company's certificate file: {backend}.ca",
        True,
    ),
    "ca": _Words(
        "is to be verified by certificates, and the file named for them holds none",
        "Name a PEM file: {backend}.ca",
        True,
    ),
    "malformed": _Words(
        "sent an answer that is no answer of this protocol", "Check what serves: {backend}.url"
    ),
    "huge": _Words("sent more than any answer needs", "Check what serves: {backend}.url"),
    "redirect": _Words(
        "wanted to send us to another address ({status}), which is not followed",
        "Set the address itself, if you trust it: {backend}.url",
        True,
    ),
    "address": _Words(
        "was about to be asked at another address than the settings name",
        "Check the addresses: hybridgen config show",
        True,
    ),
    "missing": _Words(
        "cannot be asked, because its client library is not installed",
        "Install it: pip install 'hybridgen[gemini]'",
        True,
    ),
    "internal": _Words(
        "could not be asked; the client library failed{reason}",
        "Go on without it: --backend local; for Gemini there is another library: gemini.sdk",
    ),
}
KINDS: Final = frozenset(_TABLE)


def message_of(failure: Failure) -> Message:
    """The failure as fields of a frame."""
    return {
        "event": "failed",
        "kind": failure.kind,
        "status": failure.status,
        "reason": failure.reason if _REASON.fullmatch(failure.reason) else "",
        "pause": failure.pause,
        "prompt_tokens": failure.prompt_tokens,
        "completion_tokens": failure.completion_tokens,
    }


def failure_of(message: Message) -> Failure:
    """The failure in a frame; whatever is not as it should be becomes harmless."""
    kind, status, reason = message.get("kind"), message.get("status"), message.get("reason")
    pause = message.get("pause")
    is_number = isinstance(pause, int | float) and not isinstance(pause, bool)
    is_pause = is_number and 0 <= float(pause or 0) <= _LONGEST_PAUSE
    return Failure(
        kind if isinstance(kind, str) and kind in KINDS else "internal",
        status=status if type(status) is int and 100 <= status <= 599 else 0,
        reason=reason if isinstance(reason, str) and _REASON.fullmatch(reason) else "",
        pause=float(pause or 0) if is_pause else None,
        prompt_tokens=tokens_of(message, "prompt_tokens"),
        completion_tokens=tokens_of(message, "completion_tokens"),
    )


def tokens_of(message: Message, name: str) -> int:
    """A count in a frame, 0 if there is none that can be right."""
    value = message.get(name)
    return value if type(value) is int and 0 <= value <= 10**8 else 0


def remote_error(
    failure: Failure, destination: Destination, *, is_final: bool = False
) -> RemoteError:
    """The failure in plain words, with what to do next.

    Args:
        is_final: True if it is the last one whatever its kind.
    """
    words = _TABLE[failure.kind]
    reason = f": {failure.reason}" if failure.reason else ""
    said = words.said.format(status=failure.status or "no status", reason=reason)
    return RemoteError(
        f"{place_of(destination)} {said}.",
        words.hint.format(backend=destination.backend),
        is_final=is_final or words.is_final,
        may_have_left=failure.may_have_left,
    )


def place_of(destination: Destination) -> str:
    """A destination in words."""
    name = "Gemini" if destination.backend == "gemini" else "The on-prem server"
    return f"{name} (model {destination.model} at {destination.url})"
