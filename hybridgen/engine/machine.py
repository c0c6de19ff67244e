"""What this process may use of the machine: cores and memory.

llama-cpp-python's own default takes half of all processors whatever affinity and control
groups say, and more threads than cores make it slower by a factor, so both are read here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

BATCH = 128
"""Tokens computed at once: larger batches gained nothing on two cores and need more memory."""

SAMPLES = 8
"""How many samples of one prompt are decoded at once."""

OUTPUTS = 16
"""For how many tokens of a batch there are logits at most: one for each sequence."""

SPARE_BYTES = 200 << 20
"""Context and buffers, besides the weights, where the head of a file does not tell."""

_PROC = Path("/proc")
_SYS = Path("/sys")


def usable_threads(proc: Path = _PROC, sys: Path = _SYS) -> int:
    """How many threads are worth starting: physical cores allowed by affinity and cgroups."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    if not allowed:
        return os.cpu_count() or 1
    cores = {
        _read(sys / f"devices/system/cpu/cpu{cpu}/topology/thread_siblings_list") or str(cpu)
        for cpu in allowed
    }
    quotas = [int(quota) for quota in _cpu_quotas(proc, sys)]
    return max(1, min([len(cores), *quotas]))


def available_memory(proc: Path = _PROC, sys: Path = _SYS) -> int | None:
    """Bytes that can be used without swapping, or None where the system does not say."""
    free = [*_system_memory(proc), *_cgroup_memory(proc, sys)]
    return max(0, min(free)) if free else None


def _system_memory(proc: Path) -> Iterator[int]:
    for line in (_read(proc / "meminfo") or "").splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            yield int(rest.split()[0]) * 1024


def _cgroup_memory(proc: Path, sys: Path) -> Iterator[int]:
    for folder in _cgroup_folders("memory", proc, sys):
        limit = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
        used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes")
        if limit is not None and used is not None:
            yield limit - used + _file_cache(folder)


def _file_cache(folder: Path) -> int:
    """File pages count as used, but the kernel drops them before it kills anything."""
    cache = 0
    for line in (_read(folder / "memory.stat") or "").splitlines():
        name, _, value = line.partition(" ")
        if name in {"active_file", "inactive_file"}:
            cache += int(value)
    return cache


def _cpu_quotas(proc: Path, sys: Path) -> Iterator[float]:
    for folder in _cgroup_folders("cpu", proc, sys):
        quota, period = (*(_read(folder / "cpu.max") or "").split(), "", "")[:2]
        if not quota:
            quota = _read(folder / "cpu.cfs_quota_us") or ""
            period = _read(folder / "cpu.cfs_period_us") or ""
        if quota.isdigit() and period.isdigit() and int(period) > 0:
            yield int(quota) / int(period)


def _cgroup_folders(controller: str, proc: Path, sys: Path) -> Iterator[Path]:
    """The folders that limit this process, its own first, for cgroup version 1 and 2.

    In a container the path of /proc/self/cgroup may be the host's, of which only the end of
    the way up, the mount point itself, exists here.
    """
    for line in (_read(proc / "self/cgroup") or "").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers == "":
            mount = sys / "fs/cgroup"
        elif controller in controllers.split(","):
            mount = sys / "fs/cgroup" / controller
        else:
            continue
        folder = Path(path.lstrip("/"))
        for part in (folder, *folder.parents) if path.strip("/") else (Path(),):
            if (mount / part).is_dir():
                yield mount / part


def _number(path: Path) -> int | None:
    text = _read(path)
    return int(text) if text is not None and text.isdigit() else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
