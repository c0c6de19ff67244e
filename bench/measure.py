"""What a test file is worth, seen from outside by plain pytest, coverage.py and cosmic-ray.

Everything runs in a box (see ``box.py``) in the scratch folder of the run. Tests that fail on the
code as it is, or in one of the shuffled runs, are counted and left out of what follows.
"""

from __future__ import annotations

import ast
import json
import os
import shlex
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from box import Ran, run_in_box
from packages import BENCH, Module, Package, folder_of, requirements_of

_RUN_SECONDS = 180.0
_MEMORY_GIB = 4.0
_KEPT = {"passed", "xfailed"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Settings:
    """How much is measured.

    Attributes:
        runs: shuffled runs.
        mutants: size of the sample.
        mutant_seconds: limit for each, at least; three clean runs where these take longer.
        seed: of the shuffles and of the sample.
    """

    runs: int = 20
    mutants: int = 50
    mutant_seconds: float = 5.0
    seed: int = 1


class Judge:
    """Measures the tests of one module in one copy of its project."""

    def __init__(
        self, package: Package, project: Path, module: Module, cache: Path, settings: Settings
    ) -> None:
        self._package = package
        self._project = project
        self._module = module
        self._scratch = project.parent
        self._settings = settings
        self._tools = folder_of(cache / "measure", requirements_of("measure.txt"))
        self._left_out: list[str] = []

    def measure(self, files: Sequence[Path]) -> dict[str, Any]:
        """All numbers for the table.

        Args:
            files: test files, relative to the project.
        """
        start = time.monotonic()
        shutil.copytree(self._project, self._backup, symlinks=True)
        outcomes = self._outcomes(files) if files else {}
        broken = {name for name in outcomes if "::" not in name}  # files that cannot be imported
        if broken:
            files = [path for path in files if path.as_posix() not in broken]
            outcomes = {
                **(self._outcomes(files) if files else {}),
                **dict.fromkeys(broken, "failed"),
            }
        self._left_out = sorted(name for name, how in outcomes.items() if how not in _KEPT)
        kept = [name for name in outcomes if outcomes[name] in _KEPT]
        shuffled = self._shuffled(files, kept)
        self._left_out = sorted({*self._left_out, *shuffled.pop("flaky_names")})
        steady = [name for name in kept if name not in self._left_out]
        counts = Counter(outcomes.values())
        is_lost = bool(files) and not outcomes
        return {
            "reason": "pytest did not finish, or found no test" if is_lost else None,
            "tests": {
                **size(self._project, files, steady),
                "cases": len(steady),
                "failed": counts["failed"],
                "skipped": counts["skipped"],
                "xfailed": sum(outcomes[name] == "xfailed" for name in steady),
            },
            "shuffled": shuffled,
            "coverage": self._coverage(files if steady else []),
            "mutants": self._mutants(files if steady else []),
            "measure_seconds": round(time.monotonic() - start, 1),
        }

    @property
    def _backup(self) -> Path:
        return self._scratch / "as-it-was"

    def _restore(self) -> None:
        """Puts the project back as it was: there are tests that delete it."""
        shutil.rmtree(self._project, ignore_errors=True)
        shutil.copytree(self._backup, self._project, symlinks=True)

    def _environment(self, **more: str) -> dict[str, str]:
        root = self._project / self._module.root
        home, temporary = self._scratch / "home", self._scratch / "tmp"
        for folder in (home, temporary):
            folder.mkdir(exist_ok=True)
        left_out = self._scratch / "left-out.json"
        left_out.write_text(json.dumps(self._left_out), encoding="utf-8")
        return {
            "PATH": os.defpath,
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(map(str, (root, BENCH / "plugin", self._tools))),
            "COVERAGE_CORE": "ctrace",
            "BENCH_LEFT_OUT": str(left_out),
            **more,
        }

    def _pytest(self, files: Sequence[Path], *more: str) -> list[str]:
        plug_ins = ("-p", "no:cacheprovider", "-p", "bench_outcomes", f"--rootdir={self._project}")
        return ["-m", "pytest", "-q", *plug_ins, *more, *map(str, files)]

    def _run(self, command: Sequence[str], environment: Mapping[str, str]) -> Ran:
        return run_in_box(
            command, self._scratch, self._project, _RUN_SECONDS, environment,
            memory_gib=_MEMORY_GIB,
        )  # fmt: skip

    def _outcomes(self, files: Sequence[Path], *more: str) -> dict[str, str]:
        """How each test ended; none where pytest did not finish."""
        path = self._scratch / "outcomes.json"
        path.unlink(missing_ok=True)
        options = more or ("-p", "no:randomly")
        command = [str(self._package.python), *self._pytest(files, *options)]
        self._run(command, self._environment(BENCH_OUTCOMES=str(path)))
        if not path.exists():
            return {}
        said: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return said

    def _shuffled(self, files: Sequence[Path], kept: Sequence[str]) -> dict[str, Any]:
        """Runs the kept tests in shuffled orders; one that does not pass each time is flaky."""
        passes = 0
        flaky: set[str] = set()
        runs = self._settings.runs if kept else 0
        green = 0
        for number in range(runs):
            seed = self._settings.seed * 1000 + number
            outcomes = self._outcomes(files, f"--randomly-seed={seed}")
            passed = {name for name in kept if outcomes.get(name) in _KEPT}
            passes += len(passed)
            flaky.update(set(kept) - passed)
            green += len(passed) == len(kept)
        return {
            "runs": runs, "green_runs": green, "case_runs": runs * len(kept),
            "case_passes": passes, "flaky": len(flaky), "flaky_names": sorted(flaky),
        }  # fmt: skip

    def _coverage(self, files: Sequence[Path]) -> dict[str, Any]:
        """Statements and branches of the module, and how many of them the kept tests reach."""
        self._restore()
        data, report = self._scratch / "coverage.data", self._scratch / "coverage.json"
        settings = self._scratch / "coverage.ini"
        module = self._project / self._module.path
        settings.write_text(
            f"[run]\nbranch = true\ndata_file = {data}\nsource = {module.parent}\n",
            encoding="utf-8",
        )
        tool = [str(self._package.python), "-m", "coverage"]
        environment = self._environment()
        body = self._pytest(files, "-p", "no:randomly") if files else [str(BENCH / "nothing.py")]
        self._run([*tool, "run", f"--rcfile={settings}", *body], environment)
        report.unlink(missing_ok=True)
        self._run(
            [*tool, "json", f"--rcfile={settings}", "-q", "-o", str(report),
             f"--include={module}"], environment,
        )  # fmt: skip
        if not report.exists():
            return {"statements": 0, "covered_statements": 0, "branches": 0, "covered_branches": 0}
        [said] = json.loads(report.read_text(encoding="utf-8"))["files"].values()
        numbers = said["summary"]
        return {
            "statements": numbers["num_statements"],
            "covered_statements": numbers["covered_lines"],
            "branches": numbers["num_branches"],
            "covered_branches": numbers["covered_branches"],
            "missing_lines": _ranges(said["missing_lines"]),
        }

    def _mutants(self, files: Sequence[Path]) -> dict[str, Any]:
        """Cosmic-ray's verdict; without tests that pass, every mutant survives."""
        pytest = [str(self._package.python), *self._pytest(files, "-x", "-p", "no:randomly")]
        self._restore()
        clean = self._run(pytest, self._environment()) if files else None
        self._restore()
        is_green = clean is not None and clean.code == 0
        limit = max(self._settings.mutant_seconds, 3 * clean.seconds if clean else 0.0)
        copied = [sys.executable, "-I", str(BENCH / "copied.py"), str(self._project)]
        result, plan = self._scratch / "mutants.json", self._scratch / "plan.json"
        result.unlink(missing_ok=True)
        for cached in self._project.rglob("__pycache__"):
            shutil.rmtree(cached)
        content = {
            "module": str(self._module.path),
            "command": shlex.join([*copied, *pytest]) if is_green else "true",
            "timeout": limit,
            "count": self._settings.mutants,
            "seed": self._settings.seed,
            "session": str(self._scratch / "session.sqlite"),
            "result": str(result),
        }
        plan.write_text(json.dumps(content), encoding="utf-8")
        ran = run_in_box(
            [sys.executable, "-I", str(BENCH / "cosmic.py"), str(plan)], self._scratch,
            self._project, 60 + self._settings.mutants * (limit + 2), self._environment(),
            memory_gib=_MEMORY_GIB,
        )  # fmt: skip
        if not result.exists():
            raise RuntimeError(f"cosmic-ray did not finish: {ran.tail()}")
        said = json.loads(result.read_text(encoding="utf-8"))
        return {"seed": self._settings.seed, "is_green": is_green, **said}


def _ranges(numbers: Sequence[int]) -> str:
    """``[1, 2, 3, 7]`` as ``"1-3, 7"``."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in parts)


def size(project: Path, files: Sequence[Path], kept: Sequence[str]) -> dict[str, int]:
    """Kept test functions, their assertions, and the lines of the files."""
    functions = {name.partition("[")[0] for name in kept}
    assertions = lines = 0
    for path in files:
        text = (project / path).read_text(encoding="utf-8", errors="replace")
        lines += len(text.splitlines())
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue
        for name, node in _tests(tree, path.as_posix()):
            if name in functions:
                assertions += sum(_is_assertion(inner) for inner in ast.walk(node))
    return {
        "files": len(files), "functions": len(functions), "assertions": assertions, "lines": lines,
    }  # fmt: skip


def _tests(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _FUNCTIONS):
            yield f"{prefix}::{child.name}", child
        elif isinstance(child, ast.ClassDef):
            yield from _tests(child, f"{prefix}::{child.name}")


def _is_assertion(node: ast.AST) -> bool:
    """``assert``, ``pytest.raises(...)``, ``pytest.warns(...)``, ``self.assertEqual(...)``."""
    if isinstance(node, ast.Assert):
        return True
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    owner = node.func.value
    if isinstance(owner, ast.Name) and owner.id == "pytest":
        return node.func.attr in ("raises", "warns")
    return (
        isinstance(owner, ast.Name) and owner.id == "self" and node.func.attr.startswith("assert")
    )
