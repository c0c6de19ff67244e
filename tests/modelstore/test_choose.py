"""The model for a machine is chosen by memory and cores, and the reason is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridgen.errors import ModelError
from hybridgen.modelstore.choose import choose_default
from hybridgen.modelstore.store import ModelStore

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("memory", "cores", "expected"),
    [
        (8 * GB, 2, "qwen2.5-coder-0.5b"),
        (8 * GB, 8, "qwen2.5-coder-1.5b"),
        (3 * GB, 8, "qwen2.5-coder-0.5b"),  # twice the 1.5B's need is not there
        (64 * GB, 2, "qwen2.5-coder-0.5b"),  # memory does not make a model fast
        (64 * GB, 8, "qwen2.5-coder-1.5b"),
        (64 * GB, 32, "qwen2.5-coder-7b"),
        (1 * GB, 1, "qwen2.5-coder-0.5b"),  # the smallest, for want of a better one
    ],
)
def test_default_model_follows_memory_and_cores(
    tmp_path: Path, memory: int, cores: int, expected: str
) -> None:
    manifest, _ = ModelStore(tmp_path).choose_default(memory, cores)
    assert manifest.name == expected


def test_reason_names_cores_when_they_stand_in_the_way(tmp_path: Path) -> None:
    _, why = ModelStore(tmp_path).choose_default(64 * GB, 2)
    assert why == (
        "64.0 GB of memory and 2 usable core(s); "
        "qwen2.5-coder-1.5b would be slow with fewer than 6 cores"
    )


def test_reason_says_when_memory_is_tight(tmp_path: Path) -> None:
    _, why = ModelStore(tmp_path).choose_default(1 * GB, 2)
    assert "it needs 950 MB, tight with 1,000 MB of memory" in why


def test_nothing_to_choose_from_is_an_error() -> None:
    with pytest.raises(ModelError, match="no model may be chosen by default"):
        choose_default([], GB, 2)
