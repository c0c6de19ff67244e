"""Functions that do what is said of them, though not always letter by letter."""

from __future__ import annotations

import collections
import datetime
import math
import re
import typing
import urllib.request
from collections.abc import Iterator, Sequence

T = typing.TypeVar("T")


def third():
    """
    >>> third()
    0.333
    """
    return 1 / 3


def areas(r):
    """
    >>> areas(2)
    [12.566, 12.57]
    """
    return [math.pi * r * r, math.pi * r * r]


def letters():
    """
    >>> letters()
    {'b': 2, 'a': 1}
    """
    return {"a": 1, "b": 2}


def unique(items):
    """
    >>> unique("ba")
    set(['a', 'b'])
    """
    return set(items)


class Node:
    """
    >>> Node()
    <sound.Node object at 0x7f001234>
    """


def numbers():
    """
    >>> numbers()
    [0, 1, 2, ...]
    """
    return list(range(100))


def text():
    """
    >>> text()
    u'abc'
    >>> print text()
    abc
    """
    return "abc"


def said():
    """
    >>> said()
    abc
    """
    return "abc"


def doubled(items):
    """
    >>> doubled([1, 2])
    [2, 4]
    """
    return map(lambda item: 2 * item, items)


def day():
    """
    >>> day()
    datetime.timedelta(0, 60)
    """
    return datetime.timedelta(seconds=60)


def counted():
    """
    >>> counted()
    OrderedDict([('a', 1)])
    """
    return collections.OrderedDict(a=1)


def spaced():
    """
    >>> print(spaced())
    a    b
    c
    """
    return "a b\nc"


def skipped():
    """
    >>> skipped()  # doctest: +SKIP
    4
    >>> undefined_name
    5
    """
    return 3


def fails():
    """
    >>> fails()
    Traceback (most recent call last):
    LookupError: another text
    """
    raise KeyError("no")


def blocks():
    """
    >>> if True:
    ...     blocks()
    [1]
    """
    return [1]


class Store:
    def flush(self) -> int:
        return self.buffer.count


class BaseStore:
    def __init__(self, size: int) -> None:
        self.size = size

    def flush(self) -> int:
        return self.buffer.count


def now():
    """
    >>> now()
    datetime.datetime(2020, 1, 1, 0, 0)
    """
    return datetime.datetime.now()


def prose(n):
    """Rounds: prose(1.5) -> the nearest number. prose(2) returns 3 in most cases

    prose(2) -> something
    """
    return round(n)


def maybe(code: int) -> typing.Optional[str]:
    return None if code else "a"


def scale(a: int) -> float:
    return a * 2


def flag(a: int) -> int:
    return a > 1


def same(value: T) -> T:
    return value


def anything(value: int) -> typing.Any:
    return None


def stream(count: int) -> Iterator[int]:
    yield from range(count)


def many(count: int) -> Sequence[int]:
    return tuple(range(count))


def unhinted(value) -> str:
    return value


def strict(value: str) -> str:
    return value + ""


def upper(value):
    return value.upper()


def pick(items: list[str], index: int) -> str:
    return items[index]


def first(items: list[str]) -> str:
    return items[0]


def divide(a: int, b: int) -> float:
    return a / b


def told(items: list[int]) -> int:
    """Raises IndexError if there are none."""
    return items[0]


def stated(name: str) -> str:
    if not name:
        raise IndexError("empty")
    return name


def expand(template: str) -> str:
    return template % ()


def quote(text: str) -> str:
    return f'"{text}"'


def unquote(text: str) -> str:
    return text[1:-1]


def to_fraction(x: float) -> float:
    return x / 3


def from_fraction(x: float) -> float:
    return x * 3


def pack(value):
    return str(value)


def unpack(text):
    return text


def format_name(name: str) -> str:
    return name.strip().title()


def parse_name(text):
    return text.split()


def normalize(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().lower()


class Version:
    def __init__(self, major: int, minor: int = 0) -> None:
        self.major, self.minor = major, minor

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Version):
            return NotImplemented
        return (self.major, self.minor) == (other.major, other.minor)

    def __lt__(self, other: Version) -> bool:
        return (self.major, self.minor) < (other.major, other.minor)

    def __hash__(self) -> int:
        return hash((self.major, self.minor))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    @classmethod
    def parse(cls, text: str) -> Version:
        return cls(*map(int, text.split(".")))


def snake_to_camel(text: str) -> str:
    return text.title().replace("_", "")


def camel_to_snake(text: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", text).lower()


def merged(one: list[int], other: list[int]) -> Iterator[int]:
    """Merges; it is commutative."""
    yield from sorted([*one, *other])


def told_in_prose(n: int) -> int:
    """Without the cache told_in_prose(1) is 9, and told_in_prose(2) is 3 times slower.

    told_in_prose(x) = 4. In prose told_in_prose(3) is 3.
    """
    return n


def told_cases(n: int, limit: int = 0) -> float:
    """Divides. 0.0 if the result is 0; raises ValueError if n is negative and limit is 1.

    Args:
        n: 5 if negative.
        limit: 7 for none.
    """
    return n / 2


def kept(words: list[str]) -> str:
    """The first; raises LookupError if there is none, '' if the first is empty."""
    return words[0]


def limited(n: int) -> int:
    """Counts.

    Raises:
        ValueError: if n is negative.
        OverflowError: if n is greater than 5.
    """
    if n < 0:
        raise ValueError("negative")
    if n > 5:
        raise OverflowError("large")
    return n


def asked(url: str) -> str:
    """Asks a service."""
    with urllib.request.urlopen(url) as response:
        return response.missing


def numbers_in(text: str) -> list[int]:
    """The numbers.

    Raises:
        ValueError: if there is anything else.
        KeyError: if something is missing.
    """
    return [int(word) for word in text.split()]
