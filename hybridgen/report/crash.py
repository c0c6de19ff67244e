"""Tells where hybridgen broke, without a word of the code it was reading.

The message of an exception may quote the project (a parser's quotes the line, a KeyError the
key), and so may local variables. So a crash is described by types, files, lines and names of
functions only.
"""

from __future__ import annotations

import platform
import traceback
from pathlib import Path


def place_of(error: BaseException) -> str:
    """The innermost file and line of hybridgen itself: ``hybridgen/pipeline.py:120``."""
    package = Path(__file__).parents[1]
    place = "an unknown place"
    for frame, line in traceback.walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(package):
            place = f"{path.relative_to(package.parent)}:{line}"
    return place


def crash_text(error: BaseException, version: str) -> str:
    """The crash log: versions, then each exception of the chain, the first cause first."""
    parts = [f"hybridgen {version}, Python {platform.python_version()}, {platform.system()}"]
    for link in reversed(_chain(error)):
        parts.append(f"{type(link).__module__}.{type(link).__qualname__}")
        for frame, line in traceback.walk_tb(link.__traceback__):
            code = frame.f_code
            parts.append(f"  {code.co_filename}:{line} in {code.co_qualname}")
    return "\n".join(parts) + "\n"


def _chain(error: BaseException) -> list[BaseException]:
    """``error`` and what led to it; each exception once, as chains may be circular."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return chain
