"""Classes with state that replies in the corpus were written for."""

from __future__ import annotations

from dataclasses import dataclass, field


class InsufficientFunds(Exception):  # noqa: N818  the recorded replies name it so
    """The balance does not cover a withdrawal."""


class Account:
    """A bank account in whole cents."""

    def __init__(self, owner: str, balance: int = 0) -> None:
        self.owner = owner
        self._balance = balance
        self.history: list[tuple[str, int]] = []

    @property
    def balance(self) -> int:
        """The balance in cents."""
        return self._balance

    def deposit(self, amount: int) -> int:
        """Adds ``amount`` and returns the new balance."""
        if amount <= 0:
            raise ValueError("amount must be positive")
        self._balance += amount
        self.history.append(("deposit", amount))
        return self._balance

    def withdraw(self, amount: int) -> int:
        """Takes ``amount`` and returns the new balance."""
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount > self._balance:
            raise InsufficientFunds(f"{self.owner} has only {self._balance}")
        self._balance -= amount
        self.history.append(("withdraw", amount))
        return self._balance

    def transfer(self, other: Account, amount: int) -> None:
        """Moves ``amount`` to ``other``."""
        self.withdraw(amount)
        other.deposit(amount)


@dataclass
class Stack:
    """A stack with an optional limit."""

    limit: int | None = None
    items: list[object] = field(default_factory=list)

    def push(self, item: object) -> None:
        """Puts ``item`` on top."""
        if self.limit is not None and len(self.items) >= self.limit:
            raise OverflowError("stack is full")
        self.items.append(item)

    def pop(self) -> object:
        """Takes the top item off."""
        if not self.items:
            raise IndexError("stack is empty")
        return self.items.pop()

    def __len__(self) -> int:
        return len(self.items)
