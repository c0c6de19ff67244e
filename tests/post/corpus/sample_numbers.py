"""Number functions that replies in the corpus were written for."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal


def median(values: Sequence[float]) -> float:
    """The middle of ``values``; the mean of the two middle ones for an even count."""
    if not values:
        raise ValueError("median of nothing")
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def net_price(gross: Decimal, vat_percent: int = 19) -> Decimal:
    """``gross`` without value-added tax, rounded to cents."""
    if vat_percent < 0:
        raise ValueError("vat_percent must not be negative")
    net = gross * 100 / (100 + vat_percent)
    return net.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def to_roman(number: int) -> str:
    """Roman numeral of 1 to 3999."""
    if not isinstance(number, int):
        raise TypeError("number must be an int")
    if not 0 < number < 4000:
        raise ValueError("number must be between 1 and 3999")
    table = [
        (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
        (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
    ]  # fmt: skip
    text = ""
    for value, letters in table:
        while number >= value:
            text += letters
            number -= value
    return text
