"""What the gate has cleared: the only thing that the courier takes."""

from __future__ import annotations

import json
from dataclasses import InitVar, dataclass
from typing import Any, Final, NoReturn, final

from hybridgen.domain import Destination, Payload

# Held by gate/clear.py alone; a test looks that no other module names it.
_SEAL: Final = object()


@final
@dataclass(frozen=True, slots=True)
class Cleared:
    """A prompt that may be sent to one destination. Only :meth:`Gate.clear` makes one.

    The constructor, ``dataclasses.replace``, ``copy``, ``pickle`` and a subclass, which could leave
    out the check, raise TypeError. Python cannot stop code that goes around a constructor on
    purpose; this stops every mistake.

    Attributes:
        destination: where it may go, and nowhere else.
        payload: the texts.
        sha256: hexadecimal, of :func:`outgoing_bytes`.
        size: how many bytes these are.
        entry: number of the entry in the ledger.
    """

    destination: Destination
    payload: Payload
    sha256: str
    size: int
    entry: int
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("only the gate makes a Cleared: ask Gate.clear(prompt, destination)")

    def __init_subclass__(cls) -> NoReturn:
        """Refuses subclasses: one whose ``__post_init__`` does nothing would need no seal."""
        raise TypeError("a Cleared has no subclasses: only the gate makes one")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuses copies and pickles, which would be made without the gate."""
        raise TypeError("a Cleared can neither be copied nor pickled")


def outgoing_bytes(payload: Payload, model: str) -> bytes:
    """The bytes that are hashed, counted and kept for a prompt: all of its text, and the model.

    UTF-8 of the JSON object with the keys ``answer_start``, ``model``, ``system`` and ``user`` in
    this order, ``", "`` and ``": "`` between, characters beyond ASCII as they are. Each SDK wraps
    the same texts into a request of its own, which is why the wire's bytes are not the measure.

    Raises:
        UnicodeEncodeError: a text has half a surrogate pair, which has no bytes.
    """
    texts = {
        "answer_start": payload.answer_start,
        "model": model,
        "system": payload.system,
        "user": payload.user,
    }
    return json.dumps(texts, sort_keys=True, ensure_ascii=False).encode()
