"""Orders: their states and their delivery dates."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import Enum

SATURDAY = 5
RETURN_DAYS = 30


class Status(Enum):
    """Where an order is."""

    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


NEXT_STATUS = {
    Status.PLACED: {Status.PAID, Status.CANCELLED},
    Status.PAID: {Status.SHIPPED, Status.CANCELLED},
    Status.SHIPPED: {Status.DELIVERED},
    Status.DELIVERED: set(),
    Status.CANCELLED: set(),
}


class TransitionError(Exception):
    """An order cannot go from its status to the one asked for."""


@dataclass(frozen=True)
class Order:
    """An order; changes return a new one."""

    number: int
    placed_on: date
    status: Status = Status.PLACED
    history: tuple[Status, ...] = field(default=())

    def move_to(self, status: Status) -> Order:
        """Return the order in another status, the old one added to its history."""
        if status not in NEXT_STATUS[self.status]:
            raise TransitionError(f"{self.status.value} order cannot become {status.value}")
        return replace(self, status=status, history=(*self.history, self.status))

    @property
    def is_open(self) -> bool:
        """Whether anything is left to be done."""
        return bool(NEXT_STATUS[self.status])


def is_working_day(day: date, holidays: frozenset[date] = frozenset()) -> bool:
    """Whether parcels are carried on this day."""
    return day.weekday() < SATURDAY and day not in holidays


def add_working_days(start: date, days: int, holidays: frozenset[date] = frozenset()) -> date:
    """Return the working day that lies ``days`` working days after ``start``.

    Zero days after a day off is the next working day.

    Raises:
        ValueError: ``days`` is negative.
    """
    if days < 0:
        raise ValueError("days must not be negative")
    day = start
    while days > 0 or not is_working_day(day, holidays):
        day += timedelta(days=1)
        if is_working_day(day, holidays):
            days -= 1
    return day


def delivery_date(
    today: date, country: str, is_express: bool = False, holidays: frozenset[date] = frozenset()
) -> date:
    """Estimate when an order placed today arrives."""
    transit = {"DE": 2, "AT": 3, "FR": 3, "US": 8}.get(country.upper(), 12)
    if is_express:
        transit = max(1, transit // 2)
    return add_working_days(today, transit, holidays)


def can_return(order: Order, today: date) -> bool:
    """Whether a delivered order may still be sent back."""
    if order.status is not Status.DELIVERED:
        return False
    return order.placed_on <= today <= order.placed_on + timedelta(days=RETURN_DAYS)


def describe_delivery(expected: date, today: date) -> str:
    """Say in words when something arrives: ``today``, ``tomorrow``, ``on Monday``, a date."""
    days = (expected - today).days
    if days < 0:
        return "late by 1 day" if days == -1 else f"late by {-days} days"
    if days == 0:
        return "today"
    if days == 1:
        return "tomorrow"
    if days < 7:
        return f"on {expected:%A}"
    return f"on {expected.isoformat()}"


def age_in_days(order: Order) -> int:
    """Return how many days ago an order was placed."""
    return (date.today() - order.placed_on).days
