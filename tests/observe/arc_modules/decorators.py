import functools


def twice(function):
    @functools.wraps(function)
    def wrapper(*args):
        function(*args)
        return function(*args)

    return wrapper


def named(
    prefix,
    suffix="",
):
    def decorate(function):
        return lambda value: prefix + function(value) + suffix

    return decorate


@twice
def add(a, b):
    if a > b:
        return a
    return a + b


@named(
    "<",
    suffix=">",
)
@functools.lru_cache(maxsize=None)
def show(value):
    return str(value)


class Box:
    @property
    def size(self):
        return 3

    @staticmethod
    def make(kind):
        return Box() if kind else None

    @classmethod
    def other(cls):
        return cls()


def main():
    return add(1, 2), add(3, 1), show(4), show(4), Box().size, Box.make(0), Box.other().size
