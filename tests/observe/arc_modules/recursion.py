def hanoi(height, source="a", target="b", spare="c"):
    if height == 0:
        return []
    moves = hanoi(height - 1, source, spare, target)
    moves.append((source, target))
    moves.extend(hanoi(height - 1, spare, target, source))
    return moves


def fallthrough(value):
    if value:
        if value > 1:
            if value > 2:
                value = 0


def ternaries(a, b):
    x = a if a else b
    y = a and b or None
    return (lambda q: q if q else -1)(x), y


def unpack(*args, **kwargs):
    (first, *_), = [args]
    del kwargs["k"]
    return first, sorted(kwargs)


def raises(kind):
    raise kind("x") from None


def main():
    for value in (0, 1, 2, 3):
        fallthrough(value)
    for kind in (ValueError, KeyError):
        try:
            raises(kind)
        except ValueError:
            continue
        except Exception:
            break
    return len(hanoi(4)), ternaries(0, 2), ternaries(1, 0), unpack(1, 2, k=1, z=2)
