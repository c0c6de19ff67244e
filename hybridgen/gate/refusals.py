"""What the gate says where a file of its own cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hybridgen.errors import GateRefusal, UnfitFile


def refusal(path: Path, why: str) -> GateRefusal:
    """The error for a file of the gate's own that cannot be used."""
    return GateRefusal(
        f"{path}: {why}; without it nothing is sent",
        f"look at it: ls -ld {path}; or stay on this machine: --backend local",
    )


@contextmanager
def refusing() -> Iterator[None]:
    """Makes a refusal of the gate of a file that is unfit."""
    try:
        yield
    except UnfitFile as error:
        raise refusal(error.path, error.why) from error
