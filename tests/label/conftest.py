"""Small real projects on disk, and their labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from hybridgen.domain import Label
from hybridgen.label import Labeller, Mark, Rules

Make = Callable[[Mapping[str, str | bytes]], Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write files below the project's root and return the root."""

    def write(files: Mapping[str, str | bytes]) -> Path:
        root = tmp_path / "project"
        root.mkdir(exist_ok=True)
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return write


@pytest.fixture
def public() -> Rules:
    """A user's own mark that makes everything public that nothing speaks against."""
    return Rules((Mark("**", Label.PUBLIC, "config.toml", needs_trust=False),))


@pytest.fixture
def label(make: Make, public: Rules) -> Callable[..., Label]:
    """The label of a file of a project in which the user marked everything public."""

    def run(files: Mapping[str, str | bytes], name: str) -> Label:
        return Labeller(make(files), public).look(Path(name)).label

    return run
