"""Names: what is repaired, what is imported, what is dropped with all that depends on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridgen.domain import Candidate, Label

Recover = Callable[..., tuple[Candidate, ...]]
SOURCE = """
import os
import datetime as dt
from decimal import Decimal
from pathlib import Path
from somewhere import Thing
def parse_price(text, day=None):
    return text
async def fetch(x):
    return x
class Cart:
    async def load(self, x): ...
    def total(self): ...
def save(path, text):
    path.write_text(text)
"""


def codes(found: tuple[Candidate, ...]) -> list[list[str]]:
    return [[step.code for step in candidate.steps] for candidate in found]


@pytest.mark.parametrize(
    "text",
    [
        "from your_module import parse_price\nparse_price('1')",
        "from your_module import parse_price as pp\npp('1')",
        "import shop.prices\nshop.prices.parse_price('1')",
        "import prices as p\np.parse_price('1')",
        "prices.parse_price('1')",
        "from shop import prices\nprices.parse_price('1')",
        "parse_prices('1')",
        "parsePrice('1')",
        "from prices import *\nparse_price('1')",
        "class TestIt:\n    def test_a(self):\n        self.parse_price('1')",
    ],
)
def test_every_way_to_name_the_function_becomes_its_bare_name(recover: Recover, text: str) -> None:
    assert codes(recover(SOURCE, "parse_price", text)) == [["parse_price('1')"]]


@pytest.mark.parametrize(
    ("text", "imports"),
    [
        ("parse_price(Decimal('1'))", ("from decimal import Decimal",)),
        ("import decimal\nparse_price(decimal.Decimal('1'))", ("import decimal",)),
        ("parse_price(dt.date(2024, 1, 2))", ("import datetime as dt",)),
        ("parse_price(datetime.date(2024, 1, 2))", ("import datetime",)),
        ("parse_price(datetime(2024, 1, 2))", ("from datetime import datetime",)),
        ("import math, json\nparse_price(math.pi)", ("import math",)),
        ("parse_price(Thing())", ()),
        ("parse_price(float('nan'))", ()),
    ],
)
def test_imports_are_the_used_ones_from_the_allowed_library(
    recover: Recover, text: str, imports: tuple[str, ...]
) -> None:
    (candidate,) = recover(SOURCE, "parse_price", text)
    assert candidate.imports == imports


@pytest.mark.parametrize(
    "call",
    [
        "parse_price(os.environ['HOME'])",
        "parse_price(sys.argv)",
        "parse_price(open('/etc/passwd').read())",
        "parse_price(Path('/etc/passwd').open())",
        "parse_price(Path('x').write_text('y'))",
        "parse_price(Path.home())",
        "parse_price(eval('1'))",
        "parse_price(__import__('os'))",
        "parse_price(getattr(parse_price, '__globals__'))",
        "parse_price(parse_price.__globals__)",
        "parse_price(().__class__.__bases__[0].__subclasses__())",
        "parse_price('{0.__globals__}'.format(parse_price))",
        "parse_price(subprocess.run(['ls']))",
        "parse_price(random.random())",
        "parse_price(dt.datetime.now())",
        "parse_price(dt.date.today())",
        "parse_price(uuid.uuid4())",
        "parse_price(MagicMock())",
        "parse_price(asyncio.create_subprocess_shell('ls'))",
        "parse_price('a' * 10**9)",
        "parse_price([0] * 99999999)",
        "parse_price(10 ** 10 ** 10)",
        "parse_price(1 << 9999999)",
        "parse_price(list(range(10**8)))",
        "parse_price(bytes(10**9))",
        "parse_price(undefined_name)",
        "parse_price((yield))",
    ],
)
def test_unsafe_or_unknown_statement_goes_with_what_depends_on_it(
    recover: Recover, call: str
) -> None:
    text = (
        "import os, sys, subprocess, random, uuid, asyncio\nfrom unittest.mock import MagicMock\n"
        f"def test_a():\n    value = {call}\n    other = value\n"
        f"    assert parse_price(other) == 1\n"
        "    assert parse_price('safe') == 1\n"
    )
    assert codes(recover(SOURCE, "parse_price", text)) == [["parse_price('safe')"]]


def test_large_number_behind_a_variable_does_not_fill_the_memory(recover: Recover) -> None:
    text = "def test_a():\n    n = 10000000000\n    assert parse_price('a' * n) == ''\n"
    assert recover(SOURCE, "parse_price", text) == ()


@pytest.mark.parametrize(
    "stub",
    [
        "parse_price = lambda text: 1",
        "def parse_price(text):\n        return 1",
        "prices.parse_price = fake",
        "monkeypatch.setattr(prices, 'parse_price', fake)",
    ],
)
def test_stub_of_the_code_under_test_is_taken_out(recover: Recover, stub: str) -> None:
    text = f"def test_a(monkeypatch):\n    {stub}\n    assert parse_price('1') == 1\n"
    assert codes(recover(SOURCE, "parse_price", text)) == [["parse_price('1')"]]


def test_patched_block_is_dropped_and_the_rest_stays(recover: Recover) -> None:
    text = (
        "@patch('prices.os')\ndef test_a(os_mock):\n    os_mock.getcwd.return_value = 'x'\n"
        "    with patch('prices.dt'):\n        assert parse_price('1') == 1\n"
        "    assert parse_price('2') == 2\n"
    )
    assert codes(recover(SOURCE, "parse_price", text)) == [["parse_price('2')"]]


def test_local_variable_named_like_what_made_it_is_renamed(recover: Recover) -> None:
    text = "def test_a():\n    date = date(2024, 1, 2)\n    assert parse_price('1', date) == 1\n"
    assert codes(recover(SOURCE, "parse_price", text)) == [
        ["date_ = date(2024, 1, 2)", "parse_price('1', date_)"]
    ]


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("async def test_a():\n    assert await fetch(1) == 1", ["asyncio.run(fetch(1))"]),
        ("def test_a():\n    assert fetch(1) == 1", ["asyncio.run(fetch(1))"]),
        ("asyncio.run(fetch(1))", ["asyncio.run(fetch(1))"]),
        ("loop.run_until_complete(fetch(1))", ["asyncio.run(fetch(1))"]),
        ("await asyncio.wait_for(fetch(1), timeout=1)", ["asyncio.run(fetch(1))"]),
        (
            (
                "async def test_a():\n    cart = Cart()\n    await asyncio.sleep(1)\n"
                "    assert await cart.load(1)"
            ),
            ["cart = Cart()", "asyncio.run(cart.load(1))"],
        ),
        (
            "x = await asyncio.gather(fetch(1), fetch(2))",
            ["x = [asyncio.run(fetch(1)), asyncio.run(fetch(2))]", "x"],
        ),
    ],
)
def test_coroutine_runs_in_an_event_loop_of_its_own(
    recover: Recover, text: str, steps: list[str]
) -> None:
    (candidate,) = recover(SOURCE, "fetch", text)
    assert [step.code for step in candidate.steps] == steps
    assert candidate.imports == ("import asyncio",)


def test_async_with_is_dropped(recover: Recover) -> None:
    text = (
        "async def test_a():\n    async with Cart() as cart:\n        assert await cart.load(1)\n"
    )
    assert recover(SOURCE, "fetch", text) == ()


def test_object_that_nobody_made_is_made_where_that_needs_no_arguments(recover: Recover) -> None:
    assert codes(recover(SOURCE, "Cart.total", "cart.total()")) == [
        ["cart = Cart()", "cart.total()"]
    ]


def test_files_are_moved_below_tmp_path(recover: Recover) -> None:
    text = (
        "def test_a():\n    path = Path('out/note.txt')\n    save(path, 'x')\n"
        "    with open('note.txt') as stream:\n        assert stream.read() == 'x'\n"
    )
    (candidate,) = recover(SOURCE, "save", text)
    assert [step.code for step in candidate.steps] == [
        "path = tmp_path / 'note.txt'",
        "save(path, 'x')",
        "(tmp_path / 'note.txt').read_text()",
    ]
    assert candidate.fixtures == ("tmp_path",)


def test_candidate_about_something_else_is_dropped(recover: Recover) -> None:
    text = "def test_a():\n    assert Decimal('1') + 1 == 2\n    assert len('abc') == 3\n"
    assert recover(SOURCE, "parse_price", text) == ()


def test_label_target_and_origin_come_from_the_completion(recover: Recover) -> None:
    (candidate,) = recover(SOURCE, "Cart.total", "assert Cart().total() == 1")
    assert (candidate.target, candidate.label, candidate.origin) == (
        "Cart.total",
        Label.INTERNAL,
        "model",
    )


def test_same_steps_are_kept_once_whatever_their_spelling(recover: Recover) -> None:
    text = (
        "parse_price('1')\nparse_price( \"1\" )\n\ndef test_a():\n"
        "    assert parse_price('1') == 2\n"
    )
    assert codes(recover(SOURCE, "parse_price", text)) == [["parse_price('1')"]]
