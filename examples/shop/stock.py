"""Stock that several customers reserve from at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class OutOfStockError(Exception):
    """Fewer pieces are left than were asked for."""

    def __init__(self, sku: str, wanted: int, left: int) -> None:
        super().__init__(f"{sku}: {wanted} wanted, {left} left")
        self.sku = sku
        self.left = left


class Stock:
    """How many pieces of each article are there."""

    def __init__(self, pieces: dict[str, int] | None = None) -> None:
        self._pieces = dict(pieces or {})
        self._lock = asyncio.Lock()

    async def available(self, sku: str) -> int:
        """Return the number of pieces left; 0 for an unknown article."""
        async with self._lock:
            return self._pieces.get(sku, 0)

    async def restock(self, sku: str, quantity: int) -> int:
        """Put pieces on the shelf and return how many are there now."""
        if quantity < 1:
            raise ValueError("quantity must be at least 1")
        async with self._lock:
            self._pieces[sku] = self._pieces.get(sku, 0) + quantity
            return self._pieces[sku]

    async def reserve(self, wanted: dict[str, int]) -> None:
        """Take all of ``wanted``, or nothing.

        Raises:
            ValueError: a quantity is not positive.
            OutOfStockError: naming the first article of which there is not enough.
        """
        if any(quantity < 1 for quantity in wanted.values()):
            raise ValueError("quantity must be at least 1")
        async with self._lock:
            for sku, quantity in wanted.items():
                left = self._pieces.get(sku, 0)
                if quantity > left:
                    raise OutOfStockError(sku, quantity, left)
            for sku, quantity in wanted.items():
                self._pieces[sku] -= quantity


async def total_value(stock: Stock, prices: dict[str, int]) -> int:
    """Return the value in cents of all pieces that have a price."""

    async def value(sku: str, price: int) -> int:
        return price * await stock.available(sku)

    return sum(await asyncio.gather(*(value(sku, price) for sku, price in prices.items())))


async def with_retries(
    action: Callable[[], Awaitable[int]], attempts: int = 3, delay: float = 0.0
) -> int:
    """Await an action until it succeeds; the last failure is raised."""
    if attempts < 1:
        raise ValueError("at least one attempt is needed")
    for attempt in range(1, attempts):
        try:
            return await action()
        except ConnectionError:
            await asyncio.sleep(delay * attempt)
    return await action()
