"""The store knows what is on this machine, and what ``--model`` means."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridgen.errors import ModelError, ModelMissing, UsageError
from hybridgen.modelstore.store import ModelState, ModelStore


def install(store: ModelStore, content: bytes, name: str = "tiny") -> Path:
    path = store.file(store.manifest(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_missing_model_names_the_command_that_gets_it(store: ModelStore) -> None:
    with pytest.raises(ModelMissing) as caught:
        store.path("tiny")
    assert "tiny is not on this machine" in caught.value.message
    assert caught.value.hint == "hybridgen models pull tiny"


def test_unknown_name_lists_the_known_ones(store: ModelStore) -> None:
    with pytest.raises(UsageError, match="no model named huge") as caught:
        store.path("huge")
    assert caught.value.hint == "Known names: tiny."


def test_looking_into_an_empty_store_makes_no_folder(store: ModelStore) -> None:
    assert [status.state for status in store.list()] == [ModelState.MISSING]
    assert not store.folder.exists()


def test_installed_model_is_found_verified_and_removed(store: ModelStore, model: bytes) -> None:
    path = install(store, model)
    assert store.path("tiny") == store.verify("tiny") == path
    assert store.remove("tiny") == len(model)
    assert store.list()[0].state is ModelState.MISSING


def test_verify_names_both_hashes_of_a_changed_file(store: ModelStore, model: bytes) -> None:
    install(store, model[:-1] + b"!")
    with pytest.raises(ModelError) as caught:
        store.verify("tiny")
    assert store.manifest("tiny").sha256 in caught.value.message
    assert caught.value.message.count("sha256") == 1
    assert len([word for word in caught.value.message.split() if len(word.strip(",")) == 64]) == 2


def test_file_of_the_wrong_size_is_not_used(store: ModelStore) -> None:
    install(store, b"GGUF")
    assert store.list()[0].state is ModelState.DAMAGED
    with pytest.raises(ModelError, match="4 bytes, expected 2,750,000"):
        store.path("tiny")


def test_interrupted_pull_is_told_and_removed(store: ModelStore) -> None:
    store.folder.mkdir()
    store.partial_file(store.manifest("tiny")).write_bytes(b"GGUF")
    status = store.list()[0]
    assert (status.state, status.arrived) == (ModelState.PARTIAL, 4)
    with pytest.raises(ModelMissing, match="a pull was interrupted"):
        store.path("tiny")
    assert store.remove("tiny") == 4
    with pytest.raises(ModelMissing):
        store.remove("tiny")


def test_model_that_is_being_pulled_is_not_removed(store: ModelStore, model: bytes) -> None:
    path = install(store, model)
    with (
        store.lock(store.manifest("tiny")) as is_ours,
        pytest.raises(ModelError, match="is being pulled"),
    ):
        assert is_ours
        store.remove("tiny")
    assert path.exists()


def test_model_option_takes_a_name_of_the_store(store: ModelStore, model: bytes) -> None:
    path = install(store, model)
    assert store.resolve("tiny") == (path, store.manifest("tiny"))


def test_model_option_takes_a_file_of_the_users_own(store: ModelStore, tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF and more")
    assert store.resolve(str(own)) == (own, None)


def test_model_option_refuses_what_is_no_model(store: ModelStore, tmp_path: Path) -> None:
    text = tmp_path / "own.gguf"
    text.write_text("not a model", encoding="utf-8")
    with pytest.raises(UsageError, match="not a GGUF file"):
        store.resolve(str(text))
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        store.resolve(str(tmp_path / "none.gguf"))
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        store.resolve(str(tmp_path))
    with pytest.raises(UsageError, match="no model named own"):
        store.resolve("own")


def test_best_installed_model_is_a_code_model(store: ModelStore, model: bytes) -> None:
    assert store.installed_best() is None
    install(store, model)
    assert store.installed_best() == store.manifest("tiny")


def test_model_that_is_no_default_is_never_the_best(
    tmp_path: Path, manifests: Path, model: bytes
) -> None:
    text = (manifests / "tiny.toml").read_text(encoding="utf-8")
    (manifests / "tiny.toml").write_text(text.replace("default_from_cores = 1\n", ""))
    store = ModelStore(tmp_path / "store", manifests)
    install(store, model)
    assert store.installed_best() is None
