from __future__ import annotations

from pathlib import Path

import pytest

from hybridgen.errors import SourceError, UsageError
from hybridgen.source import find_project


def project(path: Path, tests: str | None = None):
    return find_project(path, python=None, tests=tests)


@pytest.mark.parametrize("marker", ["pyproject.toml", "setup.py", "setup.cfg", "hybridgen.toml"])
def test_root_is_the_nearest_folder_with_a_marker(make, marker) -> None:
    root = make({"pyproject.toml": "", f"libs/one/{marker}": "", "libs/one/src/a/b.py": ""})
    assert project(root / "libs/one/src/a/b.py").root == root / "libs/one"


def test_git_ends_the_search(make) -> None:
    root = make({"pyproject.toml": "", "repo/.git/HEAD": "", "repo/lib/a.py": ""})
    assert project(root / "repo/lib/a.py").root == root / "repo"


def test_marker_deep_inside_a_package_is_not_a_root(make) -> None:
    root = make(
        {
            "pyproject.toml": "",
            "pkg/__init__.py": "",
            "pkg/core/__init__.py": "",
            "pkg/core/setup.py": "",
            "pkg/core/a.py": "",
        }
    )
    assert project(root / "pkg/core/a.py").root == root


def test_without_markers_the_root_is_above_the_topmost_package(make) -> None:
    root = make({"lib/a/__init__.py": "", "lib/a/b/__init__.py": "", "lib/a/b/c.py": ""})
    assert project(root / "lib/a/b/c.py").root == root / "lib"


def test_lone_script_has_its_folder_as_root(make) -> None:
    root = make({"a.py": ""})
    assert project(root / "a.py").root == root


def test_code_directly_in_the_home_folder_is_refused(make, monkeypatch) -> None:
    root = make({"a.py": "", "pyproject.toml": "", "own/b.py": ""})
    monkeypatch.setenv("HOME", str(root))
    with pytest.raises(SourceError, match="directly in"):
        project(root / "a.py")
    assert project(root / "own/b.py").root == root / "own"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "tests"),
        ({"tests/test_a.py": ""}, "tests"),
        ({"test/test_a.py": ""}, "test"),
        ({"pkg/__init__.py": "", "pkg/tests/test_a.py": ""}, "pkg/tests"),
        (
            {
                "pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["src", "checks/tests"]',
                "src/x.py": "",
                "checks/tests/test_a.py": "",
                "tests/test_b.py": "",
            },
            "checks/tests",
        ),
        (
            {
                "pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = "testing other"',
                "testing/test_a.py": "",
            },
            "testing",
        ),
        ({"pytest.ini": "[pytest]\ntestpaths = spec\n", "spec/test_a.py": ""}, "spec"),
        ({"tox.ini": "[pytest]\ntestpaths =\n  spec\n", "spec/test_a.py": ""}, "spec"),
        ({"setup.cfg": "[tool:pytest]\ntestpaths = spec\n", "spec/test_a.py": ""}, "spec"),
        (
            {"pytest.ini": "[pytest]\ntestpaths = pkg\n", "pkg/tests/test_a.py": ""},
            "pkg/tests",
        ),
        ({"pytest.ini": "[pytest]\ntestpaths = ../../elsewhere .\n"}, "tests"),
        ({"pytest.ini": "[pytest]\ntestpaths = /etc\n"}, "tests"),
        ({"pyproject.toml": "= broken", "test/test_a.py": ""}, "test"),
        ({"pytest.ini": "no section", "test/test_a.py": ""}, "test"),
    ],
)
def test_tests_folder_is_what_pytest_and_convention_say(make, tmp_path, files, expected) -> None:
    (tmp_path.parent / "elsewhere").mkdir(exist_ok=True)
    root = make({"pyproject.toml": "", "pkg/a.py": "", **files})
    assert project(root / "pkg/a.py").tests_folder == root / expected


def test_named_tests_folder_wins_and_need_not_exist(make, monkeypatch) -> None:
    root = make({"pyproject.toml": "", "a.py": "", "tests/test_a.py": ""})
    monkeypatch.chdir(root)
    assert project(root / "a.py", tests="spec/unit").tests_folder == root / "spec/unit"


def test_named_tests_folder_that_is_a_file_is_a_usage_error(make) -> None:
    root = make({"a.py": ""})
    with pytest.raises(UsageError, match="is a file"):
        project(root / "a.py", tests=str(root / "a.py"))


def test_tests_folder_outside_the_project_is_refused_found_or_named(make) -> None:
    root = make({"pyproject.toml": "", "a.py": ""})
    outside = make({"test_x.py": ""}, folder="outside")
    (root / "tests").symlink_to(outside)
    with pytest.raises(UsageError, match="out of the project"):
        project(root / "a.py")
    for named in (root / "tests", outside):
        with pytest.raises(UsageError, match="outside of the project"):
            project(root / "a.py", tests=str(named))


def test_folder_that_testpaths_plan_is_preferred_to_one_of_doctests(make) -> None:
    root = make(
        {
            "pytest.ini": "[pytest]\ntestpaths = docs tests\n",
            "pyproject.toml": "",
            "docs/usage.rst": "",
            "lib.py": "",
        }
    )
    assert project(root / "lib.py").tests_folder == root / "tests"


def test_existing_tests_may_have_the_names_that_the_project_asks_pytest_for(make) -> None:
    root = make(
        {
            "pytest.ini": "[pytest]\npython_files = check_*.py\n",
            "pyproject.toml": "",
            "tests/check_one.py": "",
            "tests/other.py": "",
            "lib.py": "",
        }
    )
    assert [path.name for path in project(root / "lib.py").existing_tests] == ["check_one.py"]


def test_existing_tests_are_the_files_that_pytest_collects(make) -> None:
    root = make(
        {
            "a.py": "",
            "tests/test_b.py": "",
            "tests/unit/a_test.py": "",
            "tests/conftest.py": "",
            "tests/helper.py": "",
            "tests/.cache/test_x.py": "",
            "pyproject.toml": "",
            "pytest.ini": "[pytest]\ntestpaths = tests src\n",
            "src/sub/test_c.py": "",
            "src/d.py": "",
            "other/test_e.py": "",
            "test_f.py": "",
            "lib/g.py": "",
            "lib/g_test.py": "",
        }
    )
    assert [str(p.relative_to(root)) for p in project(root / "lib/g.py").existing_tests] == [
        "tests/test_b.py",
        "tests/unit/a_test.py",
        "src/sub/test_c.py",
        "test_f.py",
        "lib/g_test.py",
    ]
