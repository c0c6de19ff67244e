"""What kind of file an interpreter is, read from its bytes without running it."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

from hybridgen.errors import UsageError

_PT_INTERP = 3
_MACH_O = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
"""64-bit, and for several processors; the loader is the system's own on macOS."""


def loader_of(program: Path) -> Path | None:
    """The dynamic loader that an ELF program names, resolved; None for a static one, and on macOS.

    The kernel opens the loader like a program, so it needs the right to be executed.

    Raises:
        UsageError: the file cannot be read, or is no 64-bit ELF program (a pyenv or asdf shim
            is a shell script, which would need processes of its own).
    """
    try:
        with program.open("rb") as file:
            header = file.read(64)
            if header[:2] == b"#!":
                raise UsageError(
                    f"{program} is a script, not a Python program.",
                    "Pass the program behind it: run it once with "
                    "-c 'import sys; print(sys.executable)' and give that path to --python.",
                )
            if sys.platform == "darwin" and header[:4] in _MACH_O:
                return None
            if header[:6] != b"\x7fELF\x02\x01":
                raise UsageError(
                    f"{program} is not a 64-bit program of this system.",
                    "Pass the project's own interpreter with --python.",
                )
            table, size, count = _program_headers(header)
            file.seek(table)
            entries = file.read(size * count)
            for start in range(0, len(entries) - 55, size):
                kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", entries, start)
                if kind == _PT_INTERP:
                    file.seek(offset)
                    name = file.read(min(length, 4096)).rstrip(b"\0")
                    return Path(name.decode("utf-8", "surrogateescape")).resolve()
    except (OSError, ValueError, RuntimeError, struct.error) as problem:
        raise UsageError(
            f"{program} cannot be read as a program: {problem}.",
            "Pass the project's own interpreter with --python.",
        ) from problem
    return None


def _program_headers(header: bytes) -> tuple[int, int, int]:
    """Offset, entry size and count of the program headers of a 64-bit ELF file."""
    offset: int = struct.unpack_from("<Q", header, 32)[0]
    size, count = struct.unpack_from("<HH", header, 54)
    if size < 56:
        raise ValueError("its program headers are too small")
    return offset, size, count
