"""Frames: what is written is read, what is no frame is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridgen.courier import frames

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_a_frame_is_read_as_it_was_written(message: frames.Message) -> None:
    frame = frames.encode(message)
    head, body = frame[: frames.HEAD_BYTES], frame[frames.HEAD_BYTES :]
    assert frames.size_of(head) == len(body)
    assert frames.decode(body) == message


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_no_frame(body: bytes) -> None:
    with pytest.raises(frames.FrameError):
        frames.decode(body)


def test_larger_frames_than_the_cap_are_neither_written_nor_announced() -> None:
    with pytest.raises(frames.FrameError, match="too large"):
        frames.encode({"text": "x" * frames.MOST_BYTES})
    with pytest.raises(frames.FrameError, match="too large"):
        frames.size_of(b"\xff\xff\xff\xff")
