"""Where a project itself shows how its code is used."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from hybridgen.domain import Label, Module
from hybridgen.explore.examples import mention_candidates
from hybridgen.source import find_project, mentions, read_module, select
from hybridgen.source.mentions import MOST_BYTES


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text("[project]\nname = 'shop'\nversion = '1'\n")
    (root / "shop.py").write_text("def total(text, rate=1):\n    return text\n")
    return root


def read(shop: Path) -> Module:
    path = shop / "shop.py"
    return read_module(select([str(path)])[0], find_project(path, python=None, tests=None))


def texts(shop: Path) -> list[str]:
    return [fragment.text for fragment in mentions(read(shop))]


def test_code_blocks_of_documents_that_name_the_code_are_found(shop: Path) -> None:
    (shop / "README.md").write_text(
        "total(0) in a sentence\n```python\nx = total('a: 1')\n```\n```\nnothing()\n```\n"
    )
    (shop / "docs").mkdir()
    (shop / "docs" / "use.rst").write_text("Use::\n\n    >>> total('b')\n    'b'\n\nMore.\n")
    assert texts(shop) == ["x = total('a: 1')", ">>> total('b')\n'b'"]


def test_calls_in_tests_and_other_modules_are_found_with_their_literals(shop: Path) -> None:
    (shop / "tests").mkdir()
    (shop / "tests" / "test_shop.py").write_text(
        "import shop\n\ndef test_it():\n    assert shop.total('a\\nb', rate=2) == shop.total(x)\n"
    )
    (shop / "cli.py").write_text("from shop import total\n\ndef main():\n    total('z')\n")
    assert texts(shop) == ["total('a\\nb', rate=2)", "total('z')"]


def test_what_hybridgen_wrote_itself_is_left_out(shop: Path) -> None:
    (shop / "test_shop.py").write_text(
        dedent(
            """\
            from shop import total

            # hybridgen: 0123abcd total
            def test_ours():
                assert total("ours") == "ours"


            def test_theirs():
                assert total("theirs") == "theirs"
            """
        )
    )
    assert texts(shop) == ["total('theirs')"]


def test_hidden_built_installed_linked_and_large_files_are_left_out(
    shop: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    call = "total('no')\n"
    outside = tmp_path_factory.mktemp("outside") / "outside.py"
    outside.write_text(call)
    for name in (".hidden", "node_modules", "build", "env3"):
        (shop / name).mkdir()
        (shop / name / "use.py").write_text(call)
    (shop / "env3" / "pyvenv.cfg").write_text("")
    (shop / "linked.py").symlink_to(outside)
    (shop / "large.py").write_text(call + "#" * MOST_BYTES)
    (shop / "broken.py").write_text("def (\n" + call)
    assert texts(shop) == []


def test_mentions_become_candidates_of_what_they_call(shop: Path) -> None:
    (shop / "README.md").write_text("```python\n>>> total('a')\n'a'\n```\n")
    module = read(shop)
    (candidate,) = mention_candidates(module, module.targets, mentions(module))
    assert candidate.target == "total"
    assert candidate.origin == "example"
    assert candidate.label is Label.CONFIDENTIAL
    assert [(step.code, step.opinion) for step in candidate.steps] == [("total('a')", "_ == 'a'")]
