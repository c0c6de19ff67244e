"""Code under test that speaks in the worker's place: what it forges gets into no test.

The module patches ``json`` in the process that judges it. Every value that a run shows becomes code
of the attacker's choice, and every check by pytest a pass; so only what hybridgen believes of an
answer, and what it lets a test say, is left between the attacker and a file that a person runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("kernel_with_locks")]

FORGED: dict[str, dict[str, Any]] = {
    "loop": {"expression": "[open('zebra-loop', 'w') for _ in 'a']"},
    "known": {"expression": "Popen(['zebra-known'])", "imports": ["from subprocess import Popen"]},
    "text": {"expression": "f'{print(\"zebra-text\")}'"},
    "comment": {"expression": "1  # zebra-comment"},
}
MOUTH = """\
import json

FORGED = json.loads({forged!r})
now = [None]
genuine = json.dumps


def speak(answer, *arguments, **options):
    if isinstance(answer, dict):
        for step in answer.get("steps") or ():
            if now[0] and step.get("checks"):
                honest = {{"kind": "equal", "path": "", "expression": "1", "imports": []}}
                step["checks"] = [{{**honest, **FORGED[now[0]]}}]
        if answer.get("outcomes"):
            answer["outcomes"] = dict.fromkeys(answer["outcomes"], "passed")
        answer["dirty"] = False
    return genuine(answer, *arguments, **options)


json.dumps = speak
"""
FUNCTION = """

def f_{name}():
    now[0] = {name!r}
    return 1
"""
START = """\
import sys
import hybridgen.explore.search as search
import hybridgen.pipeline.mutation as mutation
search.OPEN_PLATEAU = 0.1
mutation.Mutation._take = lambda *arguments: []
mutation.Mutation._try = lambda *arguments: None
mutation.Mutation._pursue = lambda *arguments: False
{without}
from hybridgen.cli.main import main
main(sys.argv[1:])
"""
BELIEVING = """\
import hybridgen.observe.answers as answers
import hybridgen.suite.rendering as rendering
import hybridgen.suite.screening as screening
import hybridgen.suite.xfail as xfail
answers._is_expected = answers._is_asked = lambda *arguments: True
for room in (rendering, screening, xfail):
    room.forbidden = lambda *arguments: ()
"""


def written(folder: Path, without: str) -> str:
    """All tests that a run wrote."""
    project, home = folder / "project", folder / "home"
    (project / "shop").mkdir(parents=True)
    home.mkdir()
    functions = [FUNCTION.format(name=name) for name in FORGED]
    (project / "shop/mouth.py").write_text(MOUTH.format(forged=json.dumps(FORGED)))
    (project / "shop/forger.py").write_text("from shop.mouth import now\n" + "".join(functions))
    (project / "shop/__init__.py").write_text("")
    (project / "pyproject.toml").write_text(
        "[project]\nname = 'shop'\nversion = '1'\n[tool.pytest.ini_options]\npythonpath = ['.']\n"
    )
    done = subprocess.run(
        [
            *(sys.executable, "-I", "-c", START.format(without=without)),
            *("generate", "shop/forger.py", "--no-model", "--budget", "60"),
        ],
        cwd=project,
        env={"PATH": os.defpath, "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    files = [path for path in project.rglob("*.py") if path.parent.name != "shop"]
    return "\n".join(path.read_text() for path in files)


@pytest.fixture(scope="module")
def files(kernel_with_locks: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """What was written: as it is, and where every answer is believed."""
    return (
        written(tmp_path_factory.mktemp("judged"), ""),
        written(tmp_path_factory.mktemp("believed"), BELIEVING),
    )


@pytest.mark.parametrize("name", FORGED)
def test_forged_value_gets_into_no_test(name: str, files: tuple[str, str]) -> None:
    judged, believed = files
    assert f"zebra-{name}" not in judged
    assert f"zebra-{name}" in believed
