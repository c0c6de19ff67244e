"""Prices, discounts and shipping. All amounts are decimals in one currency."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
CURRENCIES = {"€": "EUR", "$": "USD", "£": "GBP", "EUR": "EUR", "USD": "USD", "GBP": "GBP"}

# Orders of at least this amount get this percentage off; highest first.
TIERS = [
    (Decimal("500"), Decimal("15")),
    (Decimal("200"), Decimal("10")),
    (Decimal("100"), Decimal("5")),
]

_PRICE = re.compile(
    r"(?P<before>[€$£]|[A-Z]{3})?\s*(?P<amount>[\d.,]+)\s*(?P<after>[€$£]|[A-Z]{3})?"
)


def round_money(amount: Decimal) -> Decimal:
    """Round to whole cents, half a cent away from zero."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def parse_price(text: str) -> tuple[Decimal, str]:
    """Read a price such as ``"$1,299.00"`` or ``"12,50 EUR"``.

    Returns the amount and the currency code. A comma counts as the decimal mark if it is
    followed by exactly two digits at the end.

    Raises:
        ValueError: the text is no price, or has no known currency or two of them.
    """
    match = _PRICE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a price: {text!r}")
    before, after = match["before"], match["after"]
    if (before is None) == (after is None):
        raise ValueError(f"expected one currency: {text!r}")
    symbol = before or after
    if symbol not in CURRENCIES:
        raise ValueError(f"unknown currency: {symbol}")
    amount = match["amount"]
    if re.search(r",\d\d$", amount):
        amount = amount.replace(".", "").replace(",", ".")
    else:
        amount = amount.replace(",", "")
    if amount.count(".") > 1 or not any(mark.isdigit() for mark in amount):
        raise ValueError(f"not a price: {text!r}")
    return round_money(Decimal(amount)), CURRENCIES[symbol]


def format_price(amount: Decimal, currency: str = "EUR") -> str:
    """Write an amount with thousands separators, the sign before the symbol: ``"-$1,299.00"``."""
    symbols = {code: symbol for symbol, code in CURRENCIES.items() if len(symbol) == 1}
    rounded = round_money(amount)
    sign = "-" if rounded < 0 else ""
    return f"{sign}{symbols.get(currency, currency + ' ')}{abs(rounded):,.2f}"


def apply_discount(price: Decimal, percent: Decimal) -> Decimal:
    """Take ``percent`` off a price.

    >>> apply_discount(Decimal("80.00"), Decimal("25"))
    Decimal('60.00')

    Raises:
        ValueError: the price is negative, or the percentage not within 0 and 100.
    """
    if price < 0:
        raise ValueError("price must not be negative")
    if not 0 <= percent <= 100:
        raise ValueError(f"discount must be between 0 and 100, got {percent}")
    return round_money(price * (100 - percent) / 100)


def volume_discount(total: Decimal) -> Decimal:
    """Return the percentage that an order of this total earns."""
    for threshold, percent in TIERS:
        if total >= threshold:
            return percent
    return Decimal(0)


def shipping_cost(total: Decimal, weight_grams: int, is_express: bool = False) -> Decimal:
    """Return what shipping costs: free from 50 on, unless it is express or over 20 kg."""
    if weight_grams <= 0:
        raise ValueError("weight must be positive")
    if weight_grams > 20_000:
        cost = Decimal("24.90")
    elif total >= 50 and not is_express:
        return Decimal("0.00")
    elif weight_grams > 2_000:
        cost = Decimal("7.90")
    else:
        cost = Decimal("4.90")
    return cost * 2 if is_express else cost


def split_evenly(total: Decimal, parts: int) -> list[Decimal]:
    """Split a total into equal instalments; the first ones take the remaining cents."""
    if parts < 1:
        raise ValueError("at least one part is needed")
    cents = int(round_money(total) / CENT)
    share, rest = divmod(cents, parts)
    return [(share + 1 if index < rest else share) * CENT for index in range(parts)]
