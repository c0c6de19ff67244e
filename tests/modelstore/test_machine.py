"""Limits of cgroups count, wherever in the hierarchy they are set."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hybridgen.modelstore.machine import memory_limit, usable_cores


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with 16 GiB whose only cgroup sets no limit."""
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "meminfo").write_text("MemTotal:       16777216 kB\n", encoding="utf-8")
    (tmp_path / "proc" / "self" / "cgroup").write_text("0::/ci/job\n", encoding="utf-8")
    (tmp_path / "sys" / "fs" / "cgroup" / "ci" / "job").mkdir(parents=True)
    (tmp_path / "sys" / "fs" / "cgroup" / "ci" / "job" / "memory.max").write_text("max\n")
    return tmp_path


def test_memory_without_a_limit_is_the_machines(root: Path) -> None:
    assert memory_limit(root) == 16 * 1024**3


def test_memory_limit_of_a_parent_cgroup_counts(root: Path) -> None:
    (root / "sys" / "fs" / "cgroup" / "ci" / "memory.max").write_text("2147483648\n")
    assert memory_limit(root) == 2 * 1024**3


def test_memory_limit_of_a_containers_own_root_counts(root: Path) -> None:
    (root / "proc" / "self" / "cgroup").write_text("0::/\n", encoding="utf-8")
    (root / "sys" / "fs" / "cgroup" / "memory.max").write_text("1073741824\n")
    assert memory_limit(root) == 1024**3


def test_memory_limit_of_the_old_cgroups_counts(root: Path) -> None:
    (root / "proc" / "self" / "cgroup").write_text("4:cpu,cpuacct:/\n3:memory:/job\n")
    folder = root / "sys" / "fs" / "cgroup" / "memory" / "job"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text("536870912\n")
    assert memory_limit(root) == 512 * 1024**2


def test_cores_are_cut_by_a_quota_but_never_to_none(root: Path) -> None:
    (root / "sys" / "fs" / "cgroup" / "ci" / "cpu.max").write_text("50000 100000\n")
    assert usable_cores(root) == 1


def test_quota_of_max_cuts_nothing(root: Path) -> None:
    before = usable_cores(root)
    (root / "sys" / "fs" / "cgroup" / "ci" / "cpu.max").write_text("max 100000\n")
    assert usable_cores(root) == before


def test_this_machine_has_some_of_both() -> None:
    assert memory_limit() > 64 * 1024**2
    assert usable_cores() >= 1


def test_cores_are_counted_where_nobody_tells_an_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delattr(os, "sched_getaffinity")
    assert usable_cores() >= 1
