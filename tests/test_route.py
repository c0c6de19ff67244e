"""Which backend reads what: the outermost that a label allows, and from there inward only."""

from __future__ import annotations

import itertools

import pytest

from hybridgen.domain import Label
from hybridgen.domain.egress import Destination
from hybridgen.errors import PolicyRefusal, SettingsError
from hybridgen.route import CHOICES, CLEARANCE, NO_REMOTES, Remotes, plan_route, steps

GEMINI = Destination("gemini", "https://gemini.example", "m", "google-genai", "paid", Label.PUBLIC)
ONPREM = Destination(
    "onprem", "https://models.example", "m", "openai-compatible", "onprem", Label.INTERNAL
)
BOTH = Remotes(GEMINI, ONPREM)
SOME = [BOTH, Remotes(GEMINI), Remotes(None, ONPREM), Remotes(), Remotes(GEMINI, ONPREM, True)]


@pytest.mark.parametrize(
    ("label", "remotes", "expected"),
    [
        (Label.PUBLIC, BOTH, ("gemini", "onprem", "local")),
        (Label.PUBLIC, Remotes(GEMINI), ("gemini", "local")),
        (Label.PUBLIC, Remotes(None, ONPREM), ("onprem", "local")),
        (Label.PUBLIC, Remotes(), ("local",)),
        (Label.INTERNAL, BOTH, ("onprem", "local")),
        (Label.INTERNAL, Remotes(GEMINI), ("local",)),
        (Label.CONFIDENTIAL, BOTH, ("local",)),
    ],
)
def test_auto_asks_the_outermost_that_the_label_allows_and_falls_back_inward(
    label, remotes, expected
) -> None:
    assert steps(label, "auto", remotes) == expected
    assert plan_route(label, "auto", remotes).backend == expected[0]


@pytest.mark.parametrize("label", list(Label))
@pytest.mark.parametrize("backend", CHOICES)
@pytest.mark.parametrize("remotes", SOME)
def test_no_step_reads_more_than_it_is_cleared_for_and_all_end_at_this_machine(
    label, backend, remotes
) -> None:
    try:
        found = steps(label, backend, remotes)
    except (PolicyRefusal, SettingsError):
        assert backend not in ("auto", "local")
        return
    assert all(label <= CLEARANCE[name] for name in found)
    assert found[-1] == "local"
    order = [list(CLEARANCE).index(name) for name in found]
    assert all(one < other for one, other in itertools.pairwise(order))


def test_a_destination_that_was_cleared_for_less_reads_less() -> None:
    low = Remotes(None, Destination("onprem", "https://x", "m", "s", "onprem", Label.PUBLIC))
    assert steps(Label.INTERNAL, "auto", low) == ("local",)
    high = Remotes(Destination("gemini", "https://x", "m", "s", "paid", Label.CONFIDENTIAL))
    assert steps(Label.INTERNAL, "auto", high) == ("local",)


def test_gemini_that_was_asked_for_falls_back_inward_too() -> None:
    assert steps(Label.PUBLIC, "gemini", BOTH) == ("gemini", "onprem", "local")
    assert steps(Label.PUBLIC, "onprem", BOTH) == ("onprem", "local")
    assert steps(Label.PUBLIC, "local", BOTH) == ("local",)


@pytest.mark.parametrize(
    ("label", "backend"),
    [
        (Label.INTERNAL, "gemini"),
        (Label.CONFIDENTIAL, "gemini"),
        (Label.CONFIDENTIAL, "onprem"),
    ],
)
@pytest.mark.parametrize("remotes", [BOTH, Remotes()])
def test_a_backend_that_was_asked_for_and_may_not_read_it_is_a_refusal_with_exit_4(
    label, backend, remotes
) -> None:
    for ask in (plan_route, steps):
        with pytest.raises(PolicyRefusal) as caught:
            ask(label, backend, remotes)
        assert caught.value.exit_code == 4
        assert label.name.lower() in caught.value.message
        assert "hybridgen explain" in (caught.value.hint or "")
        assert "PATH" not in (caught.value.hint or "")


def test_the_next_command_of_a_refusal_can_be_pasted() -> None:
    with pytest.raises(PolicyRefusal) as caught:
        plan_route(Label.INTERNAL, "gemini", BOTH, "my shop/pricing.py")
    assert caught.value.hint == (
        "see why: hybridgen explain 'my shop/pricing.py'; let the model on this machine write the "
        "tests: hybridgen generate 'my shop/pricing.py' --backend local"
    )


@pytest.mark.parametrize("backend", ["gemini", "onprem"])
def test_a_remote_backend_and_offline_contradict_each_other(backend) -> None:
    with pytest.raises(SettingsError, match="contradict"):
        plan_route(Label.PUBLIC, backend, Remotes(GEMINI, ONPREM, offline=True))


def test_offline_nothing_but_this_machine_exists() -> None:
    remotes = Remotes(GEMINI, ONPREM, offline=True)
    assert steps(Label.PUBLIC, "auto", remotes) == ("local",)
    assert "offline" in plan_route(Label.PUBLIC, "auto", remotes).why
    assert remotes.destination("gemini") is None


@pytest.mark.parametrize("backend", ["gemini", "onprem"])
def test_a_backend_that_is_asked_for_but_not_set_up_says_what_it_lacks(backend) -> None:
    remotes = Remotes(why_not={backend: "it lacks a spoon"})
    with pytest.raises(SettingsError, match="it lacks a spoon"):
        plan_route(Label.PUBLIC, backend, remotes)


def test_the_why_tells_what_is_not_set_up_of_what_the_label_would_allow() -> None:
    remotes = Remotes(None, ONPREM, why_not={"gemini": "no terms", "onprem": "unused"})
    why = plan_route(Label.PUBLIC, "auto", remotes).why
    assert why.endswith("; Google Gemini is not set up: no terms")
    assert "no terms" not in plan_route(Label.INTERNAL, "auto", remotes).why
    confidential = plan_route(Label.CONFIDENTIAL, "auto", Remotes()).why
    assert confidential == "confidential code may be read by the model on this machine only"


@pytest.mark.parametrize("backend", ["", "Local", "openai"])
def test_unknown_backend_is_a_settings_error(backend) -> None:
    with pytest.raises(SettingsError, match="auto, gemini, onprem, local"):
        plan_route(Label.PUBLIC, backend, BOTH)


@pytest.mark.parametrize("label", list(Label))
def test_with_nothing_but_this_machine_it_may_read_everything(label) -> None:
    for backend in ("auto", "local"):
        route = plan_route(label, backend, NO_REMOTES)
        assert route.backend == "local"
        assert label.name.lower() in route.why
