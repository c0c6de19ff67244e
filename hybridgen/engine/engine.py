"""The engine as the broker sees it: a model that completes prompts and never takes a run down."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from hybridgen.domain import Completion, Fragment, Prompt, Usage
from hybridgen.engine import wire
from hybridgen.engine.gguf import NoGgufError, read_shape
from hybridgen.engine.machine import SPARE_BYTES, available_memory, usable_threads
from hybridgen.engine.process import EngineProcess, ProcessGoneError, ProcessStuckError
from hybridgen.errors import EngineError
from hybridgen.lockdown import probe

_MAX_RESTARTS = 3
_STALL_SECONDS = 30.0
_LOAD_SECONDS = 120.0
_GRACE_SECONDS = 2.0  # between asking the process to stop and killing it
_POLL_SECONDS = 0.05
_SMALL_MODELS = ("qwen2.5-coder-0.5b", "smollm2-135m")


class EngineUnusableError(EngineError):
    """Another try would end the same way: the model was refused or its process keeps dying."""

    is_final = True


class Engine:
    """A quantized model in a child process.

    ``start`` returns at once and the model loads while the caller does other things. A crash, an
    out-of-memory kill or a hang raises :class:`EngineError` for the call in hand; the next call
    starts a new process, at most three times. One thread at a time may call it; ``cancel`` may
    come from anywhere.

    Args:
        model: the GGUF file.
        model_name: its name for people and in completions.
        context_tokens: size of the context (capped at what the model was trained with).
        threads: None means as many as cores, affinity and control groups allow.
        chat_template: Jinja source, or None for the file's own.
        memory_bytes: what it needs when loaded; None estimates it from the file.
        log: file for everything llama.cpp prints; no prompt is ever written there.
        seed: added to the seed of every completion.
        stall_seconds: silence after which the process counts as hung.
        gpu_layers: layers to compute on a graphics card, 0 for none, -1 for all.
        say: told, for people, where it runs on the processor although a card was asked for.

    Attributes:
        evaluated_tokens: prompt tokens really computed for the last answers; what their prompt
            shares with earlier ones is not computed again.
        endings: how each of the last answers ended: ``"end"``, ``"loop"``, ``"length"`` or
            ``"stopped"`` (cancelled or out of time).
    """

    def __init__(
        self,
        model: Path,
        *,
        model_name: str,
        context_tokens: int = 4096,
        threads: int | None = None,
        chat_template: str | None = None,
        memory_bytes: int | None = None,
        log: Path,
        seed: int = 0,
        stall_seconds: float = _STALL_SECONDS,
        gpu_layers: int = 0,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._model = model
        self._name = model_name
        self._context_tokens = context_tokens
        self._threads = threads
        self._chat_template = chat_template
        self._memory_bytes = memory_bytes
        self._log = log
        self._seed = seed
        self._stall_seconds = stall_seconds
        self._gpu_layers = gpu_layers
        self._say = say or (lambda _text: None)
        self._process: EngineProcess | None = None
        self._is_ready = False
        self._starts = 0
        self._last_id = 0
        self._last_heard = 0.0
        self._is_cancelled = False
        self._refusal: EngineUnusableError | None = None
        self.evaluated_tokens = 0
        self.endings: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process that runs now."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Spawns the process and returns; what goes wrong is told by ``wait_ready``.

        Call it from the main thread: the kernel ends the process with the thread that made it
        (elsewhere only the closing pipe does).
        """
        if self._process is not None or self._refusal is not None:
            return
        self._refusal = self._memory_refusal()
        if self._refusal is not None:
            return
        self._starts += 1
        self._is_ready = False
        self._last_heard = time.monotonic()
        self._process = EngineProcess(self._log, self._model.absolute())
        level = probe()
        request = wire.LoadRequest(
            model=str(self._model.absolute()),
            context_tokens=self._context_tokens,
            threads=self._threads or usable_threads(),
            chat_template=self._chat_template,
            parent=os.getpid(),
            dies_with_parent=threading.current_thread() is threading.main_thread(),
            locks_sockets=level.sockets,
            locks_files=level.files,
            gpu_layers=self._gpu_layers,
        )
        self._send(wire.encode_load(request))

    def wait_ready(self, timeout: float) -> None:
        """Waits until the model is loaded.

        Raises:
            EngineError: it crashed, hung, was refused, does not fit into memory, or needs
                longer than ``timeout`` seconds (then it goes on loading).
        """
        if self._refusal is not None:
            raise self._refusal
        if self._process is None:
            self._restart()
        end = time.monotonic() + timeout
        while not self._is_ready:
            message = self._receive(end)
            if message is None:
                raise EngineError(
                    f"The model {self._name} was not loaded within {timeout:.0f} s.",
                    "Give it more time with --budget, or take a smaller model.",
                )
            if message["event"] == "ready":
                self._is_ready = True
            elif message["event"] == "no_card":
                self._leave_card(str(message["why"]))
            elif message["event"] == "failed":
                self._refusal = self._load_refusal(str(message["message"]))
                self._discard()
                raise self._refusal

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has.

        Raises:
            EngineError: the process died, hung, or cannot load the model.
        """
        self.wait_ready(_LOAD_SECONDS)
        request = self._next_id()
        self._send(wire.encode({"op": "count", "id": request, "texts": list(texts)}))
        message = self._reply(request, time.monotonic() + self._stall_seconds)
        return [int(count) for count in message["counts"]]

    def complete(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        deadline: float,
        stop: Sequence[str] = (),
        on_text: Callable[[str], None] | None = None,
    ) -> Completion:
        """The model's answer to ``prompt``; see :meth:`sample`."""
        (answer,) = self.sample(
            prompt,
            samples=((temperature, seed),),
            max_tokens=max_tokens,
            deadline=deadline,
            stop=stop,
            on_text=on_text,
        )
        return answer

    def sample(
        self,
        prompt: Prompt,
        *,
        samples: Sequence[tuple[float, int]],
        max_tokens: int,
        deadline: float,
        stop: Sequence[str] = (),
        on_text: Callable[[str], None] | None = None,
    ) -> list[Completion]:
        """Several answers to ``prompt``, which is read once; they are computed together.

        Args:
            prompt: instructions, context and request; an answer begins with its ``answer_start``.
            samples: temperature and seed of each answer. Temperature 0 always takes the likeliest
                token. Above it, equal seeds give nearly always equal answers on the same machine:
                what the engine held before moves the last digits of what the draw is made from.
            max_tokens: the most tokens of an answer; fewer where the context has no more room.
            deadline: on the clock of ``time.monotonic``; what exists then is returned.
            stop: strings that end an answer and are not part of it.
            on_text: called with each new piece of generated text, of whichever answer.

        Returns:
            An answer for each sample. The prompt's tokens are counted with the first, and each
            has an equal share of the time.

        Raises:
            EngineError: the process crashed or hung, or the prompt does not fit into the context.
        """
        began = time.monotonic()
        self._is_cancelled = False
        self.wait_ready(max(0.0, deadline - began))
        request = wire.CompleteRequest(
            id=self._next_id(),
            system=_text(prompt.system),
            user=(_text(prompt.context), _text(prompt.request)),
            answer_start=prompt.answer_start,
            max_tokens=max_tokens,
            samples=tuple((heat, self._seed + seed) for heat, seed in samples),
            seconds=max(0.0, deadline - time.monotonic()),
            stop=tuple(stop),
        )
        texts = [""] * len(samples)
        try:
            self._send(wire.encode_complete(request))
            done = self._collect(request.id, deadline, texts, on_text)
        except BaseException:
            # Ctrl-C, or on_text raised: nobody waits for this answer any more.
            self._tell_cancel(request.id)
            raise
        self.evaluated_tokens = int(done["evaluated_tokens"])
        self.endings = tuple(map(str, done["reasons"]))
        seconds = (time.monotonic() - began) / len(samples)
        sizes = [int(size) for size in done["completion_tokens"]]
        return [
            Completion(
                text=prompt.answer_start + text,
                label=prompt.label,
                backend="local",
                model=self._name,
                usage=Usage(0 if index else int(done["prompt_tokens"]), sizes[index], seconds),
                is_cut_off=self.endings[index] in {"length", "stopped"},
            )
            for index, text in enumerate(texts)
        ]

    def cancel(self) -> None:
        """Ends the completion in hand; it returns what it has. May be called from any thread."""
        self._is_cancelled = True

    def close(self) -> None:
        """Ends the process; harmless if there is none."""
        self._discard()

    def _collect(
        self,
        request: int,
        deadline: float,
        texts: list[str],
        on_text: Callable[[str], None] | None,
    ) -> wire.Message:
        """Gathers the text of each answer until the request is done."""
        last_moment = deadline + _GRACE_SECONDS
        is_told = False
        while True:
            if self._is_cancelled and not is_told:
                is_told = True
                self._tell_cancel(request)
                last_moment = time.monotonic() + _GRACE_SECONDS
            now = time.monotonic()
            if now > last_moment:
                raise self._lost("did not stop when it was told to")
            message = self._receive(min(now + _POLL_SECONDS, last_moment))
            if message is None or message.get("id") != request:
                continue
            if message["event"] == "failed":
                raise self._request_refusal(str(message["message"]))
            if message["event"] == "done":
                return message
            texts[int(message["sample"])] += str(message["text"])
            if on_text is not None:
                on_text(str(message["text"]))

    def _reply(self, request: int, end: float) -> wire.Message:
        while True:
            message = self._receive(end)
            if message is None:
                raise self._lost("does not answer")
            if message.get("id") == request:
                return message

    def _receive(self, end: float) -> wire.Message | None:
        """The next message, None when ``end`` has come; a hang or a death raises."""
        assert self._process is not None
        while True:
            now = time.monotonic()
            patience = self._stall_seconds
            if not self._is_ready:  # starting Python on a busy machine says nothing for a while
                patience = max(patience, _STALL_SECONDS)
            silent = self._last_heard + patience
            try:
                message = self._process.receive(max(0.0, min(end, silent) - now))
            except ProcessGoneError as error:
                raise self._lost(str(error)) from error
            if message is not None:
                self._last_heard = time.monotonic()
                return message
            if time.monotonic() >= silent:
                raise self._lost(f"gave no sign of life for {patience:.0f} s")
            if time.monotonic() >= end:
                return None

    def _send(self, line: bytes) -> None:
        assert self._process is not None
        self._last_heard = time.monotonic()
        try:
            self._process.send(line, self._stall_seconds)
        except ProcessGoneError as error:
            raise self._lost(str(error)) from error
        except ProcessStuckError as error:
            raise self._lost("takes no requests") from error

    def _tell_cancel(self, request: int) -> None:
        """Best effort: a process that does not listen is killed by its next caller."""
        if self._process is None:
            return
        try:
            self._process.send(wire.encode({"op": "cancel", "id": request}), 0.1)
        except (ProcessGoneError, ProcessStuckError):
            self._discard()

    def _restart(self) -> None:
        if self._starts > _MAX_RESTARTS:
            raise EngineUnusableError(
                f"The model's process ended {self._starts} times and is not started again.",
                f"Look into {self._log}, or take a smaller model: hybridgen models list",
            )
        self.start()
        if self._refusal is not None:
            raise self._refusal

    def _lost(self, how: str) -> EngineError:
        """Drops the process; the next call starts another, which uses no graphics card."""
        self._discard()
        if self._gpu_layers:
            self._leave_card(f"its process {how} (see {self._log})")
        hint = f"See {self._log}."
        if "memory" in how:
            hint = self._smaller_model()
        elif "instruction" in how:
            hint = "Build it here: pip install --force-reinstall --no-binary :all: llama-cpp-python"
        return EngineError(f"The process of the model {self._name} {how}.", hint)

    def _leave_card(self, why: str) -> None:
        """The model runs on the processor from now on, and the user hears of it."""
        self._say(
            f"NO GRAPHICS CARD for {self._name}, which gpu_layers = {self._gpu_layers} asks for: "
            f"{why}. The model runs on the processor: hybridgen doctor"
        )
        self._gpu_layers = 0

    def _discard(self) -> None:
        if self._process is not None:
            self._process.kill()
        self._process = None
        self._is_ready = False

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _load_refusal(self, message: str) -> EngineUnusableError:
        hint = "Check it with: hybridgen models verify"
        if "memory" in message:
            hint = self._smaller_model()
        elif "template" in message:
            hint = "Take a model that brings one: hybridgen models list"
        return EngineUnusableError(
            f"The model {self._name} ({self._model}) was refused: {message}.", hint
        )

    def _request_refusal(self, message: str) -> EngineError:
        hint = "Name fewer or smaller targets (file.py::NAME)."
        if "template" in message:
            hint = "Take another model: hybridgen models list"
        return EngineError(f"The model {self._name} cannot take this request: {message}.", hint)

    def _memory_refusal(self) -> EngineUnusableError | None:
        """Why the model does not fit, or None; file pages already in memory count as free."""
        try:
            found = self._model.stat()
        except OSError as error:
            return self._file_refusal(f"cannot be read: {error.strerror}")
        if not stat.S_ISREG(found.st_mode):  # whoever opens a named pipe waits, maybe for ever
            return self._file_refusal("is not a plain file")
        need = self._needed_bytes(found.st_size)
        free = available_memory()
        if free is None or need <= free:
            return None
        return EngineUnusableError(
            f"The model {self._name} needs {need / 2**30:.1f} GiB of memory"
            f" and {free / 2**30:.1f} GiB are free.",
            self._smaller_model(),
        )

    def _needed_bytes(self, size: int) -> int:
        """What it will need, foretold from the head of its file."""
        try:
            return read_shape(self._model).needed_bytes(self._context_tokens, self._memory_bytes)
        except (NoGgufError, OSError):  # its process will say what is wrong with it
            return self._memory_bytes or size + SPARE_BYTES

    def _file_refusal(self, why: str) -> EngineUnusableError:
        return EngineUnusableError(
            f"The model file {self._model} {why}.", "Fetch it: hybridgen models pull"
        )

    def _smaller_model(self) -> str:
        name = next((name for name in _SMALL_MODELS if name != self._name), _SMALL_MODELS[-1])
        if self._name == _SMALL_MODELS[-1]:
            return "It is the smallest model there is: close other programs."
        return f"Close other programs, or take a smaller model: hybridgen models pull {name}"


def _text(fragments: Sequence[Fragment]) -> str:
    return "".join(fragment.text for fragment in fragments)
