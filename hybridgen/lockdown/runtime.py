"""What a Python needs to read besides code and packages: the system's part and its own."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hybridgen.domain import Runtime

_WHOLE: Final = ("/usr", "/lib", "/lib64", "/nix/store")
_SYSTEM: Final = (
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/os-release",
    "/etc/timezone",
    "/sys/devices/system/cpu",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/version",
    "/proc/sys/vm/overcommit_memory",
    # Not all of /proc/self: net/ and mountinfo tell of the user's connections and disks.
    "/proc/self/cmdline",
    "/proc/self/fd",
    "/proc/self/maps",
    "/proc/self/stat",
    "/proc/self/statm",
    "/proc/self/status",
)
_DATA: Final = (
    "/usr/share/zoneinfo",
    "/usr/share/locale",
    "/usr/share/i18n",
    "/usr/lib/locale",
    "/usr/lib/gconv",
    "/usr/lib64/gconv",
)
_LIBRARIES: Final = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64", "/lib")
_STANDARD: Final = ("lib*/python3*/os.py", "lib*/pypy3*/os.py")


def readable_by_all() -> tuple[Path, ...]:
    """What any Python on this machine needs to read besides its own prefix."""
    return _existing((*_WHOLE, *_system()))


def bare_runtime(program: Path) -> Runtime:
    """What a Python may read where no package that is installed on this machine may be.

    Its standard library, shared libraries, and the system's data about time and languages.

    Args:
        program: the interpreter itself, not that of a virtual environment.
    """
    prefix = program.parent.parent
    standard = (found.parent for pattern in _STANDARD for found in prefix.glob(pattern))
    # Where Debian and its like keep the libraries of one kind of machine.
    kinds = [f"{platform.machine()}-linux-{library}" for library in ("gnu", "musl")]
    folders = (*_LIBRARIES, *(str(prefix / name) for name in ("lib", "lib64")))
    own = (f"{folder}/{kind}" for folder in folders for kind in kinds)
    return Runtime(
        read=_existing((*_system(), *_DATA, *own)),
        standard=_existing(map(str, standard)),
        libraries=_existing(folders),
    )


def _system() -> tuple[str, ...]:
    # Debian's standard library links to /etc/python3.X/sitecustomize.py.
    return (*_SYSTEM, *map(str, sorted(Path("/etc").glob("python3*"))))


def _existing(names: Iterable[str]) -> tuple[Path, ...]:
    """Those that are there, resolved, each once."""
    # /proc/self stays as it is: the launcher opens it, so it has to mean the launcher.
    return tuple(
        dict.fromkeys(
            path if path.is_relative_to("/proc") else path.resolve()
            for path in map(Path, names)
            if path.exists()
        )
    )
