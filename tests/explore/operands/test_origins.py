"""Where a value comes from, and which methods change it, is read from the source."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridgen.domain import Module
from hybridgen.explore.operands.conditions import Wanted, Wish
from hybridgen.explore.operands.origins import Origins

SOURCE = """
class Table:
    def __init__(self):
        self.rows = []

    def size(self):
        return len(self.rows)

    def change(self, name):
        {statement}
"""


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("self.rows = [name]", ["Table.change"]),
        ("self.rows += [name]", ["Table.change"]),
        ("self.rows[0] = name", ["Table.change"]),
        ("self.rows[0].name = name", ["Table.change"]),
        ("self.rows[0][1] = name", ["Table.change"]),
        ("self.rows.append(name)", ["Table.change"]),
        ("self.rowset = name", []),
        ("rows = self.rows[0]", []),
        ("name[self.rows[0]] = 1", []),
    ],
)
def test_a_method_that_changes_an_attribute_is_found(
    read: Callable[[str], Module], statement: str, expected: list[str]
) -> None:
    module = read(SOURCE.format(statement=statement))
    targets = {target.qualname: target for target in module.targets}
    found = Origins(targets).setting("Table.size", "rows", Wanted(Wish.TRUE))
    assert [target.qualname for target in found] == expected
