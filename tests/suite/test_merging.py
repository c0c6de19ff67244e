"""Appending to a person's file: by insertions only, and what is hybridgen's own comes and goes."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hybridgen import suite
from hybridgen.domain import Module, Observation, TestFile
from hybridgen.suite.blocks import Block
from hybridgen.suite.imports import Import
from hybridgen.suite.merging import formatted, import_lines, insert
from hybridgen.suite.ownership import strip_own

BLOCK = Block("test_new", "new", "def test_new():\n    assert pi > 3\n", (Import("math", "pi"),))
IMPORTS = import_lines(BLOCK.imports, "shop", 88)
TESTS = formatted([BLOCK], 88)

HEADS = (
    "",
    "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n# Licence: none\n",
    '"""What this tests."""\n',
    '"""Several\nlines."""\n\nfrom __future__ import annotations\n',
    "'single' ' quotes'\n",
)
IMPORTED = (
    "",
    "import os\n",
    "import os  # why\nfrom math import (\n    pi,\n    e,\n)\n",
    "import sys\n\nsys.path.insert(0, 'src')\n\nimport os; import re\n",
    "try:\n    import json\nexcept ImportError:\n    json = None\n",
)
TESTED = (
    "",
    "\n\ndef test_one():\n\tassert 1 < 2  # tabs\n",
    "# about it\n@decorated\nclass TestIt:\n    def test(self):\n        assert 1 < 2\n",
    '\nTEXT = """\n# hybridgen: 00000000 fake\n"""\n',
    "x = 1; y = 2\n\n\n\n\n",
    "def test_two():\n    assert 1 < 2\n    # trailing comment",
    "\fdef test_form_feed():\n    assert 'a\\\nb'\n",
)
ENDS = (
    "",
    '\n\nif __name__ == "__main__":\n    import pytest\n    pytest.main()\n',
    "if __name__ == '__main__': print(1)",
    "# the end",
    "\n   \n",
)

files = st.builds(
    lambda parts, newline, cut: "".join(parts).replace("\n", newline)[: None if cut else -1],
    st.tuples(*map(st.sampled_from, (HEADS, IMPORTED, TESTED, TESTED, ENDS))),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
).filter(lambda text: is_python(text))


def is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def is_subsequence(part: str, whole: str) -> bool:
    remaining = iter(whole)
    return all(char in remaining for char in part)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.filter_too_much])
@given(files)
def test_inserting_keeps_every_byte_and_taking_out_gives_them_back(previous: str) -> None:
    text = insert(previous, IMPORTS, TESTS)
    assert is_subsequence(previous, text)
    added = len(text) - len(previous)
    ours = len((IMPORTS + "".join(TESTS)).replace("\n", "\r\n"))
    assert added <= ours + 30  # blank lines
    tree = ast.parse(text)
    assert [n.name for n in tree.body if isinstance(n, ast.FunctionDef)].count("test_new") == 1
    before = [ast.dump(node) for node in ast.parse(previous).body]
    after = [ast.dump(node) for node in tree.body]
    assert is_in_order(before, after)
    assert ast.get_docstring(ast.parse(previous)) == ast.get_docstring(tree)
    stripped = strip_own(text, lambda target, name: True)
    assert stripped.names == ("test_new",)
    assert stripped.imports == BLOCK.imports
    assert stripped.text.split() == previous.split()
    assert is_subsequence(previous, stripped.text)


def is_in_order(before: list[str], after: list[str]) -> bool:
    remaining = iter(after)
    return all(item in remaining for item in before)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.filter_too_much])
@given(files)
@example(f"{HEADS[1]}{ENDS[1]}")
def test_replacing_twice_is_stable(previous: str) -> None:
    once = insert(previous, IMPORTS, TESTS)
    again = insert(strip_own(once, lambda target, name: True).text, IMPORTS, TESTS)
    third = insert(strip_own(again, lambda target, name: True).text, IMPORTS, TESTS)
    assert third == again


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_inserted_lines_end_like_the_file(newline: str) -> None:
    previous = f"import os{newline}{newline}{newline}def test_one():{newline}    assert os"
    text = insert(previous, IMPORTS, TESTS)
    assert text.count("\n") == text.count(newline)


def test_imports_follow_imports_and_tests_come_before_the_main_guard() -> None:
    previous = (
        '"""Doc."""\nfrom __future__ import annotations\nimport sys\nsys.path.insert(0, "x")\n'
        "import late\n\n\ndef test_one():\n    assert late\n\n\n"
        'if __name__ == "__main__":\n    sys.exit()\n'
    )
    lines = insert(previous, IMPORTS, TESTS).split("\n")
    order = ["import late", "from math import pi", "def test_one():", "def test_new():"]
    positions = [lines.index(line) for line in [*order, 'if __name__ == "__main__":']]
    assert positions == sorted(positions)


def test_edited_test_belongs_to_its_editor(
    pricing: Module, observe: Callable[..., Observation]
) -> None:
    first = render(pricing, [observe("vat", '= vat("100")')], None)
    edited = first.text.replace('vat("100")', 'vat("100.0")').replace("19.00", "19.000")
    again = render(pricing, [observe("vat", '= vat("1")')], edited)
    assert 'assert vat("100.0") == Decimal("19.000")' in again.text
    assert 'assert vat("1") == Decimal("0.19")' in again.text
    assert is_subsequence(edited.replace("# hybridgen", ""), again.text)
    assert again.test_names == ("test_vat_of_numeric_amount",)


def test_comment_of_a_person_inside_a_test_keeps_it(
    pricing: Module, observe: Callable[..., Observation]
) -> None:
    first = render(pricing, [observe("vat", '= vat("100")')], None)
    edited = first.text.replace("    assert vat", "    # ask Ann about this\n    assert vat")
    assert "ask Ann" in render(pricing, [observe("find", '= find([], "b")')], edited).text


def test_import_that_a_person_uses_stays(
    pricing: Module, observe: Callable[..., Observation]
) -> None:
    first = render(pricing, [observe("ratio", "= ratio(1, 0)")], None)
    edited = f"{first.text}\n\ndef test_mine():\n    assert math.pi > 3\n"
    again = render(pricing, [observe("find", '= find([], "b")')], edited)
    assert "import math\n" in again.text
    assert "ratio" not in again.text
    assert "test_mine" in again.text


def test_run_for_one_target_leaves_the_others(
    pricing: Module,
    observe: Callable[..., Observation],
    limited_to: Callable[[Module, str], Module],
) -> None:
    cases = [
        observe("vat", '= vat("100")'),
        observe("Cart.total", "cart = Cart()", "= cart.total()"),
    ]
    first = render(pricing, cases, None)
    again = render(limited_to(pricing, "Cart"), [observe("Cart", "= len(Cart())")], first.text)
    assert "def test_vat():" in again.text
    assert "cart.total()" not in again.text
    assert suite.without_own(first.text, "vat").count("def test_") == 1
    assert suite.without_own(first.text).count("def test_") == 0


def render(module: Module, cases: list[Observation], previous: str | None) -> TestFile:
    path = module.project.tests_folder / "test_pricing.py"
    return suite.render(module, "shop.pricing", cases, path=path, previous=previous, line_length=88)
