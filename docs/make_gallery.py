"""Writes docs/gallery.md: what hybridgen makes of three modules of examples/, without a model.

Run ``python docs/make_gallery.py`` to write it, with ``--check`` to compare only (CI does).
The search stops when it finds nothing more, not by the clock, so the same code and seed give the
same text on any machine that is not very slow.
"""

from __future__ import annotations

import argparse
import difflib
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GALLERY = ROOT / "docs" / "gallery.md"
BUDGET = 240  # seconds, far more than the search needs
CUT_SHORT = "time ran out"  # what hybridgen notes when the clock ended something
MODULES = {
    "pricing": "pure functions: tables, and errors by the condition that leads to them",
    "cart": "a class with state: one class of tests, its set-up in a fixture",
    "stock": "coroutines: run to their end by `asyncio.run`, no plug-in needed",
}
HEAD = """\
# What it writes

Three modules of [the example package](../examples/README.md), as they come, and the tests that
hybridgen wrote for them without a model and without a hint. Nothing here was edited:
`python docs/make_gallery.py` makes this page.
"""


def generated(module: str) -> str:
    """The test file that hybridgen writes for a module of ``examples/shop``.

    Raises:
        SystemExit: it wrote none.
        TimeoutError: the clock ended it, so that another run may give another file.
    """
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "examples"
        shutil.copytree(ROOT / "examples", project, ignore=shutil.ignore_patterns("tests"))
        command = [sys.executable, "-m", "hybridgen", "generate", f"shop/{module}.py"]
        options = ["--no-model", "--seed", "0", "--budget", str(BUDGET)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [*command, *options],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        path = project / "tests" / f"test_{module}.py"
        if done.returncode or not path.is_file():
            sys.exit(f"no tests for {module}:\n{done.stdout}{done.stderr}")
        if CUT_SHORT in done.stdout:
            raise TimeoutError(f"{module}: this machine is too slow or too busy:\n{done.stdout}")
        return path.read_text(encoding="utf-8")


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    with ThreadPoolExecutor(2) as pool:  # each is mostly one process at a time
        texts = dict(zip(MODULES, pool.map(generated, MODULES), strict=True))
    for module, what in MODULES.items():
        parts.append(
            f"## {module}: {what}\n\n"
            f"Made from [shop/{module}.py](../examples/shop/{module}.py).\n\n"
            f"```python\n{texts[module]}```\n"
        )
    return "\n".join(parts)


def main() -> int:
    """Writes the page, or compares it with what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    is_check = parser.parse_args().check
    try:
        text = page()
    except TimeoutError as error:
        sys.stdout.write(f"not compared: {error}\n")
        return 0 if is_check else 1
    if not is_check:
        GALLERY.write_text(text, encoding="utf-8")
        return 0
    old = GALLERY.read_text(encoding="utf-8") if GALLERY.is_file() else ""
    lines = difflib.unified_diff(
        old.splitlines(), text.splitlines(), "docs/gallery.md", "now", lineterm=""
    )
    sys.stdout.write("\n".join(lines))
    return int(old != text)


if __name__ == "__main__":
    sys.exit(main())
