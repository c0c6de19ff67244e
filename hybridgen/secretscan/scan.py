"""Looks for secrets in text: by shape, by what a library knows, and by the names of values."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hybridgen.secretscan.library import known_in
from hybridgen.secretscan.named import named_in, random_in
from hybridgen.secretscan.shapes import shapes_in
from hybridgen.secretscan.views import decoded, plain_lines

_HEAD_OF_KEY: Final = re.compile(r"-----? ?BEGIN (?:[A-Z0-9]+ +)*PRIVATE KEY")


@dataclass(frozen=True, slots=True)
class Secret:
    """Something that looks like a secret. The secret itself is not in here.

    Attributes:
        kind: what it looks like.
        line: where it starts, from 1.
    """

    kind: str
    line: int


def find_secrets(text: str) -> list[Secret]:
    """All that look like secrets, in the order of their lines; one of a kind for each line."""
    found = dict.fromkeys(_found(text, 1))
    for plain, line in plain_lines(text):
        found.update(dict.fromkeys(_found(plain, line)))
    for inner, line in decoded(text):
        found.update((Secret(f"{one.kind}, encoded", line), None) for one in _found(inner, line))
    return sorted(found, key=lambda secret: secret.line)


def _found(text: str, first: int) -> Iterator[Secret]:
    """What a text holds as it is, where its first line has the number ``first``."""
    for kind, offset in itertools.chain(shapes_in(text), named_in(text), known_in(text)):
        yield Secret(kind, first + text.count("\n", 0, offset))


def secret_in(text: str) -> str | None:
    """Names the kind of secret that ``text`` seems to hold, or None.

    It is stricter than :func:`find_secrets`: the head of a private key counts without the key,
    and a long random-looking string without a name beside it. Meant for values that were observed,
    where a false alarm costs one test.
    """
    for secret in find_secrets(text):
        return secret.kind
    if _HEAD_OF_KEY.search(text):
        return "private key"
    return next((kind for kind, _ in random_in(text)), None)
