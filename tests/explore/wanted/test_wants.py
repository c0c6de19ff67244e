"""What accidents of calls teach about the kinds of values that parameters want."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from hybridgen.domain import Raised
from hybridgen.explore.wanted.wants import Argument, Wants, kind_in


def accident(text: str) -> Raised:
    return Raised("TypeError", "", "", is_deliberate=False, is_inside=True, text=text)


def wants() -> Wants:
    return Wants({"Cart": frozenset({"checkout"})}, random.Random(1))


@pytest.mark.parametrize(
    ("value", "text", "hint"),
    [
        ("1", "'int' object is not callable", "Callable[..., Any]"),
        ("1", "'int' object is not iterable", "Iterable"),
        ("1", "argument of type 'int' is not iterable", "Iterable"),
        ("'a'", "'str' object cannot be interpreted as an integer", "int"),
        ("None", "expected string or bytes-like object, got 'NoneType'", "str"),
        ("[]", "unhashable type: 'list'", "str"),
        ("'a'", "'str' object has no attribute 'checkout'", "Cart"),
        ("{}", "'dict' object has no attribute 'isoformat'", "date"),
        ("1", "object int can't be used in 'await' expression", "Awaitable"),
        (
            "lambda x: x",
            "f.<locals>.<lambda>() takes 1 positional argument but 3 were given",
            "Callable[[Any, Any, Any], Any]",
        ),
        (
            "lambda x, y: x",
            "<lambda>() missing 1 required positional argument: 'y'",
            "Callable[[Any], Any]",
        ),
    ],
)
def test_a_message_says_what_would_have_done(value: str, text: str, hint: str) -> None:
    learned = wants()
    learned.failed([Argument("f", "a", value), Argument("f", "b", "b''")], [], accident(text))
    assert hint in learned.hints("f", "a")
    assert learned.hints("f", "b") == ()


def test_what_a_constructor_took_is_to_blame_for_a_failing_method() -> None:
    learned = wants()
    built, asked = Argument("Cart", "key", "'a'"), Argument("Cart.add", "item", "1")
    learned.failed([asked], [built], accident("'str' object is not callable"))
    assert learned.hints("Cart", "key") == ("Callable[..., Any]",)
    assert learned.hints("Cart.add", "item") == ()


def test_kinds_that_always_fail_become_rare() -> None:
    learned = wants()
    for _ in range(30):
        learned.failed([Argument("f", "a", "'x'")], [], accident("something else"))
        learned.succeeded([Argument("f", "a", "1")])
    chooser = random.Random(2)
    picked = Counter(
        learned.pick("f", "a", lambda: chooser.choice(("'x'", "1"))) for _ in range(200)
    )
    assert picked["1"] > 4 * picked["'x'"] > 0


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("-1", "int"),
        ("[1, 'a']", "list[int"),
        ("Cart('a')", "Cart"),
        ("lambda x, y: x", "function[2"),
        ("len", "builtin_function_or_method"),
        ("ValueError", "type"),
        ("re.compile('a')", "Pattern"),
    ],
)
def test_kinds_are_named_as_messages_name_them(value: str, kind: str) -> None:
    assert kind_in(value) == kind
