"""What a test expects is built by classes; a forged answer calls no function of the project."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridgen import suite
from hybridgen.domain import (
    Candidate,
    Check,
    CheckKind,
    Label,
    Module,
    Observation,
    Step,
    StepKind,
    StepResult,
)

NAME = "shop.pricing"
SOURCE = """
import datetime as dt
from collections import namedtuple
from decimal import Decimal

from . import kinds
from .kinds import Money, Zip
from .kinds import Money as Coin


class Cart:
    class Line:
        pass

    def Empty(self):
        pass


def Zap(text):
    return text


Pair = namedtuple("Pair", "a b")


def Both():
    pass


class Both:
    pass


Alias = Zap


def load(text):
    return text
"""
KINDS = "class Money(int):\n    pass\n\n\ndef Zip(text):\n    return text\n"


@pytest.fixture
def reason(make_module: Callable[..., Module]) -> Callable[..., str | None]:
    """Why an observation with an expected value may not become a test."""
    make_module(KINDS, "shop.kinds")
    module = make_module(SOURCE)

    def reason(expected: str, *imports: str) -> str | None:
        result = StepResult("ok", checks=(Check(CheckKind.EQUAL, "", expected, imports),))
        step = Step(StepKind.PROBE, "load('a')")
        candidate = Candidate("load", (step,), Label.CONFIDENTIAL, "types")
        case = Observation(candidate, (result,), frozenset({(1, 2)}), Label.CONFIDENTIAL)
        return suite.drop_reason(case, module, NAME)

    return reason


@pytest.mark.parametrize(
    ("expected", "imports"),
    [
        ("[Cart(), Cart.Line()]", ["from shop.pricing import Cart"]),
        ("{'a': Cart()}", []),
        ("Money(3)", ["from shop.kinds import Money"]),
        ("Money(3)", ["from shop.pricing import Money"]),
        ("Coin(3)", []),
        ("Pair(1, 2)", []),
        ("Decimal('1.5')", ["from decimal import Decimal"]),
        ("datetime.date(2024, 1, 2)", ["import datetime"]),
        ("dt.date(2024, 1, 2)", []),
        ("frozenset({1})", []),
        ("Alias", []),
    ],
)
def test_values_built_by_classes_are_kept(
    reason: Callable[..., str | None], expected: str, imports: list[str]
) -> None:
    assert reason(expected, *imports) is None


@pytest.mark.parametrize(
    ("expected", "imports"),
    [
        ("Zap('x')", ["from shop.pricing import Zap"]),
        ("Zap('x')", []),
        ("Alias('x')", []),
        ("Both()", []),
        ("[1, (Cart(), {'a': Zap('x')})]", []),
        ("Cart.Empty(1)", []),
        ("Cart(Zap('x'))", []),
        ("Zip('x')", ["from shop.pricing import Zip"]),
        ("Zip('x')", ["from shop.kinds import Zip"]),
        ("kinds.Zip('x')", []),
        ("Other('x')", ["from shop.nowhere import Other"]),
        ("Other('x')", ["from elsewhere import Other"]),
        ("Cart('x').Empty(1)", []),
    ],
)
def test_values_built_by_functions_are_not(
    reason: Callable[..., str | None], expected: str, imports: list[str]
) -> None:
    assert reason(expected, *imports) == "not allowed"
