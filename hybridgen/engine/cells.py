"""What the memory of keys and values holds: prompts, of which equal beginnings are there once.

A cell holds one token of one or more sequences. A copied sequence shares its cells, so a prompt
costs only what no prompt before it began with, and a sample of it only what it says itself.
Attention looks at every cell up to the highest used one, so what nobody needs is given back at
once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

BEGINNINGS: Final = 4
"""How many beginnings stay: instructions of some kinds of questions, each with its module."""

_Tokens = tuple[int, ...]


class SequenceMemory(Protocol):
    """What llama.cpp does with sequences."""

    def copy_sequence(self, source: int, to: int) -> None:
        """Makes ``to``, which is empty, hold what ``source`` holds."""

    def cut_sequence(self, sequence: int, start: int) -> None:
        """Forgets the tokens of a sequence from ``start`` on."""


class Cells:
    """The sequences of one context: beginnings that stay, the prompt in hand, its samples.

    Args:
        memory: where they are.
        size: cells, that is tokens of all sequences together.
        samples: how many a prompt may have at once.
        is_divisible: whether a part of what a sequence holds can be forgotten; models with a
            recurrent state know only all or nothing.

    Attributes:
        prompt: the sequence of the prompt in hand; what it holds is used again by the next.
    """

    def __init__(
        self, memory: SequenceMemory, *, size: int, samples: int, is_divisible: bool
    ) -> None:
        self._memory = memory
        self._size = size
        self._is_divisible = is_divisible
        self._free = list(range(sequences_for(samples)))
        self._kept: dict[int, _Tokens] = {}  # the one used last comes last
        self.prompt = self._free.pop()
        self._held: _Tokens = ()

    @property
    def kept(self) -> tuple[tuple[int, ...], ...]:
        """The beginnings that stay, the one used last at the end."""
        return tuple(self._kept.values())

    @property
    def room(self) -> int:
        """Cells that nothing uses."""
        texts = [*self._kept.values(), self._held]
        shared = (
            max((_common(text, other) for other in texts[:index]), default=0)
            for index, text in enumerate(texts)
        )
        return self._size - sum(map(len, texts)) + sum(shared)

    def open(self, tokens: Sequence[int], room: int) -> int:
        """Takes up another prompt and gives how many of its tokens are there already.

        The last token never is: only evaluating it gives its logits.

        Args:
            tokens: of the prompt.
            room: cells wanted for answers; beginnings that were not used for long make place.
        """
        wanted = tuple(tokens)
        known, source = self._usable(self._held, wanted), self.prompt
        for sequence, held in self._kept.items():
            if self._usable(held, wanted) > known:
                known, source = self._usable(held, wanted), sequence
        if source != self.prompt:
            self.cut(0)
            self._memory.copy_sequence(source, self.prompt)
            self._held = self._kept[source]
        self.cut(known)
        begun = [s for s, held in self._kept.items() if held == wanted[: len(held)]]
        for sequence in begun:
            self._kept[sequence] = self._kept.pop(sequence)
        for sequence in [*self._kept]:
            if self.room >= len(wanted) - known + room:
                break
            if sequence not in begun:
                self._evict(sequence)
        return known

    def cut(self, length: int) -> None:
        """Forgets what the prompt in hand holds from ``length`` on, written down or not."""
        self._memory.cut_sequence(self.prompt, length)
        self._held = self._held[:length]

    def holds(self, tokens: Sequence[int]) -> None:
        """Writes down what the prompt in hand holds now."""
        self._held = tuple(tokens)

    def keep(self, length: int) -> None:
        """What the prompt in hand begins with, up to ``length``, stays."""
        beginning = self._held[:length]
        if not beginning or any(held[:length] == beginning for held in self._kept.values()):
            return
        if len(self._held) != length and not self._is_divisible:
            return
        if len(self._kept) == BEGINNINGS:
            self._evict(next(iter(self._kept)))
        sequence = self._free.pop()
        self._memory.copy_sequence(self.prompt, sequence)
        if len(self._held) != length:
            self._memory.cut_sequence(sequence, length)
        self._kept[sequence] = beginning

    def branch(self, count: int) -> list[int]:
        """Sequences that go on from the prompt in hand, one for each sample."""
        branches = [self._free.pop() for _ in range(count)]
        for branch in branches:
            self._memory.copy_sequence(self.prompt, branch)
        return branches

    def end(self, branch: int) -> None:
        """A sample is done; its place is free at once."""
        self._memory.cut_sequence(branch, 0)
        self._free.append(branch)

    def _usable(self, held: _Tokens, wanted: _Tokens) -> int:
        """How many tokens of ``held`` serve a prompt."""
        known = min(_common(held, wanted), len(wanted) - 1)
        return known if self._is_divisible or known == len(held) else 0

    def _evict(self, sequence: int) -> None:
        del self._kept[sequence]
        self.end(sequence)


def sequences_for(samples: int) -> int:
    """How many sequences a context needs where a prompt has so many samples at once."""
    return samples + BEGINNINGS + 1


def _common(first: _Tokens, second: _Tokens) -> int:
    """How many tokens two prompts begin with alike."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(first), len(second)))
