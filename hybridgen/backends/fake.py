"""A backend that replays given answers; it ships so that every test of ours can use it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hybridgen.domain import Completion, Prompt, Usage, estimated_tokens
from hybridgen.errors import EngineError


class FakeBackend:
    """Gives ``answers`` in turn, from the first again after the last.

    Args:
        answers: texts that follow the prompt's start of the answer; an error is raised.

    Attributes:
        prompts: what it was asked, in order.
        is_closed: True after ``close``.
    """

    def __init__(self, answers: Sequence[str | EngineError] = ("",)) -> None:
        self._answers = tuple(answers)
        self.prompts: list[Prompt] = []
        self.is_closed = False

    def count_tokens(self, texts: Sequence[str], *, deadline: float) -> list[int]:
        """About four characters a token."""
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
        """The next answer, cut off after about ``max_tokens``.

        Raises:
            EngineError: the next answer is this error.
        """
        answer = self._answers[len(self.prompts) % len(self._answers)]
        self.prompts.append(prompt)
        if isinstance(answer, EngineError):
            raise answer
        text = answer[: 4 * max_tokens]
        if on_text is not None:
            on_text(text)
        parts = (*prompt.system, *prompt.context, *prompt.request)
        sizes = self.count_tokens(["".join(part.text for part in parts), text], deadline=deadline)
        return Completion(
            text=prompt.answer_start + text,
            label=prompt.label,
            backend="fake",
            model="fake",
            usage=Usage(prompt_tokens=sizes[0], completion_tokens=sizes[1], seconds=0.0),
            is_cut_off=len(text) < len(answer),
        )

    def close(self) -> None:
        """Only remembers that it was closed."""
        self.is_closed = True
