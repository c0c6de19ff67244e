"""What a run has asked of a destination, and how much more it may."""

from __future__ import annotations

import threading
import time
from typing import Final

from hybridgen.courier.failures import Failure
from hybridgen.courier.setup import Setup
from hybridgen.errors import RemoteError

_MOST_SICK: Final = 2


class Account:
    """Counts requests and tokens of one destination against the caps of its setup.

    A request is booked with the most that it may cost before it is sent, so that several in
    flight cannot pass the cap together; what it really cost replaces that when it is known.

    Attributes:
        requests: sent so far, retries included.
        tokens: used so far, those in flight at their most.
    """

    def __init__(self, setup: Setup) -> None:
        self._name = setup.destination.backend
        self._max_requests = setup.max_requests
        self._max_tokens = setup.max_tokens
        self._lock = threading.Lock()
        self._sick = 0
        self._sick_since = float("-inf")
        self.requests = 0
        self.tokens = 0

    def book(self, tokens: int) -> None:
        """Books one request that may cost ``tokens``.

        Raises:
            RemoteError: it would pass a cap; final.
        """
        with self._lock:
            if self._max_requests is not None and self.requests >= self._max_requests:
                raise self._over("requests", self._max_requests)
            if self._max_tokens is not None and self.tokens + tokens > self._max_tokens:
                raise self._over("tokens", self._max_tokens)
            self.requests += 1
            self.tokens += tokens

    def settle(self, booked: int, used: int) -> None:
        """Replaces what was booked by what was used."""
        with self._lock:
            self.tokens += used - booked

    def is_hopeless(self, failure: Failure | None, began: float) -> bool:
        """Notes how a question ended; True if too many in a row ended in the server's trouble.

        Each of them may have cost all the time there was for it; those that were in flight
        together cost it once, and count once.

        Args:
            began: when it was asked first, on the clock of ``time.monotonic``.
        """
        with self._lock:
            if failure is None or not failure.is_sickness:
                self._sick = 0
            elif began >= self._sick_since:
                self._sick += 1
                self._sick_since = time.monotonic()
            return self._sick >= _MOST_SICK

    def _over(self, what: str, cap: int) -> RemoteError:
        return RemoteError(
            f"{self._name}: this run's {cap} {what} are used up, so it is not asked any more.",
            f"Raise the cap in your own settings: {self._name}.max_{what}",
            is_final=True,
            may_have_left=False,
        )
