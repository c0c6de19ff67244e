"""The head of a GGUF file."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridgen.engine.gguf import MEASURED_CONTEXT, NoGgufError, read_shape


def test_sizes_are_those_that_the_file_was_written_with(tiny_gguf: Path) -> None:
    shape = read_shape(tiny_gguf)
    assert (shape.layers, shape.heads, shape.trained) == (2, 4, 65536)
    assert (shape.key_width, shape.value_width) == (64, 64)
    assert shape.vocabulary == 256 + 3
    assert shape.weights == tiny_gguf.stat().st_size


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no GGUF"),
        (b"GGML" + b"\0" * 100, "no GGUF"),
        (b"GGUF" + struct.pack("<I", 1) + b"\0" * 100, "version 1"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 0), "lacks a size"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**60), "damaged"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**62), "damaged"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 10) + b"abc", "cut off"),
    ],
)
def test_what_is_no_model_is_said_to_be_none(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(data)
    with pytest.raises(NoGgufError, match=why):
        read_shape(path)


def test_need_grows_with_the_context_that_the_model_can_have(tiny_gguf: Path) -> None:
    shape = read_shape(tiny_gguf)
    short, long = shape.needed_bytes(1000), shape.needed_bytes(65536)
    assert long - short > 64536 * 2 * (64 + 64) * 2  # layers, keys and values, half floats
    assert shape.needed_bytes(10**9) == long


def test_measured_need_counts_and_a_longer_context_comes_on_top(tiny_gguf: Path) -> None:
    shape = read_shape(tiny_gguf)
    assert shape.needed_bytes(MEASURED_CONTEXT, 10**9) == 10**9
    assert shape.needed_bytes(MEASURED_CONTEXT + 1, 10**9) == 10**9 + 2 * (64 + 64) * 2


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.integers(0, 600), byte=st.integers(0, 255), cut=st.integers(0, 20_000))
def test_damage_ends_in_sizes_or_in_words(
    tmp_path: Path, tiny_gguf: Path, place: int, byte: int, cut: int
) -> None:
    data = bytearray(tiny_gguf.read_bytes()[: max(place + 1, cut)])
    data[place] = byte
    path = tmp_path / "m.gguf"
    path.write_bytes(data)
    try:
        shape = read_shape(path)
    except NoGgufError:
        return
    assert shape.context_bytes(4096) > 0
