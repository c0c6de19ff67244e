"""The engine's process: reads requests from one pipe, answers on another, until it closes.

What this process covers: the model's crashes, hangs and memory are its own; its output goes to the
log file; it dies with its parent. Before it looks at the model it takes the kernel locks of the
``engine`` (``lockdown/``): it reads our Python and the model file, and starts, writes and reaches
nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hybridgen.engine import wire
from hybridgen.engine.answering import Question
from hybridgen.engine.chat import ChatTemplate, ChatTemplateError, Piece

if TYPE_CHECKING:
    from hybridgen.engine.llama import Llama

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_ALIVE_EVERY = 1.0


class _RefusedError(Exception):
    """A request or a model that cannot be served; another try would end the same way."""


class _Pipes:
    """The two pipes to the broker, and what it wants right now.

    A thread reads requests even while llama.cpp computes, so a cancel is seen at once and the
    end of the broker ends this process.
    """

    def __init__(self) -> None:
        # Whatever libraries print to descriptor 1 must not reach the replies.
        self._requests = os.fdopen(os.dup(0), "rb")
        self._replies = os.fdopen(os.dup(1), "wb")
        with Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(2, 1)
        self._inbox: queue.SimpleQueue[wire.Message] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._last_sent = 0.0
        self.deadline = float("inf")
        self.request = 0

    def start_reading(self) -> None:
        """Starts the reader thread."""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._requests:
            message = wire.decode(line)
            if message["op"] == "cancel":
                self._cancelled.add(int(message["id"]))
            else:
                self._inbox.put(message)
        os._exit(0)

    def first(self) -> wire.Message:
        """Waits for the first request, before there is a thread for it."""
        line = self._requests.readline()
        if not line:
            os._exit(0)
        return wire.decode(line)

    def next(self) -> wire.Message:
        """Waits for the next request."""
        return self._inbox.get()

    def send(self, event: str, **fields: object) -> None:
        """Sends one message to the broker."""
        self._replies.write(wire.encode({"event": event, **fields}))
        self._replies.flush()
        self._last_sent = time.monotonic()

    def should_stop(self) -> bool:
        """Called from inside llama.cpp: keeps the broker informed, says whether to stop."""
        now = time.monotonic()
        if now - self._last_sent > _ALIVE_EVERY:
            self.send("alive")
        return now > self.deadline or self.request in self._cancelled


def main() -> None:
    """Serves one broker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the broker's; it tells us
    pipes = _Pipes()
    with contextlib.suppress(BrokenPipeError):
        _serve(pipes)
    os._exit(0)  # llama.cpp has nothing to tidy up that the kernel would not


def _serve(pipes: _Pipes) -> None:
    try:
        request = wire.decode_load(pipes.first())
        _protect(request)
        _lock(request)
        pipes.start_reading()
        model, template = _load(request, pipes)
    except _RefusedError as refusal:
        pipes.send("failed", message=str(refusal), is_final=True)
        return
    except MemoryError:
        pipes.send("failed", message="there is not enough memory to load it", is_final=True)
        return
    pipes.send("ready", context_tokens=model.context_tokens)
    while True:
        message = pipes.next()
        try:
            if message["op"] == "count":
                counts = [len(model.tokenize(text, is_special=False)) for text in message["texts"]]
                pipes.send("counted", id=message["id"], counts=counts)
            else:
                _complete(model, template, wire.decode_complete(message), pipes)
        except (_RefusedError, MemoryError) as error:
            pipes.send("failed", id=message["id"], message=str(error), is_final=False)


def _protect(request: wire.LoadRequest) -> None:
    """Dies with the parent, is first in line for the out-of-memory killer, dumps no core."""
    if sys.platform != "linux":
        return
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if request.dies_with_parent:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != request.parent:
        os._exit(0)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _lock(request: wire.LoadRequest) -> None:
    """Takes the kernel's locks, while there is one thread."""
    from hybridgen.errors import SandboxUnavailable
    from hybridgen.lockdown import LockLevel, engine_profile, lock_down

    level = LockLevel(request.locks_sockets, request.locks_files, "tried by the broker")
    try:
        profile = engine_profile(Path(request.model), has_card=request.gpu_layers != 0)
        lock_down(profile, level=level)
    except SandboxUnavailable as error:
        raise _RefusedError(error.message) from error


def _load(request: wire.LoadRequest, pipes: _Pipes) -> tuple[Llama, ChatTemplate]:
    try:
        from hybridgen.engine.llama import LoadError
    except (ImportError, OSError, RuntimeError) as error:
        raise _RefusedError(f"llama-cpp-python cannot be imported: {error}") from error
    logging.getLogger("llama-cpp-python").setLevel(logging.WARNING)
    try:
        model = _load_somewhere(request, pipes)
    except LoadError as error:
        raise _RefusedError(str(error)) from error
    source = request.chat_template or model.chat_template
    if not source:
        raise _RefusedError("it has no chat template, and none was given with it")
    try:
        return model, ChatTemplate(source, bos=model.bos, eos=model.eos)
    except ChatTemplateError as error:
        raise _RefusedError(f"its chat template cannot be used: {error}") from error


def _load_somewhere(request: wire.LoadRequest, pipes: _Pipes) -> Llama:
    """The model on the card if it is to be there, else on the processor; the broker is told why.

    Raises:
        LoadError: it cannot be loaded on the processor either.
    """
    from hybridgen.engine.llama import Llama, LoadError, has_card

    load = functools.partial(
        Llama,
        Path(request.model),
        context_tokens=request.context_tokens,
        threads=request.threads,
        should_stop=pipes.should_stop,
    )
    if request.gpu_layers == 0:
        return load()
    if not has_card():
        pipes.send("no_card", why="llama.cpp finds no graphics card that it can use")
        return load()
    try:
        return load(gpu_layers=request.gpu_layers)
    except LoadError:  # most likely the card has too little memory
        why = "the graphics card did not take the model, fewer layers may fit"
        pipes.send("no_card", why=why)
        return load()


def _complete(
    model: Llama, template: ChatTemplate, request: wire.CompleteRequest, pipes: _Pipes
) -> None:
    """Answers one completion, however it ends."""
    try:
        pieces = template.pieces(request.system, request.user, request.answer_start)
    except ChatTemplateError as error:
        raise _RefusedError(f"its chat template cannot be used: {error}") from error
    tokens, beginning = _tokens(model, pieces)
    if len(tokens) >= model.context_tokens:
        raise _RefusedError(
            f"the prompt has {len(tokens)} tokens and the context {model.context_tokens}"
        )
    pipes.request = request.id
    pipes.deadline = time.monotonic() + request.seconds
    try:
        Question(model, request, pipes).answer(tokens, beginning)
    finally:
        pipes.deadline = float("inf")


def _tokens(model: Llama, pieces: Sequence[Piece]) -> tuple[list[int], int]:
    """The tokens of a prompt, and how many of them other prompts may begin with."""
    parts = [model.tokenize(piece.text, is_special=piece.is_template) for piece in pieces]
    tokens = model.with_bos([token for part in parts for token in part])
    own = [part for part, piece in zip(parts, pieces, strict=True) if not piece.is_shared]
    return tokens, len(tokens) - sum(map(len, own))


if __name__ == "__main__":
    main()
