"""Cores and memory from affinity and control groups of both versions."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hybridgen.engine.machine import available_memory, usable_threads


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A made-up /proc and /sys with 8 GiB available and no control groups."""
    write(tmp_path / "proc/meminfo", "MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\n")
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def memory(machine: Path) -> int | None:
    return available_memory(machine / "proc", machine / "sys")


def threads(machine: Path) -> int:
    return usable_threads(machine / "proc", machine / "sys")


def use_cpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(count)))


def test_without_control_groups_the_system_decides(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_cpus(monkeypatch, 6)
    assert memory(machine) == 8 << 30
    assert threads(machine) == 6


def test_version_2_limits_hold_at_any_level(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_cpus(monkeypatch, 8)
    group = machine / "sys/fs/cgroup/a/b"
    write(machine / "proc/self/cgroup", "0::/a/b\n")
    write(group / "memory.max", "max\n")
    write(group / "cpu.max", "max 100000\n")
    write(group.parent / "memory.max", f"{1 << 30}\n")
    write(group.parent / "memory.current", f"{700 << 20}\n")
    write(group.parent / "memory.stat", f"anon 5\ninactive_file {100 << 20}\n")
    write(group.parent / "cpu.max", "250000 100000\n")
    assert memory(machine) == (1024 - 700 + 100) << 20
    assert threads(machine) == 2


def test_version_1_limits_hold_though_the_path_is_the_hosts(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_cpus(monkeypatch, 8)
    groups = machine / "sys/fs/cgroup"
    write(machine / "proc/self/cgroup", "4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n")
    write(groups / "memory/memory.limit_in_bytes", f"{1 << 30}\n")
    write(groups / "memory/memory.usage_in_bytes", f"{1 << 29}\n")
    write(groups / "cpu/cpu.cfs_quota_us", "50000\n")
    write(groups / "cpu/cpu.cfs_period_us", "100000\n")
    assert memory(machine) == 1 << 29
    assert threads(machine) == 1


def test_two_threads_of_one_core_count_once(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_cpus(monkeypatch, 4)
    for cpu, siblings in enumerate(["0,2", "1,3", "0,2", "1,3"]):
        topology = machine / f"sys/devices/system/cpu/cpu{cpu}/topology"
        write(topology / "thread_siblings_list", siblings)
    assert threads(machine) == 2


def test_unreadable_system_gives_no_number(tmp_path: Path) -> None:
    assert available_memory(tmp_path / "proc", tmp_path / "sys") is None


def test_this_machine_has_memory_and_cores() -> None:
    assert (available_memory() or 0) > 1 << 20
    assert 1 <= usable_threads() <= (os.cpu_count() or 1)
