"""What is read of a project carries the labels of the files that it came from."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from hybridgen.domain import Label, Module
from hybridgen.label import Labeller, Mark, Rules
from hybridgen.source import Selection, find_project, mentions, read_module

PUBLIC, INTERNAL, CONFIDENTIAL = Label
ORDERS = "from .money import Money\n\n\ndef total(items):\n    return items\n"
MONEY = "class Money:\n    def __init__(self, cents):\n        self.cents = cents\n"


@pytest.fixture
def root(make) -> Path:
    return make(
        {
            "pyproject.toml": "",
            "shop/__init__.py": "",
            "shop/orders.py": ORDERS,
            "shop/money.py": MONEY,
            "docs/use.md": "```python\ntotal([1])\n```\n",
            "notes.md": "```python\ntotal([2])\n```\n",
        }
    )


def read(root: Path, **marks: Label) -> tuple[Module, Labeller]:
    """The module, where the user's own marks are ``marks`` by the name of a file."""
    patterns = {"orders": "/shop/orders.py", "money": "/shop/money.py", "docs": "/docs/"}
    own = [Mark(patterns[name], label, "config.toml", False) for name, label in marks.items()]
    labeller = Labeller(root, Rules(tuple(own)))
    path = root / "shop/orders.py"
    project = find_project(path, python=None, tests=None)
    return read_module(Selection(path, None), project, labeller), labeller


def test_module_and_its_targets_have_the_label_of_the_bytes_that_were_read(root) -> None:
    module, _ = read(root, orders=PUBLIC)
    assert [module.label, *(target.label for target in module.targets)] == [PUBLIC, PUBLIC]
    (file,) = module.source.sources
    assert (file.path, file.sha256) == ("shop/orders.py", sha256(ORDERS.encode()).hexdigest())
    assert module.source.why == "marked public by /shop/orders.py in config.toml"


def test_link_to_a_module_has_the_stricter_label_of_both_names(root) -> None:
    (root / "alias.py").symlink_to("shop/orders.py")
    path = root / "alias.py"
    marks = (
        Mark("/shop/orders.py", PUBLIC, "config.toml", False),
        Mark("/alias.py", INTERNAL, "config.toml", False),
    )
    project = find_project(path, python=None, tests=None)
    labeller = Labeller(root, Rules(marks))
    assert read_module(Selection(path, None), project, labeller).label is INTERNAL


@pytest.mark.parametrize(
    ("marks", "names"),
    [
        ({}, ["Money"]),
        ({"orders": PUBLIC, "money": PUBLIC}, ["Money"]),
        ({"orders": INTERNAL, "money": PUBLIC}, ["Money"]),
        ({"orders": PUBLIC, "money": INTERNAL}, []),
        ({"orders": PUBLIC}, []),
    ],
)
def test_classes_of_stricter_files_are_left_out(root, marks, names) -> None:
    module, _ = read(root, **marks)
    assert [target.qualname for target in module.neighbours] == names


def test_pieces_of_other_files_have_the_labels_of_those_files(root) -> None:
    module, labeller = read(root, orders=PUBLIC, docs=PUBLIC)
    found = {fragment.origin: fragment for fragment in mentions(module, labeller)}
    assert {origin: fragment.label for origin, fragment in found.items()} == {
        "docs/use.md": PUBLIC,
        "notes.md": CONFIDENTIAL,
    }
    (file,) = found["docs/use.md"].sources
    data = (root / "docs/use.md").read_bytes()
    assert (file.path, file.sha256) == ("docs/use.md", sha256(data).hexdigest())
    assert {fragment.label for fragment in mentions(module)} == {CONFIDENTIAL}
