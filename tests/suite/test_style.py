"""The style of existing tests is seen, and followed in new ones."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridgen import suite
from hybridgen.domain import Module, Observation, TestFile
from hybridgen.suite.style import Layout, Style, style_of

FUNCTIONS = "def test_one():\n    assert len('a') == 1\n"
CLASSES = "class TestIt:\n    def test_one(self):\n        assert len('a') == 1\n"
UNITTEST = (
    "import unittest\n\n\nclass ItTest(unittest.TestCase):\n"
    "    def test_one(self):\n        self.assertEqual(len('a'), 1)\n"
)
QUOTES = "\n\nTEXTS = ['a', 'b', 'c', 'd', 'e', 'f']\n"
OWN = "# hybridgen: 00000000 it\n"


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("", Style()),
        ("import os\n", Style()),
        ("def broken(:\n", Style()),
        (FUNCTIONS, Style(Layout.FUNCTIONS)),
        (CLASSES, Style(Layout.CLASSES)),
        (FUNCTIONS + CLASSES + CLASSES.replace("It", "Two"), Style(Layout.MIXED)),
        (UNITTEST, Style(Layout.UNITTEST, suffix=True)),
        (FUNCTIONS + QUOTES, Style(Layout.FUNCTIONS, quote="'")),
        (OWN + UNITTEST.removeprefix("import unittest\n\n\n"), Style()),  # no person's habit
    ],
)
def test_style_of_a_file(text: str, style: Style) -> None:
    assert style_of(text, []) == style


def test_file_without_tests_follows_the_others(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"test_{number}.py").write_text(UNITTEST, encoding="utf-8")
    (tmp_path / "test_binary.py").write_bytes(b"\xff\xfe")
    assert style_of("", tmp_path.glob("*.py")).layout is Layout.UNITTEST


def render(module: Module, cases: list[Observation], previous: str | None) -> TestFile:
    path = module.project.tests_folder / "test_pricing.py"
    return suite.render(module, "shop.pricing", cases, path=path, previous=previous, line_length=88)


def sample(observe: Callable[..., Observation]) -> list[Observation]:
    return [
        *(observe("discount", f"= discount({args})") for args in ("0.3, 33", "80, 0", "100, 10")),
        *(observe("parse_price", f"= parse_price({text!r})") for text in ("3,50", "7")),
        observe("parse_price", '= parse_price("")'),
        observe("ratio", "= ratio(1, 3)"),
        observe("find", '= find([], "b")'),
        observe("greet", '= greet("Ann")'),
        observe("old_price", "= old_price(3)"),
        observe("Cart", "= Cart('ann')"),
        observe("Cart.add", "cart = Cart()", "= cart.add('tea', 3, count=0)"),
        observe("Cart.remove", "cart = Cart()", "= cart.remove('mug')"),
        observe("Cart.total", "cart = Cart()", "cart.add('tea', 3)", "= cart.total()"),
    ]


@pytest.mark.parametrize("previous", [FUNCTIONS, CLASSES, UNITTEST, UNITTEST + QUOTES])
def test_new_tests_look_like_the_old_ones_pass_and_come_and_go(
    pricing: Module, observe: Callable[..., Observation], tmp_path: Path, previous: str
) -> None:
    file = render(pricing, sample(observe), previous)
    new = {node.name: node for node in ast.parse(file.text).body if isinstance(node, ast.ClassDef)}
    if previous is FUNCTIONS:
        assert not new
    elif previous is CLASSES:
        assert {"TestDiscount", "TestCart"} <= set(new)
    else:
        assert {"DiscountTest", "CartTest"} <= set(new)
    again = render(pricing, sample(observe), file.text)
    assert again.text == file.text
    file.path.parent.mkdir(exist_ok=True)
    file.path.write_text(file.text, encoding="utf-8")
    environment = {"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, str(file.path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_test_case_of_unittest_needs_no_pytest_and_loops_over_its_tables(
    pricing: Module, observe: Callable[..., Observation]
) -> None:
    cases = [case for case in sample(observe) if case.candidate.target != "greet"]
    text = render(pricing, cases, UNITTEST).text
    assert "pytest" not in text
    assert "with self.subTest(price=price, percent=percent):" in text
    assert "self.assertAlmostEqual(discount(price, percent), expected)" in text
    assert 'with self.assertRaisesRegex(PriceError, "empty price"):' in text
    assert "self.cart = Cart()\n" in text
    assert 'self.cart.remove("mug")' in text


def test_test_that_needs_a_fixture_stays_a_function(
    pricing: Module, observe: Callable[..., Observation]
) -> None:
    text = render(pricing, sample(observe), UNITTEST).text
    assert "\ndef test_greet_prints(capsys):\n" in text


def test_preferred_quotes_are_used(pricing: Module, observe: Callable[..., Observation]) -> None:
    text = render(pricing, sample(observe), FUNCTIONS + QUOTES).text
    assert "assert find([], 'b') is None" in text


@pytest.mark.parametrize(
    ("layout", "suffix", "python_classes", "python_functions", "expected"),
    [
        (Layout.MIXED, False, (), (), (Layout.MIXED, False)),
        (Layout.MIXED, False, ("Test",), ("test",), (Layout.MIXED, False)),
        (Layout.MIXED, False, ("Check*",), (), (Layout.FUNCTIONS, False)),
        (Layout.CLASSES, False, ("*Test", "*Suite"), (), (Layout.CLASSES, True)),
        (Layout.CLASSES, True, (), (), (Layout.CLASSES, False)),
        (Layout.UNITTEST, True, ("Check*",), (), (Layout.UNITTEST, True)),
        (Layout.FUNCTIONS, False, ("Check*",), ("test_*",), (Layout.FUNCTIONS, False)),
        (Layout.MIXED, False, (), ("check_*",), (Layout.UNITTEST, False)),
    ],
)
def test_layout_is_one_that_the_pytest_of_the_project_collects(
    layout: Layout,
    suffix: bool,
    python_classes: tuple[str, ...],
    python_functions: tuple[str, ...],
    expected: tuple[Layout, bool],
) -> None:
    style = Style(layout, suffix=suffix).collected(python_classes, python_functions)
    assert (style.layout, style.suffix) == expected
