"""``hybridgen models`` as a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hybridgen.cli.models import models
from hybridgen.errors import DownloadError, HybridgenError, ModelMissing
from hybridgen.modelstore.store import ModelStore


def invoke(store: ModelStore | None, *arguments: str) -> Result:
    return CliRunner().invoke(models, arguments, obj=store)


def test_list_shows_every_model_with_its_state(store: ModelStore, model: bytes) -> None:
    assert "missing" in invoke(store, "list").stdout
    store.folder.mkdir()
    store.partial_file(store.manifest("tiny")).write_bytes(model[: len(model) // 2])
    assert "50% pulled" in invoke(store, "list").stdout
    (store.folder / "tiny.gguf").write_bytes(model)
    line = invoke(store, "list").stdout
    assert "installed" in line
    assert "Apache-2.0" in line


def test_list_json_is_one_document(store: ModelStore) -> None:
    document = json.loads(invoke(store, "list", "--json").stdout)
    assert document["schema_version"] == 1
    assert document["folder"] == str(store.folder)
    assert document["models"][0] | {"about": ""} == {
        "name": "tiny",
        "about": "",
        "state": "missing",
        "path": str(store.folder / "tiny.gguf"),
        "arrived_bytes": 0,
        "bytes": 2_750_000,
        "sha256": store.manifest("tiny").sha256,
        "licence": "Apache-2.0",
        "context_tokens": 512,
        "memory_bytes": 10_000_000,
        "sources": ["hub", "mirror"],
    }


def test_path_verify_and_rm_of_an_installed_model(store: ModelStore, model: bytes) -> None:
    store.folder.mkdir()
    path = store.folder / "tiny.gguf"
    path.write_bytes(model)
    assert invoke(store, "path", "tiny").stdout == f"{path}\n"
    assert invoke(store, "verify").stdout == f"tiny: sha256 is right: {path}\n"
    assert invoke(store, "rm", "tiny").stdout == "tiny: 3 MB freed\n"
    assert isinstance(invoke(store, "path", "tiny").exception, ModelMissing)
    assert isinstance(invoke(store, "verify").exception, ModelMissing)


def test_folder_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDGEN_MODEL_FOLDER", str(tmp_path / "elsewhere"))
    document = json.loads(invoke(None, "list", "--json").stdout)
    assert document["folder"] == str(tmp_path / "elsewhere")


def test_offline_comes_from_the_environment(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDGEN_OFFLINE", "1")
    error = invoke(store, "pull", "tiny").exception
    assert isinstance(error, ModelMissing)
    assert error.exit_code == 1
    assert "the network is off" in error.message


def test_pull_without_a_name_says_what_it_chose_why_and_how_long(store: ModelStore) -> None:
    result = invoke(store, "pull", "--offline")
    assert "tiny suits this machine (" in result.stderr
    assert "It has 3 MB: about 1 min at 10 MB a second." in result.stderr


def test_errors_reach_the_main_command_as_they_are(store: ModelStore) -> None:
    for arguments in (["path", "none"], ["verify", "tiny"], ["rm", "tiny"]):
        error = invoke(store, *arguments).exception
        assert isinstance(error, HybridgenError)
        assert not isinstance(error, DownloadError)
        assert error.hint
