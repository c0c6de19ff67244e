"""The records of trust: private, whole, one for each project."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from hybridgen.domain import Label
from hybridgen.errors import PolicyRefusal
from hybridgen.label import TrustedFile, TrustStore

FILES = (
    TrustedFile("b.py", Label.INTERNAL, "hash of b"),
    TrustedFile("a.py", Label.PUBLIC, "hash of a"),
)


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    return TrustStore(tmp_path / "state/trust")


@pytest.fixture
def record(store: TrustStore, tmp_path: Path) -> Path:
    """The file of a project that is trusted."""
    store.trust(tmp_path, FILES, "hash of all")
    (path,) = (tmp_path / "state/trust").iterdir()
    return path


def test_what_was_trusted_is_known_again(store, record, tmp_path: Path) -> None:
    trusted = store.of(tmp_path)
    assert (trusted.root, trusted.marks) == (str(tmp_path), "hash of all")
    assert trusted.files == {file.path: file for file in FILES}
    assert store.of(tmp_path / "other") is None


def test_trust_replaces_what_was_trusted_before(store, record, tmp_path: Path) -> None:
    store.trust(tmp_path, FILES[:1], "another hash")
    assert list(store.of(tmp_path).files) == ["b.py"]
    assert list((tmp_path / "state/trust").iterdir()) == [record]


def test_revoked_project_is_forgotten(store, record, tmp_path: Path) -> None:
    assert store.revoke(tmp_path)
    assert store.of(tmp_path) is None
    assert not store.revoke(tmp_path)


def test_roots_are_those_of_all_records(store, record, tmp_path: Path) -> None:
    store.trust(tmp_path / "another", (), "")
    assert store.roots() == (tmp_path, tmp_path / "another")
    assert TrustStore(tmp_path / "none").roots() == ()


def test_record_and_folder_are_the_users_alone(record) -> None:
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert stat.S_IMODE(record.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("part", ["file", "folder"])
def test_record_that_others_may_have_written_is_refused(store, record, tmp_path, part) -> None:
    (record if part == "file" else record.parent).chmod(0o770)
    with pytest.raises(PolicyRefusal, match="open to others"):
        store.of(tmp_path)


def test_record_that_is_a_link_is_refused(store, record, tmp_path: Path) -> None:
    record.rename(tmp_path / "elsewhere")
    record.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PolicyRefusal):
        store.of(tmp_path)


def test_record_with_a_second_name_is_refused(store, record, tmp_path: Path) -> None:
    (tmp_path / "second").hardlink_to(record)
    with pytest.raises(PolicyRefusal, match="second name"):
        store.of(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", 2),
        ("root", "/elsewhere"),
        ("files", {"a.py": {"label": "secret", "marks": ""}}),
        ("files", ["a.py"]),
        (None, "not json"),
        (None, "[]"),
        (None, ""),
    ],
)
def test_damaged_record_is_refused(store, record, tmp_path: Path, key, value) -> None:
    text = value
    if key is not None:
        text = json.dumps({**json.loads(record.read_text()), key: value})
    record.write_text(text)
    with pytest.raises(PolicyRefusal) as caught:
        store.of(tmp_path)
    assert "hybridgen trust" in caught.value.hint


def test_record_copied_from_another_project_is_refused(store, record, tmp_path: Path) -> None:
    store.trust(tmp_path / "other", (), "")
    other = next(path for path in record.parent.iterdir() if path != record)
    other.write_text(record.read_text())
    with pytest.raises(PolicyRefusal, match="another project"):
        store.of(tmp_path / "other")
