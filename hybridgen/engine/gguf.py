"""Reads from the head of a GGUF file what its model needs in memory; no weight is read.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from hybridgen.engine.machine import BATCH, OUTPUTS

_MAGIC: Final = b"GGUF"
_STRING, _ARRAY = 8, 9
_NUMBERS: Final = {
    **{0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i"},
    **{6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"},
}
# What a damaged file says of itself must not fill our memory or hold us up.
_LONGEST_TEXT: Final = 16 * 2**20
_MOST_FIELDS: Final = 100_000
_MOST_ITEMS: Final = 10_000_000

MEASURED_CONTEXT: Final = 8192
"""The context with which models of our list were measured."""

_HALF_FLOAT: Final = 2  # bytes; llama.cpp's default for keys and values
_FLOAT: Final = 4
# Python and llama.cpp themselves, roughly.
_PROCESS: Final = 80 * 2**20


class NoGgufError(Exception):
    """The file is not a model that can be read; the message says why, a clause."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a model that decide what it needs besides its weights.

    Attributes:
        trained: the longest context that it was trained with, in tokens.
        key_width: numbers that one layer keeps for a token as keys, all heads together.
        value_width: likewise as values.
    """

    weights: int
    layers: int
    heads: int
    key_width: int
    value_width: int
    vocabulary: int
    trained: int

    def context_bytes(self, tokens: int) -> int:
        """What the cache of keys and values takes."""
        return tokens * self.layers * (self.key_width + self.value_width) * _HALF_FLOAT

    def work_bytes(self, tokens: int) -> int:
        """What computing takes, roughly: scores of attention of a batch, twice, and logits."""
        scores, logits = 2 * self.heads * tokens * BATCH, 2 * OUTPUTS * self.vocabulary
        return (scores + logits) * _FLOAT + _PROCESS

    def needed_bytes(self, tokens: int, measured: int | None = None) -> int:
        """What the model needs in all, with a context of ``tokens``.

        Args:
            tokens: of the context; a model has no more than it was trained with.
            measured: what it needed with the usual context, where somebody has measured it.
        """
        tokens = min(tokens, self.trained)
        if measured is not None:
            return measured + self.context_bytes(max(0, tokens - MEASURED_CONTEXT))
        return self.weights + self.context_bytes(tokens) + self.work_bytes(tokens)


def read_shape(path: Path) -> Shape:
    """The sizes of the model at ``path``.

    Raises:
        NoGgufError: it is no GGUF file, is cut off, or lacks a size.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        weights = path.stat().st_size
        try:
            return _shape(_fields(file), weights)
        except (struct.error, UnicodeDecodeError, KeyError, TypeError) as error:
            raise NoGgufError("its head is damaged or lacks a size of the model") from error


def _shape(fields: dict[str, int | str], weights: int) -> Shape:
    kind = fields["general.architecture"]

    def size(name: str, default: int | None = None) -> int:
        value = fields.get(f"{kind}.{name}", default)
        if not isinstance(value, int) or value <= 0:
            raise KeyError(name)
        return value

    heads = size("attention.head_count")
    pairs = size("attention.head_count_kv", heads)
    width = max(1, size("embedding_length") // heads)
    return Shape(
        weights=weights,
        layers=size("block_count"),
        heads=heads,
        key_width=pairs * size("attention.key_length", width),
        value_width=pairs * size("attention.value_length", width),
        vocabulary=int(fields.get("tokenizer.ggml.tokens", 0)),
        trained=size("context_length"),
    )


def _fields(file: BinaryIO) -> dict[str, int | str]:
    """The fields of the head: numbers and texts, and of each array its length."""
    if file.read(4) != _MAGIC:
        raise NoGgufError("it is no GGUF file")
    version = _number(file, "<I")
    if version not in (2, 3):
        raise NoGgufError(f"it is a GGUF file of version {version}, not 2 or 3")
    _number(file, "<Q")  # of tensors
    fields: dict[str, int | str] = {}
    for _ in range(_counted(file, _MOST_FIELDS)):
        name = _text(file)
        kind = _number(file, "<I")
        if kind == _STRING:
            fields[name] = _text(file)
        elif kind == _ARRAY:
            fields[name] = _array_length(file)
        else:
            fields[name] = _number(file, _NUMBERS[kind])
    return fields


def _array_length(file: BinaryIO) -> int:
    """Reads past an array; one in another is used by no model."""
    kind = _number(file, "<I")
    length = _counted(file, _MOST_ITEMS)
    if kind != _STRING:
        _read(file, length * struct.calcsize(_NUMBERS[kind]))
        return length
    for _ in range(length):
        _read(file, _counted(file, _LONGEST_TEXT))
    return length


def _text(file: BinaryIO) -> str:
    return _read(file, _counted(file, _LONGEST_TEXT)).decode("utf-8")


def _counted(file: BinaryIO, most: int) -> int:
    count = _number(file, "<Q")
    if count > most:
        raise NoGgufError("its head is damaged")
    return count


def _number(file: BinaryIO, form: str) -> int:
    value: int = struct.unpack(form, _read(file, struct.calcsize(form)))[0]
    return value


def _read(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise NoGgufError("it is cut off")
    return data
