"""Coverage numbers of one file: arcs from the worker, denominators from coverage.py."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hybridgen.domain import Arc, Coverage

os.environ.setdefault("COVERAGE_CORE", "ctrace")  # sysmon can mark lines that did not run


@dataclass(frozen=True, slots=True)
class Measured:
    """What coverage.py says about a file and a set of arcs."""

    coverage: Coverage
    missing_lines: frozenset[int]
    missing_branches: frozenset[Arc]


def measure(path: Path, arcs: Iterable[Arc]) -> Measured:
    """Coverage of ``path`` by ``arcs``, as ``coverage --branch`` would report it.

    Percentages are 100 where there is nothing to cover.
    """
    import coverage

    with tempfile.TemporaryDirectory(prefix="hybridgen-") as folder:
        data_file = str(Path(folder) / "data")
        data = coverage.CoverageData(basename=data_file)
        data.add_arcs({str(path): list(arcs)})
        data.write()
        reporter = coverage.Coverage(data_file=data_file, branch=True, config_file=False)
        reporter.load()
        report = Path(folder) / "report.json"
        reporter.json_report(morfs=[str(path)], outfile=str(report), ignore_errors=True)
        files = json.loads(report.read_text())["files"]
    entry = next(iter(files.values()))
    summary = entry["summary"]
    lines, branches = summary["num_statements"], summary["num_branches"]
    covered_lines, covered_branches = summary["covered_lines"], summary["covered_branches"]
    return Measured(
        Coverage(
            line=_percent(covered_lines, lines),
            branch=_percent(covered_branches, branches),
            pooled=_percent(covered_lines + covered_branches, lines + branches),
        ),
        frozenset(entry["missing_lines"]),
        frozenset((first, last) for first, last in entry["missing_branches"]),
    )


def _percent(part: int, whole: int) -> float:
    return 100.0 if whole == 0 else 100.0 * part / whole
