"""Which model a run asks, and when its cached answers count as answers of that model."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from hybridgen.cli.backend import Chosen, choose_backend
from hybridgen.errors import UsageError
from hybridgen.settings import load_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who has nothing yet."""
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def choose(**flags: object) -> Chosen | None:
    return choose_backend(load_settings(None, {"threads": 1, **flags}, environment={}))


def has_to_load(home: Path, model: Path, **flags: object) -> bool:
    """Whether a question is answered by the model and not by the cache."""
    chosen = choose(model=str(model), **flags)
    assert chosen is not None
    backend = chosen.make_backend()
    try:
        assert backend.count_tokens(["abc"], deadline=time.monotonic() + 30) == [3]
    finally:
        backend.close()
    log = home / ".local/state/hybridgen/engine.log"
    was_started = log.exists()
    log.unlink(missing_ok=True)
    return was_started


def test_without_any_model_there_is_nothing_to_ask() -> None:
    assert choose() is None


def test_a_model_that_does_not_exist_is_wrong_usage() -> None:
    with pytest.raises(UsageError):
        choose(model="gpt-9")


def test_a_file_that_changed_is_another_model(home: Path, tmp_path: Path, tiny_gguf: Path) -> None:
    model = tmp_path / "mine.gguf"
    model.write_bytes(tiny_gguf.read_bytes())
    assert has_to_load(home, model)
    assert not has_to_load(home, model)
    os.utime(model, (1, 1))
    assert has_to_load(home, model)


def test_without_a_cache_the_model_is_always_asked_and_nothing_is_kept(
    home: Path, tiny_gguf: Path
) -> None:
    assert [has_to_load(home, tiny_gguf, cache=False) for _ in range(2)] == [True, True]
    assert not (home / ".cache").exists()


def test_the_notes_tell_what_came_out_of_the_cache_and_what_spoils_it(
    home: Path, tiny_gguf: Path
) -> None:
    (home / ".cache/hybridgen/replies").mkdir(mode=0o755, parents=True)
    chosen = choose(model=str(tiny_gguf))
    assert chosen is not None
    assert list(chosen.notes()) == []
    assert has_to_load(home, tiny_gguf)
    backend = chosen.make_backend()
    backend.count_tokens(["abc"], deadline=time.monotonic() + 30)
    backend.close()
    [note] = chosen.notes()
    assert "open to others" in note
    assert "hybridgen purge" in note
