"""What the kernel locks cost: for a run, and for each candidate that is observed.

    python bench/locks.py [ROUNDS]

For a run: how long each process takes to lock itself, imports included, in a process of its own.
For a candidate: the same calls in workers with and without locks, in turns, so that whatever else
the machine does meets both. Wanted: less than 100 ms a run, less than 5 ms a candidate.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from hybridgen.domain import Candidate, Label, Module, Step, StepKind
from hybridgen.label import Labeller
from hybridgen.lockdown import LockLevel
from hybridgen.observe import runner as running
from hybridgen.observe.runner import Runner, Sandbox
from hybridgen.source import find_project, read_module, select

CALLS = 200
PROFILES = {
    "broker": "broker_profile()",
    "engine": "engine_profile(Path('/dev/null'))",
    "courier": "courier_profile([443])",
    "puller": "puller_profile(Path('/tmp'))",
}
LOCK = """
import time
begin = time.perf_counter()
from pathlib import Path
from hybridgen.lockdown import *
imported = time.perf_counter()
lock_down({profile})
print(imported - begin, time.perf_counter() - imported)
"""
CODE = "def double(amount: int) -> int:\n    return amount * 2\n"


def spread(values: Sequence[float], scale: float = 1000.0) -> str:
    """Median and range, in milliseconds."""
    shown = (statistics.median(values), min(values), max(values))
    return "{:8.2f} ms  ({:.2f} to {:.2f})".format(*(scale * value for value in shown))


def lock_seconds(profile: str, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds to import ``lockdown`` and to take the locks, each time in a fresh process."""
    imports, locks = [], []
    for _ in range(rounds):
        code = LOCK.format(profile=profile)
        done = subprocess.run(
            [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
        )
        first, second = map(float, done.stdout.split())
        imports.append(first)
        locks.append(second)
    return imports, locks


def module_in(folder: Path) -> Module:
    """A module with one function."""
    (folder / "pyproject.toml").write_text("[project]\nname = 'm'\nversion = '1'\n")
    (folder / "m.py").write_text(CODE)
    project = find_project(folder / "m.py", python=None, tests=None)
    return read_module(select([str(folder / "m.py")])[0], project, Labeller(folder))


def main() -> None:
    """Measures and prints."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    print(f"taking the locks, {rounds} fresh processes each")
    for name, profile in PROFILES.items():
        imports, locks = lock_seconds(profile, rounds)
        print(f"  {name:8} {spread(locks)}   importing what takes them {spread(imports)}")
    candidate = Candidate("double", (Step(StepKind.PROBE, "double(4)"),), Label.PUBLIC, "bench")
    starts: dict[bool, list[float]] = {True: [], False: []}
    calls: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        module = module_in(folder)
        running.probe = lambda: LockLevel(False, False, "none, for comparison")
        for number in range(rounds):
            for is_locked in (True, False):
                scratch = folder / f"scratch-{number}-{is_locked}"
                scratch.mkdir()
                one = Runner(module, Sandbox(is_locked, 5.0, 2**31), scratch)
                begin = time.perf_counter()
                one.open()
                starts[is_locked].append(time.perf_counter() - begin)
                begin = time.perf_counter()
                for _ in range(CALLS):
                    one.run(candidate)
                calls[is_locked].append((time.perf_counter() - begin) / CALLS)
                one.close()
    for what, seconds in (("starting a worker", starts), (f"one of {CALLS} calls", calls)):
        more = [a - b for a, b in zip(seconds[True], seconds[False], strict=True)]
        print(f"{what}\n  locked   {spread(seconds[True])}\n  unlocked {spread(seconds[False])}")
        print(f"  more     {spread(more)}")


if __name__ == "__main__":
    main()
