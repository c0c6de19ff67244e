"""What a search notes beside what tests can be made of."""

import time

from hybridgen.domain import (
    Candidate,
    Label,
    Observation,
    Raised,
    Step,
    StepKind,
    StepResult,
)
from hybridgen.explore.leads import MOST_ALIKE, MOST_ODD, MOST_OF_TARGET, Leads


def seen(code, *, raised="", origin="search", opinion=None, match="", is_inside=True):
    exception = Raised(raised, "", match, bool(match), is_inside) if raised else None
    result = StepResult(
        "raised" if raised else "ok", raised=exception, opinion_holds=False if opinion else None
    )
    step = Step(StepKind.PROBE, code, opinion)
    candidate = Candidate("f", (step,), Label.CONFIDENTIAL, origin)
    return Observation(candidate, (result,), frozenset(), Label.CONFIDENTIAL)


def noted(*observations):
    leads = Leads()
    for observation in observations:
        leads.note(observation)
    return [(o.candidate.origin, o.candidate.steps[-1].code) for o in leads.observations]


def test_only_accidents_inside_of_the_project_are_noted():
    assert noted(
        seen("f(1)"),
        seen("f(2)", raised="IndexError"),
        seen("f(3)", raised="ValueError"),
        seen("f(4)", raised="IndexError", match="stated"),
        seen("f(5)", raised="TypeError", is_inside=False),
    ) == [("search", "f(2)")]


def test_the_shortest_of_what_is_alike_stay():
    found = noted(*(seen(f"f({'9' * n})", raised="IndexError") for n in (4, 3, 2, 1, 5)))
    assert found == [("search", f"f({'9' * n})") for n in range(1, MOST_ALIKE + 1)]


def test_what_people_wrote_comes_before_what_is_short():
    found = noted(
        seen("f(1)", raised="IndexError"),
        seen("f(2)", raised="IndexError"),
        seen("f(12345)", raised="IndexError", origin="docstring"),
    )
    assert found[0] == ("docstring", "f(12345)")


def test_one_target_cannot_fill_the_list():
    calls = [f"f({', '.join(['1'] * n)})" for n in range(1, 60)]
    assert len(noted(*(seen(call, raised="IndexError") for call in calls))) == MOST_OF_TARGET


def test_odd_input_leaves_room_for_what_the_code_asks_for():
    odd = [f"f({', '.join(['1'] * n)})" for n in range(1, 60)]
    found = noted(
        *(seen(call, raised="TypeError", origin="odd") for call in odd),
        seen("f([])", raised="IndexError"),
    )
    assert ("search", "f([])") in found
    assert len(found) == MOST_ODD + 1


def test_an_opinion_counts_when_a_second_answer_shares_it():
    one = seen("f(1)", origin="model", opinion="_ == 2")
    other = seen("f(1)", origin="model", opinion="_ == 3")
    assert noted(one, other) == []
    assert noted(one, other, one) == [("model-agreed", "f(1)")]


def test_a_search_notes_what_becomes_no_test(start):
    search, archive, _ = start(
        """
        def initial(name: str) -> str:
            return name[0]
        """
    )
    until = time.monotonic() + 20
    search.run(lambda: until, plateau=60)
    noted = {observation.candidate.steps[-1].code for observation in search.leads.observations}
    assert "initial('')" in noted
    assert "initial('')" not in {c.steps[-1].code for c in archive.candidates}
