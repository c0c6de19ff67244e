"""Asking a model on behalf of one module: whether it may be asked, and what answers cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from hybridgen.backends import Backend
from hybridgen.backends.sampling import sample
from hybridgen.domain import Asked, Completion, Label, Prompt
from hybridgen.engine import EngineUnusableError
from hybridgen.errors import EngineError, PolicyRefusal, RemoteError
from hybridgen.pipeline.job import Job, Subject, Tally
from hybridgen.prompt import QuestionKind
from hybridgen.route import steps

HEATS: Final = (0.2, 0.6, 0.9, 1.2)
"""Temperatures of the answers to one question: the likely first, then others."""


class Consultant:
    """Puts questions about one module to a model, and keeps the books.

    Args:
        subject: where what prompts tell was seen: in the project, or in a copy of what they may
            know of.
    """

    def __init__(self, job: Job, subject: Subject, tally: Tally) -> None:
        self.job = job
        self.subject = subject
        self.tally = tally
        self._has_given_up = False

    @property
    def is_blind(self) -> bool:
        """Whether prompts, and their order, must tell nothing of what was seen in runs."""
        module = self.subject.module
        return self.job.settings.context == "drop" and module.project.label > module.label

    @property
    def label(self) -> Label:
        """Of prompts about this module, at the least."""
        module = self.subject.module
        return module.label if self.is_blind else max(module.label, module.project.label)

    @property
    def backend(self) -> Backend | None:
        """Who may be asked about what runs showed; None if nobody may or nobody answers."""
        if self._has_given_up or self.is_blind or self.job.backend is None:
            return None
        policy = self.job.policy
        try:
            names = steps(self.label, self.job.settings.backend, policy.remotes)
        except PolicyRefusal:  # no detour: the prompts that may be sent are, these are not asked
            return None
        return self.job.backend if any(name in policy.models for name in names) else None

    @property
    def usual(self) -> float:
        """Seconds that an answer usually takes; of several at once, its share."""
        return self.tally.asking / max(1, self.tally.answers)

    def as_seen(self, prompt: Prompt) -> Prompt:
        """The prompt, as confidential as what the runs that led to it could read.

        That goes for the whole request: what it asks about was chosen by what runs showed, even
        where they showed that nothing is missing.
        """
        module = self.subject.module
        seen = module.project.label
        if self.is_blind or seen <= module.label:
            return prompt
        why = "chosen by what runs showed, which may read the whole project"
        request = (replace(p, label=max(p.label, seen), why=why) for p in prompt.request)
        return replace(prompt, request=tuple(request))

    def is_hopeless(self, name: str, error: EngineError | RemoteError) -> bool:
        """Notes that there is no answer about ``name``; whether there will be none for others."""
        self.tally.notes.append(f"{name}: {error}")
        is_final = isinstance(error, RemoteError) and error.is_final
        is_unusable = isinstance(error, EngineUnusableError) or is_final
        return is_unusable or self.tally.answers == 0

    def count_tokens(self, texts: Sequence[str], deadline: float) -> list[int]:
        """Tokens of each text; all of them 0 where nobody answers, which the next question says."""
        if self.backend is None:
            return [0] * len(texts)
        try:
            return self.backend.count_tokens(texts, deadline=deadline)
        except (EngineError, RemoteError) as error:
            self._has_given_up = self.is_hopeless("counting tokens", error)
            return [0] * len(texts)

    def ask(
        self,
        kind: QuestionKind,
        prompt: Prompt,
        *,
        name: str,
        max_tokens: int,
        deadline: float,
        heats: Sequence[float] = HEATS,
    ) -> list[Completion]:
        """Answers to a question that is not part of the search; [] where there are none.

        What it cost is noted for its kind; what it gained is told by :meth:`gained`.

        Args:
            name: of what is asked about, for people.
            deadline: on the clock of ``time.monotonic``; what exists then is returned.
            heats: temperatures of the answers.
        """
        backend, settings = self.backend, self.job.settings
        if backend is None:
            return []
        self.job.watcher.stage(f"asking the model about {name}")
        try:
            completions = sample(
                backend,
                self.as_seen(prompt),
                samples=[(heat, settings.seed + index) for index, heat in enumerate(heats)],
                max_tokens=min(max_tokens, settings.max_tokens),
                deadline=deadline,
                on_text=lambda text: self.job.watcher.advance(),
            )
        except (EngineError, RemoteError) as error:
            self._has_given_up = self.is_hopeless(name, error)
            return []
        seconds = sum(completion.usage.seconds for completion in completions)
        self.count(completions, seconds)
        self.subject.runner.effort.add(seconds)
        self.note(kind, Asked(1, 0, seconds))
        return completions

    def count(self, completions: Sequence[Completion], seconds: float) -> None:
        """Counts the answers to one question, which count as one answer, and what they cost."""
        tally = self.tally
        tally.answers += 1
        tally.asking += seconds
        tally.answered_by[completions[0].backend] += 1
        for usage in (completion.usage for completion in completions):
            tally.tokens += usage.prompt_tokens + usage.completion_tokens

    def gained(self, kind: QuestionKind, count: int) -> None:
        """Notes what the last question of a kind brought."""
        self.note(kind, Asked(0, count, 0.0))

    def note(self, kind: QuestionKind, more: Asked) -> None:
        """Adds to what a kind of question brought."""
        old = self.tally.questions.get(kind, Asked())
        self.tally.questions[kind.value] = Asked(
            old.times + more.times, old.gained + more.gained, old.seconds + more.seconds
        )
