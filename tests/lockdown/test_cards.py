"""What an engine may open where a graphics card is asked for, in a made-up tree of devices."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hybridgen.lockdown import engine_profile
from hybridgen.lockdown.cards import card_devices, cards, read_by_drivers


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with a card of NVIDIA and one of AMD, and a home folder."""
    root = tmp_path.resolve() / "machine"
    files = (
        *("dev/nvidia0", "dev/nvidia1", "dev/nvidiactl", "dev/nvidia-uvm", "dev/nvidia-modeset"),
        *("dev/nvidia-uvm-tools", "dev/nvidia-caps/nvidia-cap1"),
        *("dev/dri/card0", "dev/dri/renderD128", "dev/kfd", "dev/sda", "dev/tty", "dev/mem"),
        *("proc/driver/nvidia/params", "proc/kcore", "sys/class/kfd", "etc/vulkan/icd.d/radv.json"),
        *("usr/local/cuda-12/lib64/libcudart.so", "home/ann/cuda/lib64/libcudart.so"),
    )
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def names(paths: tuple[Path, ...], root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in paths}


def test_devices_of_cards_are_found_and_no_others(root: Path) -> None:
    devices = {"dev/nvidia0", "dev/nvidia1", "dev/nvidiactl", "dev/nvidia-uvm", "dev/kfd"}
    others = {"dev/dri/renderD128", "dev/nvidia-caps"}
    assert names(card_devices(root), root) == devices | others
    assert names(cards(root), root) == {"dev/nvidia0", "dev/nvidia1", "dev/dri/renderD128"}


def test_drivers_read_their_files_and_nothing_of_a_home_folder(root: Path) -> None:
    (root / "usr/local/cuda").symlink_to(root / "home/ann/cuda")
    (root / "opt").mkdir()
    (root / "opt/cuda").symlink_to(root)  # all there is
    expected = {"sys", "proc/driver/nvidia", "etc/vulkan", "usr/local/cuda-12"}
    assert names(read_by_drivers(root), root) == expected


def test_machine_without_cards_has_no_devices(tmp_path: Path) -> None:
    assert cards(tmp_path) == card_devices(tmp_path) == read_by_drivers(tmp_path) == ()


def test_engine_opens_devices_only_where_a_card_is_asked_for(root: Path) -> None:
    model = root / "home/ann/model.gguf"
    plain, with_card = (engine_profile(model, has_card=has, root=root) for has in (False, True))
    assert with_card.devices == card_devices(root)
    assert (plain.listed, with_card.listed) == ((), (root / "dev/dri",))
    assert (plain.devices, plain.write) == ((), with_card.write)
    assert set(with_card.read) - set(plain.read) == set(read_by_drivers(root))
    assert [path for path in plain.read if path.is_relative_to(root)] == [model]
    assert (plain.name, with_card.name) == ("engine", "offloading engine")


@pytest.mark.usefixtures("kernel_with_locks")
@pytest.mark.parametrize("has_card", [True, False])
def test_locked_engine_opens_the_card_for_writing_only_where_it_is_asked_for(
    root: Path, has_card: bool
) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from hybridgen.lockdown import engine_profile, lock_down\n"
        "root, has_card = Path(sys.argv[1]), sys.argv[2] == 'True'\n"
        "lock_down(engine_profile(root / 'model.gguf', has_card=has_card, root=root))\n"
        "for name in sys.argv[3:]:\n"
        "    try:\n"
        "        (root / name).open('r+b').close()\n"
        "        print('opened', name)\n"
        "    except PermissionError:\n"
        "        pass\n"
    )
    (root / "model.gguf").touch()
    tried = ["dev/nvidia0", "dev/dri/renderD128", "dev/sda", "dev/tty"]
    tried += ["dev/dri/card0", "dev/nvidia-uvm-tools"]
    opened = subprocess.run(
        [sys.executable, "-I", "-c", code, root, str(has_card), *tried],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.splitlines()
    expected = ["opened dev/nvidia0", "opened dev/dri/renderD128"] if has_card else []
    assert opened == expected


@pytest.mark.usefixtures("kernel_with_locks")
@pytest.mark.parametrize("has_card", [True, False])
def test_file_lock_lets_ioctls_reach_the_card_only_where_it_is_asked_for(
    tmp_path: Path, has_card: bool
) -> None:
    """A device that every machine has stands in for a card; the filter would refuse its ioctl."""
    code = (
        "import fcntl, sys; from dataclasses import replace; from pathlib import Path\n"
        "from hybridgen.lockdown import LockLevel, engine_profile, lock_down\n"
        "root, has_card = Path(sys.argv[1]), sys.argv[2] == 'True'\n"
        "profile = engine_profile(root, has_card=has_card, root=root)\n"
        "profile = replace(profile, devices=tuple(map(Path, sys.argv[3:])))\n"
        "lock_down(profile, level=LockLevel(False, True, 'files alone'))\n"
        "with open('/dev/urandom', 'rb') as device:\n"
        "    fcntl.ioctl(device, 0x80045200, bytearray(4))  # RNDGETENTCNT\n"
    )
    devices = ["/dev/urandom"] if has_card else []
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, tmp_path, str(has_card), *devices],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if not has_card and done.returncode == 0:
        pytest.skip("before Linux 6.10 Landlock lets every ioctl through")
    assert (done.returncode == 0) is has_card, done.stderr
    assert has_card or "PermissionError" in done.stderr
