"""llama.cpp through its low-level interface: load, tokenize, prefill, decode, sample.

Only the engine's process imports this module. The high-level ``llama_cpp.Llama`` is not used:
it falls back to a wrong chat template in silence and cannot be interrupted inside a prefill.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import llama_cpp

from hybridgen.engine.machine import BATCH

# Top-k comes first so that everything after it looks at 40 candidates, not at 152,000.
_TOP_K = 40
_MIN_P = 0.05
_PENALTY_WINDOW = 64
_REPEAT_PENALTY = 1.05


class LoadError(Exception):
    """The file is not a model that llama.cpp can load."""


class AbortedError(Exception):
    """``should_stop`` asked for it; what was computed so far stays valid."""


class Llama:
    """A loaded model with one sequence in its key-value cache.

    Args:
        path: the GGUF file.
        context_tokens: size of the context; never more than the model was trained with.
        threads: for prefill and decode.
        should_stop: asked many times a second while llama.cpp computes.
        gpu_layers: layers to compute on a graphics card, 0 for none, -1 for all.
    """

    def __init__(
        self,
        path: Path,
        *,
        context_tokens: int,
        threads: int,
        should_stop: Callable[[], bool],
        gpu_layers: int = 0,
    ) -> None:
        llama_cpp.llama_backend_init()
        self._is_offloaded = gpu_layers != 0
        self._model = _load_model(path, should_stop, gpu_layers)
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._abort = llama_cpp.ggml_abort_callback(lambda _: should_stop())
        trained = llama_cpp.llama_model_n_ctx_train(self._model)
        self.context_tokens = min(context_tokens, trained) if trained > 0 else context_tokens
        self._context = self._new_context(threads)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._vocabulary_size = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self._cached: list[int] = []
        self._warm_up()

    def _new_context(self, threads: int) -> int:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = self.context_tokens
        params.n_batch = params.n_ubatch = min(BATCH, self.context_tokens)
        params.n_seq_max = 1
        params.n_threads = params.n_threads_batch = threads
        params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.offload_kqv = params.op_offload = self._is_offloaded
        params.embeddings = False
        params.abort_callback = self._abort
        context: int | None = llama_cpp.llama_init_from_model(self._model, params)
        if context is None:
            llama_cpp.llama_model_free(self._model)
            raise LoadError("there is not enough memory for its context")
        return context

    def _warm_up(self) -> None:
        """Reads every weight once, so that the disk is waited for now and not in a target."""
        self.evaluate([max(0, llama_cpp.llama_vocab_bos(self._vocab))])
        llama_cpp.llama_memory_clear(self._memory, True)
        self._cached = []

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

    def prefill(self, tokens: Sequence[int]) -> int:
        """Makes the cache hold exactly ``tokens`` and gives how many had to be evaluated.

        The longest common prefix with what the cache holds is kept; the last token is always
        evaluated again, because only that gives its logits.
        """
        keep = 0
        for held, wanted in zip(self._cached, tokens[:-1], strict=False):
            if held != wanted:
                break
            keep += 1
        if not llama_cpp.llama_memory_seq_rm(self._memory, 0, keep, -1):
            # Recurrent models cannot forget a part of what they read.
            llama_cpp.llama_memory_clear(self._memory, True)
            keep = 0
        self._cached = list(tokens[:keep])
        self.evaluate(tokens[keep:])
        return len(tokens) - keep

    def evaluate(self, tokens: Sequence[int]) -> None:
        """Appends ``tokens`` to the cache.

        Raises:
            AbortedError: ``should_stop`` said so.
            MemoryError: llama.cpp found no room in its cache.
        """
        for start in range(0, len(tokens), BATCH):
            part = list(tokens[start : start + BATCH])
            buffer = (llama_cpp.llama_token * len(part))(*part)
            status = llama_cpp.llama_decode(
                self._context, llama_cpp.llama_batch_get_one(buffer, len(part))
            )
            if status != 0:
                llama_cpp.llama_memory_seq_rm(self._memory, 0, len(self._cached), -1)
                if status == 2:
                    raise AbortedError
                raise MemoryError(f"llama_decode failed with status {status}")
            self._cached += part

    def sampler(self, *, temperature: float, seed: int) -> Sampler:
        """A fresh sampler; temperature 0 always takes the likeliest token."""
        return Sampler(self._context, self._vocabulary_size, temperature=temperature, seed=seed)


class Sampler:
    """A chain of llama.cpp's samplers: top-k, mild repeat penalty, min-p, temperature, seed."""

    def __init__(
        self, context: int, vocabulary_size: int, *, temperature: float, seed: int
    ) -> None:
        self._context = context
        self._chain = llama_cpp.llama_sampler_chain_init(
            llama_cpp.llama_sampler_chain_default_params()
        )
        steps = [
            llama_cpp.llama_sampler_init_top_k(_TOP_K),
            llama_cpp.llama_sampler_init_penalties(
                vocabulary_size, _PENALTY_WINDOW, _REPEAT_PENALTY, 0.0, 0.0
            ),
        ]
        if temperature > 0:
            steps += [
                llama_cpp.llama_sampler_init_min_p(_MIN_P, 1),
                llama_cpp.llama_sampler_init_temp(temperature),
                llama_cpp.llama_sampler_init_dist(seed & 0xFFFFFFFF),
            ]
        else:
            steps.append(llama_cpp.llama_sampler_init_greedy())
        for step in steps:
            llama_cpp.llama_sampler_chain_add(self._chain, step)

    def sample(self) -> int:
        """The next token after what the cache holds."""
        return int(llama_cpp.llama_sampler_sample(self._chain, self._context, -1))

    def close(self) -> None:
        """Frees the chain."""
        llama_cpp.llama_sampler_free(self._chain)


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
