"""A shopping cart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from shop.pricing import apply_discount, volume_discount

MAX_QUANTITY = 99


class CartError(Exception):
    """Base class of everything that can go wrong with a cart."""


class UnknownItemError(CartError):
    """The cart does not hold this item."""

    def __init__(self, sku: str) -> None:
        super().__init__(f"no such item in the cart: {sku}")
        self.sku = sku


class CartClosedError(CartError):
    """The cart was checked out and cannot be changed any more."""


@dataclass
class Line:
    """One article in the cart."""

    sku: str
    unit_price: Decimal
    quantity: int = 1

    @property
    def total(self) -> Decimal:
        """Price of all pieces."""
        return self.unit_price * self.quantity


class Cart:
    """What a customer is about to buy.

    A cart is open until :meth:`checkout`; a closed cart raises :class:`CartClosedError` on changes.
    """

    def __init__(self, customer: str) -> None:
        self.customer = customer
        self.coupon: str | None = None
        self._lines: dict[str, Line] = {}
        self._is_closed = False

    def __len__(self) -> int:
        """Number of pieces, not of different articles."""
        return sum(line.quantity for line in self._lines.values())

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines.values())

    def __contains__(self, sku: object) -> bool:
        return sku in self._lines

    def add(self, sku: str, unit_price: Decimal, quantity: int = 1) -> Line:
        """Add pieces of an article; more of one already there adds up at the new price."""
        self._check_open()
        if quantity < 1:
            raise ValueError("quantity must be at least 1")
        if unit_price < 0:
            raise ValueError("price must not be negative")
        line = self._lines.get(sku)
        total = quantity + (line.quantity if line else 0)
        if total > MAX_QUANTITY:
            raise CartError(f"at most {MAX_QUANTITY} pieces of {sku}, not {total}")
        self._lines[sku] = Line(sku, unit_price, total)
        return self._lines[sku]

    def remove(self, sku: str, quantity: int | None = None) -> None:
        """Remove some pieces of an article, or all of them."""
        self._check_open()
        if sku not in self._lines:
            raise UnknownItemError(sku)
        line = self._lines[sku]
        if quantity is None or quantity >= line.quantity:
            del self._lines[sku]
        elif quantity < 1:
            raise ValueError("quantity must be at least 1")
        else:
            line.quantity -= quantity

    def use_coupon(self, code: str) -> None:
        """Redeem a coupon, ``SAVE5`` to ``SAVE50`` in steps of five; the last one counts."""
        self._check_open()
        code = code.strip().upper()
        digits = code[4:]
        if not code.startswith("SAVE") or not digits.isdecimal():
            raise CartError(f"not a coupon: {code}")
        if int(digits) not in range(5, 51, 5):
            raise CartError(f"unknown coupon: {code}")
        self.coupon = code

    @property
    def subtotal(self) -> Decimal:
        """Price of all lines before discounts."""
        return sum((line.total for line in self._lines.values()), Decimal(0))

    def total(self) -> Decimal:
        """Price to pay: the coupon or the volume discount is taken off, whichever is higher."""
        subtotal = self.subtotal
        percent = volume_discount(subtotal)
        if self.coupon is not None:
            percent = max(percent, Decimal(self.coupon[4:]))
        return apply_discount(subtotal, percent)

    def checkout(self) -> Decimal:
        """Close the cart and return the price to pay."""
        self._check_open()
        if not self._lines:
            raise CartError("the cart is empty")
        self._is_closed = True
        return self.total()

    def _check_open(self) -> None:
        if self._is_closed:
            raise CartClosedError(f"the cart of {self.customer} was checked out")
