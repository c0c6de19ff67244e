"""Types of parameters without hints, from how the code uses them."""

from __future__ import annotations

from collections.abc import Callable

from hybridgen.domain import Module
from hybridgen.explore.duck import hints_in, members_of

CODE = """
class Span:
    def __init__(self, start, end):
        self.start = start
        self.end = end

    def __add__(self, other):
        return Span(self.start, other.end)


def label(when, size, thing, span):
    if isinstance(size, (int, float)):
        return when.month + when.year
    return span.start, thing.nobody_has_this
"""


def test_hints_come_from_checks_attributes_and_operators(read: Callable[[str], Module]) -> None:
    targets = {target.qualname: target for target in read(CODE).targets}
    classes = {"Span": members_of(targets["Span"])}
    hints = hints_in(targets["label"], classes)
    assert hints["size"] == ("int", "float")
    assert set(hints["when"]) == {"date", "datetime"}
    assert hints["span"] == ("Span",)
    assert "thing" not in hints
    assert "Span" in hints_in(targets["Span.__add__"], classes)["other"]
