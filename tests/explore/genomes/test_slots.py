"""The literals inside the arguments of a genome."""

from __future__ import annotations

import pytest

from hybridgen.explore.genomes.genome import Call, Genome
from hybridgen.explore.genomes.slots import exchanged, parts_of, slots_of


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("datetime.timedelta(days=3)", [3]),
        ("Cart([1, 2], owner=Person('Ann', age=-4))", [[1, 2], "Ann", -4]),
        ("[Point(1, 2), Point(3, 4)]", [1, 2, 3, 4]),
        ("lambda x: 1", []),
        ("name", []),
        ("Cart('é')", []),
        ("Cart(", []),
    ],
)
def test_literals_that_calls_are_given_are_parts(text: str, values: list[object]) -> None:
    assert [value for value, _ in parts_of(text)] == values


def test_part_of_an_argument_is_exchanged_in_its_place() -> None:
    call = Call("plan", (("", "1"), ("gap", "datetime.timedelta(days=3, hours=2)")))
    genome = Genome(None, (call,))
    whole, days, hours = slots_of(genome)

    later = exchanged(genome, hours, 25)

    assert later is not None
    assert later.calls[0].arguments[1] == ("gap", "datetime.timedelta(days=3, hours=25)")
    assert (whole.value, days.value) == (1, 3)
    other = exchanged(genome, whole, [])
    assert other is not None
    assert other.calls[0].arguments[0] == ("", "[]")
