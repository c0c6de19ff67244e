"""Small functions that stand in for what callers pass: short lambdas, and a few with a name."""

from __future__ import annotations

from collections.abc import Sequence

from hybridgen.explore.values.stateful import CONFIG

ANSWERING = "answering"
"""Makes an asynchronous function that gives a value."""

HELPERS = {
    "fail": "def fail(*args, **kwargs):\n    raise ValueError('failed')",
    "respond": "async def respond(*args, **kwargs):\n    return 1",
    "refuse": "async def refuse(*args, **kwargs):\n    raise ValueError('refused')",
    "produce": "async def produce(*args, **kwargs):\n    yield 1\n    yield 2",
    "count_up": "def count_up(*args, **kwargs):\n    yield 1\n    yield 2",
    "scaled": (
        "def scaled(first, second=2, *, scale=1):\n"
        '    """Add and scale."""\n'
        "    return (first + second) * scale"
    ),
    ANSWERING: (
        f"def {ANSWERING}(value):\n"
        "    async def answer(*args, **kwargs):\n"
        "        return value\n\n"
        "    return answer"
    ),
    CONFIG: (
        f"def {CONFIG}(text):\n"
        "    parser = configparser.ConfigParser()\n"
        "    parser.read_string(text)\n"
        "    return parser"
    ),
}
"""Functions that a lambda cannot be, by the name that a value uses them by."""

ASYNC = {
    "Awaitable": ("respond()", "respond()", "refuse()"),
    "Coroutine": ("respond()", "refuse()"),
    "AsyncIterable": ("produce()",),
    "AsyncIterator": ("produce()",),
    "AsyncGenerator": ("produce()",),
}

ANY_CALLABLE = (
    "lambda x: x",
    "lambda *args: args",
    "lambda x, y: x + y",
    "lambda: 1",
    "str",
    "len",
    "lambda x: x % 2 == 0",
    "max",
)
"""For a parameter of which only is known that it can be called."""

NAMED = ("fail", "fail", "scaled", "count_up")
"""For the same, now and then: each costs a test some lines of set-up."""

NAMES = ("x", "y", "z", "w", "v", "u")
BY_COUNT: dict[int, tuple[str, ...]] = {
    0: ("lambda: 1", "lambda: 'a'", "list"),
    1: ("lambda x: x", "lambda x: -x", "lambda x: x % 2 == 0", "str", "lambda x: True"),
    2: ("lambda x, y: x + y", "lambda x, y: x == y", "max", "lambda x, y: y"),
}
"""By number of arguments, where nothing is known of what they are and what comes back."""

BY_RESULT: dict[tuple[int, str], tuple[str, ...]] = {
    (1, "bool"): ("lambda x: True", "lambda x: False", "bool", "lambda x: x == 1"),
    (2, "bool"): ("lambda x, y: x == y", "lambda x, y: x < y", "lambda x, y: True"),
    (1, "str"): ("str", "repr", "lambda x: 'a'"),
    (1, "int"): ("len", "int", "lambda x: 1"),
    (1, "float"): ("float", "lambda x: 1.5"),
    (1, "list"): ("list", "lambda x: [x]"),
}


def callables(count: int | None, result: str, constants: Sequence[str]) -> tuple[str, ...]:
    """Functions to pass where one is asked for.

    Args:
        count: how many arguments it is called with, None if that is not known.
        result: the name of the type that it returns, empty if that is not known.
        constants: values of that type.
    """
    if result in ("Awaitable", "Coroutine"):
        return ("respond", "refuse")
    if result in ("AsyncIterator", "AsyncIterable", "AsyncGenerator"):
        return ("produce",)
    if result in ("Iterator", "Iterable", "Generator") and count in (None, 0):
        return ("count_up",)
    is_open = result in ("", "Any", "object")
    if count is None:
        head = "*args, **kwargs"
        fixed: tuple[str, ...] = ANY_CALLABLE if is_open else ()
    else:
        head = ", ".join(NAMES[at] if at < len(NAMES) else f"a{at}" for at in range(count))
        fixed = BY_COUNT.get(count, ()) if is_open else BY_RESULT.get((count, result), ())
    start = f"lambda {head}:" if head else "lambda:"
    same = (f"{start} x",) if count and is_open else ()
    constant = () if is_open and fixed else tuple(f"{start} {text}" for text in constants[:3])
    return tuple(dict.fromkeys((*fixed, *same, *constant)))
