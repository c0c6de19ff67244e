"""What counts as a place below tmp_path, and what could lead elsewhere."""

from __future__ import annotations

import pytest

from hybridgen.domain.places import is_listing, is_place, parts_of


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("tmp_path", ()),
        ("tmp_path / 'data.txt'", ("data.txt",)),
        ("tmp_path / 'a b' / '.hidden' / 'x.tar~'", ("a b", ".hidden", "x.tar~")),
        ("tmp_path / '...'", ("...",)),
        ("tmp_path / 'größe=1'", ("größe=1",)),
    ],
)
def test_place_is_a_way_down(text: str, parts: tuple[str, ...]) -> None:
    assert is_place(text)
    assert parts_of(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "tmp_path / '..'",
        "tmp_path / '.'",
        "tmp_path / '../x'",
        "tmp_path / '/etc'",
        "tmp_path / '~'",
        "tmp_path / 'C:x'",
        "tmp_path / ''",
        "tmp_path / 'a\\x00'",
        "tmp_path / 'a\nb'",
        "tmp_path / '\u202ea'",
        "tmp_path / f'a'",
        "tmp_path / 'a'.b",
        "tmp_path / 'a'\n",
        "tmp_path.parent",
        "other / 'a'",
        "tmp_path" + " / 'a'" * 9,
        f"tmp_path / '{'a' * 61}'",
        "tmp_path / 'a' or run()",
    ],
)
def test_everything_else_is_no_place(text: str) -> None:
    assert not is_place(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sorted(p.name for p in tmp_path.iterdir())", True),
        ("sorted(p.name for p in (tmp_path / 'a' / 'b').rglob('*'))", True),
        ("sorted(p.name for p in (tmp_path / '..').iterdir())", False),
        ("sorted(p.name for p in tmp_path.glob('../*'))", False),
        ("sorted(p.unlink() for p in tmp_path.iterdir())", False),
        ("sorted(p.name for p in tmp_path.parent.iterdir())", False),
    ],
)
def test_listing_names_what_is_in_a_place(text: str, expected: bool) -> None:
    assert is_listing(text) is expected
