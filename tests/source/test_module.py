from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import hybridgen
from hybridgen.domain import Label
from hybridgen.errors import SourceError
from hybridgen.source import chosen_targets, find_project, read_module, select

CART = '''"""A cart."""
class Cart:
    def __init__(self): ...
    def add(self): ...
    def remove(self): ...
def total():
    def inner(): ...
'''


def test_module_carries_its_source_label_and_docstring(read) -> None:
    module = read(CART)
    assert module.source.text == CART
    assert (module.label, module.source.why) == (Label.CONFIDENTIAL, "not marked, so confidential")
    assert module.docstring == "A cart."
    assert module.path.is_absolute()


def test_display_is_relative_to_the_working_folder(make, monkeypatch, tmp_path) -> None:
    root = make({"pyproject.toml": "", "a/b.py": CART})
    (selection,) = select([str(root / "a/b.py")])
    project = find_project(selection.path, python=None, tests=None)
    monkeypatch.chdir(root)
    assert read_module(selection, project).display == "a/b.py"
    monkeypatch.chdir(tmp_path / "home")
    assert read_module(selection, project).display == str(root / "a/b.py")


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (None, ["Cart", "Cart.add", "Cart.remove", "total"]),
        ("Cart", ["Cart", "Cart.add", "Cart.remove"]),
        ("Cart.add", ["Cart.add"]),
        ("Cart.__init__", ["Cart", "Cart.add", "Cart.remove"]),
        ("total", ["total"]),
    ],
)
def test_chosen_targets_are_the_name_and_what_is_inside(read, only, expected) -> None:
    module = read(CART, only=only)
    assert [t.qualname for t in chosen_targets(module)] == expected
    assert len(module.targets) == 4


@pytest.mark.parametrize(
    ("only", "message", "hint"),
    [
        ("Cart.ad", "nowhere", "mod.py::Cart.add"),
        ("remove", "nowhere", "mod.py::Cart.remove"),
        ("inner", "only nested", "it defines: Cart, Cart.add"),
        ("zzz", "nowhere", "it defines: Cart"),
        ("zzz.__init__", "nowhere", "it defines: Cart"),
    ],
)
def test_unknown_name_is_refused_with_the_close_ones(read, only, message, hint) -> None:
    with pytest.raises(SourceError) as caught:
        read(CART, only=only)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_reading_runs_and_imports_nothing_of_the_project(make) -> None:
    trap = "raise SystemExit('the project was run')\n"
    root = make(
        {
            "pyproject.toml": "",
            "setup.py": trap,
            "conftest.py": trap,
            "encodings/klingon.py": trap,
            "pkg/__init__.py": trap,
            "pkg/mod.py": trap + CART,
            "tests/test_mod.py": "from pkg.mod import total\n" + trap,
        }
    )
    program = (
        "import sys\n"
        "from hybridgen.source import *\n"
        "for selection in select(['.']):\n"
        "    project = find_project(selection.path, python=None, tests=None)\n"
        "    try:\n"
        "        module = read_module(selection, project)\n"
        "    except Exception as error:\n"
        "        continue\n"
        "    print(module.display, [p.name for p in tests_of(module, project)])\n"
        "own = {m for m in sys.modules if m.split('.')[0] in ('pkg', 'setup', 'conftest', 'mod')}\n"
        "assert not own, own\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(Path(hybridgen.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["pkg/mod.py ['test_mod.py']"]
