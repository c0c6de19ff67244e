"""How much memory and how many cores this process may use, cgroup limits included.

cgroup v2: https://docs.kernel.org/admin-guide/cgroup-v2.html; v1 is read where v2 is absent.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ROOT = Path("/")


def memory_limit(root: Path = _ROOT) -> int:
    """Bytes of memory that this process may use at most: the machine's or its cgroup's.

    Args:
        root: folder that holds ``proc`` and ``sys``, for tests.
    """
    limits = [_machine_memory(root)]
    for folder in _cgroup_folders(root, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            text = _read(folder / name)
            if text.isdigit():  # "max" is no limit
                limits.append(int(text))
    return min(limits)


def usable_cores(root: Path = _ROOT) -> int:
    """Cores that this process may keep busy: its affinity, cut by its cgroups' quota.

    Args:
        root: folder that holds ``proc`` and ``sys``, for tests.
    """
    if sys.platform == "linux":
        cores = float(len(os.sched_getaffinity(0)))
    else:
        cores = float(os.cpu_count() or 1)
    for folder in _cgroup_folders(root, "cpu"):
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        if not quota:
            quota = _read(folder / "cpu.cfs_quota_us")
            period = _read(folder / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(period):
            cores = min(cores, int(quota) / int(period))
    return max(1, int(cores))


def _machine_memory(root: Path) -> int:
    for line in _read(root / "proc" / "meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _cgroup_folders(root: Path, controller: str) -> list[Path]:
    """The folders of this process's cgroup and its ancestors: a limit may sit on any of them."""
    folders: list[Path] = []
    for line in _read(root / "proc" / "self" / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = root / "sys" / "fs" / "cgroup"
        if controllers:
            top /= controllers
        here = top / path.lstrip("/")
        folders += [here, *(folder for folder in here.parents if folder.is_relative_to(top))]
    return folders


def _read(path: Path) -> str:
    """The text of a small file, or "" if there is none."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
