"""The backend that asks others: the outermost that may read a prompt, then towards the machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from hybridgen.backends.batching import ahead, at_once
from hybridgen.backends.beginning import begin
from hybridgen.backends.sampling import OneSample, Sample, sample
from hybridgen.domain import Breadth, Completion, Label, Prompt, estimated_tokens
from hybridgen.errors import RemoteError

if TYPE_CHECKING:
    from hybridgen.backends import Backend

# Of the time left, what a backend gets that another one may have to stand in for.
_SHARE: Final = 0.5


class RoutedBackend(OneSample):
    """Asks, for each prompt, the backends that its label allows, in the order of ``steps``.

    A backend that gives no answer hands the prompt on to the next one, never back out; one that
    failed for good is not asked again. A refusal of the gate is no failure: it goes to the caller.

    Args:
        backends: by name, what makes each one; made at the first prompt for it, so that the
            local model is not loaded for nothing.
        steps: the names of the backends that may read a label, the first to ask first.
        local_breadth: how much a question to this machine's model may hold.

    Attributes:
        notes: for people, each thing once: what gave no answer, and what was asked instead.
    """

    def __init__(
        self,
        backends: Mapping[str, Callable[[], Backend]],
        steps: Callable[[Label], Sequence[str]],
        *,
        local_breadth: Breadth = Breadth.NARROW,
    ) -> None:
        self._makers = dict(backends)
        self._steps = steps
        self._local_breadth = local_breadth
        self._made: dict[str, Backend] = {}
        self._given_up: dict[str, RemoteError] = {}
        self._asked: dict[Prompt, str] = {}  # ahead, by whom
        self.notes: list[str] = []

    def count_tokens(self, texts: Sequence[str], *, deadline: float) -> list[int]:
        """About four characters a token where anything but this machine can be asked.

        All backends then get the same prompts, and no model is loaded to count.
        """
        if set(self._makers) == {"local"}:
            return self._backend("local").count_tokens(texts, deadline=deadline)
        return [estimated_tokens(text) for text in texts]

    def breadth(self, label: Label) -> Breadth:
        """As much as the backend takes that would be asked first."""
        name = self._first(self._names(label))
        return self._local_breadth if name == "local" else Breadth.WIDE

    def begin(self, label: Label, about: str) -> None:
        """Lets the model of this machine load where it would be asked first."""
        if self._first(self._names(label)) == "local":
            begin(self._backend("local"), label, about)

    def sample(
        self,
        prompt: Prompt,
        *,
        samples: Sequence[Sample],
        max_tokens: int,
        deadline: float,
        on_text: Callable[[str], None] | None = None,
    ) -> list[Completion]:
        """The answers of the first backend that gives them.

        Raises:
            GateRefusal: the prompt may not go where it was about to go; nobody else is asked.
            RemoteError: no backend that may read the prompt gave an answer.
            EngineError: the local one was asked last and gave none.
        """
        failed: list[tuple[str, RemoteError]] = []
        names = self._names(prompt.label)
        asked = self._asked.pop(prompt, None)
        for name in names:
            if name in self._given_up and name != asked:  # else its answer may be there
                failed.append((name, self._given_up[name]))
                continue
            try:
                completions = sample(
                    self._backend(name),
                    prompt,
                    samples=samples,
                    max_tokens=max_tokens,
                    deadline=_time_for(name, names, deadline),
                    on_text=on_text,
                )
            except RemoteError as error:
                failed.append((name, error))
                if error.is_final:
                    self._given_up[name] = error
                continue
            self._note(failed, f"{name} was asked instead")
            return completions
        if failed:
            last, final = failed.pop()
            self._note(failed, f"{last} was asked instead")
            raise _left_alone(final)
        raise RemoteError(
            f"No backend is there that may read text labelled {prompt.label.name.lower()}.",
            "Install a model for this machine: hybridgen models pull",
            is_final=True,
        )

    def at_once(self, label: Label) -> int:
        """As many as the backend that would be asked first."""
        name = self._first(self._names(label))
        if name is None or name == "local":  # it takes one, and is not loaded to say so
            return 1
        return at_once(self._backend(name), label)

    @contextmanager
    def ahead(
        self,
        prompts: Sequence[Prompt],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        deadline: float,
    ) -> Iterator[None]:
        """Each is asked by the backend that it would be asked by first.

        See :meth:`hybridgen.backends.Batching.ahead`.
        """
        groups: dict[str, list[Prompt]] = {}
        ends: dict[str, float] = {}
        for prompt in prompts:
            names = self._names(prompt.label)
            name = self._first(names)
            if name is not None:
                groups.setdefault(name, []).append(prompt)
                ends.setdefault(name, _time_for(name, names, deadline))
        with ExitStack() as stack:
            stack.callback(self._asked.clear)
            for name, group in groups.items():
                begun = ahead(
                    self._backend(name),
                    group,
                    max_tokens=max_tokens,
                    temperature=temperature,
                    seed=seed,
                    deadline=ends[name],
                )
                stack.enter_context(begun)
                self._asked |= dict.fromkeys(group, name)
            yield

    def close(self) -> None:
        """Ends what was made."""
        for backend in self._made.values():
            backend.close()
        self._made.clear()

    def _names(self, label: Label) -> list[str]:
        """The backends that may read ``label``, the first to ask first."""
        return [name for name in self._steps(label) if name in self._makers]

    def _first(self, names: Sequence[str]) -> str | None:
        return next((name for name in names if name not in self._given_up), None)

    def _backend(self, name: str) -> Backend:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def _note(self, failed: Sequence[tuple[str, RemoteError]], instead: str) -> None:
        for name, error in failed:
            note = f"{name} gave no answer ({error.message.rstrip('.')}); {instead}"
            if note not in self.notes:
                self.notes.append(note)


def _time_for(name: str, names: Sequence[str], deadline: float) -> float:
    """When ``name`` has to be done: another one may have to stand in for all but the last."""
    if name == names[-1]:
        return deadline
    return deadline - (1 - _SHARE) * (deadline - time.monotonic())


def _left_alone(error: RemoteError) -> RemoteError:
    """The last failure where no model of this machine can stand in, since none is installed."""
    hint = f"{error.hint.rstrip('.')}. " if error.hint else ""
    return RemoteError(
        error.message,
        f"{hint}No model is installed on this machine to stand in: hybridgen models pull",
        is_final=error.is_final,
        may_have_left=error.may_have_left,
    )
