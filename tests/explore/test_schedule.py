"""Which target and which find a search turns to."""

from __future__ import annotations

import random
from collections import Counter

from hybridgen.explore.schedule import Attention


def test_much_that_is_open_draws_attention_until_it_was_in_vain() -> None:
    attention = Attention(random.Random(0))
    wanted = {"large": 400, "small": 4}

    first = Counter(attention.choose(wanted) for _ in range(40))
    for _ in range(4_000):
        attention.choose({"large": 400})
    later = Counter(attention.choose(wanted) for _ in range(40))

    assert first["large"] > 2 * first["small"]
    assert later["small"] > later["large"] / 2


def test_finds_keep_attention() -> None:
    keen, dull = (Attention(random.Random(0)) for _ in range(2))
    wanted = {"a": 10, "b": 10}
    for _ in range(400):
        keen.choose({"a": 10})
        keen.found("a")
        dull.choose({"a": 10})

    times = [sum(one.choose(wanted) == "a" for _ in range(200)) for one in (keen, dull)]

    assert times[0] > times[1] + 20


def test_nothing_open_is_no_target() -> None:
    assert Attention(random.Random(0)).choose({}) == ""
