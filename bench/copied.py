"""Runs a command on a copy of a folder, so that it cannot harm the folder itself.

    python bench/copied.py FOLDER COMMAND [ARGUMENT ...]

Tests that pass on the code as it is may delete the very sources once a mutant sends them to
another path; the next mutant must find its project whole. Wherever the arguments and the
environment name the folder, the command gets the copy instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def main(folder: str, command: list[str]) -> int:
    """The exit status of the command; the copy is gone afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        copy = Path(scratch) / Path(folder).name
        shutil.copytree(folder, copy, symlinks=True)

        def moved(text: str) -> str:
            return text.replace(folder, str(copy))

        return subprocess.run(
            [moved(part) for part in command],
            cwd=copy,
            env={name: moved(text) for name, text in os.environ.items()},
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
