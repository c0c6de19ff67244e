"""Which questions are asked again, and which never."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybridgen.backends import FakeBackend, LocalBackend
from hybridgen.backends.caching import CachingBackend
from hybridgen.backends.replies import FILE_NAME, ReplyStore
from hybridgen.domain import Completion, Fragment, Label, Prompt, Usage
from hybridgen.errors import EngineError


def fragment(text: str, label: Label = Label.CONFIDENTIAL) -> Fragment:
    return Fragment(text, label, "somewhere.py:1", "made by a test")


PROMPT = Prompt(
    (fragment("system"),),
    (fragment("outline"),),
    (fragment("one"), fragment("two")),
    fragment("```python\n"),
)
SAMPLING: dict[str, Any] = {"max_tokens": 50, "temperature": 0.7, "seed": 1}
OPTIONS: dict[str, object] = {"template": None, "context": 4096}


class Bench:
    """Runs that share a store; counts how many real backends were made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.made: list[FakeBackend] = []
        self.answers: list[str | EngineError] = ["answer"]

    def run(self, model: str = "weights", **options: object) -> CachingBackend:
        return CachingBackend(
            self._make, ReplyStore(self._folder), model=model, options={**OPTIONS, **options}
        )

    def _make(self) -> FakeBackend:
        self.made.append(FakeBackend(self.answers))
        return self.made[-1]

    @property
    def asked(self) -> int:
        return sum(len(fake.prompts) for fake in self.made)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "replies")


def ask(run: CachingBackend, prompt: Prompt = PROMPT, **sampling: Any) -> Completion:
    try:
        return run.complete(prompt, deadline=time.monotonic() + 30, **{**SAMPLING, **sampling})
    finally:
        run.close()


def test_the_same_question_starts_no_backend_the_second_time(bench: Bench) -> None:
    first = ask(bench.run())
    again = bench.run()
    second = ask(again)
    assert first.text == second.text == "```python\nanswer"
    assert second == replace(first, usage=Usage(0, 0, 0.0))
    assert (again.cached_answers, len(bench.made)) == (1, 1)
    assert bench.made[0].is_closed


def test_a_known_answer_is_told_as_text_too(bench: Bench) -> None:
    ask(bench.run())
    told: list[str] = []
    ask(bench.run(), on_text=told.append)
    assert told == ["answer"]


def other_prompts() -> Iterator[tuple[str, Prompt]]:
    yield "system", replace(PROMPT, system=(fragment("System"),))
    yield "context", replace(PROMPT, context=(fragment("outline "),))
    yield "request", replace(PROMPT, request=(fragment("one"),))
    yield "where a fragment ends", replace(PROMPT, request=(fragment("on"), fragment("etwo")))
    yield (
        "which part it is in",
        replace(PROMPT, context=(fragment("outline"), fragment("one")), request=(fragment("two"),)),
    )
    yield "start of the answer", replace(PROMPT, answer=fragment("```py\n"))
    yield (
        "label",
        Prompt(
            *(
                tuple(fragment(item.text, Label.INTERNAL) for item in part)
                for part in (PROMPT.system, PROMPT.context, PROMPT.request)
            ),
            fragment(PROMPT.answer_start, Label.INTERNAL),
        ),
    )


@pytest.mark.parametrize("prompt", [pytest.param(p, id=name) for name, p in other_prompts()])
def test_another_prompt_is_another_question(bench: Bench, prompt: Prompt) -> None:
    ask(bench.run())
    assert ask(bench.run(), prompt).label == prompt.label
    assert bench.asked == 2


@pytest.mark.parametrize("other", [{"max_tokens": 51}, {"temperature": 0.6}, {"seed": 2}])
def test_other_sampling_is_another_question(bench: Bench, other: dict[str, Any]) -> None:
    ask(bench.run())
    ask(bench.run(), **other)
    assert bench.asked == 2


@pytest.mark.parametrize("other", [{"model": "w2"}, {"template": "{{ x }}"}, {"context": 512}])
def test_another_model_or_setting_of_it_is_another_question(
    bench: Bench, other: dict[str, Any]
) -> None:
    ask(bench.run())
    ask(bench.run(**other))
    assert bench.asked == 2


def test_where_a_fragment_came_from_does_not_matter(bench: Bench) -> None:
    ask(bench.run())
    moved = replace(PROMPT.system[0], origin="elsewhere.py:9", why="another reason")
    ask(bench.run(), replace(PROMPT, system=(moved,)))
    assert bench.asked == 1


def test_an_answer_at_the_token_cap_is_kept(bench: Bench) -> None:
    bench.answers = ["x" * 1000]
    assert ask(bench.run()).is_cut_off
    assert ask(bench.run()).is_cut_off
    assert bench.asked == 1


class Hurried(FakeBackend):
    """Is always stopped by the deadline."""

    def complete(self, prompt: Prompt, **sampling: Any) -> Completion:
        return replace(super().complete(prompt, **sampling), is_cut_off=True)


def test_an_answer_that_the_deadline_cut_off_is_asked_again(tmp_path: Path) -> None:
    hurried = Hurried(["half an ans"])
    for _ in range(2):
        run = CachingBackend(lambda: hurried, ReplyStore(tmp_path), model="m", options={})
        assert ask(run).is_cut_off
    assert len(hurried.prompts) == 2


def test_an_error_is_not_kept(bench: Bench) -> None:
    bench.answers = [EngineError("gone")]
    with pytest.raises(EngineError, match="gone"):
        ask(bench.run())
    bench.answers = ["answer"]
    assert ask(bench.run()).text.endswith("answer")


def test_tokens_are_counted_once_and_in_the_order_asked_for(bench: Bench) -> None:
    first, second, third = bench.run(), bench.run(), bench.run(context=512)
    deadline = time.monotonic() + 30
    assert first.count_tokens(["12345678", "", "1234"], deadline=deadline) == [2, 0, 1]
    assert second.count_tokens(["1234", "12345678", "1234"], deadline=deadline) == [1, 2, 1]
    assert third.count_tokens(["", "1234"], deadline=deadline) == [0, 1]
    assert len(bench.made) == 1
    assert second.count_tokens(["new text", "1234"], deadline=deadline) == [2, 1]
    assert len(bench.made) == 2
    for run in (first, second, third):
        run.close()


def test_tokens_of_another_model_are_counted_anew(bench: Bench) -> None:
    for model in ("weights", "other"):
        run = bench.run(model)
        assert run.count_tokens(["1234"], deadline=time.monotonic() + 30) == [1]
        run.close()
    assert len(bench.made) == 2


def test_the_file_holds_no_word_of_what_was_asked(bench: Bench, tmp_path: Path) -> None:
    prompt = replace(PROMPT, request=(fragment("confidential request"),), answer=fragment("begin "))
    run = bench.run("weights")
    run.count_tokens(["confidential context"], deadline=time.monotonic() + 30)
    ask(run, prompt)
    held = (tmp_path / "replies" / FILE_NAME).read_bytes()
    assert b"answer" in held
    for word in (b"confidential", b"outline", b"system", b"somewhere", b"begin "):
        assert word not in held


def test_a_spoilt_store_leaves_the_backend_as_it_is(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "replies").mkdir(mode=0o755)
    for _ in range(2):
        run = bench.run()
        assert run.count_tokens(["1234"], deadline=time.monotonic() + 30) == [1]
        assert ask(run).text == "```python\nanswer"
        assert "open to others" in str(run.problem)
    assert bench.asked == 2


def test_it_can_be_closed_twice_and_before_anything_was_asked(bench: Bench) -> None:
    run = bench.run()
    run.close()
    run.close()
    assert bench.made == []


def test_a_real_model_is_loaded_at_the_first_new_question_only(
    make_gguf: Callable[..., Path], tmp_path: Path
) -> None:
    model = make_gguf("cached", follows={b"a": b"b", b"b": b"c", b"c": b""})
    texts, logs = [], []
    for number in range(2):
        log = tmp_path / f"log{number}"

        def make(log: Path = log) -> LocalBackend:
            return LocalBackend(model, model_name="tiny", log=log, threads=1)

        run = CachingBackend(make, ReplyStore(tmp_path / "replies"), model="m", options={})
        assert run.count_tokens(["abc"], deadline=time.monotonic() + 30) == [3]
        texts.append(ask(run, replace(PROMPT, answer=fragment("a")), temperature=0.0).text)
        logs.append(log.exists())
    assert texts == ["abc", "abc"]
    assert logs == [True, False]


def test_several_answers_are_kept_one_by_one(bench: Bench) -> None:
    bench.answers = ["one", "two", "three"]
    wanted = [(0.2, 1), (0.9, 2)]

    def ask_for(samples: list[tuple[float, int]]) -> list[str]:
        run = bench.run()
        answers = run.sample(PROMPT, samples=samples, max_tokens=50, deadline=time.monotonic() + 30)
        run.close()
        return [answer.text.removeprefix(PROMPT.answer_start) for answer in answers]

    assert ask_for(wanted) == ["one", "two"]
    assert ask_for([*wanted, (1.2, 3)]) == ["one", "two", "one"]
    assert bench.asked == 3
    assert len(bench.made) == 2


def test_one_answer_of_several_is_that_to_the_same_question_alone(bench: Bench) -> None:
    ask(bench.run())
    run = bench.run()
    (again,) = run.sample(PROMPT, samples=[(0.7, 1)], max_tokens=50, deadline=1e9)
    run.close()
    assert run.cached_answers == 1
    assert again.text.endswith("answer")


def test_model_begins_to_load_where_questions_will_come(bench: Bench) -> None:
    run = bench.run()
    run.begin(Label.CONFIDENTIAL, "def source(): ...")
    run.close()
    assert len(bench.made) == 1


def test_nothing_is_loaded_for_what_was_asked_about_before(bench: Bench) -> None:
    for about in ("def source(): ...", "def source(): ...", "def changed(): ..."):
        run = bench.run()
        run.begin(Label.CONFIDENTIAL, about)
        run.close()
    assert len(bench.made) == 2
