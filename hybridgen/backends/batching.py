"""Asking several prompts at once, for the backends that can."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, runtime_checkable

from hybridgen.domain import Label, Prompt


@runtime_checkable
class Batching(Protocol):
    """A backend that works on several prompts at once."""

    def at_once(self, label: Label) -> int:
        """How many prompts labelled ``label`` are worth asking at once."""
        ...

    def ahead(
        self,
        prompts: Sequence[Prompt],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        deadline: float,
    ) -> AbstractContextManager[None]:
        """Within it, ``prompts`` are asked already: ``complete`` waits for the answer to each.

        Everything goes on in the caller's thread but waiting for answers, so no backend needs to
        be safe for several. At its end no request is left open: answers that nobody took are
        waited for, unless an interrupt ends it.

        Raises:
            GateRefusal: the ledger cannot be written. The refusal of a prompt is raised by
                ``complete``; what comes after that prompt is not asked.
        """
        ...


def at_once(backend: object, label: Label) -> int:
    """How many prompts labelled ``label`` are worth asking at once; 1 for most backends."""
    return backend.at_once(label) if isinstance(backend, Batching) else 1


def ahead(
    backend: object,
    prompts: Sequence[Prompt],
    *,
    max_tokens: int,
    temperature: float,
    seed: int,
    deadline: float,
) -> AbstractContextManager[None]:
    """See :meth:`Batching.ahead`; for other backends nothing is asked before its turn."""
    if not prompts or not isinstance(backend, Batching):
        return nullcontext()
    return backend.ahead(
        prompts, max_tokens=max_tokens, temperature=temperature, seed=seed, deadline=deadline
    )
