from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from hybridgen.errors import SourceError
from hybridgen.source import Selection, find_project, read_module

CODE = "def f():\n    return 1\n"


def names(module, root: Path) -> list[tuple[str, str]]:
    return [(name.name, str(name.root.relative_to(root))) for name in module.import_names]


def read_at(root: Path, name: str):
    return read_module(
        Selection(root / name, None), find_project(root / name, python=None, tests=None)
    )


def venv_with(root: Path, files: dict[str, str]) -> Path:
    """A virtual environment of the project with these files in its site-packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True)
    site = next((root / ".venv" / "lib").glob("python3*/site-packages"))
    for name, text in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    return site


@pytest.mark.parametrize(
    ("files", "path", "expected"),
    [
        ({}, "mod.py", ("mod", ".")),
        ({"pkg/__init__.py": ""}, "pkg/mod.py", ("pkg.mod", ".")),
        ({}, "pkg/__init__.py", ("pkg", ".")),
        ({"a/__init__.py": "", "a/b/__init__.py": ""}, "a/b/c.py", ("a.b.c", ".")),
        ({"src/pkg/__init__.py": ""}, "src/pkg/mod.py", ("pkg.mod", "src")),
        ({}, "src/mod.py", ("mod", "src")),
        ({}, "src/ns/pkg/mod.py", ("ns.pkg.mod", "src")),
        ({"lib/pkg/__init__.py": ""}, "lib/pkg/mod.py", ("pkg.mod", "lib")),
        ({}, "scripts/tool.py", ("tool", "scripts")),
        ({"my-app/pkg/__init__.py": ""}, "my-app/pkg/mod.py", ("pkg.mod", "my-app")),
        (
            {"pyproject.toml": '[tool.setuptools]\npackage-dir = {"" = "python"}'},
            "python/ns/mod.py",
            ("ns.mod", "python"),
        ),
        (
            {"pyproject.toml": '[tool.setuptools.packages.find]\nwhere = ["py", "lib"]'},
            "lib/ns/mod.py",
            ("ns.mod", "lib"),
        ),
        (
            {"pyproject.toml": '[tool.setuptools]\npackage-dir = {"pkg" = "lib/pkg"}'},
            "lib/pkg/sub/mod.py",
            ("pkg.sub.mod", "lib"),
        ),
        (
            {"setup.cfg": "[options]\npackage_dir =\n    =lib\n"},
            "lib/ns/mod.py",
            ("ns.mod", "lib"),
        ),
        (
            {"setup.py": "from setuptools import *\nsetup(packages=find_packages('lib'))"},
            "lib/ns/mod.py",
            ("ns.mod", "lib"),
        ),
        (
            {"setup.py": "import setuptools\nsetuptools.setup(package_dir={'': 'lib'})"},
            "lib/ns/mod.py",
            ("ns.mod", "lib"),
        ),
        (
            {"pyproject.toml": '[tool.poetry]\npackages = [{include = "ns", from = "lib"}]'},
            "lib/ns/mod.py",
            ("ns.mod", "lib"),
        ),
        (
            {"pyproject.toml": '[tool.hatch.build.targets.wheel]\npackages = ["lib/ns"]'},
            "lib/ns/mod.py",
            ("ns.mod", "lib"),
        ),
        (
            {"pyproject.toml": '[tool.hatch.build.targets.wheel]\nsources = ["lib"]'},
            "lib/ns/mod.py",
            ("ns.mod", "lib"),
        ),
        (
            {"pyproject.toml": '[tool.pytest.ini_options]\npythonpath = "lib"'},
            "lib/ns/mod.py",
            ("ns.mod", "lib"),
        ),
        (
            {"pyproject.toml": '[tool.setuptools]\npackage-dir = {"" = "../../elsewhere"}'},
            "lib/mod.py",
            ("mod", "lib"),
        ),
        ({"pyproject.toml": "[tool]\nsetuptools = 3\npoetry = []"}, "mod.py", ("mod", ".")),
    ],
)
def test_best_name_follows_settings_then_layout(make, files, path, expected) -> None:
    root = make({"pyproject.toml": "", **files, path: CODE})
    assert names(read_at(root, path), root)[0] == expected


def test_namespace_package_is_known_by_the_imports_of_the_module_itself(make) -> None:
    root = make(
        {
            "pyproject.toml": "",
            "acme/shop/__init__.py": "",
            "acme/shop/base.py": "",
            "acme/shop/mod.py": "import acme.shop.base\n" + CODE,
        }
    )
    assert names(read_at(root, "acme/shop/mod.py"), root) == [
        ("acme.shop.mod", "."),
        ("shop.mod", "acme"),
    ]


def test_project_may_lie_in_a_folder_that_is_called_like_a_file(make) -> None:
    root = make({"pyproject.toml": "", "mod.py": CODE}, "tool.py")
    assert names(read_at(root, "mod.py"), root)[0] == ("mod", ".")


def test_script_is_known_by_its_siblings(make) -> None:
    root = make(
        {"pyproject.toml": "", "tools/helper.py": "", "tools/run.py": "import helper\n" + CODE}
    )
    assert names(read_at(root, "tools/run.py"), root)[0] == ("run", "tools")


def test_existing_tests_say_how_the_module_is_imported(make) -> None:
    """As in projects whose conftest.py puts a folder on ``sys.path``."""
    root = make(
        {
            "pyproject.toml": "",
            "conftest.py": "import sys; sys.path.insert(0, 'lib')",
            "lib/ns/deep/mod.py": CODE,
            "tests/test_mod.py": "from ns.deep.mod import f\n",
        }
    )
    found = names(read_at(root, "lib/ns/deep/mod.py"), root)
    assert found[0] == ("ns.deep.mod", "lib")
    assert set(found[1:]) == {
        ("mod", "lib/ns/deep"),
        ("deep.mod", "lib/ns"),
        ("lib.ns.deep.mod", "."),
    }


def test_relative_imports_rule_out_names_that_are_too_short(make) -> None:
    root = make(
        {
            "pyproject.toml": "",
            "ns/core.py": "",
            "ns/sub/__init__.py": "",
            "ns/sub/mod.py": "from ..core import x\n" + CODE,
        }
    )
    assert names(read_at(root, "ns/sub/mod.py"), root) == [("ns.sub.mod", ".")]


def test_editable_install_by_path_file_comes_first(make) -> None:
    root = make({"pyproject.toml": "", "code_/ns/mod.py": CODE})
    venv_with(root, {"_app.pth": f"# comment\nimport os\n{root / 'code_'}\n/no/such/folder\n"})
    module = read_at(root, "code_/ns/mod.py")
    assert names(module, root)[0] == ("ns.mod", "code_")
    assert "_app.pth" in module.import_names[0].why


def test_editable_install_by_import_finder_comes_first(make) -> None:
    root = make({"pyproject.toml": "", "lib/impl/mod.py": CODE, "lib/one.py": CODE})
    venv_with(
        root,
        {
            "__editable___app_1_0_finder.py": "from __future__ import annotations\n"
            f"MAPPING: dict[str, str] = {{'app': {str(root / 'lib/impl')!r}, "
            f"'one': {str(root / 'lib/one')!r}}}\nraise SystemExit('never run')\n"
        },
    )
    module = read_at(root, "lib/impl/mod.py")
    assert names(module, root)[0] == ("app.mod", ".")
    assert "editable" in module.import_names[0].why
    assert names(read_at(root, "lib/one.py"), root)[0] == ("one", "lib")


def test_linked_package_in_site_packages_comes_first(make) -> None:
    root = make({"pyproject.toml": "", "lib/ns/mod.py": CODE})
    site = venv_with(root, {})
    (site / "ns").symlink_to(root / "lib/ns")
    assert names(read_at(root, "lib/ns/mod.py"), root)[0] == ("ns.mod", "lib")


def test_installed_copy_names_the_module_but_the_root_is_the_projects(make) -> None:
    """``pip install .`` leaves a second copy; the name is right, its file is the wrong one."""
    root = make({"pyproject.toml": "", "lib/ns/mod.py": CODE})
    venv_with(
        root,
        {
            "ns/mod.py": CODE,
            "app-1.dist-info/direct_url.json": f'{{"url": "file://{root}", "dir_info": {{}}}}',
            "app-1.dist-info/RECORD": "mod.py,,\nns/mod.py,sha256=x,10\nns/other.py,,\n",
            "bad-1.dist-info/direct_url.json": "[broken",
        },
    )
    module = read_at(root, "lib/ns/mod.py")
    assert names(module, root)[0] == ("ns.mod", "lib")
    assert "installed from this project" in module.import_names[0].why


def test_editable_install_of_a_flat_project_does_not_make_packages_of_its_other_folders(make):
    root = make(
        {
            "pyproject.toml": "",
            "app/__init__.py": CODE,
            "examples/shop/__init__.py": "",
            "examples/shop/mod.py": CODE,
        }
    )
    venv_with(root, {"_app.pth": str(root)})
    assert names(read_at(root, "examples/shop/mod.py"), root)[0] == ("shop.mod", "examples")
    assert "_app.pth" in read_at(root, "app/__init__.py").import_names[0].why


def test_real_editable_install_is_understood(make) -> None:
    """Whatever the installed setuptools writes today."""
    if importlib.util.find_spec("setuptools") is None or importlib.util.find_spec("pip") is None:
        pytest.skip("needs setuptools and pip")
    root = make(
        {
            "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n'
            'build-backend = "setuptools.build_meta"\n[project]\nname = "app"\nversion = "1"\n'
            '[tool.setuptools]\npackages = ["app"]\npackage-dir = {"app" = "implementation"}\n',
            "implementation/__init__.py": "",
            "implementation/mod.py": CODE,
        }
    )
    site = venv_with(root, {})
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q"),
            *("--no-index", "--no-build-isolation", "--no-deps", "--target", str(site), "-e"),
            str(root),
        ],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip(f"cannot install here: {done.stderr[-200:]}")
    assert read_at(root, "implementation/mod.py").import_names[0].name == "app.mod"


@pytest.mark.parametrize(
    ("path", "better"),
    [
        ("my-script.py", "my_script.py"),
        ("2fast.py", "module_2fast.py"),
        ("class.py", "module_class.py"),
        ("a b.py", "a_b.py"),
        ("my-pkg/__init__.py", "my_pkg"),
    ],
)
def test_name_that_no_import_can_hold_is_refused_with_a_better_one(make, path, better) -> None:
    root = make({"pyproject.toml": "", path: CODE})
    with pytest.raises(SourceError) as caught:
        read_at(root, path)
    assert "import" in caught.value.message
    assert caught.value.hint == f"rename it to {better}"


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({}, "calendar.py"),
        ({}, "src/calendar.py"),
        ({"code/__init__.py": ""}, "code/mod.py"),
        ({}, "email/__init__.py"),
    ],
)
def test_module_that_shadows_the_standard_library_is_refused(make, files, path) -> None:
    root = make({"pyproject.toml": "", **files, path: CODE})
    with pytest.raises(SourceError) as caught:
        read_at(root, path)
    assert "standard library" in caught.value.message
    assert "rename" in (caught.value.hint or "")


def test_name_of_the_standard_library_inside_a_package_is_fine(make) -> None:
    root = make({"pyproject.toml": "", "shop/__init__.py": "", "shop/calendar.py": CODE})
    assert names(read_at(root, "shop/calendar.py"), root) == [("shop.calendar", ".")]


def test_relative_import_out_of_every_package_is_refused(make) -> None:
    root = make({"pyproject.toml": "", "mod.py": "from ..above import x\n" + CODE})
    with pytest.raises(SourceError, match="relative import"):
        read_at(root, "mod.py")


def test_candidates_really_import_the_file(make) -> None:
    """The first candidate of several layouts, tried by a real Python."""
    root = make(
        {
            "pyproject.toml": "",
            "src/ns/pkg/mod.py": CODE,
            "flat/__init__.py": "",
            "flat/mod.py": "from . import __name__ as own\n" + CODE,
            "tools/helper.py": "",
            "tools/run.py": "import helper\n" + CODE,
        }
    )
    for path in ("src/ns/pkg/mod.py", "flat/mod.py", "tools/run.py"):
        name = read_at(root, path).import_names[0]
        program = (
            f"import sys; sys.path.insert(0, {str(name.root)!r}); import importlib; "
            f"print(importlib.import_module({name.name!r}).__file__)"
        )
        done = subprocess.run(
            [sys.executable, "-IB", "-c", program], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == str(root / path)
