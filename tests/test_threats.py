"""The table of promises and threats against the tests, and what holds for the whole package."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import hybridgen
from hybridgen.errors import PolicyRefusal

TESTS = Path(__file__).parent
PACKAGE = Path(hybridgen.__file__).parent
TABLE = (TESTS.parent / "docs" / "threats.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", TABLE)

STARTING = re.compile(
    r"(subprocess\.(run|call|Popen|check_\w+|get\w+)"
    r"|os\.(system|popen|fork\w*|exec\w+|spawn\w+|posix_spawn\w*)"
    r"|asyncio\.create_subprocess_\w+|multiprocessing\.\w+)"
)
STARTERS = {
    "__main__.py": "itself, without $PYTHONPATH",
    "courier/process.py": "python",
    "engine/build.py": "python",
    "engine/process.py": "python",
    "lockdown/launch.py": "what it was told to lock",
    "lockdown/probe.py": "python",
    "modelstore/mirror.py": "python -m pip",
    "observe/process.py": "python, locked",
    "observe/worker_mutants.py": "itself, inside the locks",
    "proof/attacker.py": "true and touch, as an attack",
    "proof/cast.py": "python",
    "proof/proving.py": "python",
    "suite/formatting.py": "ruff",
}


def names_in(path: str) -> frozenset[str]:
    """The functions of a test file."""
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def rows() -> list[str]:
    """The rows of all tables, without heads and rulers."""
    lines = [line for line in TABLE.splitlines() if line.startswith("|")]
    return [
        line for line in lines if "tests that fail without it" not in line and "---" not in line
    ]


@pytest.mark.parametrize("path", sorted({path for path, _ in NAMED}))
def test_every_test_in_the_table_exists(path: str) -> None:
    wanted = {name for place, name in NAMED if place == path}
    assert wanted <= names_in(path)


def test_every_row_names_a_test() -> None:
    found = rows()
    assert len(found) == 10 + 18 + 3  # promises, threats, ledger
    assert [row for row in found if "::test_" not in row] == []


def modules() -> list[tuple[str, ast.Module]]:
    return [
        (path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(PACKAGE.rglob("*.py"))
    ]


MODULES = modules()


def calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def test_every_refusal_says_what_to_do_next() -> None:
    kinds = {PolicyRefusal.__name__, *(kind.__name__ for kind in subclasses(PolicyRefusal))}
    found = [
        (name, call)
        for name, tree in MODULES
        for call in calls(tree)
        if isinstance(call.func, ast.Name) and call.func.id in kinds
    ]
    assert len(found) > 10
    bare = [
        f"{name}:{call.lineno}"
        for name, call in found
        if len(call.args) + len(call.keywords) < 2 or is_none(call)
    ]
    assert bare == []


def subclasses(kind: type) -> list[type]:
    found = kind.__subclasses__()
    return [*found, *(inner for each in found for inner in subclasses(each))]


def is_none(call: ast.Call) -> bool:
    """Whether the hint is None."""
    hint = call.args[1] if len(call.args) > 1 else call.keywords[-1].value
    return isinstance(hint, ast.Constant) and not hint.value


def test_programs_are_started_in_few_places_and_git_in_none() -> None:
    """A repository's hooks, filters and settings for git are run by git only."""
    places = {name for name, tree in MODULES for call in calls(tree) if starts_a_program(call)}
    assert places == set(STARTERS)
    for name, tree in MODULES:
        if name in STARTERS:
            texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
            assert "git" not in texts, name


def starts_a_program(call: ast.Call) -> bool:
    return STARTING.fullmatch(ast.unparse(call.func)) is not None


def test_started_program_is_seen() -> None:
    assert all(starts_a_program(call) for call in calls(ast.parse("subprocess.run(['git'])")))
    assert not starts_a_program(calls(ast.parse("runner.run('git')"))[0])
