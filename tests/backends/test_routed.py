"""Prompts go to the outermost backend that may read them, and from there inwards only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from hybridgen.backends import Backend, FakeBackend, RoutedBackend
from hybridgen.domain import Breadth, Completion, Fragment, Label, Prompt
from hybridgen.errors import EngineError, GateRefusal, RemoteError

STEPS = {
    Label.PUBLIC: ("gemini", "onprem", "local"),
    Label.INTERNAL: ("onprem", "local"),
    Label.CONFIDENTIAL: ("local",),
}


class Failing(FakeBackend):
    """A remote that fails in a given way, a number of times."""

    def __init__(self, error: Exception, times: int = 99) -> None:
        super().__init__(["recovered"])
        self._error = error
        self._times = times
        self.asked = 0
        self.deadlines: list[float] = []

    def complete(self, prompt: Prompt, **options: object) -> Completion:
        self.asked += 1
        self.deadlines.append(float(str(options["deadline"])))
        if self.asked <= self._times:
            raise self._error
        return super().complete(prompt, **options)


class House:
    """Backends by name, and which of them were made."""

    def __init__(self, **backends: Backend) -> None:
        self.made: list[str] = []
        makers = {name: self._maker(name, backend) for name, backend in backends.items()}
        self.routed = RoutedBackend(
            makers, lambda label: STEPS[label], local_breadth=Breadth.MIDDLE
        )

    def _maker(self, name: str, backend: Backend) -> Callable[[], Backend]:
        def make() -> Backend:
            self.made.append(name)
            return backend

        return make

    def ask(self, label: Label, deadline: float = 1e9) -> str:
        part = Fragment("x", label, "test", "made by a test")
        return self.routed.complete(
            Prompt((part,), (part,), (part,), part),
            max_tokens=50,
            temperature=0,
            seed=1,
            deadline=deadline,
        ).text


def house(gemini: Backend | None = None, onprem: Backend | None = None) -> House:
    return House(
        gemini=gemini or FakeBackend([" of gemini"]),
        onprem=onprem or FakeBackend([" of onprem"]),
        local=FakeBackend([" of local"]),
    )


@pytest.mark.parametrize(
    ("label", "expected"),
    [(Label.PUBLIC, "gemini"), (Label.INTERNAL, "onprem"), (Label.CONFIDENTIAL, "local")],
)
def test_outermost_backend_for_the_label_is_asked_and_no_other_is_made(
    label: Label, expected: str
) -> None:
    backends = house()
    assert backends.ask(label) == f"x of {expected}"
    assert backends.made == [expected]
    assert backends.routed.notes == []


def test_failure_hands_on_towards_the_machine_and_says_so_once() -> None:
    gemini = Failing(RemoteError("Gemini failed."))
    backends = house(gemini, Failing(RemoteError("The server failed.")))
    assert [backends.ask(Label.PUBLIC) for _ in range(2)] == ["x of local"] * 2
    assert gemini.asked == 2
    assert backends.routed.notes == [
        "gemini gave no answer (Gemini failed); local was asked instead",
        "onprem gave no answer (The server failed); local was asked instead",
    ]


def test_failure_of_an_inner_backend_never_goes_outwards() -> None:
    gemini = FakeBackend()
    backends = house(gemini, Failing(RemoteError("The server failed.")))
    assert backends.ask(Label.INTERNAL) == "x of local"
    assert gemini.prompts == []
    assert "gemini" not in backends.made


def test_backend_that_hangs_leaves_time_for_the_next_and_the_last_gets_all_of_it() -> None:
    gemini, onprem = (Failing(RemoteError("Too late.")) for _ in range(2))
    local = Failing(EngineError("unused"), times=0)
    backends = House(gemini=gemini, onprem=onprem, local=local)
    assert backends.ask(Label.PUBLIC, 1e9) == "xrecovered"
    assert gemini.deadlines[0] < 0.6e9
    assert onprem.deadlines[0] < 0.6e9
    assert local.deadlines == [1e9]


def test_backend_that_recovers_is_asked_again() -> None:
    backends = house(Failing(RemoteError("Busy."), times=1))
    assert [backends.ask(Label.PUBLIC) for _ in range(2)] == ["x of onprem", "xrecovered"]


def test_backend_that_failed_for_good_is_not_asked_again() -> None:
    gemini = Failing(RemoteError("The key is wrong.", is_final=True))
    backends = house(gemini)
    assert [backends.ask(Label.PUBLIC) for _ in range(3)] == ["x of onprem"] * 3
    assert gemini.asked == 1
    assert len(backends.routed.notes) == 1


def test_refusal_of_the_gate_is_no_detour() -> None:
    backends = house(Failing(GateRefusal("A secret.")))
    with pytest.raises(GateRefusal):
        backends.ask(Label.PUBLIC)
    assert backends.made == ["gemini"]
    assert backends.routed.notes == []


def test_error_of_the_local_model_goes_to_the_caller() -> None:
    backends = House(
        onprem=Failing(RemoteError("The server failed.")), local=FakeBackend([EngineError("hung")])
    )
    with pytest.raises(EngineError, match="hung"):
        backends.ask(Label.INTERNAL)


def test_last_failure_is_raised_where_nothing_is_left_to_ask() -> None:
    backends = House(gemini=Failing(RemoteError("Gone.", "Wait.", is_final=True)))
    for _ in range(2):
        with pytest.raises(RemoteError, match="Gone") as caught:
            backends.ask(Label.PUBLIC)
        assert caught.value.is_final
        assert caught.value.hint == (
            "Wait. No model is installed on this machine to stand in: hybridgen models pull"
        )
    assert backends.routed.notes == []  # whoever catches it says it


def test_what_failed_before_the_last_one_is_noted() -> None:
    first, last = (Failing(RemoteError(said, is_final=True)) for said in ("Gone.", "Lost."))
    backends = House(gemini=first, onprem=last)
    with pytest.raises(RemoteError, match="Lost"):
        backends.ask(Label.PUBLIC)
    assert backends.routed.notes == ["gemini gave no answer (Gone); onprem was asked instead"]


def test_label_that_nothing_here_may_read_is_an_error_and_goes_nowhere() -> None:
    gemini = FakeBackend()
    backends = House(gemini=gemini)
    with pytest.raises(RemoteError, match="labelled confidential"):
        backends.ask(Label.CONFIDENTIAL)
    assert gemini.prompts == []


def test_counting_tokens_makes_no_backend_but_the_only_one() -> None:
    backends = house()
    assert backends.routed.count_tokens(["abcde"], deadline=0) == [2]
    assert backends.made == []

    class Counting(FakeBackend):
        def count_tokens(self, texts: Sequence[str], *, deadline: float) -> list[int]:
            return [7 for _ in texts]

    alone = House(local=Counting())
    assert alone.routed.count_tokens(["abcde"], deadline=0) == [7]


def test_closing_ends_what_was_made_and_may_be_done_again() -> None:
    onprem, gemini = FakeBackend(), FakeBackend()
    backends = house(gemini, onprem)
    backends.ask(Label.INTERNAL)
    backends.routed.close()
    backends.routed.close()
    assert (onprem.is_closed, gemini.is_closed) == (True, False)


@pytest.mark.parametrize(
    ("label", "breadth"),
    [
        (Label.PUBLIC, Breadth.WIDE),
        (Label.INTERNAL, Breadth.WIDE),
        (Label.CONFIDENTIAL, Breadth.MIDDLE),
    ],
)
def test_questions_that_stay_here_are_as_broad_as_the_model(label: Label, breadth: Breadth) -> None:
    house = House(gemini=FakeBackend(), onprem=FakeBackend(), local=FakeBackend())
    assert house.routed.breadth(label) is breadth
    assert house.made == []


def test_several_answers_come_from_one_backend_even_if_it_gives_one_at_a_time() -> None:
    house = House(local=FakeBackend(["one", "two"]))
    part = Fragment("x", Label.CONFIDENTIAL, "test", "made by a test")
    answers = house.routed.sample(
        Prompt((part,), (part,), (part,), part),
        samples=[(0.2, 1), (0.9, 2)],
        max_tokens=50,
        deadline=1e9,
    )
    assert [answer.text for answer in answers] == ["xone", "xtwo"]


@pytest.mark.parametrize(("label", "made"), [(Label.INTERNAL, []), (Label.CONFIDENTIAL, ["local"])])
def test_model_of_this_machine_is_begun_only_where_it_is_asked_first(
    label: Label, made: list[str]
) -> None:
    house = House(onprem=FakeBackend(), local=FakeBackend())
    house.routed.begin(label, "source")
    assert house.made == made
