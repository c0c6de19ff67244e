"""What a branch means, in words for a name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from hybridgen.domain import Module, Observation
from hybridgen.suite.conditions import cause, ways

SOURCE = """\
LIMIT = 9


def check(size, text="a", kind=None, *, is_strict=False):
    if {condition}:
        raise ValueError("no")
    other = size
    if other == 77:
        raise ValueError("hidden")
    return size


class Door:
    def __init__(self):
        self._is_open = True

    def close(self):
        self._require_open()
        self._is_open = False

    def _require_open(self):
        if not self._is_open:
            raise ValueError("closed already")
"""


@pytest.mark.parametrize(
    ("condition", "arguments", "words"),
    [
        ("size < 0", "-1", "if_size_is_negative"),
        ("size <= 0", "0", "if_size_is_not_positive"),
        ("size < 3", "2", "if_size_is_below_3"),
        ("size > LIMIT", "10", "if_size_is_above_limit"),
        ("not 0 <= size <= 5", "6", "if_size_is_not_between_0_and_5"),
        ("not size >= 3", "2", "if_size_is_below_3"),
        ("not text", "1, ''", "without_text"),
        ("kind is not None", "1, 'a', 2", "with_kind"),
        ("not text and kind is None", "1, ''", "without_text_and_kind"),
        ("is_strict", "1, is_strict=True", "if_strict"),
        ("not isinstance(text, str)", "1, 2", "if_text_is_not_a_str"),
        ("isinstance(size, int)", "1", "if_size_is_an_int"),
        ("len(text) > 3", "1, 'abcd'", "if_length_of_text_is_above_3"),
        ("text == 'EU-west'", "1, 'EU-west'", "if_text_is_eu_west"),
        ("text.startswith('x')", "1, 'xy'", "if_text_starts_with_x"),
        ("size < 0 or size == 3", "3", "if_size_is_negative_or_size_is_3"),
        ("text not in ('a', 'b')", "1, 'c'", ""),
        ("sorted(text)", "1", ""),
        ("False", "77", ""),  # a condition on a variable that callers do not know
    ],
)
def test_condition_of_a_branch_is_told_as_far_as_a_caller_can_see_it(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
    condition: str,
    arguments: str,
    words: str,
) -> None:
    module = make_module(SOURCE.format(condition=condition))
    case = make_observe(module)("check", f"= check({arguments})")
    assert case.results[-1].raised is not None
    assert cause([case], module.targets, "check") == words


def test_condition_in_a_method_that_is_called_is_told_if_it_is_about_the_object(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
) -> None:
    module = make_module(SOURCE.format(condition="False"))
    case = make_observe(module)("Door.close", "door = Door()", "door.close()", "= door.close()")
    assert cause([case], module.targets, "Door.close") == "if_not_open"


def test_cases_of_different_branches_have_no_common_cause(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
) -> None:
    module = make_module("def sign(n):\n    if n < 0:\n        return -1\n    return n\n")
    observe = make_observe(module)
    low, high = observe("sign", "= sign(-5)"), observe("sign", "= sign(5)")
    assert cause([low], module.targets, "sign") == "if_n_is_negative"
    assert cause([low, high], module.targets, "sign") == ""


def test_branch_of_an_exception_is_found_by_its_message_where_the_way_is_not_known(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
) -> None:
    module = make_module(
        "def check(size, unit):\n    if size < 0:\n"
        "        raise ValueError(f'size {size} is wrong')\n"
        "    if not unit:\n        raise ValueError('unit is missing')\n"
    )
    observe = make_observe(module)
    for arguments, words in (("-1, 'm'", "if_size_is_negative"), ("1, ''", "without_unit")):
        case = observe("check", f"= check({arguments})")
        unknown = dataclasses.replace(case, arcs=frozenset())
        assert cause([unknown], module.targets, "check") == words


def test_ways_are_the_branches_that_all_cases_took(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
) -> None:
    module = make_module(
        "def f(n, limit):\n    found = []\n    if n > 9:\n        found.append(n)\n"
        "    else:\n        found.append(0)\n    if limit < 0:\n        found.append(limit)\n"
        "    return found\n"
    )
    observe = make_observe(module)
    one, other = observe("f", "= f(10, -1)"), observe("f", "= f(10, 1)")
    assert ways([one], module.targets, "f") == ("if_limit_is_negative", "if_n_is_above_9")
    assert ways([one, other], module.targets, "f") == ("if_n_is_above_9",)
    assert ways([observe("f", "= f(1, 1)")], module.targets, "f") == ("if_n_is_at_most_9",)
    assert ways([one], module.targets, "g") == ()
