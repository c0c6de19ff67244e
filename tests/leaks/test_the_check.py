"""The check of what was received sees what it is there for: without it every leak test is blind."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hybridgen.prompt

PUBLIC = """\
def giraffe_sum(first: int, second: int) -> int:
    if first > second: raise ValueError("the first is larger than the second by far")
    return first + second
"""
STRICT = "rate = base * share - rebate + freight - margin_of_supplier * 0.37"


def test_public_text_and_our_own_words_pass(check: Callable[..., None]) -> None:
    folder = Path(hybridgen.prompt.__file__).parent / "templates"
    words = (folder / "system.jinja").read_text()
    asked = "Write calls of `giraffe_sum` that together execute this code: read each condition"
    asked = f"{asked} and choose arguments that make it true."
    start = "from shop.open import giraffe_sum"
    check("\n".join((words, "Outline of module shop.open:", PUBLIC, asked, start)), PUBLIC)


@pytest.mark.parametrize("canary", ["zebra-4711-canary", "zebra-8080-table"])
def test_unique_strings_are_seen_in_every_form(
    check: Callable[..., None], encoded: Callable[[str], list[str]], canary: str
) -> None:
    hidden = [PUBLIC + form for form in encoded(canary)]
    for before in ("", "a", "ab", "abc"):
        text = base64.b64encode(f"{before}{canary} and more".encode()).decode()
        assert any(form in text for form in encoded(canary))
        hidden.append(text)
    for text in hidden:
        with pytest.raises(AssertionError):
            check(text, PUBLIC, text)  # even where the whole text counts as public


@pytest.mark.parametrize(
    "text",
    [STRICT, f"{PUBLIC}{STRICT}", "margin_of_supplier", f"return first + second  # {STRICT}"],
)
def test_text_that_is_in_no_public_file_is_seen(check: Any, text: str) -> None:
    with pytest.raises(AssertionError):
        check(text, PUBLIC)


@pytest.mark.parametrize("name", ["zebra_price", "Zebra_Hidden.py"])
def test_names_of_confidential_things_are_seen(check: Any, name: str) -> None:
    with pytest.raises(AssertionError):
        check(name, PUBLIC, name)
