"""Which installed packages code may read where its prompts leave this machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from hybridgen.domain import Candidate, Interpreter, Label, Observation, Step, StepKind
from hybridgen.label import Labeller, Mark, Rules
from hybridgen.lockdown import probe
from hybridgen.observe.runner import Dropped, Runner, Sandbox
from hybridgen.pipeline.cleared_copy import cleared_copy
from hybridgen.pipeline.packages import Packages
from hybridgen.source import find_project, read_module, select

SANDBOX = Sandbox(is_locked=True, call_timeout=5.0, memory_bytes=2**30)
CODE = """\
import os


def library(name: str) -> str:
    return __import__(name).VALUE


def text(path: str) -> str:
    with open(path) as file:
        return file.read()


def names(folder: str) -> list[str]:
    return sorted(os.listdir(folder))


def paths() -> list[str]:
    import sys
    return [os.path.basename(path) for path in sys.path if path.endswith("-packages")]


def version(name: str) -> str:
    from importlib.metadata import version
    return version(name)


def libraries() -> str:
    import ctypes, decimal, hashlib, json, sqlite3, ssl, zoneinfo
    return str(zoneinfo.ZoneInfo("Europe/Paris"))
"""
PYPROJECT = "[project]\nname = 'shop'\nversion = '1'\n"


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A project's virtual environment with packages of several origins."""
    place = tmp_path / "project" / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    install(place, "tariffs", requires=("Rounding-Rules",))
    install(place, "rounding_rules")
    install(place, "acme", url="file:///home/somebody/acme")
    install(place, "ledgers", classifier="Private :: Do Not Upload")
    return place


def install(
    environment: Path,
    name: str,
    *,
    requires: tuple[str, ...] = (),
    url: str | None = None,
    classifier: str = "Topic :: Office/Business",
    package: str | None = None,
) -> Path:
    """What an installer leaves; the package's value is its name with ``zebra``."""
    folder = site(environment)
    package = package or name
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (folder / package).mkdir(parents=True, exist_ok=True)
    init = f"{package}/__init__.py"
    (folder / init).write_text(f"VALUE = 'zebra-{name}'\n")
    needed = "".join(f"Requires-Dist: {one}>=1; python_version > '3'\n" for one in requires)
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nClassifier: {classifier}\n"
    (info / "METADATA").write_text(about + needed)
    if url is not None:
        (info / "direct_url.json").write_text(f'{{"url": "{url}"}}')
    (info / "RECORD").touch()
    files = [init, *(f"{info.name}/{entry.name}" for entry in info.iterdir())]
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in [*files, "../../bin/tool"]))
    return folder / package


def site(environment: Path) -> Path:
    [folder] = environment.glob("lib/python3*/site-packages")
    return folder


def interpreter_of(environment: Path) -> Interpreter:
    return find_project(environment.parent / "shop.py", python=None, tests=None).interpreter


Look = Callable[..., str]


@pytest.fixture
def look(tmp_path: Path, environment: Path) -> Look:
    """What one call shows in a cleared copy, with the packages that are named."""
    assert probe().is_full
    root = environment.parent
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "shop.py").write_text(CODE)
    mark = Mark("shop.py", Label.PUBLIC, "user file", needs_trust=False)
    labeller = Labeller(root, Rules((mark,), (), Label.PUBLIC, ""))
    project = find_project(root / "shop.py", python=None, tests=None)
    module = read_module(select([str(root / "shop.py")])[0], project, labeller)
    assert project.interpreter.path == environment / "bin" / "python"

    def call(code: str, *named: str, label: Label = Label.PUBLIC) -> str:
        packages = Packages(project.interpreter, {label: named})
        copy = cleared_copy(module, labeller, tmp_path / "copy", packages).module
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        runner = Runner(copy, SANDBOX, scratch)
        try:
            runner.open()
            seen = runner.run(
                Candidate("look", (Step(StepKind.PROBE, code),), Label.PUBLIC, "test")
            )
        finally:
            runner.close()
        assert isinstance(seen, Observation | Dropped)
        return str(seen)

    return call


def test_package_that_nobody_named_is_not_there_in_a_cleared_copy(look: Look) -> None:
    seen = look("library('tariffs')")
    assert "zebra" not in seen
    assert "ModuleNotFoundError" in seen


def test_package_that_was_named_can_be_imported_with_its_metadata(look: Look) -> None:
    assert "zebra-tariffs" in look("library('tariffs')", "tariffs")


def test_metadata_of_a_named_package_is_found(look: Look) -> None:
    assert "1.0" in look("version('tariffs')", "tariffs")


def test_files_of_other_packages_cannot_be_read_by_path(look: Look, environment: Path) -> None:
    file = site(environment) / "acme" / "__init__.py"
    assert "PermissionError" in look(f"text({str(file)!r})", "tariffs")


def test_names_of_what_is_installed_in_the_environment_are_not_told(
    look: Look, environment: Path
) -> None:
    assert "PermissionError" in look(f"names({str(site(environment))!r})", "tariffs")


def test_only_our_folder_of_packages_is_on_the_path(look: Look) -> None:
    assert "['copy-packages']" in look("paths()", "tariffs")


def test_standard_library_is_whole_without_packages(look: Look) -> None:
    assert "Europe/Paris" in look("libraries()")


def readable(environment: Path, *named: str, label: Label = Label.PUBLIC) -> set[str]:
    named_for: Mapping[Label, tuple[str, ...]] = {label: named}
    found = Packages(interpreter_of(environment), named_for).readable(Label.PUBLIC)
    return {path.name for path in found if path.suffix != ".dist-info"}


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ((), set()),
        (("Rounding.Rules",), {"rounding_rules"}),
        (("*",), {"tariffs", "rounding_rules"}),
        (("*", "!tar*"), {"rounding_rules"}),
        (("acme",), {"acme"}),
        (("a*", "ledgers"), {"ledgers"}),
        (("acme", "!acme"), set()),
    ],
)
def test_patterns_name_packages_and_private_ones_only_by_whole_name(
    environment: Path, named: tuple[str, ...], expected: set[str]
) -> None:
    assert readable(environment, *named) == expected


def test_package_named_for_a_server_in_the_building_is_not_public(environment: Path) -> None:
    assert readable(environment, "tariffs", label=Label.INTERNAL) == set()


def test_package_with_a_file_that_no_installer_recorded_stays_closed(environment: Path) -> None:
    (site(environment) / "tariffs" / "ours.py").write_text("VALUE = 1\n")
    assert readable(environment, "*") == {"rounding_rules"}


def test_package_with_a_link_stays_closed(environment: Path) -> None:
    (site(environment) / "tariffs" / "ours").symlink_to(environment)
    assert readable(environment, "*") == {"rounding_rules"}


def test_folder_that_a_closed_package_shares_stays_closed(environment: Path) -> None:
    install(environment, "tariffs_extra", package="tariffs", url="file:///x")
    assert readable(environment, "*") == {"rounding_rules"}


def test_closed_packages_are_told_with_what_they_require(environment: Path) -> None:
    packages = Packages(interpreter_of(environment), {Label.PUBLIC: ["ledgers"]})
    assert packages.closed(["tariffs", "ledgers", "json"], Label.PUBLIC) == (
        "tariffs",
        "rounding-rules",
    )
