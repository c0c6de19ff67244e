"""Asks the model on this machine short questions about what the search left open."""

from __future__ import annotations

from collections import Counter
from typing import Final

from hybridgen.backends import Backend
from hybridgen.backends.sampling import sample
from hybridgen.domain import Asked, Fragment, Prompt, Target
from hybridgen.errors import EngineError, RemoteError
from hybridgen.explore.archive import SEARCHED, Archive, weight
from hybridgen.pipeline.answers import Answers
from hybridgen.pipeline.consulting import HEATS
from hybridgen.prompt import Question, QuestionKind, build_question, questions
from hybridgen.source import missing_fragments

MOST_TOKENS: Final = 128
"""Of an answer: some ten calls. What comes later mostly repeats what was before."""

MOST_ROUNDS: Final = 3
"""How often the same kind of question is asked about one target, as long as it helps."""

_PRIOR_GAIN, _PRIOR_SECONDS = 1.0, 8.0
"""What a kind of question is taken to bring before it was asked: so each is tried."""


class Questioning:
    """Asks the question that promises most, until none is left or time is up.

    Which kinds of questions pay differs from module to module, so each kind is tried, and then
    the one that gained most per second goes first. What was answered with nothing new is not
    asked again.
    """

    def __init__(self, answers: Answers, archive: Archive) -> None:
        self._answers = answers
        self._archive = archive
        self._focus = answers.search.focus
        self._asked: set[tuple[str, ...]] = set()
        self._rounds: Counter[tuple[str, ...]] = Counter()
        self._consultant = answers.consultant
        self._brought = answers.consultant.tally.questions

    def ask(self, backend: Backend) -> None:
        """Asks; a model that does not answer ends it."""
        while self._answers.has_time():
            question = self._next()
            if question is None:
                return
            try:
                self._put(question, backend)
            except (EngineError, RemoteError) as error:
                if self._consultant.is_hopeless(question.target.qualname, error):
                    return

    def _next(self) -> Question | None:
        """Of the kind that pays best, about what is most open."""
        kinds = sorted(QuestionKind, key=lambda kind: -rate(self._brought.get(kind, Asked())))
        left = (
            question
            for target in self._focus.ordered(only_open=True)
            for question in questions(target, self._missing(target), self._working(target))
            if _key(question) not in self._asked
        )
        return min(left, key=lambda question: kinds.index(question.kind), default=None)

    def _missing(self, target: Target) -> tuple[Fragment, ...]:
        """Open places of a target, and of private code that only it leads to."""
        module, lines = self._consultant.subject.module, self._focus.missing_lines()
        return tuple(
            place
            for part in self._focus.parts(target)
            for place in missing_fragments(module, part, lines)
        )

    def _working(self, target: Target) -> Fragment | None:
        """The plainest call that came back and that somebody wrote, as a line of code.

        What the search made up shows no real input, and a model writes more of the kind it sees.
        """
        seen = (o for o in self._archive.observations if o.candidate.target == target.qualname)
        good = (o.candidate for o in seen if all(r.raised is None for r in o.results))
        written = (candidate for candidate in good if candidate.origin not in SEARCHED)
        candidate = min(written, key=weight, default=None)
        if candidate is None:
            return None
        module = self._consultant.subject.module
        text = "; ".join(step.code for step in candidate.steps)
        label = max(candidate.label, module.source.label, target.label)
        return Fragment(text, label, module.display, "seen in a run", module.source.sources)

    def _put(self, question: Question, backend: Backend) -> None:
        """Asks one question and takes its answers.

        Raises:
            EngineError: there is no answer.
            RemoteError: likewise.
        """
        self._asked.add(_key(question))
        prompt = self._prompt(question, backend)
        if prompt is None:
            return
        answers, target = self._answers, question.target
        watcher, settings = self._consultant.job.watcher, self._consultant.job.settings
        watcher.stage(f"asking the model about {target.qualname}")
        before = self._open()
        completions = sample(
            backend,
            prompt,
            samples=[(heat, settings.seed + index) for index, heat in enumerate(HEATS)],
            max_tokens=min(MOST_TOKENS, settings.max_tokens),
            deadline=answers.budget.finish_at,
            on_text=lambda text: watcher.advance(),
        )
        seconds = self._consultant.count(completions)
        answers.take(completions, target, seconds, question.parameter)
        self._note(question, max(0, before - self._open()), seconds)

    def _prompt(self, question: Question, backend: Backend) -> Prompt | None:
        subject, finish_at = self._consultant.subject, self._answers.budget.finish_at
        prompt = build_question(
            question,
            subject.module,
            import_name=subject.import_name,
            count_tokens=lambda texts: backend.count_tokens(texts, deadline=finish_at),
        )
        return None if prompt is None else self._consultant.as_seen(prompt)

    def _note(self, question: Question, gained: int, seconds: float) -> None:
        key = _key(question)
        self._consultant.note(question.kind, Asked(1, gained, seconds))
        self._rounds[key] += 1
        if gained and self._rounds[key] < MOST_ROUNDS:
            self._asked.remove(key)  # what is open now is another question

    def _open(self) -> int:
        """How many lines and branches nothing reaches."""
        return sum(self._focus.counts().values())


def rate(brought: Asked) -> float:
    """What a kind of question gains per second, as far as is known."""
    return (brought.gained + _PRIOR_GAIN) / (brought.seconds + _PRIOR_SECONDS)


def _key(question: Question) -> tuple[str, ...]:
    places = [question.missing[0].text] if question.kind is QuestionKind.BRANCH else []
    return (question.kind, question.target.qualname, question.parameter or "", *places)
