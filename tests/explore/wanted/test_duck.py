"""Types of parameters without hints, from how the code uses them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridgen.domain import Module
from hybridgen.explore.wanted.duck import Ducks, types_said

Hints = dict[str, tuple[str, ...]]

CODE = """
import functools


class Span:
    def __init__(self, start, end):
        self.start = start
        self.end = end

    def __add__(self, other):
        return Span(self.start, other.end)


class Store:
    def __init__(self, entries, measure=None):
        self._entries = list(entries)
        self._measure = measure

    def size(self, entry):
        return self._measure(entry, 1)

    def spans(self):
        return [span.start + span.end for span in self._entries]


class Smaller(Store):
    def __init__(self, measure):
        Store.__init__(self, (), measure)


def label(when, size, thing, span):
    if isinstance(size, (int, float)):
        return when.month + when.year
    return span.start, thing.nobody_has_this


def handed_on(pick, things):
    return used(pick, things)


def used(choose, items):
    return [choose(item) for item in items]


def chained(*steps):
    def run(value, step):
        return step(value)
    return functools.reduce(run, steps, 1)


def documented(amount, rows):
    '''Say it.

    :type amount: int or None
    :param list of str rows: what to say
    '''
    return amount, rows


def conventional(callback, count):
    return callback, count
"""


@pytest.fixture
def hints(read: Callable[[str], Module]) -> Callable[[str], Hints]:
    """The hints for the parameters of a target of ``CODE``."""
    targets = {target.qualname: target for target in read(CODE).targets}
    ducks = Ducks(targets)
    return lambda name: ducks.hints(targets[name])


def test_hints_come_from_checks_attributes_and_operators(hints: Callable[[str], Hints]) -> None:
    found = hints("label")
    assert found["size"] == ("int", "float")
    assert set(found["when"]) == {"date", "datetime"}
    assert found["span"] == ("Span",)
    assert found["thing"] == ("Double__0",)
    assert "Span" in hints("Span.__add__")["other"]


def test_what_a_constructor_stores_is_known_by_the_methods(hints: Callable[[str], Hints]) -> None:
    found = hints("Store")
    assert "Callable[[Any, Any], Any]" in found["measure"]
    assert "list[Span]" in found["entries"]


def test_hints_follow_a_value_into_the_base_class(hints: Callable[[str], Hints]) -> None:
    assert "Callable[[Any, Any], Any]" in hints("Smaller")["measure"]


def test_hints_follow_a_value_into_another_function(hints: Callable[[str], Hints]) -> None:
    found = hints("handed_on")
    assert "Callable[[Any], Any]" in found["pick"]
    assert "Iterable" in found["things"]


def test_variadic_parameters_are_what_is_done_with_each(hints: Callable[[str], Hints]) -> None:
    assert "Callable[[Any], Any]" in hints("chained")["steps"]


def test_docstrings_and_then_names_speak_where_the_code_does_not(
    hints: Callable[[str], Hints],
) -> None:
    assert hints("documented") == {"amount": ("int",), "rows": ("list[str]",)}
    assert hints("conventional") == {"callback": ("Callable[..., Any]",), "count": ("int",)}


@pytest.mark.parametrize(
    ("said", "hints"),
    [
        ("str or int", ["str", "int"]),
        ("list of strings, optional", ["list[str]"]),
        ("a callable", ["Callable[..., Any]"]),
        ("Customer", []),
    ],
)
def test_types_in_words(said: str, hints: list[str]) -> None:
    assert types_said(said) == hints
