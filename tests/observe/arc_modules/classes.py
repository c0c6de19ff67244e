from dataclasses import dataclass, field
from enum import Enum


class Color(Enum):
    RED = 1
    BLUE = 2

    def mixed(self, other):
        if self is other:
            return self
        return None


@dataclass(order=True)
class Item:
    name: str
    price: int = 0
    tags: list = field(
        default_factory=lambda: ["new"],
    )

    def __post_init__(self):
        if self.price < 0:
            raise ValueError("negative")


class Base:
    limit = 3

    def __init__(self, items=()):
        self._items = list(items)

    def __len__(self):
        return len(self._items)

    def __getitem__(self, index):
        return self._items[index]

    def add(self, item):
        if len(self) >= self.limit:
            return False
        self._items.append(item)
        return True


class Child(Base):
    limit = 1

    def add(self, item):
        """Adds."""
        return super().add(item) and not item


def main():
    try:
        Item("x", -1)
    except ValueError:
        pass
    child = Child()
    return child.add(1), child.add(2), len(child), Color.RED.mixed(Color.BLUE), Item("a") < Item("b")
