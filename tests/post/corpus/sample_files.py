"""Functions that read and write files, that replies in the corpus were written for."""

from __future__ import annotations

import json
from pathlib import Path


def load_settings(path: Path) -> dict[str, object]:
    """The JSON object in ``path``; an empty one if there is no such file."""
    if not path.exists():
        return {}
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise TypeError(f"{path.name} must hold an object")
    return data


def append_line(path: Path, line: str) -> int:
    """Appends ``line`` to ``path`` and returns the number of lines it has now."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(line.rstrip("\n") + "\n")
    return len(path.read_text(encoding="utf-8").splitlines())
