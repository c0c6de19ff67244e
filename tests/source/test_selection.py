from __future__ import annotations

from pathlib import Path

import pytest

from hybridgen.errors import UsageError
from hybridgen.source import Selection, select

CODE = "def f():\n    return 1\n"
EVERYTHING = (
    "pkg/b.py",
    "pkg/a.py",
    "pkg/sub/c.py",
    "pkg/tests/helper.py",
    "pkg/test_a.py",
    "pkg/a_test.py",
    "conftest.py",
    "setup.py",
    "pkg/__main__.py",
    "pkg/thing_pb2.py",
    ".hidden/x.py",
    "env/lib/x.py",
    "build/lib/x.py",
    "src/build/kept.py",
    "src/build/__init__.py",
    "pkg/__pycache__/x.py",
    "docs/conf.py",
    "pkg/migrations/0001_initial.py",
)


def chosen(root: Path, *arguments: str) -> list[str]:
    return [
        str(s.path.relative_to(root)) + (f"::{s.only}" if s.only else "")
        for s in select([str(root / argument) for argument in arguments])
    ]


def test_folder_gives_its_modules_sorted_and_none_of_the_rest(make) -> None:
    root = make(
        dict.fromkeys(EVERYTHING, CODE)
        | {"env/pyvenv.cfg": "home = /usr/bin\n", "pkg/notes.txt": "def f(): ..."}
    )
    assert chosen(root, ".") == [
        "pkg/a.py",
        "pkg/b.py",
        "pkg/sub/c.py",
        "src/build/__init__.py",
        "src/build/kept.py",
    ]


def test_folder_leaves_out_sound_files_that_define_nothing_but_keeps_broken_ones(make) -> None:
    root = make(
        {
            "a.py": CODE,
            "__init__.py": "",
            "constants.py": "# a class of its own\nLIMIT = 3\n",
            "broken.py": "x = = 3\n",
            "binary.py": b"\0\1\2",
            "latin.py": b"NAME = '\xe9'\n",
        }
    )
    assert chosen(root, ".") == ["a.py", "binary.py", "broken.py", "latin.py"]


def test_folder_follows_no_links(make, tmp_path: Path) -> None:
    root = make({"a.py": CODE})
    other = make({"secret.py": CODE}, folder="other")
    (root / "linked").symlink_to(other)
    (root / "file.py").symlink_to(other / "secret.py")
    assert chosen(root, ".") == ["a.py"]


def test_name_after_colons_selects_one_definition(make) -> None:
    root = make({"a.py": CODE})
    assert select([f"{root}/a.py::Cart.add"]) == (Selection(root / "a.py", "Cart.add"),)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("a.py", "a.py"), ["a.py"]),
        (("a.py::f", ".", "b.py::f"), ["a.py", "b.py"]),
        (("a.py::C.m", "a.py::C"), ["a.py::C"]),
        (("b.py::g", "a.py::C.m", "b.py::f"), ["a.py::C.m", "b.py::f", "b.py::g"]),
        (("../project/a.py", "a.py"), ["a.py"]),
        (("a.py::C", "a.py::Cart.m"), ["a.py::C", "a.py::Cart.m"]),
    ],
)
def test_overlapping_arguments_are_merged_and_sorted(make, arguments, expected) -> None:
    root = make({"a.py": CODE, "b.py": CODE})
    assert chosen(root, *arguments) == expected


@pytest.mark.parametrize(
    ("argument", "message", "hint"),
    [
        ("zzz.py", "does not exist", "check the path"),
        ("price.py", "does not exist", "did you mean"),
        ("notes.txt", "not a Python source file", ".py"),
        ("pricing.py::Cart::add", "not the name", "pricing.py::Cart.add"),
        ("pricing.py::", "not the name", "pricing.py::Class.method"),
        ("pricing.py::f[1]", "not the name", "pricing.py::"),
        ("pricing.py::class", "not the name", "pricing.py::"),
        (".::f", "is a folder", "module.py::f"),
        ("empty", "no Python module", "name a file"),
        ("x" * 300 + ".py", "does not exist", "check"),
    ],
)
def test_argument_that_cannot_be_right_says_what_to_write(make, argument, message, hint) -> None:
    root = make({"pricing.py": CODE, "notes.txt": "", "empty/readme": ""})
    with pytest.raises(UsageError) as caught:
        select([f"{root}/{argument}"])
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize("arguments", [[], [""], ["a\0b.py"], ["::f"]])
def test_no_path_at_all_is_a_usage_error(arguments) -> None:
    with pytest.raises(UsageError):
        select(arguments)


def test_paths_are_absolute_whatever_the_working_folder(make, monkeypatch) -> None:
    root = make({"a.py": CODE})
    monkeypatch.chdir(root)
    assert select(["a.py"]) == (Selection(root / "a.py", None),)
