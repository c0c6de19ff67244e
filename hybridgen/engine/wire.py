"""The messages between broker and engine: one JSON object a line, on two pipes.

::

    broker -> engine                          engine -> broker
    load      path, settings          ->      alive*  no_card?  ready | failed
    count     id, texts               ->      counted id, counts | failed
    complete  id, prompt, limits      ->      alive*  text* id, sample  done id | failed
    cancel    id                      ->      (the request in hand answers done, early)

``alive`` comes at most once a second while llama.cpp computes, so silence means a hang however
slow the machine is. ``no_card`` says why the model runs on the processor although a graphics card
was asked for. ``failed`` with ``is_final`` means that another try cannot help.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """What to load and how.

    Attributes:
        parent: process id of the broker.
        dies_with_parent: ask the kernel to kill the engine when the broker's thread ends.
        chat_template: Jinja source, or None to take the model file's own.
        locks_sockets: take the lock on system calls, which this machine has.
        locks_files: take the lock on files, which this machine has.
        gpu_layers: layers to compute on a graphics card, 0 for none, -1 for all.
    """

    model: str
    context_tokens: int
    threads: int
    chat_template: str | None
    parent: int
    dies_with_parent: bool
    locks_sockets: bool
    locks_files: bool
    gpu_layers: int


@dataclass(frozen=True, slots=True)
class CompleteRequest:
    """One prompt, of which one or more answers are wanted.

    Attributes:
        system: text of the system message.
        user: the user message in pieces that are tokenized apart (context, request), so that
            an equal context always gives equal tokens.
        answer_start: text that the answer begins with.
        max_tokens: of each answer.
        samples: temperature and seed of each answer.
        seconds: time left.
    """

    id: int
    system: str
    user: tuple[str, ...]
    answer_start: str
    max_tokens: int
    samples: tuple[tuple[float, int], ...]
    seconds: float
    stop: tuple[str, ...]


def encode(message: Message) -> bytes:
    """One line; lone surrogates survive because JSON escapes them."""
    return json.dumps(message, ensure_ascii=True).encode("ascii") + b"\n"


def encode_load(request: LoadRequest) -> bytes:
    """The first line that an engine gets."""
    return encode({"op": "load", **asdict(request)})


def encode_complete(request: CompleteRequest) -> bytes:
    """A request for a completion as one line."""
    return encode({"op": "complete", **asdict(request)})


def decode(line: bytes) -> Message:
    """The message of one line.

    Raises:
        ValueError: the line is not a JSON object.
    """
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("a message is a JSON object")
    return message


def decode_load(message: Message) -> LoadRequest:
    """The load request in ``message``."""
    return LoadRequest(**{name: value for name, value in message.items() if name != "op"})


def decode_complete(message: Message) -> CompleteRequest:
    """The completion request in ``message``."""
    fields = {name: value for name, value in message.items() if name != "op"}
    fields["user"] = tuple(fields["user"])
    fields["samples"] = tuple((float(heat), int(seed)) for heat, seed in fields["samples"])
    fields["stop"] = tuple(fields["stop"])
    return CompleteRequest(**fields)
