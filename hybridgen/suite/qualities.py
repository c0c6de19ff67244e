"""What is particular about a value, in a word or two that fit into the name of a test."""

from __future__ import annotations

import ast
import re

from hybridgen.domain import Check
from hybridgen.suite.edges import literal

_SHORT_VALUE = 20


def value_in_words(check: Check) -> str:
    """A short text or number as words, or ""."""
    value = literal(check.expression)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    sign = "minus_" if isinstance(value, int) and value < 0 else ""
    text = sign + re.sub(r"\W+", "_", str(value)).strip("_").lower()
    return text if text.isascii() and len(text) <= _SHORT_VALUE else ""


def quality(text: str) -> str:
    """What is remarkable about a literal, or ""."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return ""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return ""
    if isinstance(value, str | bytes | list | tuple | dict | set) and not value:
        return "empty"
    if isinstance(value, str) and value.isspace():
        return "blank"
    if isinstance(value, int | float):
        return "negative" if value < 0 else "zero" if value == 0 else ""
    return ""


def kind(value: object) -> str:
    """What a reader calls such a value, "" for an ordinary one."""
    if isinstance(value, str):
        return _kind_of_text(value)
    if isinstance(value, list | tuple | set | dict):
        return "empty" if not value else "single" if len(value) == 1 else ""
    return {bytes: "bytes", float: "fractional", complex: "complex"}.get(type(value), "")


def _kind_of_text(text: str) -> str:
    if text != text.strip():
        return "padded"
    if "\n" in text:
        return "multiline"
    if not text.isascii():
        return "non_ascii"
    tests = {"numeric": str.isdigit, "upper_case": str.isupper}
    found = next((name for name, test in tests.items() if test(text)), "")
    return found or ("" if any(char.isalnum() for char in text) else "punctuation")


def result_in_words(check: Check) -> str:
    """What kind of value came out: ``none``, ``empty_list``, ``one_item``, or ""."""
    if check.expression == "None":
        return "none"
    value = literal(check.expression)
    if isinstance(value, str | bytes | list | tuple | set | dict):
        kind = "text" if isinstance(value, str) else type(value).__name__
        return f"empty_{kind}" if not value else "one_item" if len(value) == 1 else ""
    return ""
