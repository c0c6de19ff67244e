"""Coroutines that replies in the corpus were written for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def retry(job: Callable[[], Awaitable[int]], attempts: int = 3) -> int:
    """Awaits ``job()`` until it succeeds, at most ``attempts`` times."""
    if attempts < 1:
        raise ValueError("attempts must be at least 1")
    for attempt in range(attempts):
        try:
            return await job()
        except RuntimeError:
            if attempt == attempts - 1:
                raise
            await asyncio.sleep(0)
    raise AssertionError("unreachable")


async def fetch_total(prices: dict[str, int], names: list[str]) -> int:
    """Sum of the prices of ``names``; KeyError for an unknown one."""
    await asyncio.sleep(0)
    return sum(prices[name] for name in names)
