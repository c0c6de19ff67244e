"""The same seed, settings and code give the same file: the real command, twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# Words, sets, branches and exceptions: what could come in another order comes here.
FEES = """
KINDS = {"fruit", "tool", "toy"}


def fee(kind: str, price: int) -> int:
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is not one of {len(KINDS)} kinds")
    if price > 100:
        return price // 20
    return price // 10
"""


def generated(folder: Path, seed: str, hash_seed: str) -> dict[str, bytes]:
    """What a run writes into a clean project in ``folder``: all files but those it started from."""
    project = folder / "project"
    project.mkdir(parents=True)
    (project / "fees.py").write_text(FEES)
    (project / "pyproject.toml").write_text("[tool.pytest.ini_options]\npythonpath = ['.']\n")
    given = set(project.rglob("*"))
    kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    own = {"HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": hash_seed}
    start = [sys.executable, "-m", "hybridgen", "generate", "fees.py", "--no-model"]
    done = subprocess.run(
        [*start, "--budget", "300", "--seed", seed],  # far more than the search needs
        cwd=project,
        env={**kept, **own},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    written = [path for path in sorted(project.rglob("*")) if path not in given and path.is_file()]
    return {str(path.relative_to(project)): path.read_bytes() for path in written}


def test_same_seed_and_code_give_the_same_file_byte_by_byte(tmp_path: Path) -> None:
    first = generated(tmp_path / "first", "5", "1")
    again = generated(tmp_path / "another-place", "5", "4242")
    assert list(first) == ["tests/test_fees.py"]
    assert first == again
