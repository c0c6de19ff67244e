"""Selection where it is known what each assertion notices."""

from __future__ import annotations

from collections.abc import Mapping

from hybridgen import suite
from hybridgen.domain import (
    Candidate,
    Check,
    CheckKind,
    Label,
    Observation,
    Step,
    StepKind,
    StepResult,
)
from hybridgen.domain.mutants import Finding, Kills, Mutant, findings
from hybridgen.suite.cases import make_case
from hybridgen.suite.killing import without_list

ARCS = frozenset({(1, 2)})


def mutant(index: int) -> Mutant:
    return Mutant(index, index, "constant", "1", "2", 0, 1, b"2", frozenset({index}))


def case(
    code: str, *values: str, target: str = "f", arcs: frozenset[tuple[int, int]] = ARCS
) -> Observation:
    """``f(1)`` with one check for each value: of the value itself, or of ``.name=value``."""
    checks = []
    for value in values:
        name, _, text = value.rpartition("=")
        checks.append(Check(CheckKind.EQUAL, name, text))
    candidate = Candidate(target, (Step(StepKind.PROBE, code),), Label.PUBLIC, "types")
    return Observation(candidate, (StepResult("ok", checks=tuple(checks)),), arcs, Label.PUBLIC)


def kills(
    noticed: Mapping[str, set[int]], cases: list[Observation], *, is_complete: bool = True
) -> Kills:
    """What the whole of each case notices, by its code; ``"f(1) .name"`` for one check of it."""
    found: dict[Candidate, dict[Finding, frozenset[int]]] = {}
    for item in cases:
        step, result = item.candidate.steps[-1], item.results[-1]
        for check, finding in zip(result.checks, findings(step, result), strict=True):
            names = (step.code, f"{step.code} {check.path}")
            killed = frozenset[int]().union(*(noticed.get(name, ()) for name in names))
            if killed:
                found.setdefault(item.candidate, {})[finding] = killed
    return Kills(tuple(map(mutant, range(20))), found, is_complete)


def select(
    cases: list[Observation], noticed: Mapping[str, set[int]], *, is_complete: bool = True
) -> suite.Choice:
    known = kills(noticed, cases, is_complete=is_complete)
    return suite.select(cases, covered=frozenset(), targets=(), seed=1, kills=known)


def codes(choice: suite.Choice) -> list[str]:
    return [item.candidate.steps[-1].code for item in choice.observations]


def test_rows_are_those_that_notice_something_new() -> None:
    cases = [case(f"f({number})", str(number * number)) for number in range(8)]
    choice = select(cases, {"f(2)": {1, 2, 3}, "f(5)": {3, 4}, "f(6)": {3, 4}, "f(7)": {2, 5}})
    assert {"f(2)", "f(7)"} <= set(codes(choice))
    assert len({"f(5)", "f(6)"} & set(codes(choice))) == 1
    assert len(choice.observations) <= 4  # one more may be there for its arc
    assert choice.noticed == {1, 2, 3, 4, 5}


def test_case_whose_mutants_all_others_notice_goes_again() -> None:
    cases = [case(f"f({number})", str(number)) for number in (1, 2, 3)]
    cases.append(case("g(9)", "0", target="g"))
    noticed = {"f(1)": {1, 2, 3, 4}, "f(2)": {1, 2, 5, 6}, "f(3)": {3, 4, 7, 8}}
    chosen = codes(select(cases, {**noticed, "g(9)": {1, 2}}))
    assert {"f(2)", "f(3)"} <= set(chosen)
    assert "g(9)" not in chosen or len(chosen) < 4


def test_guess_fills_up_where_not_all_mutants_were_tried() -> None:
    cases = [case(f"f({number})", str(number * number)) for number in (1, -3, 20, 4000)]
    noticed = {"f(1)": {1}}
    assert len(select(cases, noticed).observations) == 1
    assert len(select(cases, noticed, is_complete=False).observations) == 4


def test_guess_stays_where_no_mutant_could_be_tried() -> None:
    cases = [case(f"f({number})", str(number * number)) for number in (1, -3, 20, 4000)]
    nothing = Kills(is_complete=True)
    choice = suite.select(cases, covered=frozenset(), targets=(), seed=1, kills=nothing)
    assert len(choice.observations) == 4


def test_assertion_that_notices_nothing_goes_beside_one_that_does() -> None:
    cases = [case("f(1)", ".a=1", ".b=2", ".c=3")]
    [kept] = select(cases, {"f(1) .a": {1}, "f(1) .c": {2}}).observations
    assert [check.path for check in kept.results[0].checks] == [".a", ".c"]


def test_only_assertion_and_those_of_which_nothing_is_known_stay() -> None:
    cases = [case("f(1)", ".a=1", ".b=2")]
    [kept] = select(cases, {}).observations
    assert len(kept.results[0].checks) == 2
    [kept] = select(cases, {"f(1) .a": {1}}, is_complete=False).observations
    assert len(kept.results[0].checks) == 2


def test_rows_of_one_table_lose_the_same_assertions() -> None:
    cases = [case("f(1)", ".a=1", ".b=2", ".c=0"), case("f(2)", ".a=3", ".b=4", ".c=0")]
    chosen = select(cases, {"f(1) .a": {1}, "f(2) .b": {2}}).observations
    assert [[check.path for check in item.results[0].checks] for item in chosen] == [
        [".a", ".b"],
        [".a", ".b"],
    ]


def test_choice_is_the_same_in_any_order() -> None:
    cases = [case(f"f({number})", str(number)) for number in range(20)]
    noticed = {f"f({number})": {number % 7, number % 5 + 7} for number in range(20)}
    first, second = select(cases, noticed), select(cases[::-1], noticed)
    assert first.observations == second.observations


LISTING = "sorted(p.name for p in tmp_path.iterdir())"


def written(*places: str, value: str = "") -> Observation:
    """``save()`` with one check for each place below tmp_path, and one of its value."""
    steps = (Step(StepKind.PROBE, "save()"),)
    candidate = Candidate("save", steps, Label.PUBLIC, "types", (), ("tmp_path",))
    checks = (Check(CheckKind.EQUAL, "", value),) if value else ()
    changed = tuple((place, (Check(CheckKind.EQUAL, "", "'x'"),)) for place in places)
    result = StepResult("ok", checks=checks, changed=changed)
    return Observation(candidate, (result,), ARCS, Label.PUBLIC)


def kept_of(case: Observation, *noticed: set[int]) -> tuple[int, list[str]]:
    """How many checks of the value stay, and which places, where each notices so much."""
    result = case.results[0]
    told = list(findings(case.candidate.steps[0], result))
    found = {case.candidate: dict(zip(told, map(frozenset, noticed), strict=True))}
    known = Kills(tuple(map(mutant, range(20))), found, True)
    [kept] = suite.select([case], covered=frozenset(), targets=(), seed=1, kills=known).observations
    return len(kept.results[0].checks), [name for name, _ in kept.results[0].changed]


def test_file_stays_by_what_its_contents_notice() -> None:
    case = written("tmp_path / 'a'", "tmp_path / 'b'", value="1")
    assert kept_of(case, {1}, {2}, set()) == (1, ["tmp_path / 'a'"])
    assert kept_of(case, {1}, set(), set()) == (1, [])
    assert kept_of(case, set(), set(), {1}) == (0, ["tmp_path / 'b'"])
    assert kept_of(case, set(), set(), set()) == (1, ["tmp_path / 'a'", "tmp_path / 'b'"])


def test_list_of_files_stays_if_it_says_more_than_the_others() -> None:
    case = written("tmp_path / 'a'", LISTING, value="1")
    assert kept_of(case, {1}, {2}, {1, 2}) == (1, ["tmp_path / 'a'"])
    assert kept_of(case, {1}, {2}, {2, 3}) == (1, ["tmp_path / 'a'", LISTING])
    assert kept_of(case, set(), set(), {2}) == (0, [LISTING])


def test_list_that_may_be_idle_goes_where_it_stands_after_the_files() -> None:
    def left(*places: str) -> list[str]:
        case = without_list(make_case(written(*places), frozenset(), 1))
        return [name for name, _ in case.observation.results[0].changed]

    assert left("tmp_path / 'a'", LISTING) == ["tmp_path / 'a'"]
    assert left(LISTING, "tmp_path / 'a'") == [LISTING, "tmp_path / 'a'"]
    assert left(LISTING) == [LISTING]
