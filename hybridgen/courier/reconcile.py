"""Joins the start of an answer, which was ours, and what a chat model made of it.

The local engine continues our text in the middle of a line. Chat services promise nothing like
that: some continue it, some say it again from the beginning or from the last line, some write an
answer of their own with its own code fence. Behind this function all of them look the same.
"""

from __future__ import annotations

import re
from typing import Final

_OPENING: Final = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[ \t]*(?:python3?|py)\b[^\n]*\n", re.M | re.I)
_BARE: Final = re.compile(r"\s*(?:`{3,}|~{3,})[ \t]*\n")
_CLOSING: Final = re.compile(r"\n[ \t]*(?:`{3,}|~{3,})")
# A first line that a sentence is: words with blanks between them, no bracket in front of them.
_SENTENCE: Final = re.compile(r"\s*[A-Z][\w']*,?(?: [\w'`]+,?){2,}")
# Ends our begun line so that no parser takes it for a call, where the model begins anew.
_SPOILED: Final = "?"


def reconcile(answer_start: str, text: str) -> str:
    """``answer_start``, once, and the code that ``text`` goes on with, up to its end.

    Args:
        answer_start: opens a code fence and ends in the middle of the code.
        text: what the model said after it.
    """
    text = text.replace("\r\n", "\n")
    own = _own_code(text)
    for said in (text, own):
        rest = None if said is None else _rest(answer_start, said)
        if rest is not None:
            return answer_start + _until_closed(rest)
    if own is None:
        return answer_start + _until_closed(text)
    if not answer_start:
        return f"```python\n{_until_closed(own)}"
    return f"{answer_start}{_SPOILED}\n```\n```python\n{_until_closed(own)}"


def _rest(answer_start: str, said: str) -> str | None:
    """What follows our start, or its last lines, in ``said``; None if it repeats none of it."""
    said = said.lstrip()
    lines = answer_start.splitlines(keepends=True)
    for first in range(len(lines)):
        repeated = "".join(lines[first:]).lstrip()
        if repeated.strip() and said.startswith(repeated):
            return said[len(repeated) :]
    return None


def _own_code(text: str) -> str | None:
    """The code in a fence that the model opened itself, None if it goes on with ours."""
    bare = _BARE.match(text)
    if bare is not None:
        return text[bare.end() :]
    opening = _OPENING.search(text)
    if opening is None:
        return None
    before = text[: opening.start()]
    if before.strip() and not _SENTENCE.match(before):
        return None  # it went on with ours, and explained itself or added more afterwards
    return text[opening.end() :]


def _until_closed(code: str) -> str:
    """``code`` up to the fence that closes it; what comes after it is prose."""
    closing = _CLOSING.search(code)
    return code if closing is None else code[: closing.start()]
