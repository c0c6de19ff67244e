"""Finds become short and keep what they are for."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

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
from hybridgen.explore.archive import outcome_of
from hybridgen.explore.shrink import MOST_TRIES, plain_constructions, shrink


def observe(code: str, parser: Callable[[str], tuple[set[int], object]]) -> Observation:
    """What ``f(text)`` would show: ``parser`` gives the lines that it reaches, and its value."""
    call = ast.parse(code, mode="eval").body
    assert isinstance(call, ast.Call)
    candidate = Candidate("f", (Step(StepKind.PROBE, code),), Label.CONFIDENTIAL, "search")
    if not call.args:
        raised = Raised("TypeError", "", "", False, False)
        return Observation(
            candidate, (StepResult("raised", raised=raised),), frozenset(), candidate.label
        )
    lines, value = parser(ast.literal_eval(call.args[0]))
    arcs: frozenset[Arc] = frozenset((line, line + 1) for line in lines)
    check = Check(CheckKind.EQUAL, "", repr(value))
    return Observation(candidate, (StepResult("ok", (check,)),), arcs, Label.CONFIDENTIAL)


def headings(text: str) -> tuple[set[int], object]:
    """Reaches line 5 for an indented entry below a heading."""
    lines = text.split("\n")
    found = [n for n, line in enumerate(lines) if line == "Notes:"]
    is_entry = any(lines[n + 1 : n + 2] and lines[n + 1].startswith("  ") for n in found)
    return ({1, 5} if is_entry else {1}), len(lines)


UGLY = "x\t0123456789:-\n\nNotes:\n    abc: défg hijk 12345\n    lmno\nfoo bar\n"


def shrunk(code: str, needed: set[Arc] | None, **more: object) -> tuple[str, int]:
    count = 0

    def run(candidate: Candidate) -> Observation:
        nonlocal count
        count += 1
        return observe(candidate.steps[0].code, headings)

    taken = more.get("taken", ())
    assert isinstance(taken, tuple)
    best = shrink(observe(code, headings), run, needed, taken)
    return str(ast.literal_eval(best.candidate.steps[0].code[2:-1])), count


def test_lines_and_words_that_do_not_matter_go() -> None:
    text, count = shrunk(f"f({UGLY!r})", {(5, 6)})
    assert text.startswith("Notes:\n  ")
    assert len(text) <= 14
    assert text.isascii()
    assert count <= MOST_TRIES


def test_a_text_that_does_not_matter_becomes_a_simple_one() -> None:
    assert shrunk(f"f({UGLY!r})", set())[0] == "a"


def test_without_new_code_path_and_result_stay_apart_from_others() -> None:
    long = "\n".join(["some words that are here for no reason"] * 6)
    text, _ = shrunk(f"f({long!r})", None)
    assert len(text) < len(long)
    others = tuple(outcome_of(observe(f"f({chr(10) * n!r})", headings)) for n in range(5))
    kept, _ = shrunk(f"f({long!r})", None, taken=others)
    assert kept.count("\n") == 5


def test_an_exception_of_another_type_is_not_the_same() -> None:
    def run(candidate: Candidate) -> Observation | None:
        return None  # nothing else gives any observation

    before = observe(f"f({UGLY!r})", headings)
    assert shrink(before, run, set()) is before


def cart(customer: str, code: str = "cart.size()") -> Candidate:
    steps = (Step(StepKind.SETUP, f"cart = Cart({customer!r})"), Step(StepKind.PROBE, code))
    return Candidate("Cart.size", steps, Label.CONFIDENTIAL, "search")


def size_of(candidate: Candidate, limit: int) -> Observation:
    """A cart whose size does not depend on its customer, unless that is longer than ``limit``."""
    built = ast.parse(candidate.steps[0].code).body[0]
    assert isinstance(built, ast.Assign) and isinstance(built.value, ast.Call)
    is_long = len(ast.literal_eval(built.value.args[0])) > limit
    check = Check(CheckKind.EQUAL, "", "7" if is_long else "3")
    results = (StepResult("ok"), StepResult("ok", (check,)))
    return Observation(candidate, results, frozenset({(1, 2)}), Label.CONFIDENTIAL)


def test_object_is_built_as_in_other_finds_where_its_arguments_do_not_matter() -> None:
    plain = plain_constructions([cart("b\n2-2"), cart("ann"), cart(""), cart("a_long_name")])
    assert plain == {"Cart": "Cart('ann')"}
    found = shrink(size_of(cart("b\n2-2"), 99), lambda c: size_of(c, 99), plain=plain)
    assert found.candidate.steps[0].code == "cart = Cart('ann')"


def test_object_keeps_arguments_that_matter() -> None:
    found = shrink(
        size_of(cart("b\n2-2"), 4), lambda c: size_of(c, 4), plain={"Cart": "Cart('ann')"},
        taken={outcome_of(size_of(cart("ann"), 4))},
    )  # fmt: skip
    assert found.candidate.steps[0].code == "cart = Cart('b\\n2-2')"


@pytest.mark.parametrize(
    ("code", "simplest"),
    [
        ("bool(money)", "bool(money)"),
        ("format(money, 'short')", "format(money)"),
        ("len([money])", "len([money])"),
        ("total(money)", "total()"),
    ],
)
def test_a_builtin_keeps_the_object_that_it_asks(code: str, simplest: str) -> None:
    def run(candidate: Candidate) -> Observation:
        results = (StepResult("ok", (Check(CheckKind.IS, "", "False"),)),)
        return Observation(candidate, results, frozenset(), candidate.label)

    candidate = Candidate("f", (Step(StepKind.PROBE, code),), Label.CONFIDENTIAL, "search")
    best = shrink(run(candidate), run, needed=())
    assert best.candidate.steps[0].code == simplest
