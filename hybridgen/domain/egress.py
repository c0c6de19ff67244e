"""What may leave this machine, and where to."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from hybridgen.domain.labels import Label


def port_of(url: str) -> int:
    """The port of a web address; where it names none, that of its scheme.

    Raises:
        KeyError, ValueError: it is no such address.
    """
    parts = urlsplit(url)
    return parts.port or {"http": 80, "https": 443}[parts.scheme]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a prompt may be sent, as the user's and the organisation's settings say.

    Attributes:
        backend: ``gemini`` or ``onprem``.
        url: base address of the service.
        model: name of the model there.
        sdk: what speaks to it (``google-genai``, ``google-generativeai``, ``openai-compatible``).
        terms: what the receiver may do with what is sent: the value of ``gemini.terms``, or
            ``onprem``.
        clearance: the strictest label that it may read.
    """

    backend: str
    url: str
    model: str
    sdk: str
    terms: str
    clearance: Label


@dataclass(frozen=True, slots=True)
class Payload:
    """The texts of a prompt as they are sent: the same ones for every backend.

    Attributes:
        system: instructions.
        user: context and request.
        answer_start: the beginning of the answer, sent as the model's turn.
    """

    system: str
    user: str
    answer_start: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What one run sent to one destination.

    Attributes:
        prompts: how many left, or may have left.
        size: bytes of all of them together.
        unanswered: how many of them got no answer, so that nobody knows whether they arrived.
    """

    destination: Destination
    prompts: int
    size: int
    unanswered: int = 0
