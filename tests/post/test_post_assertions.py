"""How assertions become a value to observe and an opinion."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridgen.domain import Candidate, StepKind

Recover = Callable[..., tuple[Candidate, ...]]
SOURCE = """
class Box:
    def __init__(self, items=None):
        self.items = list(items or [])
    def add(self, item):
        self.items.append(item)
        return self
    def __eq__(self, other):
        return self.items == other.items
def f(x=0, y=0):
    return x
"""


def probes(found: tuple[Candidate, ...]) -> list[tuple[str, str | None]]:
    return [
        (step.code, step.opinion)
        for candidate in found
        for step in candidate.steps
        if step.kind is StepKind.PROBE
    ]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("assert f(1) == 2", [("f(1)", "_ == 2")]),
        ("assert 2 == f(1)", [("f(1)", "_ == 2")]),
        ("assert 3 > f(1)", [("f(1)", "_ < 3")]),
        ("assert f(1) is None", [("f(1)", "_ is None")]),
        ("assert not f(1)", [("f(1)", "not _")]),
        ("assert f(1)", [("f(1)", "_")]),
        ("assert f(1), 'message'", [("f(1)", "_")]),
        ("assert (f(1) == 2, 'message')", [("f(1)", "_ == 2")]),
        ("assert isinstance(f(1), int)", [("f(1)", "isinstance(_, int)")]),
        ("assert len(f('a')) == 1", [("f('a')", "len(_) == 1")]),
        ("assert 0 < f(1) < 9", [("f(1)", "0 < _ < 9")]),
        ("assert f(1) in (1, 2)", [("f(1)", "_ in (1, 2)")]),
        ("assert f(1) == 1 or f(1) == 2", [("f(1)", "_ == 1 or _ == 2")]),
        ("assert f(1) == 1 and f(2) == 2", [("f(1)", "_ == 1"), ("f(2)", "_ == 2")]),
        ("assert f(1) >= f(2)", [("f(1)", None), ("f(2)", None)]),
        ("assert Box() == Box()", [("Box() == Box()", "_")]),
        (
            "assert f(0.1) == pytest.approx(0.3)",
            [("f(0.1)", "abs(_ - 0.3) <= max(1e-06 * abs(0.3), 1e-12)")],
        ),
        ("assert f(0) == pytest.approx([1, 2])", [("f(0)", "_ == [1, 2]")]),
        ("assert math.isclose(f(1), 2)", [("f(1)", "math.isclose(_, 2)")]),
        ("assert f(1) == ValueError('bad')", [("f(1)", "raises ValueError")]),
        ("assert f(1).real == 1", [("f(1).real", "_ == 1")]),
        ("self.assertEqual(f(1), 2)", [("f(1)", "_ == 2")]),
        ("self.assertEqual(2, f(1))", [("f(1)", "_ == 2")]),
        ("self.assertTrue(f(1) > 2)", [("f(1)", "_ > 2")]),
        ("self.assertFalse(f(1))", [("f(1)", "not _")]),
        ("self.assertIsNone(f(1))", [("f(1)", "_ is None")]),
        ("self.assertIsInstance(f(1), int)", [("f(1)", "isinstance(_, int)")]),
        (
            "self.assertAlmostEqual(f(1), 2.5, places=2)",
            [("f(1)", "abs(_ - 2.5) <= 0.5 * 10 ** (-2)")],
        ),
        ("self.assertRaises(ValueError, f, 1, y=2)", [("f(1, y=2)", "raises ValueError")]),
        ("self.assertRaises(ValueError, lambda: f(1))", [("f(1)", "raises ValueError")]),
        ("self.assertSomethingNew(f(1), 2)", [("f(1)", None)]),
        (
            "with pytest.raises(ValueError, match='x'):\n        f(1)",
            [("f(1)", "raises ValueError")],
        ),
        (
            "with pytest.raises((ValueError, KeyError)):\n        y = f(1)",
            [("f(1)", "raises Exception")],
        ),
        ("with pytest.raises(Nonsense):\n        f(1)", [("f(1)", None)]),
        (
            (
                "with self.assertRaises(KeyError) as caught:\n        f(1)\n"
                "    assert 'x' in str(caught.exception)"
            ),
            [("f(1)", "raises KeyError")],
        ),
        (
            "try:\n        f(1)\n        assert False\n    except ValueError:\n        pass",
            [("f(1)", "raises ValueError")],
        ),
        (
            "try:\n        assert f(1) == 1\n    except ValueError:\n        pass",
            [("f(1)", "_ == 1")],
        ),
        ("print(f(1), f'{f(2)}')", [("f(1)", None), ("f(2)", None)]),
        ("expected = [1, 2]\n    assert f(1) == expected", [("f(1)", "_ == [1, 2]")]),
        (
            "expected = Decimal('1.5')\n    assert f(1) == expected",
            [("f(1)", "_ == Decimal('1.5')")],
        ),
        ("y = f(1)", [("y", None)]),
        ("return f(1) == 2", [("f(1)", "_ == 2")]),
        ("if f(1):\n        assert f(2) == 3", [("f(2)", None)]),
        ("assert 1 == 1\n    assert f", []),
    ],
)
def test_assertion_becomes_value_and_opinion(
    recover: Recover, statement: str, expected: list[tuple[str, str | None]]
) -> None:
    text = f"class TestF(unittest.TestCase):\n  def test_it(self):\n    {statement}\n"
    assert probes(recover(SOURCE, "f", text)) == expected


def test_what_the_model_expects_is_nowhere_but_in_the_opinion(recover: Recover) -> None:
    text = (
        "def test_a():\n    x = 7\n    expected = 4711\n    result = f(x)\n"
        "    assert result == expected\n"
    )
    (candidate,) = recover(SOURCE, "f", text)
    assert [step.code for step in candidate.steps] == ["x = 7", "result = f(x)", "result"]
    assert candidate.steps[-1].opinion == "_ == 4711"


def test_state_and_order_of_one_object_survive(recover: Recover) -> None:
    text = (
        "def test_add():\n    box = Box([1])\n    other = Box()\n    box.add(2)\n"
        "    assert box.items == [1, 2]\n    box.add(3).add(4)\n    assert len(box.items) == 4\n"
        "    assert other.items == []\n"
    )
    first, second = recover(SOURCE, "Box.add", text)
    assert [step.code for step in first.steps] == [
        "box = Box([1])",
        "box.add(2)",
        "box.items",
        "box.add(3).add(4)",
        "box.items",
    ]
    assert [step.code for step in second.steps] == ["other = Box()", "other.items"]
    assert first.name_hint == "test_add"


def test_argument_changed_by_the_call_is_observed(recover: Recover) -> None:
    text = "def test_a():\n    data = [3]\n    f(data)\n    assert data == [3, 1]\n"
    assert probes(recover(SOURCE, "f", text)) == [("f(data)", None), ("data", "_ == [3, 1]")]


def test_independent_asserts_are_split_so_that_one_can_be_chosen(recover: Recover) -> None:
    text = (
        "def test_a():\n    a = 1\n    assert f(a) == 1\n    assert f(2) == 2\n"
        "    assert f(3) == 3\n"
    )
    found = recover(SOURCE, "f", text)
    assert [[step.code for step in item.steps] for item in found] == [
        ["a = 1", "f(a)"],
        ["f(2)"],
        ["f(3)"],
    ]


def test_calls_made_for_their_effect_stay_with_what_is_looked_at(recover: Recover) -> None:
    source = "def register(x): ...\ndef lookup(x): ...\n"
    text = "def test_a():\n    register(1)\n    assert lookup(1) == 1\n    assert lookup(2) == 2\n"
    assert len(recover(source, "register", text)) == 1
    text = "def test_a():\n    lookup(1)\n    assert lookup(1) == 1\n    assert lookup(2) == 2\n"
    assert len(recover(source, "lookup", text)) == 2
