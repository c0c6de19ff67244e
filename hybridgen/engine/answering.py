"""One question in the making: its prompt is read once, its samples are decoded as one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from hybridgen.engine import wire
from hybridgen.engine.stream import TextStream, is_looping

if TYPE_CHECKING:
    from hybridgen.engine.llama import Llama
    from hybridgen.engine.sampling import Sampler

_LEAST_ROOM: Final = 32
"""Tokens that a sample has to have room for, else fewer samples are decoded at once."""


class Listener(Protocol):
    """The broker's end of a question."""

    def send(self, event: str, **fields: object) -> None:
        """Sends one message."""

    def should_stop(self) -> bool:
        """Whether time is up, or nobody waits for the answer any more."""


class Question:
    """One prompt and the samples that were asked for.

    Args:
        model: what answers.
        request: what is asked.
        broker: who hears of it.
    """

    def __init__(self, model: Llama, request: wire.CompleteRequest, broker: Listener) -> None:
        self._model = model
        self._request = request
        self._broker = broker
        self._evaluated = 0
        self._samples = [
            _Sample(index, request, self._say) for index in range(len(request.samples))
        ]

    def answer(self, tokens: Sequence[int], beginning: int) -> None:
        """Prefills and decodes until every sample has ended, then sends the account.

        Args:
            tokens: of the prompt, fewer than the context has.
            beginning: how many of them other prompts will begin with.

        Raises:
            MemoryError: llama.cpp found no room in its cache.
        """
        from hybridgen.engine.llama import AbortedError

        try:
            rest = self._samples
            while rest:
                rest = rest[self._wave(tokens, beginning, rest) :]
        except AbortedError:
            pass
        for sample in self._samples:
            sample.finish()
        self._broker.send(
            "done",
            id=self._request.id,
            reasons=[sample.reason or "stopped" for sample in self._samples],
            prompt_tokens=len(tokens),
            evaluated_tokens=self._evaluated,
            completion_tokens=[sample.size for sample in self._samples],
        )

    def _wave(self, tokens: Sequence[int], beginning: int, rest: Sequence[_Sample]) -> int:
        """Decodes as many samples at once as there is room for; gives how many.

        Raises:
            AbortedError: cancelled, or out of time.
        """
        most = self._request.max_tokens
        wanted = most * len(rest)
        self._evaluated += self._model.prefill(tokens, beginning=beginning, room=wanted)
        room = self._model.cells.room
        count = max(1, min(len(rest), self._model.samples, room // min(most, _LEAST_ROOM)))
        self._decode(rest[:count], len(tokens), min(most, room // count))
        return count

    def _decode(self, samples: Sequence[_Sample], position: int, most: int) -> None:
        from hybridgen.engine.llama import AbortedError

        cells = self._model.cells
        branches = dict(zip(samples, cells.branch(len(samples)), strict=True))
        samplers = {sample: self._sampler(sample) for sample in samples}
        try:
            for sample in samples:
                sample.take(self._model, samplers[sample].sample(-1), most)
            while True:
                for sample in [sample for sample in branches if sample.reason]:
                    cells.end(branches.pop(sample))  # its place is free for the others
                if not branches:
                    return
                if self._broker.should_stop():
                    raise AbortedError
                self._model.step([(b, position, s.token) for s, b in branches.items()])
                position += 1
                for row, sample in enumerate(branches):
                    sample.take(self._model, samplers[sample].sample(row), most)
        finally:
            for branch in branches.values():
                cells.end(branch)
            for sampler in samplers.values():
                sampler.close()

    def _sampler(self, sample: _Sample) -> Sampler:
        temperature, seed = self._request.samples[sample.index]
        return self._model.sampler(temperature=temperature, seed=seed)

    def _say(self, sample: int, text: str) -> None:
        self._broker.send("text", id=self._request.id, sample=sample, text=text)


class _Sample:
    """One answer in the making.

    Attributes:
        reason: how it ended, "" while it goes on: ``end`` the model or a stop string ended it,
            ``loop`` it only repeated itself, ``length`` the token cap or the context is full.
        token: its last one, not evaluated yet.
        size: how many tokens it has.
    """

    def __init__(
        self, index: int, request: wire.CompleteRequest, say: Callable[[int, str], None]
    ) -> None:
        self.index = index
        self._stream = TextStream(request.stop)
        self._say = say
        self.reason = ""
        self.token = -1
        self.size = 0

    def take(self, model: Llama, token: int, most: int) -> None:
        """Goes on by one token, up to ``most`` of them."""
        if model.is_end(token):
            self.reason = "end"
            return
        self.token = token
        self.size += 1
        text = self._stream.feed(model.piece(token))
        self._tell(text)
        if self._stream.is_stopped:
            self.reason = "end"
        elif "\n" in text and is_looping(self._stream.text):
            self.reason = "loop"
        elif self.size >= most:
            self.reason = "length"

    def finish(self) -> None:
        """Tells what was held back."""
        self._tell(self._stream.finish())

    def _tell(self, text: str) -> None:
        if text:
            self._say(self.index, text)
