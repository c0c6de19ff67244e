"""Collections that only an attribute leads to are filled from outside."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from hybridgen.domain import Module
from hybridgen.explore.archive import Archive
from hybridgen.explore.genomes.holdings import holdings_of
from hybridgen.explore.search import Search
from hybridgen.explore.wanted.duck import Ducks

CODE = """
class Player:
    def __init__(self, name, years):
        self.name = name
        self.years = years


class Desk:
    def __init__(self, label, given=()):
        self.label = label
        self.players = []
        self.stands: list[str] = []
        self.notes = {}
        self._hidden = []
        self.given = given


def eldest(desk):
    best = None
    for player in desk.players:
        if best is None or player.years > best.years:
            best = player
    if best is not None:
        return best.name
    if desk.notes:
        return "noted"
    return None
"""


@pytest.fixture
def settings(read: Callable[[str], Module]) -> dict[str, str | None]:
    """The collections of a desk, with what they are filled with."""
    targets = {target.qualname: target for target in read(CODE).targets}
    found = holdings_of(targets["Desk"], Ducks(targets))
    return {setting.qualname: setting.parameters[0].annotation for setting in found}


def test_public_collections_that_start_empty_are_known(settings: dict[str, str | None]) -> None:
    assert list(settings) == ["Desk.players", "Desk.stands", "Desk.notes"]


def test_items_are_what_other_code_takes_them_for(settings: dict[str, str | None]) -> None:
    assert settings["Desk.players"] == "list[Player]"
    assert settings["Desk.stands"] == "list[str]"


def test_code_behind_filled_collections_is_reached(
    start: Callable[..., tuple[Search, Archive, Module]],
) -> None:
    search, archive, _ = start(CODE)
    end = time.monotonic() + 60
    search.run(lambda: end if search.report.runs < 400 else 0.0)
    reached = {line for arc in archive.arcs for line in arc}
    lines = enumerate(CODE.split("\n"), 1)
    assert {at for at, line in lines if line.strip().startswith("return")} <= reached
