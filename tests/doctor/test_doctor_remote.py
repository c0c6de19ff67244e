"""Gemini and the server in the building: what is set up, and whether it answers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hybridgen.backends.fake_gemini import BAD_KEY, FakeGemini
from hybridgen.backends.fake_openai import FakeOpenai
from hybridgen.courier import Courier, Setup
from hybridgen.doctor import remote as room
from hybridgen.doctor.remote import (
    WayOut,
    begun,
    check_reach,
    check_remotes,
    destinations,
    not_tried,
)
from hybridgen.domain import Destination, Label
from hybridgen.domain.health import Finding, State
from hybridgen.lockdown import LockLevel
from hybridgen.settings import Settings, load_settings

pytest.importorskip("google.genai")

USER_FILE = Path("/home/ann/.config/hybridgen/config.toml")
GEMINI = {"gemini_terms": "paid"}
ONPREM: dict[str, Any] = {
    "onprem_url": "https://models.example.com/v1",
    "onprem_model": "qwen",
    "onprem_trusted_hosts": ("models.example.com",),
}

Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Settings of a user without any but those given, on a machine with the ceiling given."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def make(ceiling: str = "", **values: object) -> Settings:
        file = tmp_path / "organisation.toml"
        if ceiling:
            file.write_text(f"[ceiling]\n{ceiling}\n")
        return load_settings(None, values, environment={}, organisation=file)

    return make


def looked(settings: Settings, key: str | None = "the keyring") -> dict[str, Finding]:
    """By the first word of the text."""
    found = check_remotes(settings, lambda _backend: key, USER_FILE)
    return {finding.text.split(":")[0].split(" ")[0]: finding for finding in found}


def never(backend: str) -> str | None:
    raise AssertionError(f"the keyring was opened for {backend}")


@pytest.mark.parametrize(
    "values", [{}, {"offline": True}, {"offline": True, **GEMINI}, {"backend": "local", **GEMINI}]
)
def test_nothing_set_up_is_fine_and_no_keyring_is_opened(
    load: Load, values: dict[str, Any]
) -> None:
    (finding,) = check_remotes(load(**values), never, USER_FILE)
    assert finding.state is State.OK
    assert "this machine" in finding.text


def test_gemini_that_is_set_up_is_said_with_terms_and_place_of_the_key(load: Load) -> None:
    finding = looked(load(**GEMINI), "the variable GEMINI_API_KEY")["Google"]
    assert finding.state is State.OK
    assert "terms paid" in finding.text
    assert "key from the variable GEMINI_API_KEY" in finding.text
    assert "generativelanguage.googleapis.com" in finding.text


def test_missing_key_is_a_warning_that_says_where_to_put_one(load: Load) -> None:
    finding = looked(load(**GEMINI), None)["Google"]
    assert finding.state is State.WARNING
    assert "GEMINI_API_KEY" in str(finding.fix)


def test_terms_that_were_not_acknowledged_are_a_warning(load: Load) -> None:
    finding = looked(load(gemini_terms="unpaid"))["Google"]
    assert finding.state is State.WARNING
    assert "acknowledge_unpaid" in finding.text
    assert str(USER_FILE) in str(finding.fix)


def test_missing_sdk_is_a_warning_with_the_command(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hybridgen.pipeline.remotes._is_there", lambda _sdk: False)
    finding = looked(load(**GEMINI))["Google"]
    assert finding.state is State.WARNING
    assert finding.fix == "pip install 'hybridgen[gemini]'"


def test_where_nothing_can_be_locked_nothing_is_sent_and_that_is_said(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("hybridgen.pipeline.remotes.probe", "hybridgen.doctor.remote.probe"):
        monkeypatch.setattr(place, lambda: LockLevel(True, False, "no Landlock"))
    finding = looked(load(**GEMINI))["Google"]
    assert finding.state is State.WARNING
    assert "no Landlock" in finding.text
    assert "docs/sandbox.md" in str(finding.fix)
    assert destinations(load(**GEMINI, **ONPREM), has_key=True) == ()


def test_backend_that_is_asked_for_by_name_and_not_set_up_is_wrong(load: Load) -> None:
    finding = looked(load(backend="onprem"))["the"]
    assert finding.state is State.WRONG
    assert "onprem.url is not set" in finding.text
    assert looked(load(backend="gemini", **GEMINI), None)["Google"].state is State.WRONG


def test_server_in_the_building_needs_no_key(load: Load) -> None:
    finding = looked(load(**ONPREM), None)["the"]
    assert finding.state is State.OK
    assert "key not set" in finding.text


def test_untrusted_host_is_a_warning(load: Load) -> None:
    finding = looked(load(**{**ONPREM, "onprem_trusted_hosts": ("other",)}))["the"]
    assert finding.state is State.WARNING
    assert "trusted_hosts" in finding.text


def test_what_the_organisation_forbids_is_no_fault_of_the_users(load: Load) -> None:
    finding = looked(load('backends = ["onprem"]', **GEMINI))["Google"]
    assert finding.state is State.OK
    assert "does not allow it" in finding.text


def test_certificates_that_cannot_be_read_are_wrong(load: Load, tmp_path: Path) -> None:
    settings = load(**ONPREM, onprem_ca=tmp_path / "nowhere.pem")
    finding = looked(settings)["the"]
    assert finding.state is State.WRONG
    assert "nowhere.pem" in finding.text
    assert "onprem.ca" in str(finding.fix)


def test_destinations_are_those_that_a_run_could_ask(load: Load) -> None:
    def names(settings: Settings, has_key: bool) -> list[str]:
        return [one.backend for one in destinations(settings, has_key=has_key)]

    assert names(load(**GEMINI, **ONPREM), True) == ["gemini", "onprem"]
    assert names(load(**GEMINI, **ONPREM), False) == ["onprem"]
    assert names(load(**GEMINI, **ONPREM, backend="local"), True) == []
    assert names(load(**GEMINI, **ONPREM, offline=True), True) == []


def test_keys_are_looked_for_where_something_was_begun_only(load: Load) -> None:
    assert begun(load()) == ()
    assert begun(load(**GEMINI)) == ("gemini",)
    assert begun(load(backend="onprem")) == ("onprem",)
    assert begun(load(**GEMINI, **ONPREM)) == ("gemini", "onprem")
    assert begun(load(**GEMINI, offline=True)) == ()
    assert begun(load(**GEMINI, backend="local")) == ()


def test_nobody_is_asked_unless_told_to(load: Load) -> None:
    finding = not_tried(load(**ONPREM), is_online=False)
    assert finding is not None
    assert "--online" in finding.text
    offline = not_tried(load(**ONPREM, offline=True), is_online=True)
    assert offline is not None
    assert "offline = true" in offline.text
    assert not_tried(load(**ONPREM), is_online=True) is None


@pytest.fixture(scope="module")
def server() -> Iterator[FakeOpenai]:
    with FakeOpenai([]) as fake:
        yield fake


def onprem(url: str, model: str = "fake") -> Setup:
    destination = Destination("onprem", url, model, "openai-compatible", "onprem", Label.INTERNAL)
    return Setup(destination, key="KEY-OF-THE-TEST", trusted_hosts=("127.0.0.1",))


def reached(setup: Setup) -> Finding:
    courier = Courier.start()
    courier.configure(setup)
    (finding,) = check_reach(WayOut(courier, (setup.destination,)))
    assert not courier.is_alive, "the courier is still there"
    return finding


def test_server_that_answers_is_reached_by_a_question_without_text(server: FakeOpenai) -> None:
    server.play([])
    finding = reached(onprem(f"{server.url}/v1"))
    assert finding.state is State.OK
    (request,) = server.requests
    assert (request.method, request.path, request.body) == ("GET", "/v1/models", b"")


def test_model_that_is_not_served_is_wrong_and_those_served_are_named(server: FakeOpenai) -> None:
    finding = reached(onprem(f"{server.url}/v1", model="other"))
    assert finding.state is State.WRONG
    assert "serves fake and not other" in finding.text
    assert "onprem.model" in str(finding.fix)


def test_server_that_speaks_something_else_is_wrong(server: FakeOpenai) -> None:
    finding = reached(onprem(f"{server.url}/nothing"))
    assert finding.state is State.WRONG
    assert finding.fix is not None


def test_server_that_is_not_there_is_wrong_with_what_was_tried() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        finding = reached(onprem(f"http://127.0.0.1:{taken.getsockname()[1]}/v1"))
    assert finding.state is State.WRONG
    assert "cannot be reached" in finding.text
    assert finding.details[0].startswith("tried: ")
    assert "onprem.url" in str(finding.fix)


def test_server_that_hangs_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_PATIENCE", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        finding = reached(onprem(f"http://127.0.0.1:{silent.getsockname()[1]}/v1"))
    assert finding.state is State.WRONG
    assert "in time" in finding.text


@pytest.fixture(scope="module")
def gemini() -> Iterator[FakeGemini]:
    with FakeGemini([]) as fake:
        yield fake


def to_gemini(fake: FakeGemini, **changes: str) -> Setup:
    named = {"sdk": "google-genai", "model": "gemini-x", "terms": "paid", "key": "K", **changes}
    key = named.pop("key")
    return Setup(Destination("gemini", fake.url, clearance=Label.PUBLIC, **named), key=key)


@pytest.mark.parametrize("sdk", ["google-genai", "google-generativeai"])
def test_gemini_is_asked_for_its_model_and_told_nothing(gemini: FakeGemini, sdk: str) -> None:
    gemini.play([])
    assert reached(to_gemini(gemini, sdk=sdk)).state is State.OK
    (request,) = gemini.requests
    assert (request.method, request.path, request.body) == ("GET", "/v1beta/models/gemini-x", b"")
    assert request.headers["x-goog-api-key"] == "K"


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"key": BAD_KEY}, "does not accept the API key"), ({"model": "old"}, "no model of this")],
)
def test_gemini_that_refuses_is_wrong(
    gemini: FakeGemini, changes: dict[str, str], said: str
) -> None:
    finding = reached(to_gemini(gemini, **changes))
    assert finding.state is State.WRONG
    assert said in finding.text
    assert finding.fix is not None


def test_vertex_cannot_be_asked_and_that_is_said(gemini: FakeGemini) -> None:
    gemini.play([])
    assert reached(to_gemini(gemini, terms="vertex")).state is State.SKIPPED
    assert gemini.requests == []


def test_where_there_is_nobody_to_ask_that_is_said() -> None:
    (finding,) = check_reach(WayOut(None, ()))
    assert finding.state is State.SKIPPED
