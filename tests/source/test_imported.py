"""Classes that a module imports from its own project."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridgen.domain import Module
from hybridgen.source import find_project, read_module, select

MONEY = """
class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents

    def doubled(self):
        return Money(2 * self.cents)


class Other:
    pass


def unrelated():
    return 1
"""


def read(folder: Path, statement: str) -> Module:
    root = folder / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text("[project]\nname = 'shop'\nversion = '1'\n")
    package = root / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "money.py").write_text(MONEY)
    path = package / "orders.py"
    path.write_text(f"{statement}\n\n\ndef total(items):\n    return items\n")
    return read_module(select([str(path)])[0], find_project(path, python=None, tests=None))


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("from .money import Money, unrelated", ["Money", "Money.doubled"]),
        ("from shop.money import Money as Cash", ["Cash", "Cash.doubled"]),
        ("from shop.money import unrelated", []),
        ("from json import JSONDecoder", []),
        ("from .missing import Money", []),
    ],
)
def test_imported_classes_are_known_by_their_names_here(
    tmp_path: Path, statement: str, names: list[str]
) -> None:
    module = read(tmp_path, statement)
    assert [target.qualname for target in module.neighbours] == names


def test_neighbours_have_the_parameters_of_their_construction(tmp_path: Path) -> None:
    money = read(tmp_path, "from .money import Money").neighbours[0]
    assert [(p.name, p.annotation) for p in money.parameters] == [("cents", "int")]


def test_file_with_a_syntax_error_is_no_neighbour(tmp_path: Path) -> None:
    package = tmp_path / "project" / "shop"
    package.mkdir(parents=True)
    (package / "broken.py").write_text("class Money(:\n")
    (tmp_path / "project" / "pyproject.toml").write_text(
        "[project]\nname = 'shop'\nversion = '1'\n"
    )
    path = package / "orders.py"
    path.write_text("from .broken import Money\n\n\ndef total(items):\n    return items\n")
    module = read_module(select([str(path)])[0], find_project(path, python=None, tests=None))
    assert module.neighbours == ()
