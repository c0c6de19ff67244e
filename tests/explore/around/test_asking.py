"""What code asks of its parameters is read from its source, through what it calls."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridgen.domain import Module
from hybridgen.explore.around.asking import Asking
from hybridgen.explore.values.asked import OTHER, Asked

Read = Callable[[str], Module]


def asked(module: Module, target: str = "f", parameter: str = "x") -> Asked:
    return Asking(module).of(target).parameters[parameter]


@pytest.mark.parametrize(
    ("source", "role"),
    [
        ("def f(x):\n    return open(x).read()", "path"),
        ("import os\ndef f(x):\n    return os.path.exists(x)", "path"),
        ("from pathlib import Path\ndef f(x):\n    return Path(x).is_file()", "path"),
        ("def f(x):\n    return (x / 'a.txt').exists()", "path"),
        ("def f(x):\n    for p in x.parents:\n        pass", "path"),
        ("import os\ndef g(p):\n    return os.listdir(p)\ndef f(x):\n    return g(x)", "path"),
        ("import json\ndef f(x):\n    return json.loads(x)", "text"),
        ("import json\ndef f(x):\n    return json.load(x)", "stream"),
        ("import csv\ndef f(x):\n    return list(csv.DictReader(x))", "stream"),
        ("def f(x):\n    return x.has_section('a')", "parser"),
        ("def f(x):\n    return x['a']['b']", "data"),
        ("def f(x):\n    return [y['a'] for y in x]", "data"),
        ("def f(x):\n    return [y for y in x if y.startswith('#')]", "lines"),
    ],
)
def test_what_a_parameter_is_used_for_is_its_role(read: Read, source: str, role: str) -> None:
    assert asked(read(source)).role == role


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    return x / 2",
        "def f(x, y):\n    return x / y",
        "def f(x):\n    return x.parent",
        "def f(x):\n    return x.name",
        "def f(x):\n    return 'a' in x",
        "def f(x):\n    return x[0]",
        "def f(x):\n    return x.strip().split(',')",
        "class Door:\n    def exists(self):\n        return 1\ndef f(x):\n    return x.exists()",
    ],
)
def test_what_others_do_as_well_gives_no_role(read: Read, source: str) -> None:
    assert asked(read(source)).role == ""


def test_names_joined_to_a_folder_are_asked_for(read: Read) -> None:
    source = """
        import os
        NAMES = ("a.ini", "b.ini")
        def f(x):
            for name in NAMES:
                if os.path.isfile(os.path.join(x, name)):
                    return name
            return (x / "docs").is_dir() or list(x.glob("*.md"))
    """
    assert list(asked(read(source)).keys) == ["a.ini", "b.ini", "docs", "*.md"]


def test_sections_and_options_are_asked_for(read: Read) -> None:
    source = """
        import configparser
        def f(x):
            parser = configparser.ConfigParser()
            parser.read(x)
            if not parser.has_section("tool"):
                return None
            mode = parser.get("tool", "mode", fallback="fast")
            if mode not in ("fast", "slow"):
                raise ValueError(mode)
            return parser["tool"]["name"], parser.getint("tool", "jobs")
    """
    inside = asked(read(source)).inside
    assert inside is not None and inside.format == "ini" and inside.parsed is not None
    section = inside.parsed.keys["tool"]
    assert list(section.keys) == ["mode", "name", "jobs"]
    assert list(section.keys["mode"].texts) == ["fast", "slow"]
    assert "int" in section.keys["jobs"].uses


def test_keys_are_followed_through_names_and_functions(read: Read) -> None:
    source = """
        import json
        class Store:
            def __init__(self, x):
                self.x = x
            def load(self):
                with open(self.x) as file:
                    self.data = json.load(file)
            def names(self):
                users = self.data.get("users", [])
                return [name_of(user) for user in users]
        def name_of(user):
            return user["name"] if "name" in user else user["id"]
    """
    inside = asked(read(source), "Store").inside
    assert inside is not None and inside.parsed is not None
    users = inside.parsed.keys["users"]
    assert users.item is not None and list(users.item.keys) == ["name", "id"]


def test_a_file_named_in_another_file_is_asked_for(read: Read) -> None:
    source = """
        import tomllib
        def f(x):
            data = tomllib.loads((x / "a.toml").read_text())
            return (x / data["readme"]).read_text()
    """
    needs = asked(read(source))
    assert list(needs.keys) == ["a.toml", OTHER]


def test_code_that_does_not_end_is_left(read: Read) -> None:
    source = """
        def f(x):
            return g(x / "a")
        def g(x):
            return f(x / "b")
    """
    assert list(asked(read(source)).keys) == ["a"]


def test_a_constant_made_of_itself_is_read_once(read: Read) -> None:
    source = "NAMES = ['a']\nNAMES = [n for n in NAMES]\ndef f(x):\n    return open(NAMES[x])"
    assert asked(read(source)).role == ""
