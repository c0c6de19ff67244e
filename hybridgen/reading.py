"""Reads one source file: opened once, decoded as Python would, parsed without running it."""

from __future__ import annotations

import ast
import codecs
import io
import os
import stat
import sys
import tokenize
import warnings
from pathlib import Path

from hybridgen.errors import SourceError

# Hand-written modules stay far below; above it is data or a generator's output.
MAX_BYTES = 4 * 1024 * 1024


def read_once(path: Path, root: Path, shown: str) -> tuple[Path, bytes]:
    """Return the real path and the content of ``path``, which has to lie inside ``root``.

    Every folder on the way is opened without following links, so a link put there between the
    check and the opening leads nowhere.

    Raises:
        SourceError: missing, unreadable, too large, no regular file, or outside ``root``.
    """
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise SourceError(
            f"{shown}: cannot be found: {_reason(error)}", "check the path and run again"
        ) from error
    if not real.is_relative_to(root):
        raise SourceError(
            f"{shown} is a link to {real}, outside the project {root}: no link is followed out of "
            "a project",
            f"run it on the file itself: hybridgen generate {real}",
        )
    try:
        return real, _read_below(root, real.relative_to(root).parts, shown)
    except OSError as error:
        raise SourceError(
            f"{shown}: cannot be read: {_reason(error)}", f"check it with: ls -l {shown}"
        ) from error


def _read_below(root: Path, parts: tuple[str, ...], shown: str) -> bytes:
    # O_PATH asks for no right to list the folders on the way; elsewhere than Linux it is missing.
    as_folder = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
    as_file = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    folder = os.open(root, as_folder)
    try:
        for part in parts[:-1]:
            inner = os.open(part, as_folder | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        descriptor = os.open(parts[-1] if parts else ".", as_file, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SourceError(f"{shown} is not a regular file", "name a Python source file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > MAX_BYTES:
        raise SourceError(
            f"{shown} is larger than {MAX_BYTES // 2**20} MiB: it looks generated",
            "name the hand-written modules instead",
        )
    return data


def decode(data: bytes, shown: str) -> str:
    """Decode by byte order mark and PEP 263 cookie; newlines become ``\\n``, as Python reads them.

    Raises:
        SourceError: binary, an unknown encoding, or bytes that the encoding does not have.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise SourceError(
            f"{shown} is UTF-16, which Python does not read", "save it as UTF-8 and run again"
        )
    if b"\0" in data:
        raise SourceError(f"{shown} is a binary file, not Python source")
    hint = "save it as UTF-8, or name its encoding in the first line: # -*- coding: latin-1 -*-"
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError as error:
        if "invalid or missing" in str(error):
            raise SourceError(
                f"{shown} is not UTF-8 and names no encoding{_bad_byte(data)}", hint
            ) from error
        raise SourceError(f"{shown}: {error}", hint) from error
    try:
        with warnings.catch_warnings():  # unicode_escape warns about unknown escapes
            warnings.simplefilter("ignore")
            text = data.decode(encoding)
    except Exception as error:  # the file chooses the codec, and codecs raise what they like
        missing = "and names no encoding" if encoding == "utf-8" else f"as it says ({encoding})"
        name = "UTF-8" if encoding == "utf-8" else "encoded"
        where = _bad_byte(data) if encoding == "utf-8" else ""
        raise SourceError(f"{shown} is not {name} {missing}{where}", hint) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse(text: str, shown: str) -> ast.Module:
    """Parse without running anything; warnings about the code stay out of our output.

    Raises:
        SourceError: with the line, for a syntax error or code too deep to be analysed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        line = (error.text or "").strip()[:80]
        raise SourceError(
            f"{shown}:{error.lineno or 1}: syntax error: {error.msg}"
            + (f" in: {line}" if line else ""),
            f"hybridgen reads it as Python {version}: correct the line, or install hybridgen with "
            "a newer Python if the code needs one",
        ) from error
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise SourceError(
            f"{shown} cannot be analysed: {type(error).__name__}: {error}",
            "name the other modules of the folder instead",
        ) from error


def _bad_byte(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return f" (byte 0x{data[error.start]:02x} in line {line})"
    return ""


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
