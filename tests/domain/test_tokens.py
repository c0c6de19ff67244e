"""The estimate of tokens where no model is asked."""

from __future__ import annotations

import pytest

from hybridgen.domain import estimated_tokens


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("ü" * 9, 3)]
)
def test_four_characters_are_a_token_and_the_rest_is_one_more(text: str, count: int) -> None:
    assert estimated_tokens(text) == count
