"""Tests are as strict as what they import."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridgen.domain import Label
from hybridgen.label import Labeller, Mark, Rules
from hybridgen.label.imported import Import, ModuleIndex, is_test_path

PUBLIC, INTERNAL, CONFIDENTIAL = Label
SECRET = "# Confidential\n"
PROJECT = {
    "src/shop/__init__.py": "",
    "src/shop/cart.py": "",
    "src/shop/secret.py": SECRET,
    "src/shop/inside.py": "# Internal use only\n",
    "src/shop/sub/__init__.py": SECRET,
    "src/shop/sub/plain.py": "",
    "flat.py": SECRET,
    "tests/__init__.py": "",
    "tests/support.py": "",
}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import shop.cart\n", PUBLIC),
        ("from shop import cart\n", PUBLIC),
        ("from shop.cart import Cart\n", PUBLIC),
        ("import pytest, json\nfrom unittest import mock\n", PUBLIC),
        ("from .support import make\n", PUBLIC),
        ("from . import support\n", PUBLIC),
        ("import shop.secret\n", CONFIDENTIAL),
        ("import shop.secret as s\n", CONFIDENTIAL),
        ("from shop import secret\n", CONFIDENTIAL),
        ("from shop import cart, secret\n", CONFIDENTIAL),
        ("from shop.secret import *\n", CONFIDENTIAL),
        ("from shop import inside\n", INTERNAL),
        ("import shop.inside, shop.secret\n", CONFIDENTIAL),
        ("import flat\n", CONFIDENTIAL),
        ("def test_a():\n    from shop import secret\n", CONFIDENTIAL),
        ("if False:\n    import shop.secret\n", CONFIDENTIAL),
        ("import importlib\nm = importlib.import_module('shop.secret')\n", CONFIDENTIAL),
        ("import pytest\nm = pytest.importorskip('shop.secret')\n", CONFIDENTIAL),
        ("m = __import__('shop.secret')\n", CONFIDENTIAL),
        ("pytest_plugins = ['shop.secret']\n", CONFIDENTIAL),
        ("from importlib import import_module as load\nm = load('shop.secret')\n", CONFIDENTIAL),
        ("m = import_module(name='shop.secret')\n", CONFIDENTIAL),
        ("def test_a():\n    with patch('shop.secret.RATE', 7): ...\n", CONFIDENTIAL),
        ("def test_a(m):\n    m.setattr('flat.RATE', 7)\n", CONFIDENTIAL),
        ("r = pkgutil.resolve_name('shop.inside:RATE')\n", INTERNAL),
        ("import shop\nr = shop.secret.RATE\n", CONFIDENTIAL),
        ("import shop\nr = shop.cart.RATE\n", PUBLIC),
        ("text = 'shop.secret.RATE is a rate'\n", PUBLIC),
        ("texts = ['a.b', 'e.g.', '...', 'shop.cart.RATE', 'json.dumps']\n", PUBLIC),
        ("from ..src.shop import secret\n", CONFIDENTIAL),
        ("from shop import sub\n", CONFIDENTIAL),
        ("from shop.sub import plain\n", CONFIDENTIAL),  # the package says something, and it is run
        ("import shop.gone\n", CONFIDENTIAL),
        ("from shop.gone import x\n", CONFIDENTIAL),
        ("from .gone import x\n", CONFIDENTIAL),
        ("from ....far import x\n", CONFIDENTIAL),
        ("def (\n", CONFIDENTIAL),
    ],
)
def test_test_is_as_strict_as_what_it_imports(label, code, expected) -> None:
    assert label({**PROJECT, "tests/test_a.py": code}, "tests/test_a.py") is expected


def test_evidence_names_what_is_imported(make, public) -> None:
    root = make({**PROJECT, "tests/test_a.py": "import shop.secret\nimport shop.gone\n"})
    details = [one.detail for one in Labeller(root, public).look(Path("tests/test_a.py")).evidence]
    assert "tests/test_a.py imports src/shop/secret.py: confidential" in details
    assert "tests/test_a.py: import of shop.gone leads to no file" in details


def test_module_that_is_no_test_is_labelled_by_itself(label) -> None:
    files = {**PROJECT, "src/shop/uses.py": "from shop import secret\n"}
    assert label(files, "src/shop/uses.py") is PUBLIC


def test_every_conftest_above_a_test_is_imported(label) -> None:
    files = {**PROJECT, "tests/deep/test_a.py": "", "tests/deep/conftest.py": ""}
    assert label(files, "tests/deep/test_a.py") is PUBLIC
    files["tests/conftest.py"] = "import shop.inside\n"
    assert label(files, "tests/deep/test_a.py") is INTERNAL
    files["conftest.py"] = "import shop.secret\n"
    assert label(files, "tests/deep/test_a.py") is CONFIDENTIAL
    assert label(files, "src/shop/cart.py") is PUBLIC


def test_what_tests_import_is_followed_through_tests(label) -> None:
    files = {
        **PROJECT,
        "tests/test_a.py": "from .support import make\n",
        "tests/support.py": "from .more import thing\n",
        "tests/more.py": "from . import support\nimport shop.secret\n",
    }
    assert label(files, "tests/test_a.py") is CONFIDENTIAL


def test_tests_that_import_each_other_come_to_an_end(label) -> None:
    files = {"tests/test_a.py": "import test_b\n", "tests/test_b.py": "import test_a\n"}
    assert label(files, "tests/test_a.py") is PUBLIC


def test_module_beside_the_test_is_found(label) -> None:
    files = {"x/tests/test_a.py": "import helper\nimport types\n", "x/tests/helper.py": ""}
    assert label(files, "x/tests/test_a.py") is PUBLIC
    files["x/tests/types.py"] = SECRET  # shadows the one of the standard library
    assert label(files, "x/tests/test_a.py") is CONFIDENTIAL


def test_module_of_a_source_folder_of_any_name_is_found(label) -> None:
    files = {"backend/lib/deep/mod.py": SECRET, "tests/test_a.py": "import mod\n"}
    assert label(files, "tests/test_a.py") is CONFIDENTIAL


def test_name_inside_a_package_hides_no_package_from_outside(label) -> None:
    files = {**PROJECT, "src/shop/requests.py": SECRET, "tests/test_a.py": "import requests\n"}
    assert label(files, "tests/test_a.py") is PUBLIC


def test_data_folder_called_like_a_package_from_outside_is_no_package(label) -> None:
    files = {"tests/data/numpy/gen.py": "", "tests/test_a.py": "from numpy import array\n"}
    assert label(files, "tests/test_a.py") is PUBLIC


def test_unmarked_test_stays_confidential_whatever_it_imports(make) -> None:
    root = make({**PROJECT, "tests/test_a.py": "import shop.cart\n"})
    rules = Rules((Mark("/src/", PUBLIC, "config.toml", False),))
    assert Labeller(root, rules).look(Path("tests/test_a.py")).label is CONFIDENTIAL
    assert Labeller(root, rules).look(Path("src/shop/cart.py")).label is PUBLIC


def test_test_is_confidential_while_the_mark_of_what_it_imports_waits_for_trust(make) -> None:
    marks = (
        Mark("/tests/", PUBLIC, "config.toml", False),
        Mark("/src/", PUBLIC, "hybridgen.toml", True),
    )
    root = make({**PROJECT, "tests/test_a.py": "import shop.cart\n"})
    assert Labeller(root, Rules(marks)).look(Path("tests/support.py")).label is PUBLIC
    assert Labeller(root, Rules(marks)).look(Path("tests/test_a.py")).label is CONFIDENTIAL


def test_trust_shows_a_test_with_the_label_of_what_it_imports(make) -> None:
    marks = (
        Mark("**", PUBLIC, "hybridgen.toml", True),
        Mark("/src/shop/cart.py", INTERNAL, "hybridgen.toml", True),
    )
    root = make({**PROJECT, "tests/test_a.py": "import shop.cart\n"})
    found = {file.path: file.label for file in Labeller(root, Rules(marks)).trustable()}
    assert (found["src/shop/cart.py"], found["tests/test_a.py"]) == (INTERNAL, INTERNAL)
    assert found["src/shop/__init__.py"] is PUBLIC


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("test_a.py", True),
        ("a_test.py", True),
        ("conftest.py", True),
        ("pkg/tests/support.py", True),
        ("Test/support.py", True),
        ("TEST_A.PY", True),
        ("tests/data.txt", False),
        ("pkg/contest.py", False),
        ("testing/a.py", False),
    ],
)
def test_what_looks_like_a_test(name, expected) -> None:
    assert is_test_path(name) is expected


def test_import_without_a_name_leads_nowhere() -> None:
    index = ModuleIndex(["a.py"])
    assert index.files_of(Import(0, ""), "test_a.py") == ()
    assert index.files_of(Import(2, "", ("?",)), "test_a.py") is None
