"""Questions about mutants: gold files, what a diff shows, what fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hybridgen.domain import Fragment, Label, Module, Prompt, Target
from hybridgen.domain.mutants import Mutant
from hybridgen.prompt import Kill, build_kill, changing
from hybridgen.prompt.kill import difference

GOLD = Path(__file__).parent / "gold"


def count(texts: Sequence[str]) -> list[int]:
    """A token a word, so that budgets can be read off."""
    return [len(text.split()) for text in texts]


def mutant(source: str, before: str, after: str) -> Mutant:
    start = source.encode().index(before.encode())
    line = source[: source.index(before)].count("\n") + 1
    last, end = line + before.count("\n"), start + len(before.encode())
    return Mutant(line, last, "made", before, after, start, end, after.encode(), frozenset({line}))


def whole(prompt: Prompt | None) -> str:
    assert prompt is not None
    parts = (*prompt.system, *prompt.context, *prompt.request)
    return "".join(part.text for part in parts) + prompt.answer_start


@pytest.mark.parametrize(
    ("name", "parameter", "works", "changes"),
    [
        ("fee", "amount", "fee(3)", [("> LIMIT", ">= LIMIT"), ("* rate", "+ rate")]),
        ("Account.pay", "amount", "Account('a').pay(1)", [("amount <= 0", "amount < 0")]),
    ],
)
def test_question_is_the_one_in_the_gold_file(
    module: Module,
    target: Callable[[str], Target],
    name: str,
    parameter: str,
    works: str,
    changes: list[tuple[str, str]],
) -> None:
    source = module.source.text
    mutants = tuple(mutant(source, before, after) for before, after in changes)
    call = Fragment(works, Label.INTERNAL, "bank.py:17", "made by a test")
    prompt = build_kill(Kill(target(name), parameter, mutants, call), module, count_tokens=count)
    gold = GOLD / f"question-{name}-kill.txt"
    assert whole(prompt) + "\n" == gold.read_text(encoding="utf-8")
    assert prompt is not None
    assert prompt.stop == ("\n```", "\n]")


def test_change_of_several_lines_shows_those_that_differ() -> None:
    source = "def f(a):\n    return g(\n        a,\n        '\N{EURO SIGN}',\n        1,\n    )\n"
    changed = mutant(
        source, "a,\n        '\N{EURO SIGN}',\n        1", "a,\n        'x',\n        1"
    )
    assert difference(source, changed) == "- '\N{EURO SIGN}',\n+ 'x',"


def test_line_that_is_gone_is_shown_as_such() -> None:
    source = "def f(a):\n    a.close()\n    return a\n"
    assert difference(source, mutant(source, "    a.close()", "")) == "- a.close()"


def test_parameter_that_a_change_names_comes_first(
    module: Module, target: Callable[[str], Target]
) -> None:
    by_rate = mutant(module.source.text, "_round(amount * rate)", "_round(rate)")
    by_limit = mutant(module.source.text, "return 0.0", "return 1.0")
    swapped = replace(target("fee"), parameters=target("fee").parameters[::-1])
    assert changing(module, swapped, by_rate)[0] == "amount"
    assert changing(module, target("fee"), by_limit) == ["amount", "rate"]


def test_changes_without_room_are_left_out_and_named(
    module: Module, target: Callable[[str], Target]
) -> None:
    source = module.source.text
    changed = mutant(source, "* rate", f"* rate  # {'x ' * 200}")
    short = mutant(source, "> LIMIT", ">= LIMIT")
    asked = Kill(target("fee"), "amount", (changed, short))
    prompt = build_kill(asked, module, count_tokens=count)
    assert prompt is not None
    assert "x x x" not in whole(prompt)
    assert ">= LIMIT" in whole(prompt)
    assert any("_round(amount" in text for text in prompt.cut)
    assert sum(count([part.text for part in prompt.request])) <= 200


def test_question_without_room_for_any_change_is_not_asked(
    module: Module, target: Callable[[str], Target]
) -> None:
    changed = mutant(module.source.text, "* rate", f"* rate  # {'x ' * 200}")
    assert build_kill(Kill(target("fee"), "amount", (changed,)), module, count_tokens=count) is None


def test_question_is_as_confidential_as_the_module_and_the_call(
    module: Module, target: Callable[[str], Target]
) -> None:
    changed = mutant(module.source.text, "> LIMIT", ">= LIMIT")
    call = Fragment("fee(3)", Label.CONFIDENTIAL, "bank.py:17", "seen in a run")
    labels = [
        prompt.label
        for works in (None, call)
        if (
            prompt := build_kill(
                Kill(target("fee"), "amount", (changed,), works), module, count_tokens=count
            )
        )
    ]
    assert labels == [Label.INTERNAL, Label.CONFIDENTIAL]
