"""Pulls from a hub on its real wire, with what can go wrong there."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybridgen.errors import DownloadError
from hybridgen.modelstore.progress import RecordedProgress
from hybridgen.modelstore.pull import PullOptions, Source, pull
from hybridgen.modelstore.store import ModelStore


@pytest.fixture
def pull_from_hub(store: ModelStore, hub: Any) -> Callable[[], RecordedProgress]:
    """Pulls the small model from the hub only."""

    def run() -> RecordedProgress:
        say = RecordedProgress()
        pull(store, "tiny", PullOptions(Source.HUB, hub_endpoint=hub.url), say)
        return say

    return run


def bodies(hub: Any) -> list[str]:
    return [request for request in hub.requests if request.startswith("GET")]


def test_pull_installs_the_file_and_leaves_nothing_else(
    store: ModelStore, model: bytes, hub: Any, pull_from_hub: Callable[[], RecordedProgress]
) -> None:
    say = pull_from_hub()
    assert store.verify("tiny").read_bytes() == model
    assert sorted(path.name for path in store.folder.iterdir()) == [".tiny.lock", "tiny.gguf"]
    assert say.done == len(model)


def test_installed_model_is_not_fetched_again(
    hub: Any, pull_from_hub: Callable[[], RecordedProgress]
) -> None:
    pull_from_hub()
    hub.requests.clear()
    assert "is installed" in pull_from_hub().notes[0]
    assert hub.requests == []


def test_no_token_is_sent_although_one_is_set(
    hub: Any, pull_from_hub: Callable[[], RecordedProgress]
) -> None:
    pull_from_hub()
    assert len(hub.requests) == 2
    assert hub.tokens == []


def test_broken_connection_is_resumed_in_the_same_run(
    store: ModelStore, hub: Any, model: bytes, pull_from_hub: Callable[[], RecordedProgress]
) -> None:
    hub.break_after = 1_000_000
    pull_from_hub()
    assert store.verify("tiny").read_bytes() == model
    first, second = bodies(hub)
    assert first == "GET /blob"
    assert "bytes=" in second
    assert hub.sent < len(model) + 200_000


def test_server_that_ignores_ranges_restarts_cleanly(
    store: ModelStore, hub: Any, model: bytes, pull_from_hub: Callable[[], RecordedProgress]
) -> None:
    hub.knows_range = False
    hub.break_after = 1_000_000
    pull_from_hub()
    assert store.verify("tiny").read_bytes() == model


@pytest.mark.parametrize("etag_before", ["the-etag-of-now", "another-etag"])
def test_changed_etag_restarts_and_an_equal_one_goes_on(
    store: ModelStore,
    hub: Any,
    model: bytes,
    pull_from_hub: Callable[[], RecordedProgress],
    etag_before: str,
) -> None:
    store.folder.mkdir()
    partial = store.partial_file(store.manifest("tiny"))
    partial.write_bytes(model[:1_500_000])
    partial.with_name(partial.name + ".etag").write_text(etag_before, encoding="utf-8")
    hub.etag = "the-etag-of-now"
    pull_from_hub()
    assert store.verify("tiny").read_bytes() == model
    is_same = etag_before == hub.etag
    assert bodies(hub) == ["GET /blob bytes=1500000-" if is_same else "GET /blob"]


def test_partial_file_that_is_too_long_is_fetched_anew(
    store: ModelStore, hub: Any, model: bytes, pull_from_hub: Callable[[], RecordedProgress]
) -> None:
    store.folder.mkdir()
    store.partial_file(store.manifest("tiny")).write_bytes(model + b"more")
    pull_from_hub()
    assert store.verify("tiny").read_bytes() == model


def test_another_file_on_the_hub_is_refused_before_its_first_byte(
    store: ModelStore, hub: Any, model: bytes, pull_from_hub: Callable[[], RecordedProgress]
) -> None:
    hub.content = model[:-1] + b"!"
    with pytest.raises(DownloadError) as caught:
        pull_from_hub()
    assert hub.announced in caught.value.message
    assert store.manifest("tiny").sha256 in caught.value.message
    hub.content = model[:-1]
    with pytest.raises(DownloadError, match="has 2,749,999 bytes, expected 2,750,000"):
        pull_from_hub()
    assert bodies(hub) == []


def test_wrong_hash_keeps_the_old_file_names_both_and_heals(
    store: ModelStore, hub: Any, model: bytes, pull_from_hub: Callable[[], RecordedProgress]
) -> None:
    store.folder.mkdir()
    installed = store.folder / "tiny.gguf"
    installed.write_bytes(b"an older model that works")
    hub.content, hub.etag = model[:-1] + b"!", "no-hash"
    with pytest.raises(DownloadError) as caught:
        pull_from_hub()
    hub.etag = None
    assert hub.announced in caught.value.message
    assert store.manifest("tiny").sha256 in caught.value.message
    assert installed.read_bytes() == b"an older model that works"
    assert not store.partial_file(store.manifest("tiny")).exists()
    hub.content = model
    pull_from_hub()
    assert store.verify("tiny").read_bytes() == model


def test_hub_only_model_says_what_to_copy_when_the_hub_refuses(
    store: ModelStore, hub: Any, pull_from_hub: Callable[[], RecordedProgress]
) -> None:
    hub.status = 403
    with pytest.raises(DownloadError, match="403") as caught:
        pull_from_hub()
    assert caught.value.hint is not None
    assert str(store.folder / "tiny.gguf") in caught.value.hint


def test_silent_hub_is_given_up_within_seconds(store: ModelStore) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(DownloadError, match="timed out"):
            pull(store, "tiny", PullOptions(Source.HUB, hub_endpoint=endpoint), RecordedProgress())
    assert time.monotonic() - began < 9


def test_no_space_is_told_before_anything_is_asked(
    tmp_path: Path, manifests: Path, hub: Any, rewrite: Callable[..., None]
) -> None:
    rewrite(bytes=10**17, mirror=None)
    store = ModelStore(tmp_path / "store", manifests)
    with pytest.raises(DownloadError, match=r"not enough space: 100,000,000\.0 GB needed"):
        pull(store, "tiny", PullOptions(hub_endpoint=hub.url), RecordedProgress())
    assert hub.requests == []
