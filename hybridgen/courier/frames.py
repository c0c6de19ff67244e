"""The frames between broker and courier: a length in four bytes, then one JSON object.

::

    broker -> courier                         courier -> broker
    setup   destinations (the first frame) ->  ready
    ask     id, backend, texts, limits    ->  answered id, text, ... | failed id, kind, ...
    check   id, backend                   ->  checked id, models | failed id, kind, ...

Neither end believes the other: a length above the cap ends the conversation before a byte of the
frame is read, and every field is checked where it is used.
"""

from __future__ import annotations

import json
import struct
from typing import Any, Final

Message = dict[str, Any]

MOST_BYTES: Final = 8 * 2**20
HEAD_BYTES: Final = 4


class FrameError(Exception):
    """What came is no frame."""


def encode(message: Message) -> bytes:
    """One frame.

    Raises:
        FrameError: it would be larger than the other end takes.
    """
    body = json.dumps(message, ensure_ascii=True).encode("ascii")
    if len(body) > MOST_BYTES:
        raise FrameError("a frame is too large")
    return struct.pack(">I", len(body)) + body


def size_of(head: bytes) -> int:
    """The size of the body that follows ``head``.

    Raises:
        FrameError: it is more than the cap.
    """
    size = int(struct.unpack(">I", head)[0])
    if size > MOST_BYTES:
        raise FrameError("a frame is too large")
    return size


def decode(body: bytes) -> Message:
    """The message in the body of a frame.

    Raises:
        FrameError: it is no JSON object.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FrameError("a frame is no JSON") from error
    if not isinstance(message, dict):
        raise FrameError("a frame is no JSON object")
    return message
