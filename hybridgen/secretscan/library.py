"""The detectors of bc-detect-secrets, of which only the patterns are used.

The library is kept up by people who look for leaked keys all day. It can also ask a service
whether a key that it found works, and imports an HTTP client for that, which the process that
reads code must not have. So its detectors are imported with an empty module in the client's place
and asked for matches in a line only: they could not send anything if somebody told them to. Its
settings, filters and scanner, which are global, are not used.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
import threading
import types
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from detect_secrets.plugins.base import RegexBasedDetector

_CLIENT: Final = "requests"
_LOCK: Final = threading.Lock()
_HAS_DIGIT: Final = re.compile("[0-9]").search
# Some of the library's patterns take minutes for a few thousand blanks in a row.
_BLANKS: Final = re.compile(r"\s{2,}")

# Ours are narrower: these fire on ordinary code (measured, see docs/audit.md).
_LEFT_OUT: Final = frozenset(
    {
        "AzureStorageKeyDetector",  # the end of any base64 of its length or more
        "BasicAuthDetector",  # any URL with a colon and an at sign
        "PrivateKeyDetector",  # code that looks for the head of a key
    }
)


def known_in(text: str) -> Iterator[tuple[str, int]]:
    """The kind and the offset of what the library's detectors find."""
    offset = 0
    detectors = _detectors()
    for line in text.split("\n"):
        # Without a digit it is a long name: no issuer draws from letters only.
        if _HAS_DIGIT(line):
            short = _BLANKS.sub(" ", line)
            for kind, detector in detectors:
                if any(_HAS_DIGIT(match) for match in detector.analyze_string(short)):
                    yield kind, offset
        offset += len(line) + 1


@cache
def _detectors() -> tuple[tuple[str, RegexBasedDetector], ...]:
    """One of each detector with patterns that this version of the library has."""
    with _LOCK:
        is_there = _CLIENT in sys.modules
        if not is_there:
            empty = types.ModuleType(_CLIENT, "No client: hybridgen's secretscan put this here.")
            empty.__dict__["Response"] = object  # in the signature of a function
            sys.modules[_CLIENT] = empty
        try:
            return tuple(_made())
        finally:
            if not is_there:
                del sys.modules[_CLIENT]


def _made() -> Iterator[tuple[str, RegexBasedDetector]]:
    import detect_secrets.plugins
    from detect_secrets.plugins.base import RegexBasedDetector

    for module in pkgutil.iter_modules(detect_secrets.plugins.__path__):
        found = importlib.import_module(f"detect_secrets.plugins.{module.name}")
        for name, kind in sorted(vars(found).items()):
            is_detector = isinstance(kind, type) and issubclass(kind, RegexBasedDetector)
            is_own = is_detector and kind.__module__ == found.__name__
            if is_own and not inspect.isabstract(kind) and name not in _LEFT_OUT:
                yield str(kind.secret_type), kind()
