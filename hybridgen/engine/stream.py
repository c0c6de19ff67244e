"""From a model's bytes to text: UTF-8 in parts, stop strings across token edges, loops."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextStream:
    """Collects pieces of bytes and gives out text that no stop string can still take back.

    Args:
        stop: strings that end the text; they are not part of it.

    Attributes:
        is_stopped: True once a stop string was seen.
        text: everything given out so far.
    """

    def __init__(self, stop: Sequence[str]) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = tuple(text for text in stop if text)
        self._held = ""
        self.is_stopped = False
        self.text = ""

    def feed(self, piece: bytes) -> str:
        """Takes one token's bytes and gives the text that became certain, often empty."""
        return "" if self.is_stopped else self._advance(self._decoder.decode(piece))

    def finish(self) -> str:
        """The text that was held back; a character cut in the middle becomes U+FFFD."""
        if self.is_stopped:
            return ""
        released = self._advance(self._decoder.decode(b"", True))
        rest, self._held = self._held, ""
        self.text += rest
        return released + rest

    def _advance(self, new: str) -> str:
        self._held += new
        found = [at for stop in self._stop if (at := self._held.find(stop)) >= 0]
        if found:
            self.is_stopped = True
            released, self._held = self._held[: min(found)], ""
        else:
            keep = self._possible_stop()
            released = self._held[: len(self._held) - keep]
            self._held = self._held[len(self._held) - keep :]
        self.text += released
        return released

    def _possible_stop(self) -> int:
        """How many characters at the end may be the start of a stop string."""
        longest = max((len(stop) for stop in self._stop), default=1) - 1
        for size in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-size:]) for stop in self._stop):
                return size
        return 0


def is_looping(text: str, window: int = 6) -> bool:
    """True if the last complete lines of code bring almost nothing new.

    Small models fall into repeating themselves; every further token is then lost time. It is a
    loop if one line comes three times in a row, or if of the last ``window`` lines at most one
    was not there before. Blank lines, comments and heads of functions do not count.
    """
    lines = [line.strip() for line in text.split("\n")[:-1]]
    lines = [line for line in lines if line and not line.startswith(("#", "def ", "async def "))]
    if len(lines) >= 3 and len(set(lines[-3:])) == 1:
        return True
    earlier = set(lines[:-window])
    return bool(earlier) and sum(line not in earlier for line in lines[-window:]) <= 1
