"""A model elsewhere: what the gate clears goes to it by the courier, and nothing else does."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from hybridgen.domain import Completion, Destination, Label, Prompt, Usage, estimated_tokens
from hybridgen.errors import GateRefusal, RemoteError

if TYPE_CHECKING:
    from hybridgen.courier import Answer, Courier
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


@dataclass(frozen=True, slots=True)
class _Begun:
    """A prompt that was cleared, and the answer that a thread of its own waits for."""

    cleared: Cleared
    answer: Future[Answer]


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
        self._model_lock = threading.Lock()
        self._begun: dict[Prompt, _Begun | GateRefusal] = {}

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
        begun = self._begun.pop(prompt, None)
        if isinstance(begun, GateRefusal):
            raise begun
        if begun is not None:
            answer = self._ended(begun.cleared, begun.answer.result)
        else:
            cleared = self._gate.clear(prompt, self._destination)
            send = partial(self._send, cleared, max_tokens, temperature, seed, deadline)
            answer = self._ended(cleared, send)
        if on_text is not None:
            on_text(answer.text.removeprefix(prompt.answer_start))
        return Completion(
            text=answer.text,
            label=prompt.label,
            backend=self._destination.backend,
            model=self._destination.model,
            usage=_usage(answer),
            is_cut_off=answer.is_cut_off,
        )

    def at_once(self, label: Label) -> int:
        """As many as the courier may have in flight."""
        return self._courier.parallel(self._destination)

    @contextlib.contextmanager
    def ahead(
        self,
        prompts: Sequence[Prompt],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        deadline: float,
    ) -> Iterator[None]:
        """Asks all of ``prompts``; see :meth:`hybridgen.backends.Batching.ahead`.

        They are cleared one after the other, and each is under way before the next one is.
        """
        with contextlib.ExitStack() as stack:
            for prompt in prompts:
                if prompt in self._begun:
                    continue
                stack.push(partial(self._leave, prompt))
                try:
                    cleared = self._gate.clear(prompt, self._destination)
                except GateRefusal as refusal:
                    self._begun[prompt] = refusal
                    break
                begun = self._begun[prompt] = _Begun(cleared, Future())
                send = partial(self._send, cleared, max_tokens, temperature, seed, deadline)
                _in_a_thread(send, begun.answer)
            yield

    def close(self) -> None:
        """Nothing to end: the courier is its owner's."""

    def _leave(
        self,
        prompt: Prompt,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Writes down how a request ended whose answer nobody took."""
        begun = self._begun.pop(prompt, None)
        if not isinstance(begun, _Begun):
            return
        is_interrupt = error is not None and not isinstance(error, Exception)
        if is_interrupt and not begun.answer.done():  # its thread ends with the courier
            self._gate.failed(begun.cleared, type(error).__name__, may_have_left=True)
            return
        with contextlib.suppress(RemoteError):
            self._ended(begun.cleared, begun.answer.result)

    def _ended(self, cleared: Cleared, answer: Callable[[], Answer]) -> Answer:
        """What ``answer`` gives or raises, once it is written down."""
        try:
            found = answer()
        except RemoteError as error:
            self._gate.failed(cleared, error.message, may_have_left=error.may_have_left)
            raise
        except BaseException as error:  # it may have been sent: the ledger says how it ended
            self._gate.failed(cleared, type(error).__name__, may_have_left=True)
            raise
        self._gate.done(cleared, _usage(found), attempts=found.attempts)
        return found

    def _send(
        self, cleared: Cleared, max_tokens: int, temperature: float, seed: int, deadline: float
    ) -> Answer:
        self._require_model(deadline)
        return self._courier.send(
            cleared,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            deadline=deadline,
        )

    def _require_model(self, deadline: float) -> None:
        """Once: a server in the building that lists its models has to list this one.

        Some servers answer for any name with whatever model they have.
        """
        if self._destination.backend != "onprem":
            return
        with self._model_lock:  # of several requests the first one asks
            if not self._is_model_known:
                self._courier.require_model(self._destination, deadline=deadline)
                self._is_model_known = True


def _in_a_thread(send: Callable[[], Answer], answer: Future[Answer]) -> None:
    """Lets ``answer`` have what ``send`` gives or raises; a program that ends does not wait."""

    def run() -> None:
        try:
            answer.set_result(send())
        except BaseException as error:  # whoever wants the answer gets it
            answer.set_exception(error)

    try:
        threading.Thread(target=run, name="request", daemon=True).start()
    except RuntimeError:  # no more threads are to be had: it is asked here and now
        run()


def _usage(answer: Answer) -> Usage:
    return Usage(answer.prompt_tokens, answer.completion_tokens, answer.seconds)
