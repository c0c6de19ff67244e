"""Text functions that replies in the corpus were written for."""

from __future__ import annotations

import re

_WORD = re.compile(r"[a-z0-9]+")


def slugify(title: str, separator: str = "-", max_length: int | None = None) -> str:
    """Lower-case words of ``title`` joined by ``separator``.

    >>> slugify("Hello, World!")
    'hello-world'
    """
    slug = separator.join(_WORD.findall(title.lower()))
    return slug if max_length is None else slug[:max_length].rstrip(separator)


def parse_duration(text: str) -> int:
    """Seconds in a text such as ``1h30m`` or ``45s``.

    Raises:
        ValueError: on anything else.
    """
    match = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text.strip())
    if not text.strip() or match is None:
        raise ValueError(f"not a duration: {text!r}")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def count_words(text: str) -> dict[str, int]:
    """How often each word occurs, whatever its case."""
    counts: dict[str, int] = {}
    for word in _WORD.findall(text.lower()):
        counts[word] = counts.get(word, 0) + 1
    return counts
