"""Which calls take a text and lead to open code of others."""

from __future__ import annotations

from hybridgen.domain import (
    Arc,
    Candidate,
    Label,
    Observation,
    Parameter,
    ParameterKind,
    Raised,
    Step,
    StepKind,
    StepResult,
    Target,
    TargetKind,
)
from hybridgen.explore.entrances import entrances


def made(name: str, lines: tuple[int, int], *hints: str | None, is_class: bool = False) -> Target:
    kind = TargetKind.CLASS if is_class else TargetKind.FUNCTION
    parameters = tuple(
        Parameter(f"p{index}", ParameterKind.POSITIONAL, hint, None)
        for index, hint in enumerate(hints)
    )
    return Target(
        qualname=name,
        kind=kind,
        is_async=False,
        parameters=parameters,
        returns=None,
        docstring=None,
        decorators=(),
        binding="",
        bases=(),
        first_line=lines[0],
        last_line=lines[1],
        source="",
        calls=(),
        raises=(),
        label=Label.CONFIDENTIAL,
    )


def ran(target: str, code: str, arcs: set[Arc], *, fails: bool = False) -> Observation:
    candidate = Candidate(target, (Step(StepKind.PROBE, code),), Label.CONFIDENTIAL, "search")
    raised = Raised("ValueError", "", "no", True, True) if fails else None
    result = StepResult("raised" if fails else "ok", raised=raised)
    return Observation(candidate, (result,), frozenset(arcs), Label.CONFIDENTIAL)


RULE = made("rule", (10, 20), "str", "int")
PARSE = made("parse", (30, 40), "str")
COUNT = made("count", (50, 60), "int")
INTO_RULE: set[Arc] = {(31, 32), (11, 12)}


def found(targets: list[Target], runs: list[Observation]) -> list[tuple[str, str, int]]:
    counts = {"rule": 3, "parse": 1}
    return [(e.target.qualname, e.parameter, e.weight) for e in entrances(targets, counts, runs)]


def test_what_reached_open_code_of_another_is_an_entrance_by_its_text() -> None:
    runs = [ran("parse", "parse('a')", INTO_RULE), ran("count", "count(1)", {(11, 12)})]
    assert found([RULE, PARSE, COUNT], runs) == [("parse", "p0", 3)]


def test_own_open_code_makes_no_entrance() -> None:
    assert found([RULE, PARSE], [ran("parse", "parse('a')", {(31, 32)})]) == []


def test_a_line_with_a_definition_is_not_its_body() -> None:
    assert found([RULE, PARSE], [ran("parse", "parse('a')", {(31, 10)})]) == []


def test_parameter_without_a_hint_takes_texts_if_a_call_with_one_came_back() -> None:
    parse = made("parse", (30, 40), None, None)
    runs = [ran("parse", "parse(1, 'a')", INTO_RULE), ran("parse", "parse('a')", set(), fails=True)]
    assert found([RULE, parse], runs) == [("parse", "p1", 3)]


def test_lists_of_texts_are_no_text() -> None:
    parse = made("parse", (30, 40), "list[str]", "str | None")
    assert found([RULE, parse], [ran("parse", "parse(['a'])", INTO_RULE)]) == [("parse", "p1", 3)]


def test_object_made_of_a_text_leads_where_its_methods_lead() -> None:
    reader = made("Reader", (30, 48), "str", is_class=True)
    method = made("Reader.all", (41, 44))
    runs = [ran("Reader.all", "Reader('a').all()", {(41, 42), (11, 12)})]
    assert found([RULE, reader, method], runs) == [("Reader", "p0", 3)]
