"""Fixtures for all rooms: real model files, small enough to be written by a test run."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from hybridgen.lockdown import probe
from hybridgen.lockdown.syscalls import this_architecture

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_WIDTH = 64
_TRAINED_CONTEXT = 65536


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says which locks the attacks met: without any, most of them are skipped.

    Not a header: ``-q`` leaves that out.
    """
    of_tests = (found for kind, found in terminalreporter.stats.items() if kind != "deselected")
    names = (getattr(report, "nodeid", "") for reports in of_tests for report in reports)
    if any("redteam/" in name for name in names):
        terminalreporter.write_line(f"kernel locks: {probe().name}")


@pytest.fixture
def stop() -> Callable[[int], None]:
    """Stops a child; back when it stands still, which may be after ``kill`` has returned."""

    def stopped(pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)

    return stopped


@pytest.fixture(autouse=True)
def no_locks_on_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that is run inside of the test process must not lock it for good.

    That the commands take their locks is shown where they have a process of their own.
    """
    monkeypatch.setattr("hybridgen.cli.locks.lock_broker", lambda: None)
    monkeypatch.setattr("hybridgen.cli.locks.lock_puller", lambda folder: None)


@pytest.fixture(scope="session")
def kernel_with_locks() -> None:
    """Skips where the kernel has no locks; asks the kernel, as a broken lock must not skip."""
    version = -1
    if sys.platform == "linux" and this_architecture():
        version = ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1)
    if version < 1 or not Path("/proc/sys/kernel/seccomp/actions_avail").exists():
        pytest.skip("this kernel has no Landlock or no seccomp")


class MakeGguf(Protocol):
    """Writes a tiny model file."""

    def __call__(
        self,
        name: str,
        *,
        chat_template: str | None = CHATML,
        follows: Mapping[bytes, bytes] | None = None,
    ) -> Path: ...


@pytest.fixture(scope="session")
def tiny_gguf(make_gguf: MakeGguf) -> Path:
    """A random model of 470 kB with ChatML template: two layers, one token a byte."""
    return make_gguf("tiny")


@pytest.fixture(scope="session")
def make_gguf(tmp_path_factory: pytest.TempPathFactory) -> MakeGguf:
    """Writes variants of the tiny model.

    ``follows`` makes a model that speaks a chosen text at temperature 0: each byte has one
    successor, ``b""`` is the end of the answer. Bytes that are not named follow themselves.
    """
    folder = tmp_path_factory.mktemp("gguf")

    def make(
        name: str,
        *,
        chat_template: str | None = CHATML,
        follows: Mapping[bytes, bytes] | None = None,
    ) -> Path:
        path = folder / f"{name}.gguf"
        _write(path, chat_template, follows)
        return path

    return make


def _write(path: Path, chat_template: str | None, follows: Mapping[bytes, bytes] | None) -> None:
    import gguf
    import numpy as np

    random = np.random.default_rng(7)
    tokens = [*_byte_characters(), *_CONTROL]
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(_TRAINED_CONTEXT)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(2)
    writer.add_feed_forward_length(2 * _WIDTH)
    writer.add_head_count(4)
    writer.add_head_count_kv(4)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // 4)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([1] * 256 + [3] * len(_CONTROL))
    # One merge of characters that hardly occur: llama.cpp wants a list that is not empty.
    writer.add_token_merges([f"{tokens[0]} {tokens[1]}"])
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)
    if chat_template is not None:
        writer.add_chat_template(chat_template)

    def matrix(rows: int, columns: int, scale: float) -> np.ndarray:
        return (random.standard_normal((rows, columns)) * scale).astype(np.float32)

    embedding = matrix(len(tokens), _WIDTH, 1.0)
    output = matrix(len(tokens), _WIDTH, 0.5)
    if follows is not None:
        successor = list(range(len(tokens)))
        for byte, following in follows.items():
            successor[byte[0]] = following[0] if following else tokens.index("<|im_end|>")
        output = np.zeros_like(embedding)
        for token, following_token in enumerate(successor):
            output[following_token] += embedding[token]
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output.weight", output)
    writer.add_tensor("output_norm.weight", np.ones(_WIDTH, dtype=np.float32))
    # A speaking model must not be disturbed by its layers.
    scale = 0.1 if follows is None else 0.001
    for layer in range(2):
        for norm in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{norm}.weight", np.ones(_WIDTH, dtype=np.float32))
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", matrix(_WIDTH, _WIDTH, scale))
        for name in ("ffn_gate", "ffn_up"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", matrix(2 * _WIDTH, _WIDTH, scale))
        writer.add_tensor(f"blk.{layer}.ffn_down.weight", matrix(_WIDTH, 2 * _WIDTH, scale))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _byte_characters() -> list[str]:
    """GPT-2's printable character for each byte, in the order of the bytes."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    characters, unprintable = [], 0
    for byte in range(256):
        if byte in printable:
            characters.append(chr(byte))
        else:
            characters.append(chr(256 + unprintable))
            unprintable += 1
    return characters
