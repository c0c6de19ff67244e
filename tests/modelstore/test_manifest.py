"""Manifests are read strictly, and the ones that ship hold together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hybridgen.errors import SettingsError
from hybridgen.modelstore.manifest import read_manifest, read_manifests
from hybridgen.resources import resource_folder


def test_shipped_manifests_name_the_four_models_smallest_first() -> None:
    names = [manifest.name for manifest in read_manifests(resource_folder("models"))]
    assert names == [
        "smollm2-135m",
        "qwen2.5-coder-0.5b",
        "qwen2.5-coder-1.5b",
        "qwen2.5-coder-7b",
    ]


def test_shipped_manifests_need_more_memory_than_their_weights() -> None:
    for manifest in read_manifests(resource_folder("models")):
        assert manifest.memory_bytes > manifest.bytes


def test_only_code_models_can_be_chosen_by_default() -> None:
    choosable = [
        manifest.name
        for manifest in read_manifests(resource_folder("models"))
        if manifest.default_from_cores is not None
    ]
    assert "smollm2-135m" not in choosable
    assert len(choosable) == 3


def test_manifest_is_read_with_both_sources(manifests: Path) -> None:
    manifest = read_manifest(manifests / "tiny.toml")
    assert manifest.hub is not None
    assert manifest.hub.repo == "acme/tiny-GGUF"
    assert manifest.mirror is not None
    assert [part.bytes for part in manifest.mirror] == [1_000_000, 1_000_000, 750_000]
    assert manifest.mirror[2].member == "tiny_model_part3/data/part03.bin"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"surprise": 1}, "unknown key `surprise`"),
        ({"sha256": None}, "`sha256` is missing"),
        ({"sha256": "ABC"}, "`sha256` has a value that cannot be right"),
        ({"bytes": "12"}, "`bytes` must be of type int"),
        ({"bytes": True}, "`bytes` must be of type int"),
        ({"bytes": 0}, "`bytes` must be positive"),
        ({"bytes": 12}, "the mirror's parts have 2750000 bytes, `bytes` says 12"),
        ({"file": "../../.bashrc"}, "`file` has a value that cannot be right"),
        ({"hub": None, "mirror": None}, "neither `hub` nor `mirror`"),
        ({"hub": {"repo": "a/b", "revision": "main", "file": "x"}}, "`revision` has a value"),
        ({"mirror": ["tiny"]}, "mirror part 1 must be a table"),
        (
            {
                "mirror": [
                    {"distribution": "--index-url", "version": "1", "member": "x", "bytes": 1}
                ]
            },
            "`distribution` has a value that cannot be right",
        ),
    ],
)
def test_manifest_that_cannot_be_right_is_refused(
    manifests: Path,
    rewrite: Callable[..., None],
    changes: dict[str, object],
    complaint: str,
) -> None:
    rewrite(**changes)
    with pytest.raises(SettingsError) as caught:
        read_manifest(manifests / "tiny.toml")
    assert complaint in caught.value.message
    assert str(manifests / "tiny.toml") in caught.value.message


def test_manifest_whose_name_is_not_its_file_name_is_refused(manifests: Path) -> None:
    (manifests / "tiny.toml").rename(manifests / "other.toml")
    with pytest.raises(SettingsError, match=r"`name` is tiny, the file's name says other"):
        read_manifest(manifests / "other.toml")


def test_manifest_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not a readable model manifest"):
        read_manifest(tmp_path / "tiny.toml")
