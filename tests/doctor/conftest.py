"""A store with one small real model, for the checks that look at models."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridgen.modelstore.store import ModelStore

MANIFEST = """\
name = "{name}"
about = "a model of the test"
file = "{name}.gguf"
bytes = {bytes}
sha256 = "{sha256}"
licence = "Apache-2.0"
context_tokens = 65536
memory_bytes = {memory}
chat_template = "from-file"
default_from_cores = 1

[hub]
repo = "nobody/nothing"
revision = "{revision}"
file = "model.gguf"
"""


@pytest.fixture
def make_store(tmp_path: Path, tiny_gguf: Path) -> Callable[..., ModelStore]:
    """Makes a store whose manifests are all for the tiny model, by name what each needs."""

    def make(*installed: str, **memory: int) -> ModelStore:
        manifests, folder = tmp_path / "manifests", tmp_path / "models"
        manifests.mkdir()
        folder.mkdir(mode=0o700)
        data = tiny_gguf.read_bytes()
        for name, need in memory.items():
            text = MANIFEST.format(
                name=name,
                bytes=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                memory=need,
                revision="0" * 40,
            )
            (manifests / f"{name}.toml").write_text(text)
            if name in installed:
                shutil.copy(tiny_gguf, folder / f"{name}.gguf")
        return ModelStore(folder, manifests)

    return make
