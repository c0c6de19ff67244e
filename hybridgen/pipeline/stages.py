"""Notes how long each stage of the work on a module takes."""

from __future__ import annotations

import time
from collections import defaultdict

from hybridgen.pipeline.job import Watcher


class StageClock:
    """A watcher that passes everything on and keeps the time.

    Args:
        watcher: who is told as well.

    Attributes:
        seconds: by stage, in the order in which they began; asking about one target or another
            is the same stage.
    """

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._now = ""
        self._began = time.monotonic()
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def module(self, path: str) -> None:
        """Work on another module begins."""
        self._watcher.module(path)

    def stage(self, text: str) -> None:
        """The module enters another stage."""
        self.stop()
        self._now = text.partition(" about ")[0]
        self._watcher.stage(text)

    def advance(self, done: int | None = None, total: int | None = None) -> None:
        """The stage goes on."""
        self._watcher.advance(done, total)

    def stop(self) -> None:
        """The stage ends; no other begins."""
        now = time.monotonic()
        if self._now:
            self.seconds[self._now] += now - self._began
        self._now, self._began = "", now
