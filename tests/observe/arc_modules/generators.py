def count(limit):
    number = 0
    while number < limit:
        received = yield number
        if received:
            number = received
        else:
            number += 1


def chain(*parts):
    for part in parts:
        yield from part
    return "done"


def guarded():
    try:
        yield 1
        yield 2
    finally:
        log.append("closed")


log = []


def flat(tree):
    if isinstance(tree, list):
        for item in tree:
            yield from flat(item)
    else:
        yield tree


def main():
    counter = count(5)
    first = next(counter), counter.send(3), list(counter)
    guard = guarded()
    next(guard)
    guard.close()
    lazy = (value for value in chain([1], [2]) if value > 1)
    return first, list(lazy), list(flat([1, [2, [3]]]))
