"""Disks, processor, locks and the packages that hybridgen runs on."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from hybridgen.doctor.disk import check_disk
from hybridgen.doctor.installation import check_packages, check_version
from hybridgen.doctor.locks import Demand, check_locks
from hybridgen.doctor.processor import check_graphics, check_processor, cpu_flags
from hybridgen.domain.health import Finding, State
from hybridgen.engine.build import Build, ask_build
from hybridgen.lockdown import LockLevel, probe

X86 = frozenset({"avx", "avx2", "fma"})


def test_folders_of_one_disk_are_one_line(tmp_path: Path) -> None:
    (finding,) = check_disk({"state": tmp_path / "a", "cache": tmp_path / "b" / "c"}, {})
    assert finding.state is State.OK
    assert "state and cache" in finding.text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("free", "state"),
    [(50 * 10**6, State.WRONG), (500 * 10**6, State.WARNING), (5 * 10**9, State.OK)],
)
def test_little_room_is_a_warning_and_hardly_any_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: State
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**12, 10**12 - free, free))
    (finding,) = check_disk({"state": tmp_path}, {})
    assert finding.state is state
    assert (finding.fix is None) == (state is State.OK)


def test_room_for_the_model_that_is_still_to_come_is_reckoned(tmp_path: Path) -> None:
    (finding,) = check_disk({"models": tmp_path}, {"models": 10**18})
    assert finding.state is State.WARNING
    assert "the model for this machine" in finding.details[0]


def test_folder_that_cannot_be_written_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.access  # root may write everywhere, so the answer is given here
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path and real(path, mode))
    wrong, _ = check_disk({"state": tmp_path / "state"}, {})
    assert wrong.state is State.WRONG
    assert str(tmp_path) in wrong.text
    assert f"chmod u+wx {tmp_path}" in str(wrong.fix)
    (fine,) = check_disk({"models": tmp_path / "models"}, {}, complete=("models",))
    assert fine.state is State.OK


def state_of(build: Build, flags: frozenset[str], machine: str = "x86_64") -> Finding:
    (finding,) = check_processor(build, flags, machine)
    return finding


def test_instruction_that_the_build_needs_and_the_processor_lacks_is_wrong() -> None:
    finding = state_of(Build("0.3", frozenset({"AVX2", "AVX512", "OPENMP"}), False), X86)
    assert finding.state is State.WRONG
    assert "AVX512" in finding.text
    assert "OPENMP" not in finding.text
    assert "--no-binary llama-cpp-python" in str(finding.fix)


def test_processor_without_vectors_is_slow_and_not_wrong() -> None:
    finding = state_of(Build("0.3", frozenset({"SSE3"}), False), frozenset({"pni"}))
    assert finding.state is State.WARNING
    assert "slow" in finding.text


def test_build_that_leaves_vectors_unused_is_slow() -> None:
    finding = state_of(Build("0.3", frozenset({"SSE3"}), False), X86 | {"pni"})
    assert finding.state is State.WARNING
    assert "--no-binary llama-cpp-python" in str(finding.fix)


def test_arm_is_asked_for_its_own_vectors() -> None:
    build = Build("0.3", frozenset({"NEON", "DOTPROD"}), False)
    assert state_of(build, frozenset({"asimd", "asimddp"}), "aarch64").state is State.OK
    assert state_of(build, frozenset({"asimd"}), "aarch64").state is State.WRONG


def test_processor_that_says_nothing_of_itself_is_not_judged() -> None:
    build = Build("0.3", frozenset({"AVX2"}), False)
    assert state_of(build, frozenset()).state is State.SKIPPED


def test_this_machine_has_what_its_llama_was_built_for() -> None:
    build = ask_build()
    assert build.features
    assert state_of(build, cpu_flags(), os.uname().machine).state in (State.OK, State.WARNING)


def test_flags_are_read_from_either_kind_of_cpuinfo(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nFeatures\t: fp asimd\n\nprocessor\t: 1\n")
    assert cpu_flags(tmp_path) == {"fp", "asimd"}
    assert cpu_flags(tmp_path / "nowhere") == frozenset()


FOR_PROCESSORS = Build("0.3", frozenset(), False)
FOR_CUDA = Build("0.3", frozenset(), False, frozenset({"cuda"}))
WITH_A_CARD = Build("0.3", frozenset(), True, frozenset({"cuda"}))


def graphics(build: Build, layers: int, root: Path, system: str = "linux") -> Finding:
    (finding,) = check_graphics(build, layers, "user file /x", system=system, root=root)
    return finding


@pytest.mark.parametrize("build", [FOR_PROCESSORS, FOR_CUDA, WITH_A_CARD])
def test_graphics_card_that_nobody_asked_for_is_not_missing(build: Build, tmp_path: Path) -> None:
    finding = graphics(build, 0, tmp_path)
    assert (finding.state, finding.fix) == (State.OK, None)
    assert finding.facts["can_offload"] is build.can_offload


@pytest.fixture
def with_card(tmp_path: Path) -> Path:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvidia0").touch()
    return tmp_path


def test_card_asked_of_a_build_without_support_is_wrong_and_says_how_to_build(
    with_card: Path,
) -> None:
    finding = graphics(FOR_PROCESSORS, -1, with_card)
    assert finding.state is State.WRONG
    assert "gpu_layers = -1 (user file /x)" in finding.text
    assert "built without support" in finding.text
    assert 'CMAKE_ARGS="-DGGML_CUDA=on"' in str(finding.fix)
    assert "gpu_layers = 0" in str(finding.fix)


@pytest.mark.parametrize("build", [FOR_CUDA, WITH_A_CARD])
def test_card_asked_for_and_no_device_file_is_wrong(build: Build, tmp_path: Path) -> None:
    finding = graphics(build, 20, tmp_path)
    assert finding.state is State.WRONG
    assert "no device file" in finding.text
    assert "driver" in str(finding.fix)


def test_card_that_may_not_be_opened_is_wrong(
    with_card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)  # root may open everything
    finding = graphics(WITH_A_CARD, -1, with_card)
    assert finding.state is State.WRONG
    assert "nvidia0 may not be opened" in finding.text
    assert "usermod -aG render,video" in str(finding.fix)


def test_card_that_llama_does_not_find_is_wrong(with_card: Path) -> None:
    finding = graphics(FOR_CUDA, -1, with_card)
    assert finding.state is State.WRONG
    assert "built for cuda, finds none" in finding.text
    assert "nvidia-smi" in str(finding.fix)


def test_card_that_llama_finds_is_fine(with_card: Path) -> None:
    finding = graphics(WITH_A_CARD, -1, with_card)
    assert (finding.state, finding.fix) == (State.OK, None)
    assert finding.facts["gpu_layers"] == -1


def test_only_linux_has_device_files_of_cards(tmp_path: Path) -> None:
    assert graphics(WITH_A_CARD, -1, tmp_path, system="darwin").state is State.OK


def test_real_locks_are_said_claim_by_claim() -> None:
    level = probe()
    (finding,) = check_locks(level, Demand())
    assert finding.state is (State.OK if level.is_full else State.WRONG)
    assert (finding.facts["sockets"], finding.facts["files"]) == (level.sockets, level.files)


def test_kernel_without_a_lock_is_wrong_and_says_which_holds() -> None:
    (finding,) = check_locks(LockLevel(True, False, "no Landlock"), Demand())
    assert finding.state is State.WRONG
    assert "sockets locked" in finding.text
    assert "files" not in finding.text
    assert "docs/sandbox.md" in str(finding.fix)


def test_sandbox_that_is_switched_off_is_a_warning_and_says_where() -> None:
    (finding,) = check_locks(LockLevel(True, True, "all"), Demand(False, sandbox_place="/x"))
    assert finding.state is State.WARNING
    assert "/x" in finding.text


@pytest.mark.parametrize(
    ("level", "minimum", "state"),
    [
        (LockLevel(True, False, "some"), "kernel", State.WRONG),
        (LockLevel(False, True, "some"), "sockets", State.WRONG),
        (LockLevel(True, False, "some"), "sockets", State.WARNING),
        (LockLevel(True, True, "all"), "kernel", State.WARNING),
        (LockLevel(False, False, "none"), "none", State.WARNING),
    ],
)
def test_least_level_holds_also_with_the_sandbox_off(
    level: LockLevel, minimum: str, state: State
) -> None:
    demand = Demand(is_required=False, minimum=minimum, minimum_place="/etc/file")
    (finding,) = check_locks(level, demand)
    assert finding.state is state
    assert ("/etc/file" in finding.text) == (state is State.WRONG)
    assert demand.is_met_by(level) == (state is not State.WRONG)


def test_packages_of_this_installation_are_there() -> None:
    (finding,) = check_packages()
    assert finding.state is State.OK
    assert finding.facts["click"]


def test_missing_and_old_packages_are_wrong_and_named() -> None:
    wanted = ["click>=1", "click<2", "no-such-package-of-anybody", 'other>=1; extra == "more"']
    (finding,) = check_packages(wanted)
    assert finding.state is State.WRONG
    assert any(detail.startswith("click ") and "<2" in detail for detail in finding.details)
    assert "no-such-package-of-anybody is not there" in finding.details
    assert "other" not in finding.facts
    assert "pip install" in str(finding.fix)


def test_own_version_and_python_are_said() -> None:
    (finding,) = check_version()
    assert {"version", "python", "system", "machine"} <= set(finding.facts)
