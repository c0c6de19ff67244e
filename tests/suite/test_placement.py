"""Where files go, and that they are written whole or not at all."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hybridgen import suite
from hybridgen.domain import ImportName, Label, Module, TestFile
from hybridgen.errors import PolicyRefusal, SourceError


def file_at(path: Path, text: str, previous: str | None = None) -> TestFile:
    return TestFile(path, text, previous, ("test_a",), Label.CONFIDENTIAL)


def place(module: Module, *existing: Path) -> Path:
    return suite.test_path(module, replace(module.project, existing_tests=existing))


def test_new_file_is_flat_in_the_tests_folder(pricing: Module) -> None:
    assert place(pricing) == pricing.project.tests_folder / "test_pricing.py"


@pytest.mark.parametrize("mirror", ["shop/sub", "sub"])
def test_sub_folders_are_mirrored_where_the_tests_do_so(
    make_module: Callable[..., Module], mirror: str
) -> None:
    module = make_module("x = 1\n", "shop.sub.core")
    folder = module.project.tests_folder
    assert place(module) == folder / "test_core.py"
    (folder / mirror).mkdir(parents=True)
    assert place(module) == folder / mirror / "test_core.py"


def test_file_of_another_module_with_that_name_is_left_alone(
    make_module: Callable[..., Module],
) -> None:
    module = make_module("x = 1\n", "shop.sub.core")
    folder = module.project.tests_folder
    folder.mkdir()
    (folder / "test_core.py").write_text("from shop.other.core import y\n", encoding="utf-8")
    assert place(module) == folder / "test_sub_core.py"
    (folder / "test_core.py").write_text("from shop.sub import core\n", encoding="utf-8")
    assert place(module) == folder / "test_core.py"
    (folder / "test_core.py").write_text("import pytest\n", encoding="utf-8")
    assert place(module) == folder / "test_core.py"


def test_existing_test_of_the_module_is_found_wherever_it_is(pricing: Module) -> None:
    elsewhere = pricing.project.tests_folder / "unit" / "pricing_test.py"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_text("import shop.pricing\n", encoding="utf-8")
    assert place(pricing, elsewhere) == elsewhere
    elsewhere.write_text("import other.pricing\n", encoding="utf-8")
    assert place(pricing, elsewhere) == pricing.project.tests_folder / "test_pricing.py"


def test_twin_in_another_folder_without_packages_gets_another_name(pricing: Module) -> None:
    twin = pricing.project.tests_folder / "unit" / "test_pricing.py"
    twin.parent.mkdir(parents=True)
    twin.write_text("import other\n", encoding="utf-8")
    assert place(pricing, twin) == pricing.project.tests_folder / "test_shop_pricing.py"


def test_package_is_tested_by_its_name(pricing: Module) -> None:
    names = (ImportName("shop", pricing.project.root, "tests"),)
    init = replace(pricing, path=pricing.path.with_name("__init__.py"), import_names=names)
    assert place(init).name == "test_shop.py"


def test_written_file_keeps_mode_line_ends_and_encoding(tmp_path: Path) -> None:
    path = tmp_path / "test_a.py"
    previous = "# coding: latin-1\r\nNAME = 'Zoë'\r\n"
    path.write_bytes(previous.encode("latin-1"))
    path.chmod(0o640)
    assert suite.read(path) == previous
    suite.write(file_at(path, f"{previous}# more\r\n", previous), root=tmp_path)
    assert path.read_bytes() == f"{previous}# more\r\n".encode("latin-1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [item.name for item in tmp_path.iterdir()] == ["test_a.py"]


def test_byte_order_mark_survives(tmp_path: Path) -> None:
    path = tmp_path / "test_a.py"
    path.write_bytes(b"\xef\xbb\xbfx = 1\n")
    previous = suite.read(path)
    assert previous == "x = 1\n"
    suite.write(file_at(path, "x = 1\ny = 2\n", previous), root=tmp_path)
    assert path.read_bytes() == b"\xef\xbb\xbfx = 1\ny = 2\n"


def test_new_folders_are_made_and_no_file_reads_as_none(tmp_path: Path) -> None:
    path = tmp_path / "tests" / "sub" / "test_a.py"
    assert suite.read(path) is None
    suite.write(file_at(path, "x = 1\n"), root=tmp_path)
    assert path.read_text(encoding="utf-8") == "x = 1\n"


@pytest.mark.parametrize("previous", [None, "x = 1\n"])
def test_file_that_changed_meanwhile_is_not_overwritten(
    tmp_path: Path, previous: str | None
) -> None:
    path = tmp_path / "test_a.py"
    path.write_text("x = 2\n", encoding="utf-8")
    with pytest.raises(SourceError, match="changed while"):
        suite.write(file_at(path, "y = 1\n", previous), root=tmp_path)
    assert path.read_text(encoding="utf-8") == "x = 2\n"


def test_file_that_vanished_is_not_written_again(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="changed while"):
        suite.write(file_at(tmp_path / "test_a.py", "y = 1\n", "x = 1\n"), root=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_folder", [True, False])
def test_link_out_of_the_project_is_refused(tmp_path: Path, is_folder: bool) -> None:
    root, outside = tmp_path / "project", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    victim = outside / "test_a.py"
    victim.write_text("x = 1\n", encoding="utf-8")
    path = root / "tests" / "test_a.py"
    if is_folder:
        path.parent.symlink_to(outside)
    else:
        path.parent.mkdir()
        path.symlink_to(victim)
    with pytest.raises(PolicyRefusal, match="leads out of the project"):
        suite.write(file_at(path, "y = 1\n", "x = 1\n"), root=root)
    assert victim.read_text(encoding="utf-8") == "x = 1\n"


def test_link_inside_the_project_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real.py"
    real.write_text("x = 1\n", encoding="utf-8")
    path = tmp_path / "test_a.py"
    path.symlink_to(real)
    suite.write(file_at(path, "y = 1\n", "x = 1\n"), root=tmp_path)
    assert path.is_symlink()
    assert real.read_text(encoding="utf-8") == "y = 1\n"


def test_killed_writer_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "test_a.py"
    path.write_text("x = 0\n", encoding="utf-8")
    script = (
        "import itertools, pathlib, sys\n"
        "from hybridgen import suite\n"
        "from hybridgen.domain import Label, TestFile\n"
        "path, root = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])\n"
        "print('ready', flush=True)\n"
        "for n in itertools.count():\n"
        "    text = f'x = {n}\\n' * 50_000\n"
        "    suite.write(TestFile(path, text, suite.read(path), (), Label.PUBLIC), root=root)\n"
    )
    for delay in (0.02, 0.05, 0.11):
        command = [sys.executable, "-c", script, str(path), str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
        lines = set(path.read_text(encoding="utf-8").splitlines())
        assert len(lines) == 1
    suite.write(file_at(path, "x = 1\n", suite.read(path)), root=tmp_path)
    assert [item.name for item in tmp_path.iterdir()] == ["test_a.py"]


def test_unwritable_folder_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "tests").write_text("a file, not a folder", encoding="utf-8")
    with pytest.raises(SourceError, match=r"test_a\.py cannot be written"):
        suite.write(file_at(tmp_path / "tests" / "test_a.py", "x = 1\n"), root=tmp_path)


def test_diff_shows_new_and_changed_files() -> None:
    new = suite.diff(file_at(Path("t.py"), "x = 1\n"), "tests/t.py")
    assert new == "--- /dev/null\n+++ b/tests/t.py\n@@ -0,0 +1 @@\n+x = 1\n"
    changed = suite.diff(file_at(Path("t.py"), "x = 1\ny = 2\n", "x = 1"), "tests/t.py")
    assert "-x = 1\n\\ No newline at end of file\n+x = 1\n+y = 2\n" in changed


def test_undecodable_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "test_a.py"
    path.write_bytes(b"x = '\xff'\n")
    with pytest.raises(SourceError, match="encoding"):
        suite.read(path)


def test_umask_decides_the_mode_of_a_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        suite.write(file_at(tmp_path / "test_a.py", "x = 1\n"), root=tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "test_a.py").stat().st_mode) == 0o640
