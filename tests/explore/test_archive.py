"""What is kept for confirmation."""

from __future__ import annotations

from hybridgen.domain import (
    Arc,
    Candidate,
    Check,
    CheckKind,
    Label,
    Observation,
    Raised,
    Step,
    StepKind,
    StepResult,
)
from hybridgen.explore.archive import BOUNDARIES_PER_TARGET, Archive, outcome_of


def observed(
    code: str, arcs: set[Arc], value: str = "1", raised: Raised | None = None
) -> Observation:
    candidate = Candidate("f", (Step(StepKind.PROBE, code),), Label.CONFIDENTIAL, "search")
    check = Check(CheckKind.EQUAL, "", value)
    result = StepResult("raised", raised=raised) if raised else StepResult("ok", (check,))
    return Observation(candidate, (result,), frozenset(arcs), Label.CONFIDENTIAL)


def codes(archive: Archive) -> list[str]:
    return [candidate.steps[0].code for candidate in archive.candidates]


def test_a_find_knows_what_it_was_the_first_to_reach() -> None:
    archive = Archive({(1, 2)})
    archive.consider(observed("f(1)", {(1, 2), (2, 3)}))
    archive.consider(observed("f(2)", {(1, 2), (2, 3), (3, 4)}, "2"))
    archive.consider(observed("f(3)", {(1, 2)}, "3"))
    assert [needed for _, needed in archive.finds] == [{(2, 3)}, {(3, 4)}, None]


def test_messages_that_only_quote_the_input_are_one_result() -> None:
    def failing(text: str) -> Observation:
        raised = Raised("ValueError", "", f"not a version: '{text}'", True, True)
        return observed(f"f({text!r})", set(), raised=raised)

    archive = Archive({(1, 2)})
    for text in "abcdefg":
        archive.consider(failing(text))
    assert len(archive.candidates) == 1


def test_asking_whether_something_is_new_keeps_nothing() -> None:
    archive = Archive(())
    assert archive.is_new(observed("f(1)", {(1, 2)}))
    assert archive.candidates == ()
    archive.consider(observed("f(1)", {(1, 2)}))
    assert not archive.is_new(observed("f(1)", {(1, 2)}))


def test_inputs_at_boundaries_are_kept_though_they_show_nothing_else() -> None:
    archive = Archive({(1, 2)})
    for number in range(40):
        if archive.has_room_for_boundary("f"):
            archive.keep_boundary(observed(f"f({number})", {(1, 2)}))
    assert len(archive.candidates) == BOUNDARIES_PER_TARGET


def test_what_became_equal_by_shrinking_is_confirmed_once() -> None:
    archive = Archive(())
    archive.consider(observed("f(1)", {(1, 2)}))
    archive.consider(observed("f(22)", {(2, 3)}, "2"))
    archive.exchange(archive.observations[1], observed("f(1)", {(1, 2)}))
    assert codes(archive) == ["f(1)"]


def test_other_contents_of_files_are_another_result_and_another_name_is_not() -> None:
    def writing(text: str, *places: str) -> Observation:
        step = Step(StepKind.SETUP, f"save({places}, {text!r})")
        candidate = Candidate("save", (step,), Label.PUBLIC, "search", (), ("tmp_path",))
        check = Check(CheckKind.EQUAL, ".read_text()", repr(text))
        changed = tuple((place, (check,)) for place in places)
        result = StepResult("ok", changed=changed)
        return Observation(candidate, (result,), frozenset({(1, 2)}), Label.PUBLIC)

    one, other = "tmp_path / 'a'", "tmp_path / 'b'"
    results = [writing("x", one), writing("y", one), writing("x", one, other)]
    assert len(set(map(outcome_of, results))) == 3
    assert outcome_of(writing("x", one)) == outcome_of(writing("x", other))
