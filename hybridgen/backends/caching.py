"""A backend that asks another one only what it has not answered before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from hybridgen import __version__
from hybridgen.backends import Backend
from hybridgen.backends.batching import ahead, at_once
from hybridgen.backends.replies import Reply, ReplyStore
from hybridgen.backends.sampling import OneSample, Sample, sample
from hybridgen.domain import Completion, Fragment, Label, Prompt, Usage

# To be raised when the same key would mean something else.
_KEY_VERSION: Final = 1


class CachingBackend(OneSample):
    """Looks into ``store`` first; what it does not know is asked and then kept.

    The real backend is made at the first question that needs it: where every answer is known, no
    model is loaded. An answer that the deadline cut off is not kept, since it depends on how busy
    the machine was; errors are not kept either.

    Args:
        make_backend: starts the real backend.
        model: what identifies the weights, such as their hash.
        options: what else decides an answer besides the prompt and the arguments of ``complete``:
            names and values that JSON can hold.

    Attributes:
        cached_answers: how many answers came out of the store.
    """

    def __init__(
        self,
        make_backend: Callable[[], Backend],
        store: ReplyStore,
        *,
        model: str,
        options: Mapping[str, object],
    ) -> None:
        self._make_backend = make_backend
        self._store = store
        self._model = model
        self._options = dict(options)
        self._backend: Backend | None = None
        self.cached_answers = 0

    @property
    def problem(self) -> str | None:
        """Why nothing is kept, for people, or None."""
        return self._store.problem

    def count_tokens(self, texts: Sequence[str], *, deadline: float) -> list[int]:
        """How many tokens each text has; waits for the model only if one is new."""
        keys = [_hash(["count", self._model, text]) for text in texts]
        known = self._store.counts(keys)
        unknown = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if unknown:
            sizes = self._started().count_tokens(list(unknown.values()), deadline=deadline)
            fresh = dict(zip(unknown, sizes, strict=True))
            self._store.keep_counts(fresh)
            known |= fresh
        return [known[key] for key in keys]

    def begin(self, label: Label, about: str) -> None:
        """Starts the real backend, unless the same was begun before: its answers are known."""
        key = _hash(["begun", self._model, self._options, about])
        if not self._store.counts([key]):
            self._store.keep_counts({key: 1})
            self._started()

    def sample(
        self,
        prompt: Prompt,
        *,
        samples: Sequence[Sample],
        max_tokens: int,
        deadline: float,
        on_text: Callable[[str], None] | None = None,
    ) -> list[Completion]:
        """Likewise several answers; only those that are not known are asked for.

        Raises:
            EngineError: this prompt got no answer; another may.
        """
        keys = [self._key(prompt, _sampling(max_tokens, heat, seed)) for heat, seed in samples]
        found = {key: self._store.find(key, prompt.label) for key in keys}
        answers = {key: _completion(reply, prompt) for key, reply in found.items() if reply}
        self.cached_answers += len(answers)
        for answer in answers.values():
            if on_text is not None:
                on_text(answer.text.removeprefix(prompt.answer_start))
        unknown = {key: asked for key, asked in zip(keys, samples, strict=True) if not found[key]}
        if unknown:
            made = sample(
                self._started(),
                prompt,
                samples=list(unknown.values()),
                max_tokens=max_tokens,
                deadline=deadline,
                on_text=on_text,
            )
            for key, completion in zip(unknown, made, strict=True):
                answers[key] = completion
                is_out_of_time = completion.usage.completion_tokens < max_tokens
                if not (completion.is_cut_off and is_out_of_time):
                    self._store.keep(key, completion.label, _reply(completion, prompt))
        return [answers[key] for key in keys]

    def at_once(self, label: Label) -> int:
        """As many as the real backend, which is made to tell."""
        return at_once(self._started(), label)

    def ahead(
        self,
        prompts: Sequence[Prompt],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        deadline: float,
    ) -> AbstractContextManager[None]:
        """Asks those whose answer is not known; see :meth:`hybridgen.backends.Batching.ahead`."""
        sampling = _sampling(max_tokens, temperature, seed)
        unknown = [
            prompt
            for prompt in prompts
            if self._store.find(self._key(prompt, sampling), prompt.label) is None
        ]
        if not unknown:
            return nullcontext()
        return ahead(
            self._started(),
            unknown,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            deadline=deadline,
        )

    def close(self) -> None:
        """Ends the real backend, if it was started, and closes the store."""
        if self._backend is not None:
            self._backend.close()
        self._store.close()

    def _started(self) -> Backend:
        if self._backend is None:
            self._backend = self._make_backend()
        return self._backend

    def _key(self, prompt: Prompt, sampling: Mapping[str, object]) -> bytes:
        parts = [_texts(part) for part in (prompt.system, prompt.context, prompt.request)]
        asked = [*parts, prompt.answer_start, prompt.stop, int(prompt.label)]
        return _hash(["reply", self._model, self._options, sampling, asked])


def _sampling(max_tokens: int, temperature: float, seed: int) -> Mapping[str, object]:
    return {"max": max_tokens, "heat": temperature, "seed": seed}


def _texts(fragments: Sequence[Fragment]) -> list[str]:
    return [fragment.text for fragment in fragments]


def _hash(value: object) -> bytes:
    """A hash of ``value`` in one notation; another release of hybridgen asks anew."""
    text = json.dumps([_KEY_VERSION, __version__, value], sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).digest()


def _reply(completion: Completion, prompt: Prompt) -> Reply:
    return Reply(
        text=completion.text.removeprefix(prompt.answer_start),
        backend=completion.backend,
        model=completion.model,
        is_cut_off=completion.is_cut_off,
        seconds=completion.usage.seconds,
    )


def _completion(reply: Reply, prompt: Prompt) -> Completion:
    return Completion(
        text=prompt.answer_start + reply.text,
        label=prompt.label,
        backend=reply.backend,
        model=reply.model,
        usage=Usage(0, 0, reply.seconds),  # as it took then, so that as much is asked again
        is_cut_off=reply.is_cut_off,
    )
