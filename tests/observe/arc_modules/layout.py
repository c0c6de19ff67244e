def long_call(first,
              second=2,
              *rest,
              key=None):
    total = (first
             + second
             + sum(rest))
    if (total > 3
            and key is None
            or first == 0):
        return max(
            total,
            second,
        )
    elif key: return key
    else:
        total = -total; total += 1
    text = """several
    lines"""
    assert total < 100, (
        "too much"
    )
    return text if total else None


def loops(limit):
    while True:
        limit -= 1
        if limit < 0:
            break
    for _ in range(0):
        pass
    else:
        limit = 7
    while limit:
        limit -= 1
    else:
        limit = "none"
    global state
    state = limit
    return [
        limit,
        *(1, 2),
    ]


if __name__ == "__main__":
    print("not run")

try:
    import does_not_exist_anywhere
except ImportError:
    does_not_exist_anywhere = None


def main():
    return long_call(1), long_call(4), long_call(1, 1, key="k"), long_call(0, -5, key=""), loops(2)
