"""Reads the name that a model gave a test: ``def test_parse_empty_text(``."""

from __future__ import annotations

import re
from typing import Final

from hybridgen.domain import Completion

_MOST_WORDS: Final = 6
_LONGEST: Final = 50  # characters
_NAME: Final = re.compile(r"[a-z]+(?:_[a-z]+)*")


def name_after(completion: Completion, start: str) -> str:
    """What the answer put after ``start``, as ``words_in_snake_case``; "" where that is no name.

    One to six words of letters: a number in a name tells no more than the one that it replaces.
    Never raises on any text.

    Args:
        completion: an answer that was begun with ``def`` and ``start``.
        start: the beginning of the name, ``test_parse_``.
    """
    _, found, rest = completion.text.partition(f"def {start}")
    name, bracket, _ = rest.partition("(")
    if not found or not bracket or len(name) > _LONGEST or not _NAME.fullmatch(name):
        return ""
    return name if name.count("_") < _MOST_WORDS else ""
