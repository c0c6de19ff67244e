"""One argument of a call is exchanged, wherever it is given; the rest of the code stays."""

from __future__ import annotations

import pytest

from hybridgen.domain import (
    Candidate,
    Label,
    Parameter,
    ParameterKind,
    Step,
    StepKind,
    Target,
    TargetKind,
)
from hybridgen.explore.exchange import exchanged


def target(qualname: str, kind: TargetKind, *names: str) -> Target:
    kinds = {"/": ParameterKind.POSITIONAL_ONLY, "*": ParameterKind.KEYWORD}
    parameters = tuple(
        Parameter(name.strip("/*"), kinds.get(name[-1], ParameterKind.POSITIONAL), None, None)
        for name in names
    )
    return Target(
        qualname=qualname,
        kind=kind,
        is_async=False,
        parameters=parameters,
        returns=None,
        docstring=None,
        decorators=(),
        binding="",
        bases=(),
        first_line=1,
        last_line=2,
        source="",
        calls=(),
        raises=(),
        label=Label.CONFIDENTIAL,
    )


SEND = target("send", TargetKind.FUNCTION, "text", "times", "by*")
PUT = target("Box.put", TargetKind.METHOD, "item/", "count")
PAIR = target("pair", TargetKind.FUNCTION, "first/", "second/")
BOX = target("Box.__init__", TargetKind.METHOD, "size")


def code(called: Target, parameter: str, *steps: str, value: str = "'x'") -> str | None:
    """The code of a candidate with another value; its last step is a probe."""
    kinds = [*[StepKind.SETUP] * (len(steps) - 1), StepKind.PROBE]
    parts = tuple(Step(kind, text, "_ == 1") for kind, text in zip(kinds, steps, strict=True))
    candidate = Candidate(called.qualname, parts, Label.INTERNAL, "search", name_hint="old")
    found = exchanged(candidate, called, parameter, value, origin="model")
    if found is None:
        return None
    assert (found.origin, found.label, found.name_hint) == ("model", Label.INTERNAL, "")
    assert [step.kind for step in found.steps] == kinds
    return "; ".join(step.code for step in found.steps)


@pytest.mark.parametrize(
    ("called", "parameter", "steps", "expected"),
    [
        (SEND, "text", ["send('a', 2)"], "send('x', 2)"),
        (SEND, "times", ["send('a', times=2)"], "send('a', times='x')"),
        (SEND, "times", ["send('a')"], "send('a', 'x')"),
        (SEND, "by", ["send('a')"], "send('a', by='x')"),
        (SEND, "times", ["send(by=1)"], "send(by=1, times='x')"),
        (SEND, "text", ["len(send('a'))"], "len(send('x'))"),
        (SEND, "text", ["word = 'a'", "send(word)"], "word = 'x'; send(word)"),
        (SEND, "text", ["send('b')", "send('a')"], "send('b'); send('x')"),
        (PUT, "item", ["box.put(count=1)"], "box.put('x', count=1)"),
        (PUT, "item", ["box = Box(1)", "box.put('a')"], "box = Box(1); box.put('x')"),
        (BOX, "size", ["box = Box(1)", "box.put('a')"], "box = Box('x'); box.put('a')"),
    ],
)
def test_argument_is_exchanged_where_it_is_given(
    called: Target, parameter: str, steps: list[str], expected: str
) -> None:
    assert code(called, parameter, *steps) == expected


@pytest.mark.parametrize(
    ("called", "parameter", "step"),
    [
        (SEND, "text", "other('a')"),
        (SEND, "text", "x.send('a')"),
        (SEND, "text", "send(*words)"),
        (SEND, "by", "send('a', **more)"),
        (PUT, "item", "Box(1)"),
        (PAIR, "second", "pair()"),
        (SEND, "missing", "send('a')"),
        (SEND, "text", "send('x')"),
    ],
)
def test_nothing_is_made_where_a_call_cannot_be_given_the_value(
    called: Target, parameter: str, step: str
) -> None:
    assert code(called, parameter, step) is None


def test_what_is_no_expression_gives_nothing() -> None:
    assert code(SEND, "text", "send('a')", value="x =") is None
