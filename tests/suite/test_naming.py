"""Names of tests say what is tested and what happens."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridgen import suite
from hybridgen.domain import Module, Observation
from hybridgen.suite.naming import choose_name, slug

SOURCE = """\
def parse(text, level=0, *, strict=False):
    if not isinstance(text, str):
        raise ValueError(f"expected str, not {type(text).__name__}")
    if not text:
        raise ValueError("nothing to read")
    if level < 0:
        raise ValueError("level too low")
    return len(text) + level


class HTTPBox:
    def __init__(self):
        self.items = []

    def put(self, item):
        self.items.append(item)

    def take(self):
        return self.items.pop(0)

    def __len__(self):
        return len(self.items)
"""


@pytest.mark.parametrize(
    ("qualname", "expected"),
    [
        ("parse_price", "parse_price"),
        ("_clean", "clean"),
        ("Cart.add_item", "cart_add_item"),
        ("ShoppingCart", "shopping_cart"),
        ("HTTPBox.__len__", "http_box_len"),
        ("Cart.__init__", "cart"),
        ("parseXML", "parse_xml"),
    ],
)
def test_slug_reads_as_words(qualname: str, expected: str) -> None:
    assert slug(qualname) == expected


@pytest.mark.parametrize(
    ("target", "steps", "name"),
    [
        ("parse", ["= parse('ab')"], "test_parse"),
        ("parse", ["= parse('')"], "test_parse_rejects_empty_text"),
        ("parse", ["= parse('a', -1)"], "test_parse_rejects_negative_level"),
        ("parse", ["= parse(0)"], "test_parse_rejects_text_not_a_str"),
        ("HTTPBox", ["= HTTPBox()"], "test_http_box_attributes"),
        (
            "HTTPBox.take",
            ["box = HTTPBox()", "box.put(1)", "box.put(2)", "= box.take()"],
            "test_http_box_take_after_put",
        ),
        (
            "HTTPBox.__len__",
            ["box = HTTPBox()", "box.put(1)", "box.take()", "= len(box)"],
            "test_http_box_len_after_put_and_take",
        ),
    ],
)
def test_name_says_what_happens(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
    target: str,
    steps: list[str],
    name: str,
) -> None:
    assert names_of(make_module, make_observe, [(target, steps)]) == (name,)


def test_second_tests_of_a_target_say_what_is_different(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
) -> None:
    cases = [
        ("parse", ["= parse('ab', 3)"]),
        ("parse", ["= parse('ab', strict=True)"]),
        ("parse", ["= parse('ab')"]),
    ]
    assert names_of(make_module, make_observe, cases) == (
        "test_parse",
        "test_parse_with_level",
        "test_parse_with_strict",
    )


def test_no_cause_is_claimed_that_the_message_does_not_name(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
) -> None:
    cases = [("parse", ["= parse('')"]), ("parse", ["= parse('a', level=-1)"])]
    assert names_of(make_module, make_observe, cases) == (
        "test_parse_rejects_empty_text",
        "test_parse_rejects_negative_level",
    )


def names_of(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
    cases: list[tuple[str, list[str]]],
) -> tuple[str, ...]:
    module = make_module(SOURCE)
    observe = make_observe(module)
    observations = [observe(target, *steps) for target, steps in cases]
    path = module.project.tests_folder / "test_pricing.py"
    file = suite.render(
        module, "shop.pricing", observations, path=path, previous=None, line_length=88
    )
    return file.test_names


@pytest.mark.parametrize(
    ("last", "name"),
    [
        ("= box.take()", "test_http_box_take_after_put"),
        ("= len(box)", "test_http_box_len_after_put"),
        ("= box.items", "test_http_box_put"),
    ],
)
def test_sequence_is_named_after_what_it_ends_with(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
    last: str,
    name: str,
) -> None:
    case = ("HTTPBox.put", ["box = HTTPBox()", "box.put(1)", last])
    assert names_of(make_module, make_observe, [case]) == (name,)


def test_test_of_a_chain_is_named_after_its_last_method(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
) -> None:
    module = make_module(
        "class Pair:\n    def __init__(self, a):\n        self.a = a\n\n"
        "    def make(a):\n        return Pair(a)\n\n"
        "    def up(self):\n        return Pair(self.a + 1)\n\n"
        "    def __str__(self):\n        return f'<{self.a}>'\n"
    )
    cases = [make_observe(module)("Pair.__str__", "= str(Pair.make(1).up())")]
    path = module.project.tests_folder / "test_pricing.py"
    file = suite.render(module, "shop.pricing", cases, path=path, previous=None, line_length=88)
    assert file.test_names == ("test_pair_up",)


@pytest.mark.parametrize(
    ("body", "arguments", "names"),
    [
        (
            "def f(size):\n    kind = 'a'\n    if size > 9:\n        kind = 'b'\n    return kind\n",
            ["3", "10"],
            ["test_f", "test_f_if_size_is_above_9"],
        ),
        (
            "def f(text):\n    return [text]\n",
            ["'a'", "'12'"],
            ["test_f", "test_f_of_numeric_text"],
        ),
        (
            "def f(items):\n    return len(items)\n",
            ["['a', 'b']", "['a']", "[]"],
            ["test_f", "test_f_of_empty_items", "test_f_of_single_items"],
        ),
    ],
)
def test_further_tests_say_what_is_particular(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
    body: str,
    arguments: list[str],
    names: list[str],
) -> None:
    module = make_module(body, "sample")
    observe = make_observe(module)
    cases = [observe("f", f"= f({argument})") for argument in arguments]
    taken: set[str] = set()
    for case in cases:
        taken.add(choose_name([case], "f", ["text" if "text" in body else "items"],
                              module.targets, taken))  # fmt: skip
    assert sorted(taken) == sorted(names)


def test_a_repeated_call_and_another_construction_are_told(
    make_module: Callable[..., Module],
    make_observe: Callable[[Module], Callable[..., Observation]],
) -> None:
    module = make_module(
        "class Box:\n    def __init__(self, a=1, b=2):\n        self.items = [a, b]\n\n"
        "    def put(self, item):\n        self.items.append(item)\n"
        "        return len(self.items)\n",
        "sample",
    )
    observe = make_observe(module)
    taken: set[str] = set()
    for steps in (
        ("box = Box(1)", "= box.put(5)"),
        ("box = Box(1)", "box.put(5)", "= box.put(6)"),
        ("box = Box(1, 3)", "= box.put(5)"),
    ):
        case = observe("Box.put", *steps)
        taken.add(choose_name([case], "Box.put", ["item"], module.targets, taken, owner="Box"))
    assert sorted(taken) == ["test_put", "test_put_again", "test_put_made_with_b"]
