"""Labels are ordered by strictness, and what nobody said is the strictest."""

from __future__ import annotations

import pytest

from hybridgen.domain import Fragment, Label, Prompt, strictest

OURS = Fragment("words", Label.PUBLIC, "template t", "part of hybridgen")
STRICT = Fragment("code", Label.CONFIDENTIAL, "a.py:1", "not marked")


def test_nothing_known_is_confidential() -> None:
    assert strictest([]) is Label.CONFIDENTIAL


@pytest.mark.parametrize("others", [[Label.PUBLIC], [Label.INTERNAL, Label.PUBLIC]])
def test_one_strict_label_is_enough(others: list[Label]) -> None:
    assert strictest([*others, Label.CONFIDENTIAL]) is Label.CONFIDENTIAL
    assert strictest([Label.CONFIDENTIAL, *others]) is Label.CONFIDENTIAL


@pytest.mark.parametrize("place", range(4))
def test_prompt_is_as_strict_as_any_part_of_it(place: int) -> None:
    parts = [OURS] * 4
    assert Prompt((parts[0],), (parts[1],), (parts[2],), parts[3]).label is Label.PUBLIC
    parts[place] = STRICT
    prompt = Prompt((parts[0],), (parts[1],), (parts[2],), parts[3])
    assert prompt.label is Label.CONFIDENTIAL
