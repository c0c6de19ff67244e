"""UTF-8 in parts, stop strings across token edges, and loops."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridgen.engine.stream import TextStream, is_looping


@given(st.text(), st.integers(1, 5), st.lists(st.text("ab\n`", min_size=1, max_size=4)))
def test_any_split_gives_the_text_up_to_the_first_stop_string(
    text: str, size: int, stop: list[str]
) -> None:
    data = text.encode("utf-8", "replace")
    stream = TextStream(stop)
    given_out = [stream.feed(data[at : at + size]) for at in range(0, len(data), size)]
    given_out.append(stream.finish())
    whole = data.decode()
    # A longer stop string that begins earlier may still be open when a shorter one is complete.
    ends = [whole.find(text) for text in stop if text in whole]
    assert "".join(given_out) == stream.text
    assert whole.startswith(stream.text)
    assert stream.is_stopped == bool(ends)
    if not ends:
        assert stream.text == whole
    else:
        assert not any(text in stream.text for text in stop)
        assert len(stream.text) >= min(ends)


def test_cut_character_becomes_the_replacement_character() -> None:
    stream = TextStream(())
    assert stream.feed("é".encode()[:1]) == ""
    assert stream.finish() == "\ufffd"


def test_possible_start_of_a_stop_string_is_held_back_and_released() -> None:
    stream = TextStream(("\n```",))
    assert stream.feed(b"a\n``") == "a"
    assert stream.feed(b"x") == "\n``x"
    assert not stream.is_stopped


@pytest.mark.parametrize(
    "text",
    [
        "f(1)\nf(1)\nf(1)\n",
        "f(1)\nf(2)\n# again\n" * 5,
        "".join(f"def test_f_{n}():\n    cart = Cart()\n    cart.add(1)\n\n" for n in range(5)),
    ],
)
def test_repetition_is_a_loop(text: str) -> None:
    assert is_looping(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "f(1)\nf(1)\n",
        "\n\n\n\n\n\n\n\n",
        "\n".join(f"f({n})" for n in range(40)),
        "".join(f"def test_f_{n}():\n    c = Cart()\n    c.add({n})\n\n" for n in range(9)),
    ],
)
def test_variation_is_no_loop(text: str) -> None:
    assert not is_looping(text)
