"""Real pytest in a mirror of the project, and the conftest.py that lets it find the sources."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridgen.domain import Module
from hybridgen.observe.runner import Sandbox
from hybridgen.observe.verify import Verifier, conftest_for

Read = Callable[..., Module]

TEST = "from shop import f\n\ndef test_f():\n    assert f() == 1\n"


@pytest.mark.parametrize("sources", ["", "src", 'so "odd'])
@pytest.mark.parametrize("taken", [(), ("tests/unit",), ("tests/unit", "tests")])
def test_conftest_goes_where_none_is_yet_and_lets_pytest_find_the_sources(
    tmp_path: Path, sources: str, taken: tuple[str, ...]
) -> None:
    root, folder = tmp_path / sources, tmp_path / "tests" / "unit"
    folder.mkdir(parents=True)
    root.mkdir(exist_ok=True)
    (root / "shop.py").write_text("def f():\n    return 1\n")
    (folder / "test_shop.py").write_text(TEST)
    for place in taken:
        (tmp_path / place / "conftest.py").write_text("import os\n")
    written = conftest_for(folder, root)
    assert len(written) == 1
    for path, text in written.items():
        assert not path.exists()
        path.write_text(text)
    command = [sys.executable, "-c", "import pytest; raise SystemExit(pytest.main(['-q']))"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def test_no_conftest_is_written_where_every_folder_has_one(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    (tmp_path / "conftest.py").touch()
    (folder / "conftest.py").touch()
    assert conftest_for(folder, tmp_path) == {}


@pytest.fixture
def run_existing(read: Read, sandbox: Sandbox, tmp_path: Path) -> Callable[..., tuple[str, ...]]:
    """Runs one existing test file of a flat project; what passed, then what was complained of."""

    def run_existing(test: str, config: str = "") -> tuple[str, ...]:
        module = read("def f():\n    return 1\n", name="shop.py")
        folder = module.project.root / "tests"
        folder.mkdir()
        (module.project.root / "pytest.ini").write_text(f"[pytest]\n{config}")
        (folder / "test_shop.py").write_text(test)
        scratch = tmp_path / "verifying"
        scratch.mkdir()
        run = Verifier(module, "shop", sandbox, scratch).existing(
            [folder / "test_shop.py"], timeout=30
        )
        return (*(name for name, passed in run.outcomes.items() if passed), *run.errors)

    return run_existing


def test_tests_that_need_the_root_on_the_path_count(
    run_existing: Callable[..., tuple[str, ...]],
) -> None:
    assert run_existing(TEST) == ("test_f",)


def test_complaint_names_the_exception(run_existing: Callable[..., tuple[str, ...]]) -> None:
    (told,) = run_existing("import nowhere_to_be_found\n")
    assert told.endswith("ModuleNotFoundError: No module named 'nowhere_to_be_found'")


def test_complaint_of_pytest_itself_is_told(run_existing: Callable[..., tuple[str, ...]]) -> None:
    (told,) = run_existing(TEST, "required_plugins = pytest-of-nowhere\n")
    assert "Missing required plugins: pytest-of-nowhere" in told


def test_tests_of_one_name_are_told_apart_by_their_classes(
    run_existing: Callable[..., tuple[str, ...]],
) -> None:
    source = (
        "import pytest\nfrom shop import f\n\n\n"
        "class TestBig:\n    def test_f(self):\n        assert f() == 1\n\n\n"
        "class TestSmall:\n    def test_f(self):\n        assert f() == 2\n\n\n"
        '@pytest.mark.parametrize("text", ["a::b[c", "d"])\n'
        "def test_f(text):\n    assert f() == len(text) or text\n"
    )
    *passed, told = run_existing(source)
    assert passed == ["TestBig::test_f", "test_f"]
    assert "TestSmall::test_f" in told


def test_only_the_test_that_was_asked_for_runs(
    read: Read, sandbox: Sandbox, tmp_path: Path
) -> None:
    module = read("def f():\n    return 1\n", name="shop.py")
    folder = module.project.root / "tests"
    folder.mkdir()
    (module.project.root / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (tmp_path / "verifying").mkdir()
    source = "from shop import f\n\n\n" + "\n\n".join(
        f"class Test{name}:\n    def test_f(self):\n        assert f() == {value}\n"
        for name, value in (("Big", 1), ("Small", 2))
    )
    path = folder / "test_shop.py"
    verifier = Verifier(module, "shop", sandbox, tmp_path / "verifying")
    until = time.monotonic() + 60
    passing = verifier.check({path: source}, path, ["TestBig::test_f"], deadline=until)
    assert (passing.failed, passing.import_error) == ({}, None)
    both = ["TestBig::test_f", "TestSmall::test_f"]
    assert verifier.check({path: source}, path, both, deadline=until).failed == {
        "TestSmall::test_f": "together"
    }


@pytest.mark.parametrize(
    "condition",
    [pytest.param("True", id="always"), pytest.param("time.time() > START", id="at another time")],
)
def test_only_the_test_that_hangs_is_dropped(
    read: Read, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, condition: str
) -> None:
    module = read("def f():\n    return 1\n", name="shop.py")
    root = module.project.root
    (root / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (tmp_path / "verifying").mkdir()
    source = (
        f"import time\nfrom shop import f\n\nSTART = {time.time() + 86_400}\n\n\n"
        "def test_a():\n    assert f() == 1\n\n\n"
        f"def test_b():\n    while {condition}:\n        f()\n"
    )
    path = root / "test_shop.py"
    verifier = Verifier(module, "shop", sandbox, tmp_path / "verifying")
    assert verifier.finds_module(path, timeout=60)
    monkeypatch.setattr("hybridgen.observe.verify.SHORTEST_TIMEOUT", 2.0)
    until = time.monotonic() + 2
    checked = verifier.check({path: source}, path, ["test_a", "test_b"], deadline=until)
    assert (checked.failed, checked.import_error) == ({"test_b": "timeout"}, None)
