"""Fetches a model from the hub, with huggingface-hub as its client.

huggingface-hub finds the file and speaks the hub's protocol; it neither checks the body's hash
nor resumes in a later run, so the bytes go into our own :class:`PartialFile` by ranged requests
of its HTTP session. No token is sent, telemetry and the xet transport are switched off (an
unreachable xet endpoint costs 24 s). A company's own hub is honoured through ``HF_ENDPOINT``.
"""

from __future__ import annotations

import os
import queue
import re
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hybridgen.errors import DownloadError
from hybridgen.modelstore.manifest import HubSource, Manifest
from hybridgen.modelstore.partial import PartialFile
from hybridgen.modelstore.progress import Progress, readable_bytes

if TYPE_CHECKING:
    from huggingface_hub import HfFileMetadata

_TIMEOUT_SECONDS = 5.0  # for each connection attempt and each answer
_LOOKUP_SECONDS = 10.0  # for the whole look-up: a firewall that drops packets costs 5 s an address
_STALL_SECONDS = 20.0  # a body that stands still for so long is fetched anew from there
_CHUNK_BYTES = 64 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


def fetch_from_hub(
    manifest: Manifest, source: HubSource, partial: PartialFile, endpoint: str | None, say: Progress
) -> None:
    """Bring ``partial`` to its full length; what has arrived already is not fetched again.

    Args:
        endpoint: address of the hub, or None for the client's own default.

    Raises:
        DownloadError: the hub cannot be reached, refuses, has another file, or went silent.
    """
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_DISABLE_XET"] = "1"
    from huggingface_hub import close_session, hf_hub_url

    url = hf_hub_url(source.repo, source.file, revision=source.revision, endpoint=endpoint)
    try:
        _fetch(manifest, url, partial, endpoint, say)
    finally:
        close_session()


def _fetch(
    manifest: Manifest, url: str, partial: PartialFile, endpoint: str | None, say: Progress
) -> None:
    """Look up and fetch, again and again as long as each try brings bytes."""
    while True:
        metadata = _look_up(url, endpoint)
        _check_announcement(manifest, metadata)
        _match_etag(partial, metadata.etag)
        before = partial.size
        say.start(f"{manifest.name} from the hub", before, partial.total)
        broken = _fetch_rest(metadata.location, partial, say)
        if partial.is_complete:
            return
        if partial.size <= before:
            raise DownloadError(
                f"{manifest.name}: the hub sent nothing more ({broken or 'the body ended early'})"
            )
        say.note(f"The connection broke at {readable_bytes(partial.size)}; going on from there.")


def _look_up(url: str, endpoint: str | None) -> HfFileMetadata:
    """Ask the hub for the file, once, and give up after a fixed time.

    The client's timeout counts anew for every address of the host, and name resolution knows
    no timeout at all, so the look-up runs in a thread that we stop waiting for.
    """
    answers: queue.SimpleQueue[HfFileMetadata | Exception] = queue.SimpleQueue()

    def ask() -> None:
        from huggingface_hub import get_hf_file_metadata

        # Whichever HTTP library the client uses (it changed once already), any error of this
        # one call means the same: no answer from the hub.
        try:
            metadata = get_hf_file_metadata(
                url, token=False, timeout=_TIMEOUT_SECONDS, endpoint=endpoint
            )
        except Exception as error:
            answers.put(error)
        else:
            answers.put(metadata)

    threading.Thread(target=ask, name="hub look-up", daemon=True).start()
    try:
        answer = answers.get(timeout=_LOOKUP_SECONDS)
    except queue.Empty:
        answer = TimeoutError(f"no answer in {_LOOKUP_SECONDS:.0f} seconds")
    if isinstance(answer, Exception):
        raise DownloadError(f"the hub gave no file for {url}: {_reason(answer)}") from answer
    return answer


def _check_announcement(manifest: Manifest, metadata: HfFileMetadata) -> None:
    """Refuse another file before its first byte: large files have their sha256 as ETag."""
    if metadata.size is not None and metadata.size != manifest.bytes:
        raise DownloadError(
            f"{manifest.name}: the hub's file has {metadata.size:,} bytes, "
            f"expected {manifest.bytes:,}"
        )
    etag = metadata.etag or ""
    if _SHA256.fullmatch(etag) and etag != manifest.sha256:
        raise DownloadError(
            f"{manifest.name}: the hub's file has sha256 {etag}, expected {manifest.sha256}"
        )


def _match_etag(partial: PartialFile, etag: str | None) -> None:
    """Start over if the file on the hub changed since the last run."""
    if partial.etag not in (None, etag):
        partial.restart()
    # After the restart: a kill in between leaves an empty file, which is right for any ETag.
    partial.note_etag(etag)


def _fetch_rest(location: str, partial: PartialFile, say: Progress) -> str | None:
    """Append what the server sends; gives what broke the connection, or None."""
    body = _Body(location, partial)
    for chunk in body:
        partial.append(chunk)
        say.update(partial.size)
    return body.broken


class _Body:
    """The rest of a file, chunk by chunk; ends quietly when the connection breaks."""

    def __init__(self, location: str, partial: PartialFile) -> None:
        self._location = location
        self._partial = partial
        self.broken: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        from huggingface_hub import get_session

        offset = self._partial.size
        headers = {"Accept-Encoding": "identity"}  # a compressed body has other offsets
        if offset:
            headers["Range"] = f"bytes={offset}-"
        # As above: any error of the client means that the body ends here. Errors of whoever
        # takes the chunks do not pass through a generator.
        try:
            with get_session().stream(
                "GET", self._location, headers=headers, timeout=_STALL_SECONDS
            ) as response:
                self.broken = self._accept(offset, response.status_code, dict(response.headers))
                if self.broken is None:
                    yield from response.iter_bytes(_CHUNK_BYTES)
        except Exception as error:
            self.broken = _reason(error)

    def _accept(self, offset: int, status: int, headers: dict[str, str]) -> str | None:
        """Say why this answer cannot be used, or None; starts over if Range was ignored."""
        if status == 200:
            if offset:
                self._partial.restart()
            return None
        if status == 206 and headers.get("content-range", "").startswith(f"bytes {offset}-"):
            return None
        if status in (206, 416):  # the server's idea of the file is another one
            self._partial.restart()
        return f"HTTP status {status}"


def _reason(error: Exception) -> str:
    """The first line of an error, or its kind where it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
