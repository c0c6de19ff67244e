"""Every way in which a chat model takes up a begun answer ends in the same shape."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridgen.courier.reconcile import reconcile
from hybridgen.post.extract import code_segments
from hybridgen.post.salvage import statements

CALL = "```python\nfrom m import half\n\nhalf("
METHOD = "```python\nfrom m import Cart\n\n\ndef test_add_1():\n    cart = Cart("


@pytest.mark.parametrize(
    ("start", "said", "expected"),
    [
        (CALL, "4) == 2", "4) == 2"),
        (CALL, " 4) == 2\nhalf(6)", " 4) == 2\nhalf(6)"),
        (CALL, "4) == 2\n```", "4) == 2"),
        (CALL, "4) == 2\r\n```\r\nThat halves 4.", "4) == 2"),
        (CALL, f"{CALL}4) == 2\n```\n", "4) == 2"),
        (CALL, f"\n\n{CALL}4) == 2", "4) == 2"),
        (CALL, f"Here are some tests:\n\n{CALL}4) == 2\n```", "4) == 2"),
        (CALL, "from m import half\n\nhalf(4) == 2", "4) == 2"),
        (CALL, "```\nfrom m import half\n\nhalf(4) == 2\n```", "4) == 2"),
        (CALL, "half(4) == 2\nhalf(6) == 3", "4) == 2\nhalf(6) == 3"),
        (CALL, "```python\nhalf(4) == 2\n```", "4) == 2"),
        (METHOD, "cart = Cart(1)\n    cart.add(2)", "1)\n    cart.add(2)"),
        (METHOD, "    cart = Cart(1)", "1)"),
        (METHOD, "1)\n    cart.add(2)\n```python\nmore()", "1)\n    cart.add(2)"),
        (METHOD, "def test_add_1():\n    cart = Cart(1)", "1)"),
    ],
)
def test_answer_is_our_start_once_and_what_follows_it(start: str, said: str, expected: str) -> None:
    assert reconcile(start, said) == start + expected


@pytest.mark.parametrize(
    "said",
    [
        "```python\nimport pytest\nfrom m import half\n\nassert half(4) == 2\n```\nDone.",
        "Sure, here are the tests:\n\n```py\nimport pytest\nassert half(4) == 2\n```",
        "```\nimport pytest\nassert half(4) == 2\n```",
    ],
)
@pytest.mark.parametrize("start", [CALL, METHOD])
def test_answer_that_begins_anew_keeps_its_code_and_leaves_no_begun_call(
    start: str, said: str
) -> None:
    text = reconcile(start, said)
    assert text.startswith(start)
    found = [ast.unparse(one) for part in code_segments(text) for one in statements(part)]
    assert "assert half(4) == 2" in found
    assert "half()" not in found
    assert not any("Cart()" in one for one in found)
    assert not any("Done" in one or "Sure" in one for one in found)


def test_answer_without_a_start_is_what_was_said() -> None:
    assert reconcile("", "{'a': 1}") == "{'a': 1}"
    assert reconcile("", "```python\nhalf(4)\n```") == "```python\nhalf(4)"


@given(st.sampled_from([CALL, METHOD, ""]), st.text())
def test_any_answer_begins_with_our_start(start: str, said: str) -> None:
    assert reconcile(start, said).startswith(start)


@given(st.text(alphabet="ab1 =+.,'()[]{}\n", max_size=60).map(lambda text: "4" + text))
def test_plain_continuation_is_kept_as_it_is(said: str) -> None:
    assert reconcile(CALL, said) == CALL + said
