"""Asks a model about what the search left open: the question that promises most, then the next.

Which kinds of questions pay differs from module to module, so each kind is tried, and then the one
that gained most per second goes first. What was answered with nothing new is not asked again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from hybridgen.backends import Backend
from hybridgen.backends.batching import ahead, at_once
from hybridgen.backends.sampling import breadth_of, sample
from hybridgen.domain import Asked, Breadth, Completion, Fragment, Prompt, Target
from hybridgen.errors import EngineError, RemoteError
from hybridgen.explore.archive import SEARCHED, Archive, weight
from hybridgen.explore.entrances import entrances
from hybridgen.pipeline.answers import Answers
from hybridgen.pipeline.consulting import HEATS
from hybridgen.post import texts, values
from hybridgen.prompt import LIMITS, Question, QuestionKind, build_question, questions
from hybridgen.source import missing_fragments

MOST_ROUNDS: Final = 3
"""How often the same kind of question is asked about one target, as long as it helps."""

MOST_BARREN: Final = 6
"""Questions in a row that gained nothing and end the asking: later ones promise less."""

BATCH_SECONDS: Final = 50.0
"""What prompts that are asked at once may take, if the server takes one after the other: no answer
is waited for longer than a minute."""

_PRIOR_GAIN, _PRIOR_SECONDS = 1.0, 8.0
"""What a kind of question is taken to bring before it was asked: so each is tried."""

Put = tuple[Question, Prompt]


class Questioning:
    """Asks while questions pay, until none is left or time is up."""

    def __init__(self, answers: Answers, archive: Archive, backend: Backend) -> None:
        self._answers = answers
        self._archive = archive
        self._backend = backend
        self._consultant = answers.consultant
        self._focus = answers.search.focus
        self._asked: set[tuple[str, ...]] = set()
        self._rounds: Counter[tuple[str, ...]] = Counter()
        self._brought = answers.consultant.tally.questions
        self._breadth = breadth_of(backend, self._consultant.label)
        self._barren = 0

    def ask(self) -> None:
        """Asks; a model that does not answer ends it."""
        self._consultant.job.watcher.stage("asking the model")
        while self._answers.has_time() and self._barren < MOST_BARREN:
            try:
                batch = self._batch()
                if not batch or not self._put(batch):
                    return
            except (EngineError, RemoteError) as error:  # nobody counts tokens
                self._consultant.is_hopeless("counting tokens", error)
                return

    # ---- what is asked

    def _batch(self) -> list[Put]:
        """What is asked next: as much as the backend takes at once, if there is time.

        Prompts that are asked at once tell what is known before the first of them is answered, and
        their answers are taken in this order: what comes of it does not depend on who is first.
        """
        batch: list[Put] = []
        size = 1
        for question in self._ranked():
            self._asked.add(_key(question))
            prompt = self._prompt(question)
            if prompt is None:
                continue
            self._consultant.tally.cut.update(prompt.cut if self._has_source else ())
            if not batch:
                size = self._affordable(at_once(self._backend, prompt.label))
            batch.append((question, prompt))
            if len(batch) >= size:
                break
        return batch

    def _ranked(self) -> Iterator[Question]:
        """What was not asked: first of the kind that pays best, about what is most open."""
        if self._consultant.is_blind:
            every = self._consultant.subject.targets
            all_of_it = [Question(QuestionKind.SCENARIO, target, ()) for target in every]
            yield from (question for question in all_of_it if _key(question) not in self._asked)
            return
        kinds = sorted(QuestionKind, key=lambda kind: kind is not QuestionKind.SCENARIO)
        kinds = kinds if self._has_source else list(QuestionKind)
        kinds.sort(key=lambda kind: -rate(self._brought.get(kind, Asked())))
        targets = self._focus.ordered(only_open=True)
        targets.sort(key=lambda target: target.name.startswith("__"))  # operators say little
        left = [
            question
            for target in targets
            for question in questions(
                target, self._missing(target), self._working(target), self._breadth
            )
            if _key(question) not in self._asked
        ]
        left += self._about_texts()
        yield from sorted(left, key=lambda question: kinds.index(question.kind))

    def _about_texts(self) -> Iterator[Question]:
        """Whole texts for calls that lead to open code elsewhere."""
        counts = self._focus.counts()
        targets = [t for t in self._consultant.subject.targets if not t.is_private]
        for entrance in entrances(targets, counts, self._archive.observations):
            places = tuple(place for other in entrance.leads_to for place in self._missing(other))
            target, parameter = entrance.target, entrance.parameter
            question = Question(QuestionKind.TEXT, target, places, parameter)
            if places and _key(question) not in self._asked:
                yield question

    @property
    def _has_source(self) -> bool:
        return LIMITS[self._breadth].has_source

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

    def _prompt(self, question: Question) -> Prompt | None:
        subject, deadline = self._consultant.subject, self._answers.deadline
        prompt = build_question(
            question,
            subject.module,
            import_name=subject.import_name,
            count_tokens=lambda texts: self._backend.count_tokens(texts, deadline=deadline),
            limits=LIMITS[self._breadth],
        )
        return None if prompt is None else self._consultant.as_seen(prompt)

    def _affordable(self, most: int) -> int:
        """How many of ``most`` prompts there is time for, even if they are answered in turn.

        The first one goes alone: it shows whether there are answers, and how fast they come.
        """
        usual = self._consultant.usual
        if most == 1 or self._consultant.tally.answers == 0:
            return 1
        limit = self._answers.limit()
        work = limit.seconds - limit.effort.seconds
        clock = (limit.deadline - time.monotonic()) / 2  # a stand-in may need the other half
        room = min(work + usual, clock + usual, BATCH_SECONDS)
        return max(1, min(most, int(room / usual))) if usual else most

    # ---- what is answered

    def _put(self, batch: Sequence[Put]) -> bool:
        """Asks a batch and takes its answers; False if it will not work for the next one either."""
        settings, (first, _) = self._consultant.job.settings, batch[0]
        more = f" and {len(batch) - 1} more" if len(batch) > 1 else ""
        self._consultant.job.watcher.stage(f"asking the model about {first.target.qualname}{more}")
        begun: AbstractContextManager[None] = nullcontext()
        if len(batch) > 1:
            begun = ahead(
                self._backend,
                [prompt for _, prompt in batch],
                max_tokens=self._most_tokens,
                temperature=settings.temperature,
                seed=settings.seed,
                deadline=self._answers.deadline,
            )
        is_hopeless, is_in_turn, longest = False, False, 0.0
        with begun:
            for question, prompt in batch:
                if is_in_turn and not self._answers.has_time():
                    return False
                try:
                    backend, seconds = self._answered(question, prompt, longest)
                except (EngineError, RemoteError) as error:
                    name = question.target.qualname
                    is_hopeless = is_hopeless or self._consultant.is_hopeless(name, error)
                    continue
                is_in_turn = backend == "local"
                longest = 0.0 if is_in_turn else max(longest, seconds)
        return not is_hopeless

    def _answered(self, question: Question, prompt: Prompt, longest: float) -> tuple[str, float]:
        """Takes the answers to one question, the likelier half first.

        Where those bring nothing, others of the same prompt mostly repeat them.

        Args:
            longest: seconds of answers that came at the same time: the longest of them counts.

        Returns:
            Who answered, and how long it took.
        """
        before, total, spent = self._open(), 0.0, 0.0
        read = texts if question.kind is QuestionKind.TEXT else values
        for samples in self._waves():
            completions = self._sampled(prompt, samples)
            seconds = sum(completion.usage.seconds for completion in completions)
            total += seconds
            cost = max(0.0, seconds - longest) if completions[0].backend != "local" else seconds
            spent += cost
            self._consultant.count(completions, cost)
            if not self._answers.take(completions, question.target, cost, question.parameter, read):
                break
        self._note(question, max(0, before - self._open()), spent)
        return completions[0].backend, total

    def _waves(self) -> list[list[tuple[float, int]]]:
        """Temperatures and seeds of the answers, those that are asked for at once together."""
        settings = self._consultant.job.settings
        if self._breadth is Breadth.WIDE:
            return [[(settings.temperature, settings.seed)]]
        every = [(heat, settings.seed + index) for index, heat in enumerate(HEATS)]
        half = len(every) // 2
        return [every[:half], every[half:]]

    def _sampled(self, prompt: Prompt, samples: Sequence[tuple[float, int]]) -> list[Completion]:
        """Raises EngineError or RemoteError where there is no answer."""
        watcher = self._consultant.job.watcher
        return sample(
            self._backend,
            prompt,
            samples=samples,
            max_tokens=self._most_tokens,
            deadline=self._answers.deadline,
            on_text=lambda text: watcher.advance(),
        )

    @property
    def _most_tokens(self) -> int:
        """Of an answer."""
        most = self._consultant.job.settings.max_tokens
        return min(LIMITS[self._breadth].answer_tokens or most, most)

    def _note(self, question: Question, gained: int, seconds: float) -> None:
        self._consultant.note(question.kind, Asked(1, gained, seconds))
        self._barren = 0 if gained or self._consultant.is_blind else self._barren + 1
        key = _key(question)
        self._rounds[key] += 1
        if gained and self._rounds[key] < MOST_ROUNDS and not self._consultant.is_blind:
            self._asked.remove(key)  # what is open now is another question

    def _open(self) -> int:
        """How many lines and branches nothing reaches."""
        return sum(self._focus.counts().values())


def rate(brought: Asked) -> float:
    """What a kind of question gains per second, as far as is known."""
    return (brought.gained + _PRIOR_GAIN) / (brought.seconds + _PRIOR_SECONDS)


def _key(question: Question) -> tuple[str, ...]:
    places = [part.text for part in question.missing if question.kind is QuestionKind.BRANCH]
    return (question.kind, question.target.qualname, question.parameter or "", *places)
