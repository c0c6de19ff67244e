"""Tables of cases, loops, fixtures and helpers are filled in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Double = Callable[..., list[list[str]]]
ONE_TWO = [["double(1)"], ["double(2)"]]


@pytest.mark.parametrize(
    "text",
    [
        (
            "@pytest.mark.parametrize('a, b', [(1, 2), (2, 4)])\ndef test_a(a, b):\n"
            "    assert double(a) == b"
        ),
        (
            "@mark.parametrize(('a', 'b'), [pytest.param(1, 2, id='x'), (2, 4)])\n"
            "def test_a(a, b):\n    assert double(a) == b"
        ),
        "@parametrize('a', [1, 2])\ndef test_a(a):\n    assert double(a)",
        (
            "CASES = [(1, 2), (2, 4)]\n@pytest.mark.parametrize('a,b', CASES)\n"
            "def test_a(a, b):\n    assert double(a) == b"
        ),
        "for a, b in [(1, 2), (2, 4)]:\n    assert double(a) == b",
        (
            "def test_a():\n    cases = [(1, 2), (2, 4)]\n    for a, b in cases:\n"
            "        assert double(a) == b"
        ),
        (
            "def test_a():\n    for i, (a, b) in enumerate([(1, 2), (2, 4)]):\n"
            "        assert double(a) == b"
        ),
        "def test_a():\n    for a, b in zip([1, 2], [2, 4]):\n        assert double(a) == b",
        "def test_a():\n    for a, b in {1: 2, 2: 4}.items():\n        assert double(a) == b",
        (
            "def test_a():\n    for case in [{'in': 1, 'out': 2}, {'in': 2, 'out': 4}]:\n"
            "        assert double(case['in']) == case['out']"
        ),
        "def test_a():\n    for a in range(1, 3):\n        print(double(a))",
        (
            "class TestA(unittest.TestCase):\n    CASES = [1, 2]\n    def test_a(self):\n"
            "        for a in self.CASES:\n            with self.subTest(a=a):\n"
            "                self.assertTrue(double(a))"
        ),
        (
            "def check(a, b):\n    assert double(a) == b\ndef test_a():\n    check(1, 2)\n"
            "    check(2, b=4)"
        ),
        (
            "def test_a():\n    @pytest.mark.parametrize('a', [1, 2])\n"
            "    def test_inner(a):\n        assert double(a)"
        ),
        "def test_a(a=1):\n    assert double(a) == 2\n    assert double(2) == 4",
        "[double(1), double(2)]",
        "for a in (1, 2):\n    double(a)",
    ],
)
def test_every_case_of_a_table_becomes_a_call(double: Double, text: str) -> None:
    assert double(text) == ONE_TWO


def test_number_of_cases_is_capped(double: Double) -> None:
    rows = ", ".join(f"({n}, {n})" for n in range(500))
    text = (
        f"@pytest.mark.parametrize('a, b', [{rows}])\ndef test_a(a, b):\n    assert double(a) == b"
    )
    assert len(double(text)) == 24
    assert len(double(f"for a, b in [{rows}]:\n    assert double(a) == b")) == 24


def test_number_of_steps_is_capped(double: Double) -> None:
    calls = "".join(f"    x.append(double({n}))\n" for n in range(40))
    (steps,) = double(
        f"def test_a():\n    x = []\n{calls}    assert x == []\n" + "    print(double(x))\n"
    )
    assert len(steps) <= 12


def test_fixture_and_set_up_are_in_front(double: Double) -> None:
    text = (
        "@pytest.fixture\ndef base():\n    return [1]\n\n"
        "@pytest.fixture\ndef data(base):\n    made = base + [2]\n    yield made\n"
        "    made.clear()\n\n"
        "def test_a(data):\n    assert double(data) == 1\n"
    )
    assert double(text) == [["base = [1]", "made = base + [2]", "data = made", "double(data)"]]
    text = (
        "class TestA(unittest.TestCase):\n    def setUp(self):\n        self.data = [1]\n"
        "    def test_a(self):\n        self.assertEqual(double(self.data), 1)\n"
    )
    assert double(text) == [["data = [1]", "double(data)"]]


def test_tables_that_multiply_do_not_take_for_ever(double: Double) -> None:
    loops = "".join(f"{'    ' * n}for a{n} in [1, 2, 3, 4, 5, 6]:\n" for n in range(10))
    assert double(f"{loops}{'    ' * 10}assert double(a9) == 1")
    fixtures = "".join(
        f"@pytest.fixture\ndef f{n}(f{n + 1}, f{n + 2}):\n    return [{n}]\n" for n in range(60)
    )
    (steps,) = double(f"{fixtures}def test_a(f0):\n    assert double(f0) == 1\n")
    assert steps == ["f0 = [0]", "double(f0)"]
    again = "    check(a)\n" * 9
    text = f"def check(a):\n    assert a\n{again}def test_a():\n    check(double(1))\n"
    assert double(text)


def test_loop_that_only_prepares_stays_a_statement(double: Double) -> None:
    text = (
        "def test_a():\n    x = []\n    for n in range(3):\n        x.append(n)\n"
        "    assert double(x) == 1\n"
    )
    assert double(text) == [["x = []", "for n in range(3):\n    x.append(n)", "double(x)"]]


def test_helpers_that_a_test_uses_come_with_it(double: Double) -> None:
    text = (
        "class Odd:\n    def __mul__(self, n):\n        return n\n\ndef make():\n"
        "    return Odd()\n\n"
        "def unused():\n    return 1\n\ndef test_a():\n    assert double(make()) == 2\n"
    )
    ((odd, make, call),) = double(text)
    assert odd.startswith("class Odd") and make.startswith("def make") and call == "double(make())"
