"""The worker's arcs against coverage.py's own, on modules full of what makes arcs hard."""

import json
import os
import subprocess
import sys
from pathlib import Path

import coverage
import pytest

from hybridgen.observe.measure import measure
from hybridgen.observe.process import WorkerProcess, worker_command

FOLDER = Path(__file__).parent / "arc_modules"
MODULES = sorted(path.stem for path in FOLDER.glob("*.py"))
DRIVER = "import sys; sys.path.insert(0, sys.argv[1]); __import__(sys.argv[2]).main()"


def arcs_of_the_worker(name: str, tmp_path: Path) -> set[tuple[int, int]]:
    folder = tmp_path / "worker"
    folder.mkdir()
    command = worker_command(Path(sys.executable))
    worker = WorkerProcess(command, {"PATH": os.environ["PATH"]}, folder)
    try:
        load = {
            "op": "load",
            "name": name,
            "paths": [str(FOLDER)],
            "file": str(FOLDER / f"{name}.py"),
            "project": str(FOLDER),
            "clock": 0,
        }
        loaded = worker.ask(load, 20)
        assert loaded["ok"], loaded
        step = {"code": "main()", "probe": True, "opinion": None}
        run = {
            "op": "run",
            "imports": [f"from {name} import main"],
            "fixtures": [],
            "steps": [step],
        }
        answer = worker.ask(run, 20)
        assert answer["steps"][0]["status"] == "ok", answer
    finally:
        worker.close()
    return {(first, last) for first, last in [*loaded["arcs"], *answer["arcs"]]}


def arcs_of_coverage(name: str, tmp_path: Path) -> set[tuple[int, int]]:
    data_file = tmp_path / "data"
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER)
    subprocess.run(
        [
            *(sys.executable, "-m", "coverage", "run", "--branch", "--rcfile=/dev/null"),
            *(f"--data-file={data_file}", f"--include={FOLDER}/*", str(driver), str(FOLDER), name),
        ],
        check=True,
        env={**os.environ, "COVERAGE_CORE": "ctrace", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
    )
    data = coverage.CoverageData(basename=str(data_file))
    data.read()
    return set(data.arcs(str(FOLDER / f"{name}.py")) or ())


def test_there_are_ten_modules() -> None:
    assert len(MODULES) == 10


@pytest.mark.parametrize("name", MODULES)
def test_worker_records_the_arcs_that_coverage_records(name: str, tmp_path: Path) -> None:
    expected = arcs_of_coverage(name, tmp_path)
    assert expected
    assert arcs_of_the_worker(name, tmp_path) == expected


@pytest.mark.parametrize("name", ["finals", "layout"])
def test_measure_gives_the_numbers_of_coverages_own_report(name: str, tmp_path: Path) -> None:
    path = FOLDER / f"{name}.py"
    arcs_of_coverage(name, tmp_path)
    reporter = coverage.Coverage(data_file=str(tmp_path / "data"), branch=True, config_file=False)
    reporter.load()
    reporter.json_report(morfs=[str(path)], outfile=str(tmp_path / "report.json"))
    report = json.loads((tmp_path / "report.json").read_text())
    summary = report["files"][next(iter(report["files"]))]["summary"]
    measured = measure(path, arcs_of_the_worker(name, tmp_path))
    assert measured.coverage.pooled == pytest.approx(summary["percent_covered"])
    assert 0 < measured.coverage.pooled < 100
