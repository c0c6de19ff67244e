"""How many seeded bugs hybridgen points at: a mutant is put into the source before it runs.

    python bench/seeded.py --cache ~/.cache/bench --out seeded.json [--modules inflection ...]
                           [--mutants 5] [--seed 1] [--budget 20]

For each module of ``development.csv``, in a clean copy: hybridgen runs on the source as it is, and
every suspect there is a false alarm until somebody judged it; then on each sampled mutant (see
``mutants.py``). A mutant counts as flagged if there is a suspect at the mutated function (or its
class, or its methods) that the source as it is does not have; ``elsewhere`` counts those that only
another function gave away. What is done is kept in ``--out`` after each run, and not done again.

Both sources are written by ``ast.unparse``, so that only the mutant is different.
"""

from __future__ import annotations

import argparse
import ast
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from mutants import sources
from packages import BENCH, find_module, prepare

Suspects = list[dict[str, str]]


def function_at(text: str, line: int) -> str:
    """The qualified name of the innermost definition around a line, "" for none."""
    found, width = "", sys.maxsize
    for node, name in definitions(ast.parse(text), ""):
        end = node.end_lineno or node.lineno
        if node.lineno <= line <= end and end - node.lineno < width:
            found, width = name, end - node.lineno
    return found


def definitions(
    tree: ast.AST, prefix: str
) -> list[tuple[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, str]]:
    """All functions and classes with their qualified names."""
    found = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append((node, prefix + node.name))
            found += definitions(node, f"{prefix}{node.name}.")
        else:
            found += definitions(node, prefix)
    return found


def suspects_of(project: Path, path: Path, python: Path, options: argparse.Namespace) -> Suspects:
    """What hybridgen reports on a module, without a model and without writing anything."""
    command = [
        *(*options.hybridgen.split(), "generate", str(project / path), "--json", "--diff"),
        *("--python", str(python), "--budget", str(options.budget), "--suspects", "report"),
        *("--seed", str(options.seed)),
    ]
    with tempfile.TemporaryDirectory() as nothing:
        environment = {**os.environ, "HYBRIDGEN_MODEL_FOLDER": nothing}
        done = subprocess.run(
            command, cwd=project, capture_output=True, text=True, check=False, env=environment
        )
    try:
        module = json.loads(done.stdout)["modules"][0]
    except (ValueError, LookupError):
        sys.exit(f"hybridgen gave no document for {path}: {done.stderr[-400:]}")
    if module["error"]:
        return [{"target": "", "evidence": f"error: {module['error']}", "strength": "none"}]
    return [{key: str(item[key]) for key in sorted(item)} for item in module["suspects"]]


def key(suspect: dict[str, str]) -> tuple[str, str]:
    """What makes two suspects the same: not the line, which a mutant may move."""
    return suspect["target"], suspect["evidence"].partition(" (")[0]


def verdict(function: str, suspects: Suspects, usual: Suspects) -> dict[str, Any]:
    """Whether there are new suspects, and where."""
    known = {key(suspect) for suspect in usual}
    new = [item for item in suspects if key(item) not in known and item["target"]]
    near = [item for item in new if is_near(item["target"], function)]
    return {
        "flagged": bool(near),
        "strong": any(item["strength"] == "strong" for item in near),
        "elsewhere": bool(new) and not near,
        "evidence": sorted({item["evidence"].partition(" (")[0] for item in near or new}),
    }


def is_near(target: str, function: str) -> bool:
    """True if one is the other, its class or its method."""
    one, other = target.split("."), function.split(".")
    shared = min(len(one), len(other))
    return bool(function) and one[:shared] == other[:shared]


def measure(pin: str, name: str, options: argparse.Namespace, done: dict[str, Any]) -> None:
    """Runs what is not done yet of one module; saves after each run."""
    package = prepare(pin, options.cache, options.python)
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / "project"
        shutil.copytree(package.source, project)
        place = find_module(project, name).path
        original = (project / place).read_text(encoding="utf-8")
        entry = done["modules"].setdefault(name, {"pin": pin, "alarms": None, "mutants": {}})

        def run(text: str) -> Suspects:
            (project / place).write_text(text, encoding="utf-8")
            return suspects_of(project, place, package.python, options)

        if entry["alarms"] is None:
            entry["alarms"] = run(ast.unparse(ast.parse(original)))
            save(done, options.out)
        for line, change, text in sources(original, options.mutants, options.seed):
            label = f"{line}: {change}"
            if label in entry["mutants"]:
                continue
            function = function_at(original, line)
            entry["mutants"][label] = {
                "function": function,
                **verdict(function, run(text), entry["alarms"]),
            }
            save(done, options.out)


def save(done: dict[str, Any], path: Path) -> None:
    """Writes the document; it is whole at any time."""
    mutants = [item for module in done["modules"].values() for item in module["mutants"].values()]
    alarms = [item for module in done["modules"].values() for item in module["alarms"] or ()]
    done["totals"] = {
        "mutants": len(mutants),
        **{
            name: sum(item[name] for item in mutants) for name in ("flagged", "strong", "elsewhere")
        },
        "share_flagged": round(sum(item["flagged"] for item in mutants) / max(1, len(mutants)), 3),
        "alarms": len(alarms),
        "alarms_strong": sum(item["strength"] == "strong" for item in alarms),
    }
    part = path.with_suffix(".part")
    part.write_text(json.dumps(done, indent=1), encoding="utf-8")
    part.replace(path)


def main() -> None:
    """Measures, or goes on measuring."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True, help="folder for packages")
    parser.add_argument("--out", type=Path, required=True, help="the JSON document")
    parser.add_argument("--modules", nargs="*", default=["inflection", "semver.version"])
    parser.add_argument("--mutants", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--budget", type=float, default=20.0)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--hybridgen", default="hybridgen", help="the command")
    options = parser.parse_args()
    options.cache = options.cache.resolve()
    setting = {"seed": options.seed, "budget": options.budget}
    done: dict[str, Any] = {"setting": setting, "modules": {}}
    if options.out.exists():
        done = json.loads(options.out.read_text(encoding="utf-8"))
        if done["setting"] != setting:
            sys.exit(f"{options.out} was measured with {done['setting']}: name another file")
    with (BENCH / "development.csv").open(encoding="utf-8") as file:
        rows = [(row["pin"], row["module"]) for row in csv.DictReader(file)]
    for pin, name in rows:
        if name in options.modules:
            measure(pin, name, options, done)
    print(json.dumps(done.get("totals", {}), indent=1))


if __name__ == "__main__":
    main()
