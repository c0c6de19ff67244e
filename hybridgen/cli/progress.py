"""One line on stderr that says what is going on, on a terminal only.

It uses no thread: the process that reads code takes its kernel locks while it has a single
thread, and a thread started before would keep its rights. So the line moves when it is told
something; whoever waits for a child should call :meth:`Progress.advance` every now and then.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Final, Protocol, TextIO

from hybridgen.report.visible import visible

# More often only costs time, on slow terminals most.
_SECONDS_BETWEEN_DRAWS: Final = 0.1


class Progress(Protocol):
    """Told what is going on by whoever does it."""

    def module(self, path: str) -> None:
        """Work on another module begins."""
        ...

    def stage(self, text: str) -> None:
        """The module enters another stage (``loading the model``)."""
        ...

    def advance(self, done: int | None = None, total: int | None = None) -> None:
        """The stage goes on; ``done`` of ``total`` pieces where they can be counted."""
        ...

    def close(self) -> None:
        """Erase the line; the next call brings it back."""
        ...


class SilentProgress:
    """Shows nothing: for pipes, files and CI."""

    def module(self, path: str) -> None:
        """Show nothing."""

    def stage(self, text: str) -> None:
        """Show nothing."""

    def advance(self, done: int | None = None, total: int | None = None) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Do nothing."""


class TerminalProgress:
    """Rewrites one line of a terminal: module, stage, count, seconds since the start."""

    def __init__(
        self, stream: TextIO, seconds_between_draws: float = _SECONDS_BETWEEN_DRAWS
    ) -> None:
        self._stream = stream
        self._seconds_between_draws = seconds_between_draws
        self._start = time.monotonic()
        self._drawn_at = float("-inf")
        self._is_drawn = False
        self._path = ""
        self._stage = "starting"
        self._count = ""
        self._draw()

    def module(self, path: str) -> None:
        """Show the path of another module; seconds count from here."""
        self._start = time.monotonic()
        self._path, self._stage, self._count = path, "starting", ""
        self._draw()

    def stage(self, text: str) -> None:
        """Show another stage."""
        self._stage, self._count = text, ""
        self._draw()

    def advance(self, done: int | None = None, total: int | None = None) -> None:
        """Show the count, and that time goes by."""
        if done is not None:
            self._count = f" {done}/{total}" if total is not None else f" {done}"
        if time.monotonic() - self._drawn_at >= self._seconds_between_draws:
            self._draw()

    def close(self) -> None:
        """Erase the line."""
        if self._is_drawn:
            self._write("\r\x1b[K")
            self._is_drawn = False

    def _draw(self) -> None:
        self._drawn_at = time.monotonic()
        seconds = f"{self._drawn_at - self._start:3.0f} s"
        parts = [part for part in (self._path, self._stage + self._count) if part]
        text = visible("  ".join(parts)).replace("\n", " ").replace("\t", " ")
        # One column short, so that no terminal wraps.
        width = os.get_terminal_size(self._stream.fileno()).columns - len(seconds) - 3
        self._write(f"\r\x1b[K{seconds}  {text[: max(width, 0)]}")
        self._is_drawn = True

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def open_progress(stream: TextIO | None = None) -> Progress:
    """A progress line on ``stream`` (stderr), or a silent one where it is no terminal."""
    stream = stream or sys.stderr
    if stream.isatty() and os.environ.get("TERM") != "dumb":
        return TerminalProgress(stream)
    return SilentProgress()
