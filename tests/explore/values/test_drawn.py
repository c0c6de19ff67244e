"""Values that hypothesis draws cross as source text, and are the same for the same seed."""

from __future__ import annotations

import datetime
import subprocess
import sys
import uuid
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from hybridgen.explore.values.drawn import EXAMPLES, Drawn

NAMES = {"datetime": datetime, "uuid": uuid, "Decimal": Decimal, "Fraction": Fraction}


@pytest.mark.parametrize(
    ("hint", "kind"),
    [
        ("str", str),
        ("int", int),
        ("float", float),
        ("bytes", bytes),
        ("Decimal", Decimal),
        ("Fraction", Fraction),
        ("datetime.date", datetime.date),
        ("datetime.datetime", datetime.datetime),
        ("timedelta", datetime.timedelta),
        ("uuid.UUID", uuid.UUID),
        ("list[int]", list),
        ("Mapping[str, list[float]]", dict),
        ("tuple[int, str]", tuple),
        ("tuple[int, ...]", tuple),
        ("Optional[int]", (int, type(None))),
        ("int | str | None", (int, str, type(None))),
    ],
)
def test_values_are_source_text_of_the_type(hint: str, kind: type) -> None:
    values = [eval(text, dict(NAMES)) for text in Drawn(1).of(hint)]
    assert len(values) > EXAMPLES / 5
    assert all(isinstance(value, kind) for value in values)


@pytest.mark.parametrize("hint", ["Cart", "list[Cart]", "Callable[[int], str]", "x +", "dict"])
def test_other_types_have_no_values(hint: str) -> None:
    assert Drawn(1).of(hint) == ()


def test_same_seed_gives_the_same_values() -> None:
    assert Drawn(7).of("list[str]") == Drawn(7).of("list[str]")
    assert Drawn(7).of("list[str]") != Drawn(8).of("list[str]")


def test_values_do_not_depend_on_what_else_is_loaded() -> None:
    hints = ("int", "str", "list[float]", "datetime", "Decimal")
    code = (
        "from hybridgen.explore.values.drawn import Drawn; d = Drawn(7); "
        f"print([d.of(hint) for hint in {hints!r}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    drawn = Drawn(7)
    assert done.stdout.strip() == repr([drawn.of(hint) for hint in hints])


def test_nothing_is_written_into_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Drawn(3).of("str")
    assert list(tmp_path.iterdir()) == []
