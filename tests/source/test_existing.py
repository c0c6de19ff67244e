from __future__ import annotations

import os
from pathlib import Path

import pytest

from hybridgen import source
from hybridgen.source import Selection, find_project, read_module


@pytest.mark.parametrize(
    ("text", "tests_it"),
    [
        ("from shop.pricing import total", True),
        ("import shop.pricing", True),
        ("import shop.pricing as p", True),
        ("from shop import pricing", True),
        ("from shop import total", True),
        ("from shop import *", True),
        ("import shop\ndef test_x():\n    assert shop.total(1)", True),
        ("def test_x():\n    from shop.pricing import total", True),
        ("import shop\ndef test_x():\n    assert shop.other(1)", False),
        ("from shop.other import thing", False),
        ("from shop.pricing_extra import total", False),
        ("from shop import other", False),
        ("import pricing_tools", False),
        ("'import shop.pricing'", False),
        ("import shop.pricing\nthis is (broken", False),
    ],
)
def test_file_that_imports_the_module_tests_it(make, text, tests_it) -> None:
    root = make(
        {
            "pyproject.toml": "",
            "src/shop/__init__.py": "",
            "src/shop/pricing.py": "def total(x): return x\n",
            "tests/test_it.py": text,
        }
    )
    assert found(root, "src/shop/pricing.py") == (["tests/test_it.py"] if tests_it else [])


@pytest.mark.parametrize(
    ("text", "tests_it"),
    [
        ("from ..pricing import total", True),
        ("from .. import pricing", True),
        ("from ..other import total", False),
        ("from . import helper", False),
        ("from ......... import x", False),
    ],
)
def test_relative_imports_of_inline_tests_count(make, text, tests_it) -> None:
    root = make(
        {
            "pyproject.toml": "",
            "shop/__init__.py": "",
            "shop/pricing.py": "def total(x): return x\n",
            "shop/tests/__init__.py": "",
            "shop/tests/test_it.py": text,
        }
    )
    assert found(root, "shop/pricing.py") == (["shop/tests/test_it.py"] if tests_it else [])


def test_edited_test_file_is_read_again(make) -> None:
    root = make({"pyproject.toml": "", "a.py": "def f(): ...", "tests/test_a.py": "import b"})
    assert found(root, "a.py") == []
    (root / "tests/test_a.py").write_text("import a")
    os.utime(root / "tests/test_a.py", (1, 1))
    assert found(root, "a.py") == ["tests/test_a.py"]


def found(root: Path, name: str) -> list[str]:
    project = find_project(root / name, python=None, tests=None)
    module = read_module(Selection(root / name, None), project)
    return [str(path.relative_to(root)) for path in source.tests_of(module, project)]
