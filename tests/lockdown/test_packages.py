"""What reaches a network reads of all that is installed only what it is made of."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest

from hybridgen.lockdown.packages import own_packages

SITE = Path(sysconfig.get_path("purelib")).resolve()
CHILD = """
import sys
from pathlib import Path
from hybridgen.lockdown import courier_profile, hide_other_packages, lock_down, puller_profile
profile = courier_profile([443]) if sys.argv[1] == "courier" else puller_profile(Path(sys.argv[2]))
lock_down(profile)
hide_other_packages()
for path in sys.argv[3:]:
    try:
        Path(path).open("rb").close()
        print("read", path)
    except PermissionError:
        print("denied", path)
"""


def read_by(process: str, folder: Path, *paths: Path) -> list[bool]:
    command = [sys.executable, "-I", "-c", CHILD, process, str(folder), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [line.startswith("read ") for line in done.stdout.splitlines()]


@pytest.fixture
def beside() -> Path:
    """A package that is installed beside ours, which nothing of ours that sends needs."""
    path = SITE / "grimp" / "__init__.py"
    assert path.is_file()
    return path


def test_packages_are_those_that_were_named_and_what_they_need() -> None:
    found = own_packages("httpx2")
    names = {path.name for path in found.read}
    assert {"hybridgen", "httpx2", "httpcore2", "h11", "idna"} <= names
    assert not names & {"grimp", "mypy", "pytest", "llama_cpp"}
    assert SITE in found.listed
    assert SITE not in found.read


def test_of_a_folder_that_many_share_only_our_part_is_read() -> None:
    pytest.importorskip("google.genai")
    names = {path.relative_to(SITE).as_posix() for path in own_packages("google-genai").read[1:]}
    assert "google/genai" in names
    assert "google" not in names


def test_what_is_not_installed_is_not_needed() -> None:
    assert own_packages("no-such-distribution").read == own_packages().read
    assert own_packages().listed == ()


def test_parts_that_lie_outside_of_where_packages_lie_are_left_out() -> None:
    assert any(".." in file.parts for file in metadata.distribution("pytest").files or ())
    assert all(path.is_relative_to(SITE) for path in own_packages("pytest").read[1:])


@pytest.mark.usefixtures("kernel_with_locks")
def test_courier_reads_no_package_beside_ours_and_no_project_in_a_prefix_or_in_usr(
    tmp_path: Path, beside: Path
) -> None:
    in_prefix, in_usr = Path(sys.prefix) / "pyvenv.cfg", Path("/usr/bin/env")
    ours = SITE / "httpx2" / "__init__.py"
    seen = read_by("courier", tmp_path, ours, beside, in_prefix, in_usr)
    assert seen == [True, False, False, False]


@pytest.mark.usefixtures("kernel_with_locks")
def test_puller_reads_no_project_in_a_prefix_or_in_usr(tmp_path: Path) -> None:
    in_prefix, in_usr = Path(sys.prefix) / "project.py", Path("/usr/bin/env")
    in_prefix.write_text("secret = 1\n")
    try:
        assert read_by("puller", tmp_path, in_prefix, in_usr) == [False, False]
    finally:
        in_prefix.unlink()


@pytest.mark.usefixtures("kernel_with_locks")
@pytest.mark.usefixtures("beside")
def test_import_of_what_may_not_be_read_is_one_of_what_is_not_there(tmp_path: Path) -> None:
    code = CHILD + (
        "import httpx2\n"
        "try:\n    import grimp\nexcept ModuleNotFoundError as error:\n    print(error.name)\n"
    )
    command = [sys.executable, "-I", "-c", code, "courier", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("grimp\n", "")
