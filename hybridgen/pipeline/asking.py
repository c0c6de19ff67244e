"""Asks a model about whole functions: their source, and what of it nothing reached yet."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from hybridgen.backends import Backend
from hybridgen.backends.batching import ahead, at_once
from hybridgen.domain import Fragment, Prompt, Target
from hybridgen.errors import EngineError, RemoteError
from hybridgen.pipeline.answers import Answers
from hybridgen.prompt import build_prompt
from hybridgen.source import missing_fragments

ASKING_TURNS: Final = 3

BATCH_SECONDS: Final = 50.0
"""What prompts that are asked at once may take, if the server takes one after the other: no answer
is waited for longer than a minute."""


class Asking:
    """Asks about each target of a module, and again about what is still open."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._consultant = answers.consultant
        self._job = answers.consultant.job
        self._subject = answers.consultant.subject
        self._budget = answers.budget
        self._tally = answers.consultant.tally
        self._focus = answers.search.focus

    def ask(self, backend: Backend) -> None:
        """Asks the model about each target once, the most open first; then again what is open."""
        for turn in range(1 if self._consultant.is_blind else ASKING_TURNS):
            queue = self._queue(turn)
            number = 0
            while number < len(queue):
                if not self._answers.has_time():
                    return
                self._job.watcher.stage(f"asking the model about {queue[number].qualname}")
                self._job.watcher.advance(number, len(queue))
                asked = self._ask_next(queue[number:], turn, backend)
                if not asked:
                    return
                number += asked

    def _ask_next(self, queue: Sequence[Target], turn: int, backend: Backend) -> int:
        """Asks about the first ones of ``queue``, as many as are asked at once.

        Their prompts tell what is known before the first of them is answered, and their answers
        are taken in the order of the queue: what comes of it does not depend on who answers first.

        Returns:
            How many it asked about; 0 if it will not work for the next one either.
        """
        try:
            batch = self._prompts(queue, backend)
        except (EngineError, RemoteError) as error:
            return 0 if self._consultant.is_hopeless(queue[0].qualname, error) else 1
        if len(batch) == 1:
            return self._answered(queue, batch, turn, backend)
        first, settings = queue[0].qualname, self._job.settings
        self._job.watcher.stage(f"asking the model about {first} and {len(batch) - 1} more")
        with ahead(
            backend,
            batch,
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            seed=settings.seed + turn,
            deadline=self._budget.finish_at,
        ):
            return self._answered(queue, batch, turn, backend)

    def _answered(
        self, queue: Sequence[Target], batch: Sequence[Prompt], turn: int, backend: Backend
    ) -> int:
        """Takes the answers to ``batch``; returns what :meth:`_ask_next` does."""
        settings = self._job.settings
        is_hopeless, is_in_turn, longest = False, False, 0.0
        for target, prompt in zip(queue, batch, strict=False):
            if is_in_turn and not self._answers.has_time():
                return 0
            try:
                completion = backend.complete(
                    prompt,
                    max_tokens=settings.max_tokens,
                    temperature=settings.temperature,
                    seed=settings.seed + turn,
                    deadline=self._budget.finish_at,
                    on_text=lambda text: self._job.watcher.advance(),
                )
            except (EngineError, RemoteError) as error:
                is_hopeless = is_hopeless or self._consultant.is_hopeless(target.qualname, error)
                continue
            seconds = self._consultant.count([completion])
            is_in_turn = completion.backend == "local"
            if not is_in_turn:  # of those in flight at once the longest counts
                seconds, longest = max(0.0, seconds - longest), max(longest, seconds)
            self._answers.take([completion], target, seconds)
        return 0 if is_hopeless else len(batch)

    def _queue(self, turn: int) -> Sequence[Target]:
        if self._consultant.is_blind:
            return self._subject.targets
        return self._focus.ordered(only_open=turn > 0)

    def _missing(self, target: Target) -> tuple[Fragment, ...]:
        """What nothing has reached yet."""
        if self._consultant.is_blind:
            return ()
        return missing_fragments(self._subject.module, target, self._focus.missing_lines())

    def _affordable(self, most: int) -> int:
        """How many of ``most`` prompts there is time for, even if they are answered in turn.

        The first one goes alone: it shows whether there are answers, and how fast they come.
        """
        if most == 1 or self._tally.answers == 0:
            return 1
        limit, usual = self._answers.limit(), self._answers.usual
        work = limit.seconds - limit.effort.seconds
        clock = (limit.deadline - time.monotonic()) / 2  # a stand-in may need the other half
        room = min(work + usual, clock + usual, BATCH_SECONDS)
        return max(1, min(most, int(room / usual))) if usual else most

    def _prompts(self, queue: Sequence[Target], backend: Backend) -> list[Prompt]:
        """Those that are asked next: as many as the backend takes at once, if there is time."""
        prompts = [self._prompt(queue[0], backend)]
        size = self._affordable(at_once(backend, prompts[0].label))
        prompts += (self._prompt(target, backend) for target in queue[1:size])
        for prompt in prompts:
            self._tally.cut.update(prompt.cut)
        return prompts

    def _prompt(self, target: Target, backend: Backend) -> Prompt:
        subject, finish_at = self._subject, self._budget.finish_at
        prompt = build_prompt(
            subject.module,
            target,
            import_name=subject.import_name,
            missing=self._missing(target),
            examples=(),
            count_tokens=lambda texts: backend.count_tokens(texts, deadline=finish_at),
        )
        return self._consultant.as_seen(prompt)
