"""What is asked of a model, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from hybridgen.domain.labels import Fragment, Label, strictest

END_OF_CODE: Final = "\n```"
"""An answer begins with an open code fence; what comes after its end is prose."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a module's prompts go, and why."""

    backend: str
    why: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt for any backend: fragments in one fixed order.

    Attributes:
        system: instructions (ours).
        context: the module's outline; byte-equal for all targets of a module.
        request: the target and what is missing.
        answer: the start of the model's answer, which names what is to be tested.
        cut: names of the parts left out to stay within the token budget.
        stop: strings that end the answer and are not part of it, for backends that can be told.
    """

    system: tuple[Fragment, ...]
    context: tuple[Fragment, ...]
    request: tuple[Fragment, ...]
    answer: Fragment
    cut: tuple[str, ...] = ()
    stop: tuple[str, ...] = (END_OF_CODE,)

    @property
    def fragments(self) -> tuple[Fragment, ...]:
        """All of it, in the order in which it is read."""
        return (*self.system, *self.context, *self.request, self.answer)

    @property
    def label(self) -> Label:
        """The strictest label of its fragments."""
        return strictest(part.label for part in self.fragments)

    @property
    def answer_start(self) -> str:
        """The text that the answer begins with."""
        return self.answer.text


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has, without asking a model: one for four characters."""
    return (len(text) + 3) // 4


class Breadth(Enum):
    """How much a question to a model may hold.

    ``NARROW`` where each token costs a laptop its time, ``MIDDLE`` for larger models of this
    machine, ``WIDE`` for those that are asked elsewhere: few long questions cost less there.
    """

    NARROW = "narrow"
    MIDDLE = "middle"
    WIDE = "wide"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a completion cost: tokens, and wall seconds when it was made."""

    prompt_tokens: int
    completion_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's answer; ``text`` includes the prompt's ``answer_start``.

    Attributes:
        is_cut_off: True if the token cap or the deadline ended it.
    """

    text: str
    label: Label
    backend: str
    model: str
    usage: Usage
    is_cut_off: bool = False
