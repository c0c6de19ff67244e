"""llama.cpp through its low-level interface: load, tokenize, prefill, decode.

Only the engine's process imports this module. The high-level ``llama_cpp.Llama`` is not used:
it falls back to a wrong chat template in silence, knows one sequence only, and cannot be
interrupted inside a prefill.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final

import llama_cpp

from hybridgen.engine.cells import Cells, sequences_for
from hybridgen.engine.machine import BATCH, SAMPLES
from hybridgen.engine.pace import Pace
from hybridgen.engine.sampling import Sampler

_ABORTED: Final = 2  # what llama_decode answers then

Row = tuple[int, int, int]
"""One token of a batch: its sequence, its position there, and the token."""


class LoadError(Exception):
    """The file is not a model that llama.cpp can load."""


class AbortedError(Exception):
    """``should_stop`` asked for it; what was computed so far stays valid."""


class Llama:
    """A loaded model with one context, whose sequences share what they begin with.

    Args:
        path: the GGUF file.
        context_tokens: size of the context; never more than the model was trained with.
        threads: the most for prefill and decode.
        should_stop: asked many times a second while llama.cpp reads.
        gpu_layers: layers to compute on a graphics card, 0 for none, -1 for all.
        samples: how many samples of one prompt are decoded at once, at most.

    Attributes:
        cells: which prompts are there.
        pace: how many threads compute.
        context: llama.cpp's own.
        samples: how many samples are decoded at once, at most.
        vocabulary: how many tokens there are.
    """

    def __init__(
        self,
        path: Path,
        *,
        context_tokens: int,
        threads: int,
        should_stop: Callable[[], bool],
        gpu_layers: int = 0,
        samples: int = SAMPLES,
    ) -> None:
        llama_cpp.llama_backend_init()
        self.samples = samples
        self._is_offloaded = gpu_layers != 0
        self._model = _load_model(path, should_stop, gpu_layers)
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self._should_stop = llama_cpp.ggml_abort_callback(lambda _: should_stop())
        self._never = llama_cpp.ggml_abort_callback()
        trained = llama_cpp.llama_model_n_ctx_train(self._model)
        self.context_tokens = min(context_tokens, trained) if trained > 0 else context_tokens
        self.context = self._new_context(threads, samples)
        self._memory = llama_cpp.llama_get_memory(self.context)
        self._batch = llama_cpp.llama_batch_init(max(BATCH, samples), 0, 1)
        has_state = llama_cpp.llama_model_is_recurrent(self._model)
        self.cells = Cells(
            self,
            size=self.context_tokens,
            samples=samples,
            is_divisible=not (has_state or llama_cpp.llama_model_is_hybrid(self._model)),
        )
        self.pace = Pace(threads, self._set_threads)
        self._warm_up()

    def _new_context(self, threads: int, samples: int) -> int:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = self.context_tokens
        params.n_batch = params.n_ubatch = max(samples, min(BATCH, self.context_tokens))
        params.n_seq_max = sequences_for(samples)
        params.n_outputs_max = params.n_seq_max  # else there is a row for each token of a batch
        params.kv_unified = True  # else each sequence has its own share, and nothing is shared
        params.n_threads = params.n_threads_batch = threads
        params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_AUTO
        params.offload_kqv = params.op_offload = self._is_offloaded
        params.embeddings = False
        context: int | None = llama_cpp.llama_init_from_model(self._model, params)
        if context is None:
            llama_cpp.llama_model_free(self._model)
            raise LoadError("there is not enough memory for its context")
        return context

    def _warm_up(self) -> None:
        """Reads every weight once, so that the disk is waited for now and not in a target."""
        first = max(0, llama_cpp.llama_vocab_bos(self._vocab))
        self._decode([(self.cells.prompt, 0, first)], (0,))
        at = iter(range(1, self.context_tokens))

        def step() -> float:
            began = time.perf_counter()
            self._decode([(self.cells.prompt, next(at), first)], (0,))
            return time.perf_counter() - began

        self.pace.calibrate(step)
        llama_cpp.llama_memory_clear(self._memory, True)

    def _set_threads(self, threads: int) -> None:
        llama_cpp.llama_set_n_threads(self.context, threads, threads)

    @property
    def chat_template(self) -> str | None:
        """The model file's own chat template."""
        template = llama_cpp.llama_model_chat_template(self._model, None)
        return template.decode("utf-8", "replace") if template else None

    @property
    def bos(self) -> str:
        """Text of the begin-of-sequence token, or ""."""
        return self._token_text(llama_cpp.llama_vocab_bos(self._vocab))

    @property
    def eos(self) -> str:
        """Text of the end-of-sequence token, or ""."""
        return self._token_text(llama_cpp.llama_vocab_eos(self._vocab))

    def _token_text(self, token: int) -> str:
        if token < 0:
            return ""
        text: bytes = llama_cpp.llama_vocab_get_text(self._vocab, token)
        return text.decode("utf-8", "replace")

    def with_bos(self, tokens: list[int]) -> list[int]:
        """``tokens`` with the begin-of-sequence token where the model wants one, once."""
        bos = llama_cpp.llama_vocab_bos(self._vocab)
        if not llama_cpp.llama_vocab_get_add_bos(self._vocab) or tokens[:1] == [bos]:
            return tokens
        return [bos, *tokens]

    def tokenize(self, text: str, *, is_special: bool) -> list[int]:
        """The tokens of ``text``; control tokens are recognised only if ``is_special``."""
        data = text.encode("utf-8", "replace")
        size = len(data) + 8
        while True:
            buffer = (llama_cpp.llama_token * size)()
            count = llama_cpp.llama_tokenize(
                self._vocab, data, len(data), buffer, size, False, is_special
            )
            if count >= 0:
                return list(buffer[:count])
            size = -count

    def piece(self, token: int) -> bytes:
        """The bytes of ``token``; nothing for a control token."""
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            count = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
            if count >= 0:
                return buffer.raw[:count]
            size = -count

    def is_end(self, token: int) -> bool:
        """True if ``token`` ends an answer."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocab, token))

    def copy_sequence(self, source: int, to: int) -> None:
        """Makes ``to``, which is empty, hold what ``source`` holds, in the same cells."""
        llama_cpp.llama_memory_seq_cp(self._memory, source, to, -1, -1)

    def cut_sequence(self, sequence: int, start: int) -> None:
        """Forgets the tokens of a sequence from ``start`` on."""
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, start, -1)

    def prefill(self, tokens: Sequence[int], *, beginning: int, room: int) -> int:
        """Makes ``cells.prompt`` hold ``tokens`` and gives how many had to be evaluated.

        What an earlier prompt began with is used again, token by token.

        Args:
            tokens: of the prompt; fewer than the context has.
            beginning: how many of them other prompts will begin with; they stay in memory.
            room: tokens wanted for all answers together.

        Raises:
            AbortedError: ``should_stop`` said so.
            MemoryError: llama.cpp found no room in its cache.
        """
        known = self.cells.open(tokens, room)
        llama_cpp.llama_set_abort_callback(self.context, self._should_stop, None)
        try:
            middle = max(known, beginning)
            self._read(tokens, known, middle)
            self.cells.keep(beginning)
            self._read(tokens, middle, len(tokens))
        finally:
            # Asked between the nodes of a graph, it would cost some percent of every short step.
            llama_cpp.llama_set_abort_callback(self.context, self._never, None)
        return len(tokens) - known

    def _read(self, tokens: Sequence[int], start: int, end: int) -> None:
        """Evaluates a part of the prompt in hand, which holds what comes before."""
        for first in range(start, end, BATCH):
            last = min(first + BATCH, end)
            rows = [(self.cells.prompt, at, tokens[at]) for at in range(first, last)]
            try:
                self._decode(rows, {len(rows) - 1} if last == len(tokens) else ())
            except (AbortedError, MemoryError):
                self.cells.cut(first)
                raise
            self.cells.holds(tokens[:last])

    def step(self, rows: Sequence[Row]) -> None:
        """Evaluates one token for each sample that goes on; row *i* then has its logits.

        Raises:
            MemoryError: llama.cpp found no room in its cache.
        """
        began = time.perf_counter()
        self._decode(rows, {*range(len(rows))})
        self.pace.note(time.perf_counter() - began, len(rows))

    def _decode(self, rows: Sequence[Row], outputs: Collection[int]) -> None:
        batch = self._batch
        batch.n_tokens = len(rows)
        for index, (sequence, position, token) in enumerate(rows):
            batch.token[index] = token
            batch.pos[index] = position
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = sequence
            batch.logits[index] = index in outputs
        status = llama_cpp.llama_decode(self.context, batch)
        if status == _ABORTED:
            raise AbortedError
        if status != 0:
            raise MemoryError(f"llama_decode failed with status {status}")

    def sampler(self, *, temperature: float, seed: int) -> Sampler:
        """A fresh sampler; temperature 0 always takes the likeliest token."""
        return Sampler(self.context, self.vocabulary, temperature=temperature, seed=seed)


def has_card() -> bool:
    """Whether llama.cpp was built for graphics cards and finds one, within this process's locks."""
    llama_cpp.llama_backend_init()
    return bool(llama_cpp.llama_supports_gpu_offload())


def _load_model(path: Path, should_stop: Callable[[], bool], gpu_layers: int) -> int:
    params = llama_cpp.llama_model_default_params()
    params.n_gpu_layers = gpu_layers
    params.vocab_only = False
    params.progress_callback = llama_cpp.llama_progress_callback(
        lambda _progress, _data: not should_stop()
    )
    model: int | None = llama_cpp.llama_model_load_from_file(os.fsencode(path), params)
    if model is None:
        raise LoadError("llama.cpp cannot read it as a GGUF model")
    return model
