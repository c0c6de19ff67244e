"""The device files of graphics cards, and what their drivers read, for an engine that uses them.

Nobody has tried this with a real card: the names come from the sources and manuals of the drivers
(NVIDIA, AMD, Intel, and NVIDIA in WSL), see ``docs/security.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

_DEVICES: Final = (
    # Not nvidia-uvm-tools, which is for profilers, nor dri/card*, which sets what a screen shows.
    *("dev/nvidia[0-9]*", "dev/nvidiactl", "dev/nvidia-uvm", "dev/nvidia-caps"),
    *("dev/dri/renderD*", "dev/kfd", "dev/dxg"),
)
_OF_ONE_CARD: Final = ("dev/nvidia[0-9]*", "dev/dri/renderD*", "dev/dxg")
_READ_BY_DRIVERS: Final = (
    *("sys", "proc/devices", "proc/modules", "proc/driver/nvidia"),
    *("etc/OpenCL", "etc/vulkan", "etc/nvidia", "usr/local/cuda*", "opt/cuda*", "opt/rocm*"),
    *("run/opengl-driver", "usr/lib/wsl"),
)
_SYSTEM: Final = frozenset({"dev", "etc", "nix", "opt", "proc", "run", "sys", "usr"})
_ROOT: Final = Path("/")


def cards(root: Path = _ROOT) -> tuple[Path, ...]:
    """A device file for each graphics card that there is, none without a card.

    Args:
        root: where ``dev`` lies; another one for tests.
    """
    return tuple(_found(_OF_ONE_CARD, root))


def card_devices(root: Path = _ROOT) -> tuple[Path, ...]:
    """What a driver opens to use the cards: device files, and folders of them; resolved."""
    return _of_the_system(_found(_DEVICES, root), root)


def card_folders(root: Path = _ROOT) -> tuple[Path, ...]:
    """Folders in which drivers look for device files; resolved."""
    return _of_the_system(_found(("dev/dri",), root), root)


def read_by_drivers(root: Path = _ROOT) -> tuple[Path, ...]:
    """What drivers read besides their libraries in ``/usr``; resolved, nothing in a home folder."""
    return _of_the_system(_found(_READ_BY_DRIVERS, root), root)


def _found(patterns: Iterable[str], root: Path) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(root.glob(pattern))


def _of_the_system(paths: Iterable[Path], root: Path) -> tuple[Path, ...]:
    """Those that exist in a folder of the system: ``/usr/local/cuda`` may lead anywhere."""
    base = root.resolve()
    real = (path.resolve() for path in paths if path.exists())
    inside = (path for path in real if path.is_relative_to(base))
    tops = ((path, path.relative_to(base).parts[:1]) for path in inside)
    return tuple(dict.fromkeys(path for path, top in tops if not _SYSTEM.isdisjoint(top)))
