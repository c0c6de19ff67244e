class Point:
    __match_args__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y


def kind(value):
    match value:
        case 0:
            return "zero"
        case int() if value < 0:
            return "negative"
        case int() | float():
            return "number"
        case [first, *rest]:
            return f"list of {len(rest) + 1} from {first}"
        case {"name": str(name), **others}:
            return name + str(len(others))
        case Point(0, y):
            return f"axis {y}"
        case Point():
            return "point"
        case _:
            pass
    return "unknown"


def main():
    values = [0, -1, 2, [1, 2], {"name": "n", "b": 1}, Point(0, 1), Point(2, 1), None]
    return [kind(value) for value in values]
