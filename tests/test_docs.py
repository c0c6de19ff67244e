"""The docs against the program: help texts, links, and what may not stand in a file."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hybridgen.cli.main import COMMANDS

ROOT = Path(__file__).parent.parent


def commands() -> Iterator[tuple[str, click.Command]]:
    for name, (place, _) in COMMANDS.items():
        module, _, attribute = place.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {sub}", inner) for sub, inner in command.commands.items())


def help_text(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"hybridgen {name}", terminal_width=88)
    return command.get_help(context)


@pytest.mark.parametrize(("name", "command"), commands(), ids=lambda value: str(value))
def test_help_of_every_command_is_in_the_docs(name: str, command: click.Command) -> None:
    docs = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    assert help_text(name, command) in docs


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: p.name
)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (path.parent / link).exists(), link


def test_readme_says_its_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert (
        "pip install . && hybridgen models pull && hybridgen generate examples/shop/pricing.py"
        in text
    )
    assert "pip install -e '.[test]' && pytest" in text
