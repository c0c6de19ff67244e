"""Where prompts go: one Protocol, and a plain dict of what implements it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from hybridgen.backends.batching import Batching
from hybridgen.backends.fake import FakeBackend
from hybridgen.backends.local import LocalBackend
from hybridgen.backends.remote import RemoteBackend
from hybridgen.backends.routed import RoutedBackend
from hybridgen.domain import Completion, Prompt

__all__ = [
    "BACKENDS",
    "Backend",
    "Batching",
    "FakeBackend",
    "LocalBackend",
    "RemoteBackend",
    "RoutedBackend",
]


class Backend(Protocol):
    """Something that completes prompts. Made is started: it gets ready in the background.

    One that works on several prompts at once is a :class:`Batching` as well.
    """

    def count_tokens(self, texts: Sequence[str], *, deadline: float) -> list[int]:
        """How many tokens each text has; waits until the backend is ready.

        Args:
            texts: any texts.
            deadline: on the clock of ``time.monotonic``.

        Raises:
            EngineError: it does not get ready, or not before the deadline.
        """
        ...

    def complete(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        deadline: float,
        on_text: Callable[[str], None] | None = None,
    ) -> Completion:
        """The answer to ``prompt``, at the deadline what there is of it.

        Raises:
            EngineError: this prompt got no answer; another may.
            RemoteError: likewise, of a model elsewhere.
            GateRefusal: the prompt may not leave this machine.
        """
        ...

    def close(self) -> None:
        """Ends it at once; may be called twice."""
        ...


BACKENDS: dict[str, Callable[..., Backend]] = {
    "local": LocalBackend,
    "fake": FakeBackend,
    "gemini": RemoteBackend,
    "onprem": RemoteBackend,
}
