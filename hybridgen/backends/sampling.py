"""Asking for several answers to one prompt, which is read once where that is possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from hybridgen.domain import Breadth, Completion, Label, Prompt

if TYPE_CHECKING:
    from hybridgen.backends import Backend

Sample = tuple[float, int]
"""Temperature and seed of an answer."""


@runtime_checkable
class Sampling(Protocol):
    """A backend that makes several answers to a prompt at once."""

    def sample(
        self,
        prompt: Prompt,
        *,
        samples: Sequence[Sample],
        max_tokens: int,
        deadline: float,
        on_text: Callable[[str], None] | None = None,
    ) -> list[Completion]:
        """An answer for each sample, at the deadline what there is of it.

        Raises:
            EngineError: this prompt got no answer; another may.
            RemoteError: likewise, of a model elsewhere.
            GateRefusal: the prompt may not leave this machine.
        """
        ...


class OneSample:
    """``complete`` of a :class:`Sampling` backend: one answer of one."""

    def complete(
        self: Sampling,
        prompt: Prompt,
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        deadline: float,
        on_text: Callable[[str], None] | None = None,
    ) -> Completion:
        """The answer to ``prompt``; raises what ``sample`` raises."""
        (completion,) = self.sample(
            prompt,
            samples=((temperature, seed),),
            max_tokens=max_tokens,
            deadline=deadline,
            on_text=on_text,
        )
        return completion


@runtime_checkable
class HasBreadth(Protocol):
    """A backend that knows how much a question to it may hold."""

    def breadth(self, label: Label) -> Breadth:
        """Of a prompt labelled ``label``."""
        ...


def breadth_of(backend: object, label: Label) -> Breadth:
    """How much a question labelled ``label`` may hold; much where a backend does not say."""
    return backend.breadth(label) if isinstance(backend, HasBreadth) else Breadth.WIDE


def sample(
    backend: Backend,
    prompt: Prompt,
    *,
    samples: Sequence[Sample],
    max_tokens: int,
    deadline: float,
    on_text: Callable[[str], None] | None = None,
) -> list[Completion]:
    """See :meth:`Sampling.sample`; other backends are asked for one answer after the other."""
    if isinstance(backend, Sampling):
        return backend.sample(
            prompt, samples=samples, max_tokens=max_tokens, deadline=deadline, on_text=on_text
        )
    return [
        backend.complete(
            prompt,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            deadline=deadline,
            on_text=on_text,
        )
        for temperature, seed in samples
    ]
