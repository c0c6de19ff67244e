"""All checks together: none ends the others, and what cannot be found out is said once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hybridgen.doctor import Asked, Places, WayOut, checkup, diagnose
from hybridgen.domain.health import Finding, State
from hybridgen.engine.build import Build
from hybridgen.errors import EngineError, SettingsError
from hybridgen.settings import Settings, load_settings

Diagnose = Callable[..., dict[str, list[Finding]]]


@pytest.fixture
def diagnosed(tmp_path: Path) -> Diagnose:
    """Findings by subject, for a user of whom nothing is kept."""

    def run(**changes: Any) -> dict[str, list[Finding]]:
        state, cache = tmp_path / "state", tmp_path / "cache"
        values: dict[str, Any] = {
            "load": lambda: load_settings(None, {"model_folder": tmp_path / "m"}, environment={}),
            "folder": tmp_path,
            "places": Places(state, cache, tmp_path / "config.toml", {"ledger": state / "ledger"}),
            "key_of": lambda _backend: None,
            "way_out": lambda: WayOut(None, ()),
            "is_online": False,
            "say": lambda _text: None,
        }
        found: dict[str, list[Finding]] = {}
        for finding in diagnose(Asked(**{**values, **changes})):
            found.setdefault(finding.subject, []).append(finding)
        return found

    return run


def test_every_check_says_something(diagnosed: Diagnose) -> None:
    found = diagnosed()
    assert list(found) == [
        *("hybridgen", "packages", "settings", "organisation", "model", "memory", "disk"),
        *("processor", "graphics", "locks", "python", "remote", "reach", "files", "ledger"),
        "trust",
    ]
    assert all(one.fix for ones in found.values() for one in ones if one.state is State.WRONG)


def test_broken_settings_are_said_once_and_the_rest_is_still_looked_at(
    diagnosed: Diagnose, tmp_path: Path
) -> None:
    def broken() -> Settings:
        raise SettingsError("config.toml: budget is no number", "correct that line")

    (tmp_path / "state").mkdir(mode=0o777)
    (tmp_path / "state").chmod(0o777)
    found = diagnosed(load=broken)
    (finding,) = found["settings"]
    assert (finding.state, finding.fix) == (State.WRONG, "correct that line")
    for subject in ("model", "memory", "disk", "locks", "python", "remote", "reach"):
        assert [one.state for one in found[subject]] == [State.SKIPPED], subject
        assert "the settings cannot be read" in found[subject][0].text
    assert found["processor"][0].state is not State.SKIPPED
    assert found["ledger"][0].state is State.OK
    assert "chmod go-w" in str(found["files"][0].fix)


def test_llama_that_cannot_be_loaded_is_said_once(
    diagnosed: Diagnose, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise EngineError("llama.cpp cannot be loaded: it crashed", "build it")

    monkeypatch.setattr(checkup, "ask_build", broken)
    found = diagnosed()
    assert [one.state for one in found["processor"]] == [State.WRONG]
    assert [one.state for one in found["graphics"]] == [State.SKIPPED]


def test_card_that_the_settings_ask_for_in_vain_is_wrong_and_says_where(
    diagnosed: Diagnose, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = Build("0.3", frozenset(), can_offload=False)
    monkeypatch.setattr(checkup, "ask_build", lambda: build)
    asked = {"HYBRIDGEN_GPU_LAYERS": "-1"}
    found = diagnosed(load=lambda: load_settings(None, {}, environment=asked))
    (finding,) = found["graphics"]
    assert finding.state is State.WRONG
    assert "gpu_layers = -1 (environment HYBRIDGEN_GPU_LAYERS)" in finding.text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ZeroDivisionError("a word of the project"), "could not be checked: ZeroDivisionError"),
        (PermissionError(13, "Permission denied", "/x y"), "Permission denied: /x y"),
        (OSError(5, "Input/output error"), "Input/output error"),
    ],
)
def test_check_that_crashes_is_a_finding(
    diagnosed: Diagnose, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def crash(*_arguments: object) -> Iterator[Finding]:
        raise error

    monkeypatch.setattr(checkup, "check_ledger", crash)
    found = diagnosed()
    (finding,) = found["ledger"]
    assert finding.state is State.WRONG
    assert said in finding.text
    assert "a word of the project" not in finding.text
    assert finding.fix
    assert found["trust"][0].state is State.OK


def test_fix_of_what_may_not_be_read_is_a_command_to_paste(
    diagnosed: Diagnose, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_arguments: object) -> Iterator[Finding]:
        raise PermissionError(13, "Permission denied", "/a/x y")

    monkeypatch.setattr(checkup, "check_ledger", crash)
    (finding,) = diagnosed()["ledger"]
    assert str(finding.fix).endswith("chmod u+rX /a '/a/x y'")


def test_log_that_settings_put_elsewhere_is_looked_at_too(
    diagnosed: Diagnose, tmp_path: Path
) -> None:
    log = tmp_path / "engine.log"
    log.touch()
    log.chmod(0o644)
    found = diagnosed(load=lambda: load_settings(None, {"log_file": log}, environment={}))
    assert [one.fix for one in found["files"]] == [f"chmod go-rwx {log}"]
