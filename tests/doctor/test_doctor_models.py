"""The model: is it there, is it whole, does it fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hybridgen.doctor import models as room
from hybridgen.doctor.models import check_memory, check_model
from hybridgen.domain.health import Finding, State
from hybridgen.engine.machine import available_memory
from hybridgen.errors import ModelError, ModelMissing, UsageError
from hybridgen.modelstore.store import ModelStore

MakeStore = Callable[..., ModelStore]
SMALL, HUGE = 10**6, 10**15


def looked(store: ModelStore, model: str | None = None) -> list[Finding]:
    return list(check_model(store, model, lambda _text: None))


def weighed(store: ModelStore, model: str | None = None, context: int = 4096) -> Finding:
    (finding,) = check_memory(store, model, context)
    return finding


def test_installed_model_is_read_whole_and_that_is_said(make_store: MakeStore) -> None:
    said: list[str] = []
    (finding,) = check_model(make_store("good", good=SMALL), None, said.append)
    assert finding.state is State.OK
    assert "good: " in finding.text
    assert "the sha256 is right" in finding.text
    assert len(said) == 1
    assert said[0].startswith("reading good")


def test_changed_byte_in_the_model_is_noticed(make_store: MakeStore) -> None:
    store = make_store("good", good=SMALL)
    path = store.path("good")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="sha256 is") as raised:
        looked(store)
    assert raised.value.hint == "hybridgen models pull good"


def test_no_model_is_a_warning_that_names_the_next_command(make_store: MakeStore) -> None:
    (finding,) = looked(make_store(good=SMALL))
    assert (finding.state, finding.fix) == (State.WARNING, "hybridgen models pull")


def test_interrupted_pull_is_named(make_store: MakeStore) -> None:
    store = make_store(good=SMALL)
    store.partial_file(store.manifest("good")).write_bytes(b"GGUF")
    (finding,) = looked(store)
    assert (finding.state, finding.fix) == (State.WARNING, "hybridgen models pull good")
    assert "interrupted" in finding.text


def test_cut_model_is_wrong_where_there_is_no_other(make_store: MakeStore) -> None:
    store = make_store("cut", cut=SMALL)
    path = store.folder / "cut.gguf"
    path.write_bytes(path.read_bytes()[:1000])
    (finding,) = looked(store)
    assert (finding.state, finding.fix) == (State.WRONG, "hybridgen models pull cut")
    assert str(path) in finding.text
    assert "1,000 bytes" in finding.text


def test_cut_model_beside_a_good_one_is_a_warning(make_store: MakeStore) -> None:
    store = make_store("cut", "good", cut=SMALL, good=SMALL)
    path = store.folder / "cut.gguf"
    path.write_bytes(path.read_bytes()[:1000])
    assert [(one.state, one.facts["model"]) for one in looked(store)] == [
        (State.WARNING, "cut"),
        (State.OK, "good"),
    ]


def test_named_model_that_is_missing_is_an_error_with_the_command(make_store: MakeStore) -> None:
    with pytest.raises(ModelMissing) as raised:
        looked(make_store(good=SMALL), "good")
    assert raised.value.hint == "hybridgen models pull good"
    with pytest.raises(UsageError, match="no model named other"):
        list(check_model(ModelStore(), "other", print))


def test_own_file_is_read_and_has_no_hash(make_store: MakeStore, tiny_gguf: Path) -> None:
    (finding,) = looked(make_store(good=SMALL), str(tiny_gguf))
    assert finding.state is State.OK
    assert "of your own" in finding.text


def test_own_file_with_a_damaged_head_is_wrong(
    make_store: MakeStore, tmp_path: Path, tiny_gguf: Path
) -> None:
    path = tmp_path / "own.gguf"
    path.write_bytes(tiny_gguf.read_bytes()[:300])
    store = make_store(good=SMALL)
    (finding,) = looked(store, str(path))
    assert finding.state is State.WRONG
    assert "cut off" in finding.text
    assert finding.fix is not None
    assert weighed(store, str(path)).state is State.SKIPPED


def test_need_is_said_with_what_it_is_made_of(make_store: MakeStore) -> None:
    finding = weighed(make_store("good", good=SMALL), context=4096)
    assert finding.state is State.OK
    # Two layers, four heads of 16 numbers as keys and as many as values, two bytes each.
    assert finding.facts["context_bytes"] == 4096 * 2 * (64 + 64) * 2
    assert "4,096 tokens of context" in finding.text


def test_longer_context_than_measured_is_added_to_what_was_measured(make_store: MakeStore) -> None:
    finding = weighed(make_store("good", good=SMALL), context=8192 + 1000)
    assert finding.facts["needed_bytes"] == SMALL + 1000 * 2 * (64 + 64) * 2


def test_no_more_context_is_reckoned_than_the_model_was_trained_with(
    make_store: MakeStore, tiny_gguf: Path
) -> None:
    assert weighed(make_store(), str(tiny_gguf), 200_000).facts["context_tokens"] == 65536


def test_model_that_does_not_fit_is_wrong_and_a_smaller_one_is_named(
    make_store: MakeStore,
) -> None:
    finding = weighed(make_store("large", large=HUGE, little=SMALL, larger=HUGE), "large")
    assert finding.state is State.WRONG
    assert "it will not be loaded" in finding.text
    assert finding.fix is not None
    assert "hybridgen models pull little" in finding.fix


def test_where_nothing_smaller_fits_no_model_is_named(make_store: MakeStore) -> None:
    finding = weighed(make_store("large", large=HUGE, larger=HUGE), "large")
    assert finding.state is State.WRONG
    assert finding.fix is not None
    assert "models pull" not in finding.fix


def test_own_file_that_may_need_a_second_copy_is_a_warning(
    make_store: MakeStore, tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need = weighed(make_store(), str(tiny_gguf)).facts["needed_bytes"]
    assert isinstance(need, int)
    monkeypatch.setattr(room, "available_memory", lambda: need + 1)
    finding = weighed(ModelStore(), str(tiny_gguf))
    assert finding.state is State.WARNING
    monkeypatch.setattr(room, "available_memory", lambda: need - 1)
    assert weighed(ModelStore(), str(tiny_gguf)).state is State.WRONG


def test_limits_of_the_container_count(make_store: MakeStore) -> None:
    finding = weighed(make_store("good", good=SMALL))
    free, now = finding.facts["available_bytes"], available_memory()
    assert isinstance(free, int)
    assert isinstance(now, int)
    assert abs(free - now) < now / 2


def test_without_a_model_nothing_is_reckoned(make_store: MakeStore) -> None:
    store = make_store(good=SMALL)
    assert weighed(store).state is State.SKIPPED
    assert weighed(store, "good").state is State.SKIPPED
