"""What counts as set up: only what the user or the organisation said, and what it lacks if not."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridgen.domain import Label
from hybridgen.errors import SettingsError
from hybridgen.lockdown import LockLevel
from hybridgen.pipeline.remotes import missing_backends, possible, remotes_from
from hybridgen.route import Remotes, plan_route
from hybridgen.settings import load_settings

GEMINI = {"gemini_terms": "paid"}
ONPREM = {
    "onprem_url": "https://models.example.com/v1",
    "onprem_model": "qwen",
    "onprem_trusted_hosts": ["Models.example.com"],
}


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))


def remotes(tmp_path: Path, ceiling: str = "", has_key: bool = True, **flags: object) -> Remotes:
    company = tmp_path / "config.toml"
    company.write_text(f"[ceiling]\n{ceiling}\n")
    settings = load_settings(None, flags, environment={}, organisation=company)
    return remotes_from(settings, has_key)


def test_nothing_is_set_up_by_default(tmp_path) -> None:
    found = remotes(tmp_path)
    assert (found.gemini, found.onprem, found.offline) == (None, None, False)
    assert "gemini.terms is not set" in found.why_not["gemini"]
    assert "onprem.url is not set" in found.why_not["onprem"]


def test_gemini_reads_public_code_only_and_a_server_of_ones_own_internal_code_too(tmp_path) -> None:
    found = remotes(tmp_path, **GEMINI, **ONPREM)
    assert found.gemini is not None
    assert found.onprem is not None
    assert (found.gemini.clearance, found.onprem.clearance) == (Label.PUBLIC, Label.INTERNAL)
    assert (found.gemini.terms, found.gemini.sdk) == ("paid", "google-genai")
    assert found.gemini.url == "https://generativelanguage.googleapis.com"
    assert found.onprem.url == "https://models.example.com/v1"
    assert found.why_not == {}


def test_an_unpaid_key_needs_to_be_acknowledged(tmp_path) -> None:
    found = remotes(tmp_path, gemini_terms="unpaid")
    assert found.gemini is None
    assert "people may read what is sent" in found.why_not["gemini"]
    assert "gemini.acknowledge_unpaid = true" in found.why_not["gemini"]
    found = remotes(tmp_path, gemini_terms="unpaid", gemini_acknowledge_unpaid=True)
    assert found.gemini is not None


@pytest.mark.parametrize(
    ("change", "lack"),
    [
        ({"has_key": False}, "no key was found"),
        ({"gemini_max_requests": 0}, "gemini.max_requests is 0 (command line)"),
        ({"gemini_url": "http://gemini.example"}, "unencrypted"),
        ({"gemini_terms": "vertex", "gemini_sdk": "google-generativeai"}, "cannot speak to Vertex"),
        ({"gemini_terms": "vertex", "gemini_url": "https://generativelanguage.googleapis.com"},
         "'vertex' are not the terms of generativelanguage"),
        ({"gemini_url": "https://us-central1-aiplatform.googleapis.com"}, "are not the terms of"),
        ({"ceiling": "backends = ['onprem']"}, "config.toml does not allow it"),
        ({"ceiling": "hosts = ['models.example.com']"}, "does not allow the host generativelang"),
        ({"ceiling": "sdks = ['google-generativeai']"},
         "config.toml does not allow google-genai (what gemini.sdk may be: google-generativeai)"),
        ({"ceiling": "sdks = []"}, "may be: nothing"),
        ({"gemini_url": "HTTP://gemini.example"}, "unencrypted"),
    ],
)  # fmt: skip
def test_gemini_says_what_it_lacks(tmp_path, change, lack) -> None:
    found = remotes(tmp_path, **{**GEMINI, **change})
    assert found.gemini is None
    assert lack in found.why_not["gemini"]


@pytest.mark.parametrize(
    ("change", "lack"),
    [
        ({"onprem_trusted_hosts": []}, "models.example.com is not in onprem.trusted_hosts"),
        ({"onprem_trusted_hosts": ["example.com"]}, "is not in onprem.trusted_hosts"),
        ({"onprem_url": "http://127.0.0.1:8080"}, "127.0.0.1 is not in onprem.trusted_hosts"),
        ({"onprem_url": "http://10.0.0.7"}, "10.0.0.7 is not in onprem.trusted_hosts"),
        ({"onprem_trusted_hosts": ["models.example.com:80"]}, "is not in onprem.trusted_hosts"),
        ({"onprem_model": None}, "onprem.model is not set"),
        ({"ceiling": "backends = ['gemini']"}, "config.toml does not allow it"),
    ],
)
def test_a_server_in_the_building_says_what_it_lacks(tmp_path, change, lack) -> None:
    found = remotes(tmp_path, **{**ONPREM, **change})
    assert found.onprem is None
    assert lack in found.why_not["onprem"]


def test_a_trusted_host_may_be_named_with_its_port(tmp_path) -> None:
    trusted = {**ONPREM, "onprem_trusted_hosts": ["models.example.com:443"]}
    assert remotes(tmp_path, **trusted).onprem is not None


def test_vertex_has_an_address_of_its_own_or_one_that_the_user_names(tmp_path) -> None:
    usual = remotes(tmp_path, gemini_terms="vertex").gemini
    assert usual is not None
    assert usual.url == "https://aiplatform.googleapis.com"
    found = remotes(tmp_path, gemini_terms="vertex", gemini_url="https://ai.example.com").gemini
    assert found is not None
    assert (found.url, found.terms) == ("https://ai.example.com", "vertex")


@pytest.mark.parametrize(
    ("flags", "labels", "said"),
    [
        ({}, {Label.CONFIDENTIAL}, []),
        ({}, {Label.INTERNAL, Label.PUBLIC}, ["Google Gemini was not asked: gemini.terms is not"]),
        ({"gemini_model": "gemini-x"}, set(), ["Google Gemini was not asked: gemini.terms is not"]),
        (GEMINI, set(), ["Google Gemini was not asked: no key was found (set GEMINI_API_KEY"]),
        ({"onprem_url": "https://x"}, set(), ["the server in the building was not asked: its ho"]),
        ({**GEMINI, "gemini_max_requests": 0}, {Label.PUBLIC}, []),
        ({**GEMINI, "backend": "local"}, {Label.PUBLIC}, []),
        ({**GEMINI, "offline": True}, {Label.PUBLIC}, []),
        ({"ceiling": "backends = []"}, {Label.PUBLIC}, []),
        (ONPREM, {Label.INTERNAL}, []),
    ],
)
def test_what_was_begun_and_lacks_something_is_said(tmp_path, flags, labels, said) -> None:
    options = {"ceiling": "", **flags}
    company = tmp_path / "config.toml"
    company.write_text(f"[ceiling]\n{options.pop('ceiling')}\n")
    settings = load_settings(None, options, environment={}, organisation=company)
    found = list(missing_backends(settings, remotes_from(settings, has_key=False), labels))
    assert [text.startswith(begin) for text, begin in zip(found, said, strict=True)] == [
        True for _ in said
    ]


def test_offline_neither_of_them_exists(tmp_path) -> None:
    found = remotes(tmp_path, offline=True, **GEMINI, **ONPREM)
    assert (found.gemini, found.onprem, found.offline) == (None, None, True)
    assert found.offline_place == "command line"
    company = remotes(tmp_path, "offline = true", **GEMINI)
    with pytest.raises(SettingsError, match=r"offline = true \(organisation file .*config.toml"):
        plan_route(Label.PUBLIC, "gemini", company)


@pytest.mark.parametrize("level", [(False, True), (True, False), (False, False)])
def test_nothing_is_asked_where_the_kernel_cannot_lock_what_sends(
    tmp_path, monkeypatch, level
) -> None:
    set_up = remotes(tmp_path, **GEMINI, **ONPREM)
    monkeypatch.setattr(
        "hybridgen.pipeline.remotes.probe", lambda: LockLevel(*level, "no Landlock here")
    )
    found = possible(set_up)
    assert (found.gemini, found.onprem) == (None, None)
    assert "no Landlock here" in found.why_not["gemini"]
    assert "no Landlock here" in found.why_not["onprem"]
    assert plan_route(Label.PUBLIC, "auto", found).backend == "local"
