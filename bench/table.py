"""Runs one tool on the modules of a set, one at a time, and measures its tests from outside.

    python bench/table.py --set development --tool hybridgen --budget 120
    python bench/table.py --set published --tool coverup --module PACKAGE.MODULE

Each module gives one file, ``bench/results/SET/TOOL/MODULE.json``; one that is there already with
the same settings is skipped, so a table of hours can be stopped and started again. ``bench/
README.md`` says what is measured and how long it takes.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import functools
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from box import can_box
from measure import Judge, Settings
from packages import BENCH, find_module, prepare
from tools import TOOLS, Generated, Job, scrubbed

_SCHEMA = 1
_WITH_MODEL = ("hybridgen-model", "hybridgen-larger", "coverup")


def main() -> None:
    """Runs what is missing."""
    options = _options()
    failed = 0
    for row in _rows(options):
        path = options.results / options.set / options.tool / f"{row['module']}.json"
        if _is_done(path, options):
            print(f"{row['module']}: is there")
            continue
        print(f"{row['module']}: {options.tool}, {options.budget:g} s ...", flush=True)
        try:
            result = _measured(row["pin"], row["module"], options)
        except Exception as error:  # one module must not end a table of hours
            failed += 1
            print(f"{row['module']}: not measured: {type(error).__name__}: {error}", flush=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(f"{row['module']}: {summary(result)}", flush=True)
    sys.exit(1 if failed else 0)


def summary(result: dict[str, Any]) -> str:
    """One line for people."""
    coverage, mutants = result["coverage"], result["mutants"]
    total = coverage["statements"] + coverage["branches"]
    covered = coverage["covered_statements"] + coverage["covered_branches"]
    return (
        f"{result['tests']['cases']} cases, {result['tests']['failed']} failing, "
        f"{result['shuffled']['flaky']} flaky, {100 * covered / max(1, total):.1f} % line+branch, "
        f"{mutants['killed']} of {mutants['sampled']} mutants, "
        f"{result['generation']['seconds']} s + {result['measure_seconds']} s to measure"
        + (f"; {result['generation']['reason']}" if result["generation"]["reason"] else "")
    )


def _measured(pin: str, name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Everything about one module and one tool."""
    package = prepare(pin, options.cache, options.python)
    load = os.getloadavg()[0]
    work = options.cache / "work"
    work.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f"{options.tool}-{name}-", dir=work))
    try:
        project = scratch / "project"
        shutil.copytree(package.source, project)
        module = find_module(project, name)
        job = Job(
            package, project, module, name, options.budget, options.seed, options.cache,
            options.model, options.model_folder, options.hybridgen,
        )  # fmt: skip
        made = TOOLS[options.tool](job)
        made.ran.log.rename(scratch / "generation.txt")
        settings = Settings(options.runs, options.mutants, seed=options.seed)
        judged = Judge(package, project, module, options.cache, settings).measure(made.files)
        if options.tests:
            _save_tests(project, made, options.tests / options.set / options.tool / name)
    finally:
        if not options.keep:
            shutil.rmtree(scratch, ignore_errors=True)
    generation = _generation(made)
    reason = judged.pop("reason")
    generation["reason"] = generation["reason"] or reason
    return {
        "schema": _SCHEMA, "set": options.set, "pin": pin, "module": name, **_identity(options),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": _machine(), "load": round(load, 2),
        "versions": {**_versions(package.python), **made.versions,
                     "needs": list(package.needs)},
        "generation": generation, **judged,
    }  # fmt: skip


def _generation(made: Generated) -> dict[str, Any]:
    return {
        "seconds": round(made.seconds, 1),
        "exit_code": made.ran.code,
        "is_late": made.ran.is_late,
        "tokens": made.tokens,
        "peak_mib": round(made.ran.peak_mib),
        "reason": scrubbed(made.reason) if made.reason else None,
        "said": json.loads(scrubbed(json.dumps(dict(made.said)))),
    }


def _save_tests(project: Path, made: Generated, folder: Path) -> None:
    """Puts a copy of the test files where a person can read them."""
    for file in made.files:
        target = folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(project / file, target)


def _identity(options: argparse.Namespace) -> dict[str, Any]:
    """What makes two results of a module and a tool comparable."""
    model = None
    if options.tool in _WITH_MODEL:
        model = Path(options.model).name if os.sep in options.model else options.model
    return {
        "tool": options.tool, "budget": options.budget, "seed": options.seed, "model": model,
        "settings": asdict(Settings(options.runs, options.mutants, seed=options.seed)),
    }  # fmt: skip


def _is_done(path: Path, options: argparse.Namespace) -> bool:
    if options.again or not path.exists():
        return False
    there = json.loads(path.read_text(encoding="utf-8"))
    wanted = _identity(options)
    if {key: there.get(key) for key in wanted} != wanted:
        sys.exit(
            f"{path} was made with other settings: move it away, give another --results folder, "
            "or say --again"
        )
    return True


@functools.cache
def _machine() -> dict[str, Any]:
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(encoding="utf-8"))
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": cpu.group(1).strip() if cpu else platform.machine(),
        "memory_gib": round(int(memory.group(1)) / 2**20, 1) if memory else None,
        "system": f"{platform.system()} {platform.release()}",
        "box": "namespaces" if can_box() else "none",
    }


def _versions(python: Path) -> dict[str, str]:
    code = (
        "import platform, importlib.metadata as m;"
        "print(platform.python_version(), m.version('pytest'))"
    )
    done = subprocess.run(
        [str(python), "-I", "-c", code], capture_output=True, text=True, check=True
    )
    own, pytest = done.stdout.split()
    pins = (BENCH / "measure.txt").read_text(encoding="utf-8").split()
    measuring = dict(pin.split("==") for pin in pins)
    return {"python": own, "pytest": pytest, **measuring, "cosmic-ray": version("cosmic-ray")}


def _rows(options: argparse.Namespace) -> list[dict[str, str]]:
    with (BENCH / f"{options.set}.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    chosen = [row for row in rows if not options.module or row["module"] in options.module]
    unknown = set(options.module or ()) - {row["module"] for row in chosen}
    if unknown:
        sys.exit(f"not in {options.set}.csv: {', '.join(sorted(unknown))}")
    return chosen


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--set", choices=("published", "development"), required=True)
    add("--tool", choices=tuple(TOOLS), required=True)
    add("--module", action="append", help="only this one; may be given more than once")
    add("--budget", type=float, default=120.0, help="seconds for a module")
    add("--seed", type=int, default=1)
    add("--model", help="name of an installed model, or a .gguf file")
    add("--runs", type=int, default=20, help="shuffled runs")
    add("--mutants", type=int, default=50, help="size of the sample")
    add("--again", action="store_true", help="replace results that are there")
    add("--keep", action="store_true", help="keep the scratch folder")
    add("--tests", type=Path, help="folder for copies of the test files, to read them")
    add("--results", type=Path, default=BENCH / "results")
    add("--cache", type=Path, default=_cache_folder(), help="packages and environments")
    add("--python", default=sys.executable, help="for the packages' environments")
    add("--hybridgen", default="hybridgen", help="the command")
    add("--model-folder", type=Path, help="where hybridgen keeps its models")
    options = parser.parse_args()
    options.cache = options.cache.resolve()
    options.model_folder = options.model_folder or _user_cache() / "hybridgen" / "models"
    if options.tool in _WITH_MODEL and not options.model:
        parser.error(f"{options.tool} needs --model")
    if options.cache.is_relative_to(BENCH.parent):
        parser.error("the cache must lie outside of the checkout")
    return options


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _cache_folder() -> Path:
    return _user_cache() / "hybridgen-bench"


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
