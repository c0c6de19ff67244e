"""A model elsewhere: what the gate clears goes to it by the courier, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from hybridgen.domain import Completion, Destination, Prompt, Usage, estimated_tokens
from hybridgen.errors import RemoteError

if TYPE_CHECKING:
    from hybridgen.courier import Courier
    from hybridgen.gate import Cleared


class Clearing(Protocol):
    """The gate (:class:`hybridgen.gate.Gate`), or what leads to that of the project at hand."""

    def clear(self, prompt: Prompt, destination: Destination) -> Cleared:
        """What may be sent, or a refusal."""
        ...

    def done(self, cleared: Cleared, usage: Usage, *, attempts: int) -> None:
        """Writes down what an answer cost."""
        ...

    def failed(self, cleared: Cleared, why: str, *, may_have_left: bool) -> None:
        """Writes down that no answer came."""
        ...


class RemoteBackend:
    """Gemini or a server in the building.

    Args:
        gate: clears each prompt, and writes down what became of it.
        courier: started and configured by whoever made it, who also closes it: a run has one
            courier, whatever the number of destinations.
        destination: where to.
    """

    def __init__(self, gate: Clearing, courier: Courier, destination: Destination) -> None:
        self._gate = gate
        self._courier = courier
        self._destination = destination
        self._is_model_known = False

    def count_tokens(self, texts: Sequence[str], *, deadline: float) -> list[int]:
        """About four characters a token; nobody is asked."""
        return [estimated_tokens(text) for text in texts]

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
        """The answer to ``prompt``, once the gate has cleared it; it comes in one piece.

        Raises:
            GateRefusal: the prompt may not leave this machine; nothing was sent.
            RemoteError: no answer.
        """
        cleared = self._gate.clear(prompt, self._destination)
        try:
            self._require_model(deadline)
            answer = self._courier.send(
                cleared,
                max_tokens=max_tokens,
                temperature=temperature,
                seed=seed,
                deadline=deadline,
            )
        except RemoteError as error:
            self._gate.failed(cleared, error.message, may_have_left=error.may_have_left)
            raise
        except BaseException as error:  # it may have been sent: the ledger says how it ended
            self._gate.failed(cleared, type(error).__name__, may_have_left=True)
            raise
        usage = Usage(answer.prompt_tokens, answer.completion_tokens, answer.seconds)
        self._gate.done(cleared, usage, attempts=answer.attempts)
        if on_text is not None:
            on_text(answer.text.removeprefix(prompt.answer_start))
        return Completion(
            text=answer.text,
            label=prompt.label,
            backend=self._destination.backend,
            model=self._destination.model,
            usage=usage,
            is_cut_off=answer.is_cut_off,
        )

    def _require_model(self, deadline: float) -> None:
        """Once: a server in the building that lists its models has to list this one.

        Some servers answer for any name with whatever model they have.
        """
        if self._destination.backend == "onprem" and not self._is_model_known:
            self._courier.require_model(self._destination, deadline=deadline)
            self._is_model_known = True

    def close(self) -> None:
        """Nothing to end: the courier is its owner's."""
