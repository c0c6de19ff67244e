import contextlib


@contextlib.contextmanager
def opened(name, fail=False):
    events.append(("open", name))
    try:
        if fail:
            raise ValueError(name)
        yield name
    finally:
        events.append(("close", name))


events = []


class Swallow:
    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        return kind is KeyError


def several(key):
    with opened("a") as a, opened("b") as b:
        if key:
            return a + b
    with Swallow():
        raise KeyError(key)
    return "after"


def loop(items):
    for item in items:
        with Swallow():
            if item == 2:
                continue
            if item == 3:
                break
            events.append(item)
    else:
        return "all"
    return "broken"


def main():
    try:
        with opened("c", fail=True):
            pass
    except ValueError:
        events.append("failed")
    return several(1), several(0), loop([1, 2]), loop([1, 3, 4])
