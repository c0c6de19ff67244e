"""Date functions that replies in the corpus were written for."""

from __future__ import annotations

import datetime as dt


def add_months(day: dt.date, months: int) -> dt.date:
    """``day`` moved by ``months``, clipped to the end of the month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    first_of_next = dt.date(year + (month == 11), (month + 1) % 12 + 1, 1)
    last = (first_of_next - dt.timedelta(days=1)).day
    return dt.date(year, month + 1, min(day.day, last))


def is_overdue(due: dt.date, today: dt.date, grace_days: int = 0) -> bool:
    """True if ``today`` is later than ``due`` plus ``grace_days``."""
    if grace_days < 0:
        raise ValueError("grace_days must not be negative")
    return today > due + dt.timedelta(days=grace_days)
