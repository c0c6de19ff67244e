"""Text of stricter files is known in whatever encoding, and before anything could be sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridgen.domain import Label
from hybridgen.gate import FingerprintIndex
from hybridgen.label import Labeller, Mark, Rules
from hybridgen.pipeline.remembering import remember

SECRET = """\
def price_of_a_partner(partner, amount):
    ratio = partner.discount / 100 if partner.is_member else 0
    surcharge = 17 if amount > 4711 else 23
    return round(amount * (1 - ratio) + surcharge, 2)
"""


@pytest.fixture
def index(tmp_path: Path) -> FingerprintIndex:
    return FingerprintIndex(tmp_path / "prints", tmp_path / "project")


def take_in(index: FingerprintIndex, root: Path, name: str, data: bytes) -> Labeller:
    root.mkdir(exist_ok=True)
    (root / name).write_bytes(data)
    labeller = Labeller(root)
    remember(index, labeller, labeller.walk())
    return labeller


@pytest.mark.parametrize(
    "data",
    [
        SECRET.encode(),
        SECRET.encode("utf-16"),
        ("# naïve\n" + SECRET).encode("latin-1"),
        b"# -*- coding: klingon -*-\n" + SECRET.encode(),
        SECRET.encode("utf-16-le"),
        SECRET.encode("utf-16-be"),
        SECRET.encode("utf-32"),
        b"# \0\n" + SECRET.encode(),
    ],
    ids=[
        *("utf-8", "utf-16", "latin-1", "unknown encoding"),
        *("utf-16 without a mark", "the other utf-16", "utf-32", "a null byte"),
    ],
)
def test_text_is_known_in_any_encoding_and_after_the_file_is_gone(
    index: FingerprintIndex, tmp_path: Path, data: bytes
) -> None:
    take_in(index, tmp_path / "project", "secret.py", data)
    (tmp_path / "project" / "secret.py").unlink()
    [overlap] = index.overlaps(f"# something else\n\n{SECRET}", Label.PUBLIC)
    assert overlap.path.endswith("secret.py")


def test_binary_file_has_no_text_and_is_no_problem(index: FingerprintIndex, tmp_path: Path) -> None:
    take_in(index, tmp_path / "project", "picture.png", b"\0\1\2" + SECRET.encode())
    assert index.overlaps(SECRET, Label.PUBLIC) == []


def test_file_that_is_known_is_not_read_again(index: FingerprintIndex, tmp_path: Path) -> None:
    root = tmp_path / "project"
    labeller = take_in(index, root, "secret.py", SECRET.encode())
    files = list(labeller.walk())
    (root / "secret.py").write_text("changed = 1\n")
    remember(index, labeller, files)
    assert len(index.overlaps(SECRET, Label.PUBLIC)) == 1


def test_build_output_of_listed_files_is_no_stricter_file(
    index: FingerprintIndex, tmp_path: Path
) -> None:
    root = tmp_path / "project"
    copy = root / "build" / "lib" / "open.py"
    copy.parent.mkdir(parents=True)
    copy.write_text(SECRET)
    mark = Mark("/open.py", Label.PUBLIC, "user file", needs_trust=False)
    (root / "open.py").write_text(SECRET)
    labeller = Labeller(root, Rules((mark,), (), Label.PUBLIC, ""))
    remember(index, labeller, labeller.walk())
    assert index.overlaps(SECRET, Label.PUBLIC) == []
    copy.write_text(f"# edited\n{SECRET}")  # no copy of a listed file any more
    remember(index, labeller, labeller.walk())
    assert len(index.overlaps(SECRET, Label.PUBLIC)) == 1
