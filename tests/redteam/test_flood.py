"""Code under test that fills the disk, and a test that steers the terminal of a dry run."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("kernel_with_locks")]

START = """\
import sys
import hybridgen.observe.process as process
import hybridgen.observe.runner as runner
import hybridgen.explore.search as search
import hybridgen.pipeline.mutation as mutation
search.OPEN_PLATEAU = 0.1
mutation.Mutation._try = lambda *arguments: None
mutation.Mutation._pursue = lambda *arguments: False
runner.IMPORT_TIMEOUT, process.LARGEST_SCRATCH = 3.0, {largest}
from hybridgen.cli.main import main
main(sys.argv[1:])
"""
FILES_IN_SIGHT = """\
import time
for number in range(100):
    with open(f"part{number}", "wb") as file:
        file.write(bytes(2**23))
    time.sleep(0.1)
"""
FILES_OUT_OF_SIGHT = """\
import tempfile, time
kept = []
for number in range(100):
    kept.append(tempfile.TemporaryFile(buffering=0))
    kept[-1].write(bytes(2**23))
    time.sleep(0.1)
"""
TITLE = "\x1b]0;zebra\x07\u202e"


def run(folder: Path, files: dict[str, str], *arguments: str, largest: int = 2**30) -> str:
    """What is on the terminal after a run."""
    project, home = folder / "project", folder / "home"
    home.mkdir()
    for name, text in {"pyproject.toml": "[project]\nname = 'shop'\n", **files}.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    screen = bytearray()
    master, slave = pty.openpty()

    def read() -> None:
        with contextlib.suppress(OSError):
            while piece := os.read(master, 1 << 16):
                screen.extend(piece)

    reader = threading.Thread(target=read)
    reader.start()
    subprocess.run(
        [sys.executable, "-I", "-c", START.format(largest=largest), "generate", *arguments],
        cwd=project,
        env={"PATH": os.defpath, "HOME": str(home), "LANG": "C.UTF-8", "TERM": "xterm"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        timeout=100,
        check=False,
    )
    os.close(slave)
    reader.join()
    os.close(master)
    return screen.decode()


@pytest.mark.parametrize("text", [FILES_IN_SIGHT, FILES_OUT_OF_SIGHT])
@pytest.mark.parametrize(("largest", "ended"), [(2**25, True), (2**50, False)])
def test_code_that_fills_the_disk_is_ended(
    tmp_path: Path, text: str, largest: int, ended: bool
) -> None:
    files = {"shop.py": f"{text}\n\ndef f():\n    return 1\n"}
    seen = run(tmp_path, files, "shop.py", "--no-model", "--diff", largest=largest)
    assert ("ended the process (output)" in seen) == ended, seen
    assert ("did not end within" in seen) != ended


def test_difference_on_a_terminal_does_not_steer_it(tmp_path: Path) -> None:
    files = {
        "shop.py": "def fee(x: int) -> int:\n    if x > 3:\n        return 3\n    return x\n",
        "test_shop.py": "from shop import fee\n\n\ndef test_mine():\n    assert fee(0) == 0\n"
        f"    # {TITLE}\n",
    }
    seen = run(tmp_path, files, "shop.py", "--no-model", "--diff", "--budget", "60")
    assert "+def test_fee" in seen, seen
    assert "    # \\x1b]0;zebra\\x07\\u202e" in seen
    assert "\x1b]0;" not in seen
