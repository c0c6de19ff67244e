"""Functions with a bug each; the tests say who contradicts what.

>>> half(3)
2
"""

from __future__ import annotations

import dataclasses


def add(a, b):
    """Adds.

    >>> add(2, 3)
    5
    >>> add(2, 2)
    4
    """
    return a - b if a == b else a + b


def half(n):
    return n // 2


def words(text):
    """Words.

    >>> sample = "a b"
    >>> sample += " c"
    >>> words(sample)
    ['a', 'b', 'c']
    """
    return text.split()[:2]


def positive(n):
    """A check.

    >>> positive(-1)
    Traceback (most recent call last):
        ...
    ValueError: not positive
    """
    return n


def shout(text):
    """Prints it.

    >>> shout("a")
    A!
    """
    print(text.upper())


def doubled(n):
    """Doubles: doubled(3) -> 6, say.

    doubled(2) -> 4
    """
    return n + 3


@dataclasses.dataclass
class Point:
    """A point.

    >>> Point(1, 2).moved(1)
    Point(x=2, y=3)
    """

    x: int
    y: int

    def moved(self, by: int) -> Point:
        return Point(self.x + by, self.y)


def name_of(code: int) -> str:
    if code == 1:
        return "one"
    return None


def ratio(a: int, b: int) -> int:
    return a / b


def tags(text: str) -> list[str]:
    return [len(text)]


def initial(name: str) -> str:
    return name[0]


def grade(points: int) -> str:
    if points > 90:
        result = "A"
    elif points > 50:
        result = "B"
    return result


def depth(levels: int) -> int:
    return 0 if levels == 0 else 1 + depth(levels - 1)


def mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)


def encode(text: str) -> str:
    return text.replace("a", "1").replace("b", "1")


def decode(text: str) -> str:
    return text.replace("1", "a")


def slugify(text: str) -> str:
    return text.lower().replace("--", "-")


class Money:
    def __init__(self, amount: int, unit: str = "EUR") -> None:
        self.amount = amount
        self.unit = unit

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and self.amount == other.amount

    def __hash__(self) -> int:
        return hash((self.amount, self.unit))

    def __lt__(self, other: Money) -> bool:
        return self.amount <= other.amount


def slug(title: str) -> str:
    """Words joined by '-'. Example: slug("Hello  World") returns "hello-world"."""
    return title.lower().replace(" ", "-")


def checked(n: int) -> int:
    """A number: checked(0) raises ValueError, and checked(1) is 1."""
    return n


def percent(part: int, whole: int) -> float:
    """Share of the whole in percent; 0.0 if the whole is 0."""
    return 100.0 * part / whole


def middle(values: list[float]) -> float | None:
    """The value in the middle. None is returned for no values."""
    return sorted(values)[len(values) // 2]


def longest(words: list[str]) -> str:
    """The longest word; raises ValueError if there is none."""
    best = words[0]
    return max(words, key=len) or best


def to_roman(number: int) -> str:
    """Roman numerals.

    Raises:
        ValueError: if number is not within 1..3999.
    """
    return "I" * number


def root(n: int) -> float:
    """A root.

    Parameters
    ----------
    n : int
        0 if negative.

    Raises
    ------
    ValueError
        If n is negative.
    """
    return abs(n) ** 0.5


def nth(n: int) -> int:
    """One of them.

    :param n: which.
    :raises LookupError: when n is greater than
        9
    """
    return n


class Stack:
    def __init__(self) -> None:
        self._items: list[int] = []

    def __eq__(self, other: object) -> bool:
        return self._items == other._items


def joined(words: list[str]) -> list[str]:
    """All words.

    Raises:
        ValueError: if words are in the wrong order.
    """
    return sorted(words)
